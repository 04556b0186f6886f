package store

import (
	"io"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/parquetfile"
	"github.com/whet-k8s/whet/pipeline"
)

// eventTable collects events for one segment.
type eventTable struct {
	rows int

	auditID                                                uuidColumn
	received, elapsed, ordinal, lineBase, item             numberColumn
	stage, level, verb                                     textColumn
	query, path                                            textColumn
	username, userUID, userAgent                           textColumn
	groups, sourceIPs                                      listColumn
	extra                                                  mapColumn[[]string]
	impersonated                                           textColumn
	apiGroup, apiVersion, resource, subresource, namespace textColumn
	name                                                   textColumn
	uid                                                    uuidColumn
	resourceVersion, code                                  numberColumn
	versionText                                            textColumn
	status, reason, message                                textColumn
	annotations                                            mapColumn[string]
	request, response                                      bodyColumn
	context, autonomous                                    uuidColumn
	actor, role, rule, evidence                            textColumn
	cause, rival                                           []string
	causes, rivals                                         distances
	confidence                                             []float64
	label                                                  numberColumn
	file                                                   textColumn

	line []byte
}

func newEventTable() *eventTable {
	t := new(eventTable)
	t.auditID.unique = true
	return t
}

// add takes an event with what was found out about it. The ordinal is its place
// among all events that were ever read into the data set.
func (t *eventTable) add(e *audit.Event, a *pipeline.Annotation, ordinal int64) {
	t.rows++
	t.auditID.add(e.AuditID)
	t.received.add(e.RequestReceived.UnixMicro())
	t.elapsed.add(e.StageTime.UnixMicro() - e.RequestReceived.UnixMicro())
	t.ordinal.add(ordinal)
	t.lineBase.add(int64(a.Position.Line) - ordinal)
	t.item.addOr(int64(a.Position.Item))
	t.file.add(a.Position.Source)
	t.stage.add(string(e.Stage))
	t.level.add(string(e.Level))
	t.verb.add(e.Verb)
	t.addURI(e)
	t.addClient(e)
	o := &e.Object
	t.apiGroup.add(o.APIGroup)
	t.apiVersion.add(o.APIVersion)
	t.resource.add(o.Resource)
	t.subresource.add(o.Subresource)
	t.namespace.add(o.Namespace)
	t.name.add(o.Name)
	t.uid.add(o.UID)
	t.addVersion(o.ResourceVersion)
	t.code.addOr(int64(e.Status.Code))
	t.status.add(e.Status.Status)
	t.reason.add(e.Status.Reason)
	t.message.add(e.Status.Message)
	t.annotations.add(e.Annotations, pipeline.AppendJSONString)
	t.request.add(e.Request, o.Name)
	t.response.add(e.Response, o.Name)
	t.addLink(a)
}

// addClient takes who sent the request.
func (t *eventTable) addClient(e *audit.Event) {
	t.username.add(e.User.Username)
	t.userUID.add(e.User.UID)
	t.groups.add(e.User.Groups)
	t.extra.add(e.User.Extra, appendList)
	t.sourceIPs.add(e.SourceIPs)
	t.userAgent.add(e.UserAgent)
	if e.Impersonated == nil {
		t.impersonated.add("")
		return
	}
	t.line = append(t.line[:0], `{"username":`...)
	t.line = pipeline.AppendJSONString(t.line, e.Impersonated.Username)
	t.line = append(t.line, `,"uid":`...)
	t.line = pipeline.AppendJSONString(t.line, e.Impersonated.UID)
	t.line = append(t.line, `,"groups":`...)
	t.line = append(appendList(t.line, e.Impersonated.Groups), '}')
	t.impersonated.index = append(t.impersonated.index, t.impersonated.bytes(t.line))
}

