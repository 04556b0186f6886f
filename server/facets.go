package server

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/query"
)

// maxFacet bounds the values of one facet.
const maxFacet = 50

// allNodes is the value of the component facet for the kubelets of all nodes,
// a glob of the query language.
const allNodes = "system:node:*"

// facetsSQL counts contexts by the value of each facet; %s is the condition.
// Of every facet come the most frequent values, and how many there are.
const facetsSQL = `WITH found AS MATERIALIZED (SELECT username, verb, resource, apiGroup, "namespace", outcome, label, effectsBy FROM contexts%s),
counted AS (
	SELECT 'actor' AS field, coalesce(username, '') AS value, count(*) AS n FROM found GROUP BY value
	UNION ALL SELECT 'verb', coalesce(verb, '') AS value, count(*) FROM found GROUP BY value
	UNION ALL SELECT 'resource', coalesce(resource, '') || '.' || coalesce(apiGroup, '') AS value, count(*) FROM found GROUP BY value
	UNION ALL SELECT 'namespace', coalesce("namespace", '') AS value, count(*) FROM found GROUP BY value
	UNION ALL SELECT 'outcome', coalesce(outcome, '') AS value, count(*) FROM found GROUP BY value
	UNION ALL SELECT 'label', label::VARCHAR AS value, count(*) FROM found GROUP BY value
	UNION ALL SELECT 'component', value, count(*) FROM (SELECT unnest(list_distinct(list_transform(map_keys(effectsBy),
		lambda name: CASE WHEN starts_with(name, 'system:node:') THEN 'system:node:*' ELSE name END))) AS value FROM found) GROUP BY value),
ranked AS (SELECT *, row_number() OVER (PARTITION BY field ORDER BY n DESC, value) AS place, count(*) OVER (PARTITION BY field) AS many FROM counted)
SELECT field, value, n, many, (SELECT count(*) FROM found) FROM ranked WHERE place <= ? ORDER BY field, place`

// facet is what there is to filter by in one field.
type facet struct {
	Field  string       `json:"field"`
	Values []facetValue `json:"values"`
	Rest   struct {
		Values int `json:"values"`
	} `json:"rest"`
}

// facetValue is a value with the query that selects it.
type facetValue struct {
	Value string `json:"value"`
	Name  string `json:"name"`
	Count int    `json:"count"`
	Query string `json:"query"`
}

// facetsAnswer is the answer of /facets.
type facetsAnswer struct {
	Total  int      `json:"total"`
	Facets []*facet `json:"facets"`
}

// facetFields are the facets in the order in which to show them.
func facetFields() []string {
	return []string{"actor", "verb", "resource", "namespace", "outcome", "component", "label"}
}

// facets answers /facets.
func (a *api) facets(ctx context.Context, p *params) (any, error) {
	where := p.where(query.Contexts)
	if err := p.done(); err != nil {
		return nil, err
	}
	answer := facetsAnswer{}
	byField := map[string]*facet{}
	for _, field := range facetFields() {
		f := &facet{Field: field, Values: []facetValue{}}
		answer.Facets, byField[field] = append(answer.Facets, f), f
	}
	statement := is(fmt.Sprintf(facetsSQL, clause(where)), append(slices.Clone(where.Args), maxFacet)...)
	err := a.each(ctx, "counting the facets", statement, func(rows *sql.Rows) error {
		var field, value string
		var n, many int
		if err := rows.Scan(&field, &value, &n, &many, &answer.Total); err != nil {
			return err
		}
		f := byField[field]
		f.Values = append(f.Values, a.facetValue(field, value, n))
		f.Rest.Values = many - len(f.Values)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// facetValue words a value for people, and as a query.
func (a *api) facetValue(field, value string, n int) facetValue {
	v := facetValue{Value: value, Name: value, Count: n, Query: equals(field, value)}
	switch field {
	case "actor":
		v.Name = actor.Short(value)
	case "component":
		v.Name = actor.ComponentOf(value)
		v.Query = "by(" + literal(value) + ")"
		if value != allNodes && strings.ContainsAny(value, "*?") {
			v.Query = "by(" + globLiteral(value) + ")"
		}
	case "namespace":
		v.Name = cmp.Or(value, "(none)")
	case "label":
		v.Query = "label == " + value
		v.Name = a.labelName(value)
	case "resource":
		resource, group, _ := strings.Cut(value, ".")
		v.Value = strings.TrimSuffix(value, ".")
		v.Name = cmp.Or(v.Value, "(none)")
		v.Query = equals("resource", resource) + " and " + equals("apiGroup", group)
	}
	return v
}

// labelName is the action that a label stands for.
func (a *api) labelName(value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return value
	}
	action, err := a.labels.Decode(label.Label(n))
	if err != nil {
		return value
	}
	return action.String()
}

// equals is a condition of the query language that a field has a value, or
// none.
func equals(field, value string) string {
	if value == "" {
		return "not exists(" + field + ")"
	}
	return field + " == " + literal(value)
}

// literal writes a text as the query language has it in quotes. It has no
// escape for NUL, nor for what is not UTF-8, which a log that is JSON cannot
// hold.
func literal(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"', r == '\\':
			b.WriteString(`\` + string(r))
		case strconv.IsPrint(r) || r > 0xffff:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// globLiteral writes a text as a glob in which no character stands for others.
func globLiteral(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if strings.ContainsRune(`*?"\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
