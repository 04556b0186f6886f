package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline/why"
)

// maxSimilar bounds the names that a suggestion is chosen from.
const maxSimilar = 100_000

// Why finds who caused the last change of the target, or with all set each of
// its changes, as why.Ask does for a log. The error is a *why.NotFoundError
// when the data set has none.
func (d *DataSet) Why(ctx context.Context, t why.Target, all bool) (*why.Answer, error) {
	a := &asking{DataSet: d}
	answer, err := why.AskSource(ctx, why.Source{About: a.about, Similar: d.similar, Contexts: a.linked}, t, all)
	var missing *why.NotFoundError
	if errors.As(err, &missing) {
		missing.Within = "the data set"
		if t.AuditID != "" {
			return d.whyRoot(ctx, t, missing)
		}
		if d.ContextsOnly() {
			return nil, fmt.Errorf("%w; it keeps contexts only (--keep contexts): ask for the auditID of a root, "+
				"which whet query --format json prints, or whet query with the name of the object", err)
		}
	}
	if err != nil {
		return nil, err
	}
	return answer, a.wordRoots(ctx, answer)
}

// ContextsOnly tells that the data set keeps contexts, and no events.
func (d *DataSet) ContextsOnly() bool {
	return !slices.ContainsFunc(d.manifest.Segments, func(s segment) bool { return s.Table == tableEvents }) &&
		len(d.resolver.contexts) > 0
}

// whyRoot answers for an event that is not kept from the context that it began.
func (d *DataSet) whyRoot(ctx context.Context, t why.Target, missing *why.NotFoundError) (*why.Answer, error) {
	for c, err := range d.Contexts(ctx, IsOneOf(fieldAuditID, t.AuditID), Page{Limit: 1}) {
		if err != nil {
			return nil, err
		}
		step := why.Step{
			AuditID: c.Root.AuditID, Time: c.Start, User: c.Actor.Username, Impersonated: c.Actor.Impersonated, Groups: c.Actor.Groups,
			UserAgent: c.Actor.UserAgent, SourceIP: c.Actor.SourceIP, Action: c.Action, Verb: c.Verb, APIGroup: c.APIGroup,
			Resource: c.Resource, Subresource: c.Subresource, Namespace: c.Namespace, Name: c.Name, Code: c.Outcome.Code,
			Role: link.RoleRoot, Confidence: 1, File: c.Root.File, Line: c.Root.Line, Item: c.Root.Item,
		}
		return &why.Answer{Target: t, Changes: 1, Chains: []why.Chain{{Context: c.ID, Steps: []why.Step{step}, Confidence: 1}}}, nil
	}
	if d.ContextsOnly() {
		return nil, fmt.Errorf("%w as its root, and it keeps contexts only (--keep contexts)", missing)
	}
	return nil, missing
}

// asking is a question in progress.
type asking struct {
	*DataSet
	contexts []*Context // that were looked at
}

// wordRoots gives the steps that are roots the words of their contexts, which
// were found when the whole event was there.
func (a *asking) wordRoots(ctx context.Context, answer *why.Answer) error {
	var ids []string
	for _, chain := range answer.Chains {
		known := slices.ContainsFunc(a.contexts, func(c *Context) bool { return c.ID == chain.Context })
		if chain.Context != "" && !known && !slices.Contains(ids, chain.Context) {
			ids = append(ids, chain.Context)
		}
	}
	if err := a.look(ctx, ids); err != nil {
		return err
	}
	for _, c := range a.contexts {
		for i := range answer.Chains {
			chain := &answer.Chains[i]
			for j := range chain.Steps {
				if chain.Context == c.ID && chain.Steps[j].AuditID == c.Root.AuditID {
					chain.Steps[j].Action = c.Action
				}
			}
		}
	}
	return nil
}

// look reads contexts.
func (a *asking) look(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	for c, err := range a.Contexts(ctx, IsOneOf(fieldID, ids...), Page{}) {
		if err != nil {
			return err
		}
		a.contexts = append(a.contexts, c)
	}
	return nil
}

// about gives the events that may be about a target.
func (a *asking) about(ctx context.Context, t why.Target) iter.Seq2[*why.Linked, error] {
	if t.AuditID != "" {
		return func(yield func(*why.Linked, error) bool) {
			files, err := a.resolver.holding(ctx, t.AuditID)
			if err != nil {
				yield(nil, err)
				return
			}
			links(a.eventsIn(ctx, files, IsOneOf(fieldAuditID, t.AuditID)))(yield)
		}
	}
	return func(yield func(*why.Linked, error) bool) {
		where, err := a.ofKind(ctx, t)
		if err != nil {
			yield(nil, err)
			return
		}
		// A deletion of a collection names no object, nor does a create whose
		// name the API server makes up.
		where.SQL += ` AND ("name" = ? OR ("name" IS NULL AND (verb = 'deletecollection' OR ` +
			`coalesce(responseObject.metadata."name", requestObject.metadata."name") = ?)))`
		where.Args = append(where.Args, t.Name, t.Name)
		links(a.eventsIn(ctx, a.resolver.all(), where))(yield)
	}
}

