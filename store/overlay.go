package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Overlay has the view contexts, and Contexts, show contexts that are not in the
// data set yet, beside those that are: what a live engine found and has not
// written. It takes the place of the overlay before, in memory alone; their
// events are not shown. Those that the data set has are left out, and their ids
// given, by cluster and id. Queries may run at the same time; it is for one
// goroutine.
func (d *DataSet) Overlay(ctx context.Context, contexts []*Context) (known map[[2]string]bool, err error) {
	known, err = d.overlay(ctx, contexts)
	if err != nil {
		return nil, fmt.Errorf("showing contexts that are not in the data set yet: %w", err)
	}
	return known, nil
}

// The base is what the data set itself has.
const overlayView = `CREATE OR REPLACE VIEW contexts AS SELECT * FROM storedContexts UNION ALL SELECT * FROM overlaidContexts`

func (d *DataSet) overlay(ctx context.Context, contexts []*Context) (map[[2]string]bool, error) {
	if !d.overlaid {
		base := `CREATE OR REPLACE VIEW storedContexts AS SELECT * FROM heldContexts`
		if !d.held {
			base = viewSQL("storedContexts", append(contextColumns(), plainContextColumns()...), d.files(d.resolver.contexts))
		}
		for _, statement := range []string{base, `CREATE OR REPLACE TABLE overlaidContexts AS SELECT * FROM storedContexts LIMIT 0`, overlayView} {
			if _, err := d.db.ExecContext(ctx, statement); err != nil {
				return nil, err
			}
		}
		d.overlaid = true
	}
	known, err := d.stored(ctx, contexts)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	for _, c := range contexts {
		if !known[[2]string{c.Cluster, c.ID}] {
			rows = append(rows, contextRow(c))
		}
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	// After a Commit there is nothing to roll back.
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `DELETE FROM overlaidContexts`); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(rows, overlayPart) {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, overlayInsert(), string(text)); err != nil {
			return nil, err
		}
	}
	return known, tx.Commit()
}

// stored tells which contexts the data set has.
func (d *DataSet) stored(ctx context.Context, contexts []*Context) (map[[2]string]bool, error) {
	known := map[[2]string]bool{}
	for part := range slices.Chunk(contexts, 500) {
		ids := make([]string, len(part))
		for i, c := range part {
			ids[i] = c.ID
		}
		where := IsOneOf(fieldID, ids...)
		rows, err := d.db.QueryContext(ctx, `SELECT cluster, id FROM storedContexts WHERE `+where.SQL, where.Args...) //nolint:gosec // IsOneOf is made of constants.
		if err != nil {
			return nil, err
		}
		err = eachRow(rows, func() error {
			var key [2]string
			err := rows.Scan(&key[0], &key[1])
			known[key] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// overlayPart is how many rows are put in at once: DuckDB holds the text of all
// of them many times while it does.
const overlayPart = 200

// overlayInsert puts rows in, which are its argument as a list of JSON objects.
func overlayInsert() string {
	var list []string
	for _, c := range contextColumns() {
		// A list or a map is taken as it is, another value as text.
		expr := "(j->>'$." + c.name + "')"
		if strings.Contains(c.kind, "[]") || strings.HasPrefix(c.kind, "MAP") {
			expr = "(j->'$." + c.name + "')"
		}
		list = append(list, expr+"::"+c.kind)
	}
	list = append(list, "try_cast(j->>'$.auditID' AS UUID)", "(j->>'$.idPrefix')::INTEGER")
	return "INSERT INTO overlaidContexts SELECT " + strings.Join(list, ", ") + " FROM (SELECT unnest((?::JSON)::JSON[]) AS j)"
}

// contextRow gives a context as the columns of the view have it; what is missing
// is NULL.
func contextRow(c *Context) map[string]any {
	row := map[string]any{
		"cluster": c.Cluster, "id": c.ID, "label": c.Label, "outcome": c.Outcome.Word(),
		"start": microseconds(c.Start), "end": microseconds(c.End), "duration": c.Duration().Microseconds(),
		"clients": c.Clients, "effects": c.Effects, "failed": c.Failed, "events": c.Events, "deletes": c.Deletes,
		"readOnly": c.ReadOnly, "line": c.Root.Line, "idPrefix": idPrefix(c.ID),
	}
	for name, text := range map[string]string{
		"operation": c.Operation, "username": c.Actor.Username, "impersonated": c.Actor.Impersonated, "userAgent": c.Actor.UserAgent,
		"sourceIP": c.Actor.SourceIP, "action": c.Action, "verb": c.Verb, "apiGroup": c.APIGroup, "resource": c.Resource,
		"subresource": c.Subresource, "namespace": c.Namespace, "name": c.Name, "reason": c.Outcome.Reason, "message": c.Outcome.Message,
		"origin": c.Origin, "originActor": c.OriginActor, "auditID": c.Root.AuditID, "file": c.Root.File,
	} {
		if text != "" {
			row[name] = text
		}
	}
	if len(c.Actor.Groups) > 0 {
		row["groups"] = c.Actor.Groups
	}
	for name, counts := range map[string]map[string]int{"effectsBy": c.EffectsBy, "touched": c.Touched} {
		if len(counts) > 0 {
			row[name] = counts
		}
	}
	for name, n := range map[string]int{"code": int(c.Outcome.Code), "item": c.Root.Item} {
		if n != 0 {
			row[name] = n
		}
	}
	return row
}

// microseconds is a time as DuckDB reads it.
func microseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000") }
