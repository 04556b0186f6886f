package store

import (
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/whet-k8s/whet/internal/parquetfile"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
)

// contextTable collects contexts for one segment.
type contextTable struct {
	rows int

	id, operation, origin, auditID                         uuidColumn
	idPrefix                                               numberColumn
	username, impersonated, userAgent, sourceIP, action    textColumn
	groups                                                 listColumn
	began, rootOffset, rootElapsed                         numberColumn
	label, code                                            numberColumn
	verb, apiGroup, resource, subresource, namespace, name textColumn
	outcome, reason, message                               textColumn
	start, duration                                        numberColumn
	clients, effects, failed, events, deletes              numberColumn
	effectsBy, touched                                     countColumn
	originActor                                            textColumn
	readOnly                                               numberColumn
	file                                                   textColumn
	fileLine, item                                         numberColumn
}

// add takes a context, or a part of one.
func (t *contextTable) add(c *pipeline.Context) {
	t.rows++
	t.addIDs(c)
	t.username.add(c.Actor.Username)
	t.groups.add(c.Actor.Groups)
	t.impersonated.add(c.Actor.Impersonated)
	t.userAgent.add(c.Actor.UserAgent)
	t.sourceIP.add(c.Actor.SourceIP)
	t.action.add(c.Action)
	t.label.add(int64(c.Label))
	t.verb.add(c.Verb)
	t.apiGroup.add(c.APIGroup)
	t.resource.add(c.Resource)
	t.subresource.add(c.Subresource)
	t.namespace.add(c.Namespace)
	t.name.add(c.Name)
	t.code.addOr(int64(c.Outcome.Code))
	t.outcome.add(c.Outcome.Word())
	t.reason.add(c.Outcome.Reason)
	t.message.add(c.Outcome.Message)
	t.start.add(c.Start.UnixMicro())
	t.duration.add(c.End.UnixMicro() - c.Start.UnixMicro())
	t.clients.add(int64(c.Clients))
	t.effects.add(int64(c.Effects))
	t.failed.add(int64(c.Failed))
	t.events.add(int64(c.Events))
	t.deletes.add(int64(c.Deletes))
	t.effectsBy.add(c.EffectsBy)
	t.touched.add(c.Touched)
	t.origin.add(c.Origin)
	t.originActor.add(c.OriginActor)
	t.readOnly.addBool(c.ReadOnly)
	t.auditID.add(c.Root.AuditID)
	t.file.add(c.Root.File)
	t.fileLine.add(int64(c.Root.Line))
	t.item.addOr(int64(c.Root.Item))
}

// addIDs takes the ids, which nearly always follow from the root.
func (t *contextTable) addIDs(c *pipeline.Context) {
	received := c.Root.Received.UnixMicro()
	t.rootOffset.add(received - c.Start.UnixMicro())
	t.rootElapsed.add(c.Root.Staged.UnixMicro() - received)
	t.idPrefix.add(int64(idPrefix(c.ID)))
	id, operation := derivedIDs(c)
	if c.ID == id {
		id = ""
	} else {
		id = c.ID
	}
	t.id.add(id)
	t.began.addBool(c.Operation == operation)
	if c.Operation == operation {
		operation = ""
	} else {
		operation = c.Operation
	}
	t.operation.add(operation)
}

func newContextTable() *contextTable {
	t := new(contextTable)
	t.auditID.unique = true
	return t
}

// derivedIDs are the ids of a context, and of an operation that it began, as
// they follow from the times in microseconds that a segment keeps.
func derivedIDs(c *pipeline.Context) (id, operation string) {
	kind := link.KindContext
	if c.Origin != "" {
		kind = link.KindAutonomous
	}
	received, staged := c.Root.Received.Truncate(time.Microsecond), c.Root.Staged.Truncate(time.Microsecond)
	return link.ID(kind, c.Root.AuditID, received, staged),
		link.ID(link.KindOperation, c.Root.AuditID, received, staged)
}

// countColumn is a column of counts by name.
type countColumn struct{ mapColumn[int] }

func (c *countColumn) add(counts map[string]int) { c.mapColumn.add(counts, appendCount) }

func appendCount(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// order gives the rows by username and time, without those for which skip is
// true.
func (t *contextTable) order(skip []bool) []int32 {
	rows := make([]int32, 0, t.rows)
	for row := range t.rows {
		if skip == nil || !skip[row] {
			rows = append(rows, int32(row))
		}
	}
	sortRows(rows, [][]int32{t.username.ranks()}, t.start.numbers)
	return rows
}

// prefixOf is the column of the first bytes of the ids.
func prefixOf(c *numberColumn) fileColumn {
	return numberOf("idPrefix", parquetfile.Int32, parquetfile.Plain, c)
}

// idColumns are the columns that ids follow from.
func (t *contextTable) idColumns() []fileColumn {
	names := []string{"auditID", "auditIDText", "start", "rootOffset", "rootElapsed", "id", "beganOperation", "operation", "origin"}
	return slices.DeleteFunc(t.columns(), func(c fileColumn) bool { return !slices.Contains(names, c.Name) })
}

func (t *contextTable) columns() []fileColumn {
	count := func(name string, c *numberColumn) fileColumn {
		return numberOf(name, parquetfile.Int64, parquetfile.Dictionary, c)
	}
	return []fileColumn{
		auditIDOf(&t.auditID), textOf("auditIDText", &t.auditID.other),
		timeOf("start", &t.start),
		numberOf("duration", parquetfile.Int64, parquetfile.Plain, &t.duration),
		numberOf("rootOffset", parquetfile.Int64, parquetfile.Plain, &t.rootOffset),
		numberOf("rootElapsed", parquetfile.Int64, parquetfile.Plain, &t.rootElapsed),
		prefixOf(&t.idPrefix),
		uuidOf("id", &t.id), boolOf("beganOperation", &t.began), uuidOf("operation", &t.operation),
		textOf("username", &t.username), jsonOf("groups", &t.groups.textColumn), textOf("impersonated", &t.impersonated),
		textOf("userAgent", &t.userAgent), textOf("sourceIP", &t.sourceIP), textOf("action", &t.action),
		count("label", &t.label),
		textOf("verb", &t.verb), textOf("apiGroup", &t.apiGroup), textOf("resource", &t.resource),
		textOf("subresource", &t.subresource), textOf("namespace", &t.namespace), textOf("name", &t.name),
		numberOf("code", parquetfile.Int32, parquetfile.Dictionary, &t.code),
		textOf("outcome", &t.outcome), textOf("reason", &t.reason), textOf("message", &t.message),
		count("clients", &t.clients), count("effects", &t.effects), count("failed", &t.failed),
		count("events", &t.events), count("deletes", &t.deletes),
		jsonOf("effectsBy", &t.effectsBy.textColumn), jsonOf("touched", &t.touched.textColumn),
		uuidOf("origin", &t.origin), textOf("originActor", &t.originActor), boolOf("readOnly", &t.readOnly),
		textOf("file", &t.file), numberOf("line", parquetfile.Int32, parquetfile.Plain, &t.fileLine),
		numberOf("item", parquetfile.Int32, parquetfile.Dictionary, &t.item),
	}
}

// write writes the rows as a segment.
func (t *contextTable) write(w io.Writer, rows []int32, compress parquetfile.Compress) error {
	return writeColumns(w, t.columns(), rows, compress)
}
