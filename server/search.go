package server

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// foundObject is an object that requests were about.
type foundObject struct {
	Object    objectAnswer `json:"object"`
	Requests  int          `json:"requests"`
	Succeeded int          `json:"succeeded"`
	First     time.Time    `json:"first"`
	Last      time.Time    `json:"last"`
	Deleted   bool         `json:"deleted"`
}

// searchSQL finds objects by a part of their name; %s is the condition. The
// whole name comes before its beginning, that before another part, and then
// what most requests name. The namespace that the reference to a namespace has is
// its own name.
const searchSQL = `WITH touched AS (SELECT coalesce(apiGroup, '') AS apiGroup, resource, "name",
	CASE WHEN resource = 'namespaces' AND apiGroup IS NULL THEN '' ELSE coalesce("namespace", '') END AS namespace,
	auditID, requestReceivedTimestamp AS t, coalesce(code, 0) < 400 AS ok,
	coalesce(code, 0) < 400 AND verb IN ('create', 'delete') AND subresource IS NULL AS turn, verb
	FROM events%s)
SELECT apiGroup, resource, namespace, "name", count(DISTINCT auditID), count(DISTINCT auditID) FILTER (ok), min(t), max(t),
	coalesce(arg_max(verb, t) FILTER (turn), '') = 'delete', count(*) OVER ()
FROM touched GROUP BY apiGroup, resource, namespace, "name"
ORDER BY lower("name") = lower(?) DESC, starts_with(lower("name"), lower(?)) DESC, count(DISTINCT auditID) DESC, resource, namespace, "name" LIMIT ?`

// maxFound bounds the objects that are found.
const maxFound = 1000

// searchObjects answers /objects.
func (a *api) searchObjects(ctx context.Context, p *params) (any, error) {
	part, namespace := p.text("name", maxText), p.text("namespace", maxName)
	limit := p.number("limit", 20, 1, maxFound)
	where := all(p.span("requestReceivedTimestamp"), p.cluster(),
		// Each Event that a component writes down is an object of its own.
		is(`"name" IS NOT NULL AND resource IS NOT NULL AND resource <> 'events'`))
	if part == "" && namespace == "" {
		p.fail(badParameter("name", "it is missing, and so is namespace"))
	}
	if err := p.done(); err != nil {
		return nil, err
	}
	if part != "" {
		where = all(where, is(`contains(lower("name"), lower(?))`, part))
	}
	if namespace != "" {
		where = all(where, is(`"namespace" = ? AND resource <> 'namespaces'`, namespace))
	}
	answer := list[*foundObject]{Items: []*foundObject{}}
	statement := is(fmt.Sprintf(searchSQL, clause(where)), append(slices.Clone(where.Args), part, part, limit)...)
	err := a.each(ctx, "looking for objects", statement, func(rows *sql.Rows) error {
		o := &foundObject{}
		of := &o.Object
		if err := rows.Scan(&of.APIGroup, &of.Resource, &of.Namespace, &of.Name, &o.Requests, &o.Succeeded, &o.First, &o.Last, &o.Deleted, &answer.Total); err != nil {
			return err
		}
		o.First, o.Last = o.First.UTC(), o.Last.UTC()
		answer.Items = append(answer.Items, o)
		return nil
	})
	return answer, err
}