// addURI takes the request's URI: of its path only what objectRef does not
// say.
func (t *eventTable) addURI(e *audit.Event) {
	path, query, _ := strings.Cut(e.RequestURI, "?")
	t.line = appendPath(t.line[:0], e)
	if string(t.line) != path || strings.HasSuffix(e.RequestURI, "?") {
		t.path.add(e.RequestURI)
		t.query.add("")
		return
	}
	t.path.add("")
	t.query.add(query)
}

// appendPath appends the path of a request as it follows from its objectRef.
// pathSQL says the same.
func appendPath(b []byte, e *audit.Event) []byte {
	o := &e.Object
	if o.APIGroup == "" {
		b = append(b, "/api/"...)
	} else {
		b = append(append(append(b, "/apis/"...), o.APIGroup...), '/')
	}
	b = append(b, o.APIVersion...)
	if o.Namespace != "" && o.Resource != "namespaces" {
		b = append(append(b, "/namespaces/"...), o.Namespace...)
	}
	b = append(append(b, '/'), o.Resource...)
	if o.Name != "" && (o.Subresource != "" || !onCollection(e.Verb)) {
		b = append(append(b, '/'), o.Name...)
	}
	if o.Subresource != "" {
		b = append(append(b, '/'), o.Subresource...)
	}
	return b
}

// onCollection tells the verbs whose path ends with the resource. The name is
// then that in the body, or in the field selector.
func onCollection(verb string) bool {
	switch verb {
	case "create", "list", "watch", "deletecollection":
		return true
	}
	return false
}

// addVersion takes a resourceVersion, which is a number in nearly all events.
func (t *eventTable) addVersion(s string) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		t.resourceVersion.addNull()
		t.versionText.add(s)
		return
	}
	t.resourceVersion.add(n)
	t.versionText.add("")
}

// addLink takes what was found out about the event.
func (t *eventTable) addLink(a *pipeline.Annotation) {
	t.context.add(a.Context)
	t.autonomous.add(a.Autonomous)
	t.actor.add(a.Actor)
	t.role.add(string(a.Role))
	t.rule.add(a.Rule)
	t.evidence.add(a.Evidence)
	t.cause = append(t.cause, a.Cause)
	t.rival = append(t.rival, a.Rival)
	t.confidence = append(t.confidence, a.Confidence)
	t.label.add(int64(a.Label))
}

// order gives the rows in the order of the file: those of one client and
// resource together, and within in order of time. Rows for which skip is true
// are left out.
func (t *eventTable) order(skip []bool) []int32 {
	rows := make([]int32, 0, t.rows)
	for row := range t.rows {
		if skip == nil || !skip[row] {
			rows = append(rows, int32(row))
		}
	}
	sortRows(rows, [][]int32{t.username.ranks(), t.userAgent.ranks(), t.resource.ranks()}, t.received.numbers)
	return rows
}

// resolve turns the auditIDs that links name into distances: for an event of
// these rows how many events of the log lie between, for others the auditID
// stays.
func (t *eventTable) resolve(skip []bool) {
	ordinals := t.ordinals(skip)
	t.causes.resolve(t.cause, t.ordinal.numbers, ordinals)
	t.rivals.resolve(t.rival, t.ordinal.numbers, ordinals)
}

// ordinals gives the ordinals of events by their auditID: of the stages of a
// request, and of requests with the same auditID, that of the first. Rows for
// which skip is true are left out.
func (t *eventTable) ordinals(skip []bool) map[string]int64 {
	ordinals := make(map[string]int64, t.rows)
	for row := range t.rows {
		if skip != nil && skip[row] {
			continue
		}
		id := t.auditID.text(row)
		if at, ok := ordinals[id]; !ok || t.ordinal.numbers[row] < at {
			ordinals[id] = t.ordinal.numbers[row]
		}
	}
	return ordinals
}

// distances are the two columns that a column of auditIDs becomes.
type distances struct {
	near numberColumn
	far  textColumn
}

