package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline/why"
)

// maxSimilar bounds the names that a suggestion is chosen from.
const maxSimilar = 100_000

// Why finds who caused the last change of the target, or with all set each of
// its changes, as why.Ask does for a log. The error is a *why.NotFoundError
// when the data set has none.
func (d *DataSet) Why(ctx context.Context, t why.Target, all bool) (*why.Answer, error) {
	answer, err := why.AskSource(ctx, why.Source{About: d.about, Similar: d.similar, Contexts: d.linked}, t, all)
	if err != nil {
		return nil, err
	}
	return answer, d.wordRoots(ctx, answer)
}

// wordRoots gives the steps that are roots the words of their contexts, which
// were found when the whole event was there.
func (d *DataSet) wordRoots(ctx context.Context, answer *why.Answer) error {
	chains := map[string][]*why.Chain{}
	var ids []string
	for i := range answer.Chains {
		chain := &answer.Chains[i]
		if chain.Context == "" {
			continue
		}
		if chains[chain.Context] == nil {
			ids = append(ids, chain.Context)
		}
		chains[chain.Context] = append(chains[chain.Context], chain)
	}
	if len(ids) == 0 {
		return nil
	}
	for c, err := range d.Contexts(ctx, IsOneOf(fieldID, ids...), Page{}) {
		if err != nil {
			return err
		}
		for _, chain := range chains[c.ID] {
			for i := range chain.Steps {
				if chain.Steps[i].AuditID == c.Root.AuditID {
					chain.Steps[i].Action = c.Action
				}
			}
		}
	}
	return nil
}

// about gives the events that may be about a target.
func (d *DataSet) about(ctx context.Context, t why.Target) iter.Seq2[*why.Linked, error] {
	if t.AuditID != "" {
		return links(d.Events(ctx, IsOneOf(fieldAuditID, t.AuditID), Page{}))
	}
	return func(yield func(*why.Linked, error) bool) {
		where, err := d.ofKind(ctx, t)
		if err != nil {
			yield(nil, err)
			return
		}
		// A deletion of a collection names no object, nor does a create whose
		// name the API server makes up.
		where.SQL += ` AND ("name" = ? OR ("name" IS NULL AND (verb = 'deletecollection' OR ` +
			`coalesce(responseObject.metadata."name", requestObject.metadata."name") = ?)))`
		where.Args = append(where.Args, t.Name, t.Name)
		links(d.Events(ctx, where, Page{}))(yield)
	}
}

// linked gives the events of contexts.
func (d *DataSet) linked(ctx context.Context, ids []string) iter.Seq2[*why.Linked, error] {
	return links(d.Events(ctx, IsOneOf(fieldContext, ids...), Page{}))
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
