package server

import (
	"errors"
	"strings"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// all joins conditions: all must hold.
func all(conditions ...store.Where) store.Where {
	var texts []string
	var w store.Where
	for _, c := range conditions {
		if c.SQL != "" {
			texts = append(texts, "("+c.SQL+")")
			w.Args = append(w.Args, c.Args...)
		}
		if c.From.After(w.From) {
			w.From = c.From
		}
		if !c.To.IsZero() && (w.To.IsZero() || c.To.Before(w.To)) {
			w.To = c.To
		}
	}
	w.SQL = strings.Join(texts, " AND ")
	return w
}

// is makes a condition of constant SQL and its arguments.
func is(sql string, args ...any) store.Where { return store.Where{SQL: sql, Args: args} }

// clause is the WHERE of a condition, "" for everything.
func clause(w store.Where) string {
	if w.SQL == "" {
		return ""
	}
	return " WHERE " + w.SQL
}

// where reads the parameters query, from, to and cluster.
func (p *params) where(over query.Over) store.Where {
	column := `"start"`
	if over == query.Events {
		column = "requestReceivedTimestamp"
	}
	return all(p.span(column), p.cluster(), p.query("query", over))
}

// span reads the parameters from and to.
func (p *params) span(column string) store.Where {
	from, to := p.when("from"), p.when("to")
	var w store.Where
	if !from.IsZero() {
		w = is(column+" >= ?", from)
	}
	if !to.IsZero() {
		w = all(w, is(column+" < ?", to))
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		p.fail(badParameter("to", "it is not after from"))
	}
	return w
}

// cluster reads the parameter cluster.
func (p *params) cluster() store.Where {
	if name := p.text("cluster", maxName); name != "" {
		return is("cluster = ?", name)
	}
	return store.Where{}
}

// query reads an expression of the query language, as a condition.
func (p *params) query(name string, over query.Over) store.Where {
	return p.expr(name, over).Where()
}

// expr reads an expression of the query language; everything where there is
// none.
func (p *params) expr(name string, over query.Over) *query.Expr {
	expr, err := query.Parse(p.text(name, maxQuery), query.Options{Over: over, Now: time.Now()})
	if err != nil {
		p.fail(queryProblem(name, err))
		return &query.Expr{}
	}
	return expr
}

// queryProblem says where a query is wrong.
func queryProblem(field string, err error) *problem {
	wrong := badParameter(field, "%v", err)
	var at *query.Error
	if !errors.As(err, &at) {
		return wrong
	}
	wrong.Message = at.Message
	wrong.Position, wrong.Column = &at.Offset, at.Column()
	end := min(at.Offset+at.Length, len(at.Query))
	wrong.Length = len([]rune(at.Query[min(at.Offset, end):end]))
	if at.Nearest != "" {
		wrong.Hint = "did you mean " + at.Nearest + "?"
	}
	return wrong
}

// over reads the parameter over.
func (p *params) over() query.Over {
	if p.choice("over", "contexts", "events") == "events" {
		return query.Events
	}
	return query.Contexts
}