func (d *distances) resolve(ids []string, own []int64, ordinals map[string]int64) {
	*d = distances{}
	for row, id := range ids {
		at, ok := ordinals[id]
		switch {
		case id == "":
			d.near.addNull()
			d.far.addNull()
		case ok:
			d.near.add(own[row] - at)
			d.far.addNull()
		default:
			d.near.addNull()
			d.far.add(id)
		}
	}
}

func (t *eventTable) columns() []fileColumn {
	return []fileColumn{
		idOf("auditID", &t.auditID), textOf("auditIDText", &t.auditID.other),
		timeOf("requestReceivedTimestamp", &t.received),
		wholeOf("elapsed", &t.elapsed), wholeOf("ordinal", &t.ordinal),
		numberOf("lineBase", parquetfile.Int64, parquetfile.Dictionary, &t.lineBase),
		numberOf("item", parquetfile.Int32, parquetfile.Dictionary, &t.item),
		textOf("file", &t.file), textOf("stage", &t.stage), textOf("level", &t.level), textOf("verb", &t.verb),
		textOf("path", &t.path), textOf("query", &t.query),
		textOf("username", &t.username), textOf("userUID", &t.userUID), jsonOf("groups", &t.groups.textColumn),
		jsonOf("extra", &t.extra.textColumn), jsonOf("impersonated", &t.impersonated),
		jsonOf("sourceIPs", &t.sourceIPs.textColumn), textOf("userAgent", &t.userAgent),
		textOf("apiGroup", &t.apiGroup), textOf("apiVersion", &t.apiVersion), textOf("resource", &t.resource),
		textOf("subresource", &t.subresource), textOf("namespace", &t.namespace), textOf("name", &t.name),
		uuidOf("uid", &t.uid), textOf("uidText", &t.uid.other),
		numberOf("resourceVersion", parquetfile.Int64, parquetfile.Plain, &t.resourceVersion),
		textOf("resourceVersionText", &t.versionText),
		numberOf("code", parquetfile.Int32, parquetfile.Dictionary, &t.code),
		textOf("status", &t.status), textOf("reason", &t.reason), textOf("message", &t.message),
		jsonOf("annotations", &t.annotations.textColumn),
		jsonOf("requestObject", &t.request.textColumn), jsonOf("responseObject", &t.response.textColumn),
		uuidOf("context", &t.context), uuidOf("autonomous", &t.autonomous), textOf("actor", &t.actor),
		textOf("role", &t.role), textOf("rule", &t.rule), textOf("evidence", &t.evidence),
		numberOf("cause", parquetfile.Int32, parquetfile.Plain, &t.causes.near), textOf("causeID", &t.causes.far),
		numberOf("rival", parquetfile.Int32, parquetfile.Plain, &t.rivals.near), textOf("rivalID", &t.rivals.far),
		{Column: parquetfile.Column{Name: "confidence", Type: parquetfile.Double, Encoding: parquetfile.Plain}, floats: &t.confidence},
		numberOf("label", parquetfile.Int64, parquetfile.Dictionary, &t.label),
	}
}

// write writes the rows as a segment.
func (t *eventTable) write(w io.Writer, rows []int32, compress parquetfile.Compress) error {
	return writeColumns(w, t.columns(), rows, compress)
}

// read appends the rows of a segment.
func (t *eventTable) read(name string) error {
	err := readFile(name, t.columns())
	t.rows = len(t.received.numbers)
	return err
}

// join turns the auditIDs that links name into distances where the segments
// that were read together have the event.
func (t *eventTable) join() {
	var ordinals map[string]int64
	for _, d := range []*distances{&t.causes, &t.rivals} {
		for row, at := range d.far.index {
			if at < 0 {
				continue
			}
			if ordinals == nil {
				ordinals = t.ordinals(nil)
			}
			if ordinal, ok := ordinals[d.far.texts[at]]; ok {
				d.far.index[row] = none
				d.near.numbers[row], d.near.null[row] = t.ordinal.numbers[row]-ordinal, false
			}
		}
	}
}
