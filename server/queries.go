package server

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// fieldAnswer is a field of the query language.
type fieldAnswer struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Doc    string   `json:"doc"`
	Values []string `json:"values,omitempty"`
}

// docAnswer is a function or an operator of the query language.
type docAnswer struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// fields answers /fields.
func (a *api) fields(_ context.Context, p *params) (any, error) {
	over := p.over()
	if err := p.done(); err != nil {
		return nil, err
	}
	answer := struct {
		Fields    []fieldAnswer `json:"fields"`
		Functions []docAnswer   `json:"functions"`
		Operators []docAnswer   `json:"operators"`
	}{}
	for _, f := range query.Fields(over) {
		answer.Fields = append(answer.Fields, fieldAnswer{f.Name, string(f.Type), f.Doc, f.Values})
	}
	for _, f := range query.Functions() {
		answer.Functions = append(answer.Functions, docAnswer{f.Name, f.Doc})
	}
	for _, f := range query.Operators() {
		answer.Operators = append(answer.Operators, docAnswer{f.Name, f.Doc})
	}
	return answer, nil
}

// parse answers /parse.
func (a *api) parse(_ context.Context, p *params) (any, error) {
	text, over := p.text("query", maxQuery), p.over()
	if err := p.done(); err != nil {
		return nil, err
	}
	answer := struct {
		OK    bool     `json:"ok"`
		Error *problem `json:"error,omitempty"`
	}{OK: true}
	if _, err := query.Parse(text, query.Options{Over: over, Now: time.Now()}); err != nil {
		answer.OK, answer.Error = false, queryProblem("query", err)
	}
	return answer, nil
}

// valueAnswer is a value of a field, and how many rows have it.
type valueAnswer struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// fieldValues answers /values.
func (a *api) fieldValues(ctx context.Context, p *params) (any, error) {
	name, prefix := p.required("field", maxName), p.text("prefix", maxText)
	limit := p.number("limit", 20, 1, 100)
	over := p.over()
	where := p.where(over)
	if err := p.done(); err != nil {
		return nil, err
	}
	view := "contexts"
	if over == query.Events {
		view = "events"
		if inner, ok := strings.CutPrefix(name, "context."); ok {
			// The values are those of the contexts; the query is not over them.
			name, view, over, where = inner, "contexts", query.Contexts, store.Where{}
		}
	}
	expr, err := query.ValuesSQL(over, name)
	if err != nil {
		wrong := queryProblem("field", err)
		wrong.Position, wrong.Column, wrong.Length = nil, 0, 0
		return nil, wrong
	}
	statement := "SELECT value, count(*) FROM (SELECT " + expr + " AS value FROM " + view + clause(where) + ") " +
		"WHERE starts_with(lower(value), lower(?)) AND value <> '' GROUP BY value ORDER BY count(*) DESC, value LIMIT ?"
	answer := struct {
		Items []valueAnswer `json:"items"`
	}{Items: []valueAnswer{}}
	err = a.each(ctx, "finding the values of "+name, is(statement, append(slices.Clone(where.Args), prefix, limit)...), func(rows *sql.Rows) error {
		var v valueAnswer
		err := rows.Scan(&v.Value, &v.Count)
		answer.Items = append(answer.Items, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}