// late is how long after the end of a context events of it are looked for: the
// watches among them do not count for the end.
const late = 10 * time.Minute

// linked gives the events of contexts.
func (a *asking) linked(ctx context.Context, ids []string) iter.Seq2[*why.Linked, error] {
	return func(yield func(*why.Linked, error) bool) {
		if err := a.look(ctx, ids); err != nil {
			yield(nil, err)
			return
		}
		var files []int
		for _, c := range a.contexts {
			for i := range a.resolver.events {
				s := &a.resolver.events[i]
				if !s.Last.Before(c.Start) && !s.First.After(c.End.Add(late)) {
					files = append(files, i)
				}
			}
		}
		if len(a.contexts) < len(ids) {
			files = a.resolver.all() // a damaged file held what says more
		}
		slices.Sort(files)
		links(a.eventsIn(ctx, slices.Compact(files), IsOneOf(fieldContext, ids...)))(yield)
	}
}

// eventsIn gives the events of some segments, without their operation, which
// takes longest to find.
func (d *DataSet) eventsIn(ctx context.Context, files []int, w Where) iter.Seq2[*Event, error] {
	if len(files) == 0 {
		return func(func(*Event, error) bool) {}
	}
	columns := eventColumnsOf(numberOfFile(files))
	for i := range columns {
		if columns[i].name == "operation" {
			columns[i].expr = "NULL"
		}
	}
	from := d.selectFrom(d.resolver.events, files, append(columns, plainEventColumns()...))
	statement := selectSQL(from, quoted(columns), w, Page{}, eventOrder)
	return query(ctx, d, statement, w.Args, func(rows *sql.Rows) (*Event, error) { return scanEvent(rows) })
}

func links(events iter.Seq2[*Event, error]) iter.Seq2[*why.Linked, error] {
	return func(yield func(*why.Linked, error) bool) {
		for ev, err := range events {
			if err != nil {
				yield(nil, err)
				return
			}
			if ev.Verb == "deletecollection" {
				// The names in the answer are not kept, so that it must not
				// pass for one that names nothing.
				ev.Response = nil
			}
			l := &why.Linked{
				Event: ev.Event, Context: ev.Context, Role: ev.Role,
				Cause: ev.Cause, Rule: ev.Rule, Evidence: ev.Evidence, Confidence: ev.Confidence,
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

// ofKind is the condition that an event is about an object of the target's
// kind: the data set's own resources tell which plural names these have.
func (d *DataSet) ofKind(ctx context.Context, t why.Target) (Where, error) {
	w := Where{SQL: "resource IN (NULL"}
	rows, err := d.db.QueryContext(ctx, "SELECT DISTINCT resource FROM events WHERE resource IS NOT NULL")
	if err != nil {
		return w, fmt.Errorf("reading the data set: %w", err)
	}
	err = eachRow(rows, func() error {
		var resource string
		err := rows.Scan(&resource)
		if label.Kind(resource) == t.Kind {
			w.SQL += ", ?"
			w.Args = append(w.Args, resource)
		}
		return err
	})
	if err != nil {
		return w, fmt.Errorf("reading the data set: %w", err)
	}
	w.SQL += ")"
	if t.Group != "" {
		w.SQL += " AND apiGroup = ?"
		w.Args = append(w.Args, t.Group)
	}
	return w, nil
}

// similar gives the namespaces and names of the objects of the target's kind.
func (d *DataSet) similar(ctx context.Context, t why.Target) iter.Seq2[[2]string, error] {
	return func(yield func([2]string, error) bool) {
		var none [2]string
		where, err := d.ofKind(ctx, t)
		if err != nil {
			yield(none, err)
			return
		}
		statement := `SELECT DISTINCT coalesce("namespace", ''), "name" FROM events WHERE ` + where.SQL + //nolint:gosec // Made of constants.
			` AND "name" IS NOT NULL ORDER BY ALL LIMIT ?`
		rows, err := d.db.QueryContext(ctx, statement, append(where.Args, maxSimilar)...)
		if err != nil {
			yield(none, fmt.Errorf("reading the data set: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var object [2]string
			if err := rows.Scan(&object[0], &object[1]); err != nil {
				yield(none, fmt.Errorf("reading the data set: %w", err))
				return
			}
			if !yield(object, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, fmt.Errorf("reading the data set: %w", err))
		}
	}
}

func eachRow(rows *sql.Rows, scan func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(); err != nil {
			return err
		}
	}
	return rows.Err()
}
