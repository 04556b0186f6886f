package server

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// The bounds of lists.
const (
	maxPage     = 1000
	defaultPage = 100
	// maxRelated bounds a list that comes along with something else.
	maxRelated = 100
)

// order is how a list of contexts is sorted.
type order struct {
	// key is the expression of a whole number to sort by.
	key        string
	descending bool
}

// orders are the values of sort.
func orders() []string {
	return []string{"start", "-start", "duration", "-duration", "effects", "-effects", "events", "-events"}
}

func (p *params) order() order {
	name, descending := strings.CutPrefix(p.choice("sort", orders()...), "-")
	if name == "start" {
		return order{`epoch_us("start")`, descending}
	}
	return order{`"` + name + `"`, descending}
}

// by is the ORDER BY of an order.
func (o order) by() string {
	if o.descending {
		return " ORDER BY " + o.key + " DESC, id DESC"
	}
	return " ORDER BY " + o.key + ", id"
}

// after is the condition of what comes behind a cursor.
func (o order) after(c *cursor) store.Where {
	if c == nil {
		return store.Where{}
	}
	sign := ">"
	if o.descending {
		sign = "<"
	}
	return is("("+o.key+", id) "+sign+" (?, ?)", c.Key, c.ID)
}

// listContexts answers /contexts.
func (a *api) listContexts(ctx context.Context, p *params) (any, error) {
	where, sorted := p.where(query.Contexts), p.order()
	limit := p.number("limit", defaultPage, 1, maxPage)
	of := fingerprint("/contexts", p.values)
	at := p.cursor(of)
	if err := p.done(); err != nil {
		return nil, err
	}
	total, err := a.count(ctx, "contexts", where)
	if err != nil {
		return nil, err
	}
	// One more than asked for tells whether there is a next page.
	beyond := all(where, sorted.after(at))
	var ids []string
	var keys []int64
	statement := is("SELECT id, "+sorted.key+" FROM contexts"+clause(beyond)+sorted.by()+" LIMIT ?", append(slices.Clone(beyond.Args), limit+1)...)
	err = a.each(ctx, "listing contexts", statement, func(rows *sql.Rows) error {
		var id string
		var key int64
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		ids, keys = append(ids, id), append(keys, key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	answer := page[*contextAnswer]{Total: &total}
	if len(ids) > limit {
		ids = ids[:limit]
		answer.Next = (&cursor{List: of, Key: keys[limit-1], ID: ids[limit-1]}).String()
	}
	answer.Items, err = a.contextsByID(ctx, ids)
	return answer, err
}

// contextsByID gives contexts in the order of their ids, leaving out those
// that are not there.
func (a *api) contextsByID(ctx context.Context, ids []string) ([]*contextAnswer, error) {
	byID := make(map[string]*contextAnswer, len(ids))
	if len(ids) > 0 {
		for c, err := range a.data.Contexts(ctx, store.IsOneOf("id", ids...), store.Page{}) {
			if err != nil {
				return nil, err
			}
			byID[c.ID] = newContextAnswer(c)
		}
	}
	answers := make([]*contextAnswer, 0, len(ids))
	for _, id := range ids {
		if c := byID[id]; c != nil {
			answers = append(answers, c)
		}
	}
	return answers, nil
}

// count counts the rows of a view that fit.
func (a *api) count(ctx context.Context, view string, w store.Where) (int, error) {
	var n int
	err := a.each(ctx, "counting "+view, is("SELECT count(*) FROM "+view+clause(w), w.Args...), func(rows *sql.Rows) error {
		return rows.Scan(&n)
	})
	return n, err
}

// each calls scan for every row of a statement; doing says for the error what
// the rows are for. Every statement of this package runs here: its SQL is made
// of constants and of what package query makes, and whatever a client sent is
// among its arguments.
func (a *api) each(ctx context.Context, doing string, statement store.Where, scan func(*sql.Rows) error) error {
	rows, err := a.data.DB().QueryContext(ctx, statement.SQL, statement.Args...) //nolint:gosec // See above; a test looks for it.
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// contextAnswers is a bounded list of contexts in order of time.
func (a *api) contextAnswers(ctx context.Context, w store.Where, limit int) (list[*contextAnswer], error) {
	answer := list[*contextAnswer]{Items: []*contextAnswer{}}
	var err error
	if answer.Total, err = a.count(ctx, "contexts", w); err != nil || answer.Total == 0 {
		return answer, err
	}
	for c, err := range a.data.Contexts(ctx, w, store.Page{Limit: limit}) {
		if err != nil {
			return answer, err
		}
		answer.Items = append(answer.Items, newContextAnswer(c))
	}
	return answer, nil
}

// oneContext finds the context that the path names.
func (a *api) oneContext(ctx context.Context, p *params) (*store.Context, error) {
	id := p.path("id")
	if err := p.done(); err != nil {
		return nil, err
	}
	if _, err := uuid.Parse(id); err != nil {
		return nil, badParameter("id", "it is no UUID")
	}
	return a.contextOf(ctx, id)
}

func (a *api) contextOf(ctx context.Context, id string) (*store.Context, error) {
	for c, err := range a.data.Contexts(ctx, store.IsOneOf("id", id), store.Page{Limit: 1}) {
		return c, err
	}
	return nil, notFound("it may be of another data set", "there is no context %s", id)
}

// fullContext is the answer of /contexts/{id}.
type fullContext struct {
	Context   *contextAnswer       `json:"context"`
	Sentence  string               `json:"sentence"`
	Ended     string               `json:"ended"`
	Followed  string               `json:"followed"`
	Operation list[*contextAnswer] `json:"operation"`
	Origin    *contextAnswer       `json:"origin,omitempty"`
	Started   list[*contextAnswer] `json:"started"`
}

// getContext answers /contexts/{id}.
func (a *api) getContext(ctx context.Context, p *params) (any, error) {
	c, err := a.oneContext(ctx, p)
	if err != nil {
		return nil, err
	}
	answer := fullContext{Context: newContextAnswer(c), Sentence: sentence(c), Ended: outcomeWords(c), Followed: followed(c)}
	answer.Operation.Items = []*contextAnswer{}
	if c.Operation != "" {
		others := is("operation = ? AND id <> ?", c.Operation, c.ID)
		if answer.Operation, err = a.contextAnswers(ctx, others, maxRelated); err != nil {
			return nil, err
		}
	}
	if c.Origin != "" {
		origins, err := a.contextsByID(ctx, []string{c.Origin})
		if err != nil {
			return nil, err
		}
		if len(origins) > 0 {
			answer.Origin = origins[0]
		}
	}
	answer.Started, err = a.contextAnswers(ctx, is("origin = ?", c.ID), maxRelated)
	return answer, err
}

// fullDay is a point in time as people write it.
func fullDay(t time.Time) string { return t.Format("15:04:05 UTC on 2 January 2006") }
