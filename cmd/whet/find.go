package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// finds prints what a query found.
type finds struct {
	*queryRun
	n    int
	more bool // there are more than --limit

	summary *summary    // a table of contexts
	rows    []*eventRow // a table of events
	csv     *export.CSV // contexts
	list    objectList  // contexts as json and jsonl

	writer *rowWriter // events, but in a table
	fields []eventField
}

func newFinds(q *queryRun) (*finds, error) {
	f := &finds{queryRun: q, list: objectList{out: q.out, lines: q.format == "jsonl"}}
	var err error
	switch {
	case q.format == "table":
		f.summary = newSummary(q.screen, true)
	case q.events:
		f.fields = eventFields()
		names := make([]string, len(f.fields))
		for i := range f.fields {
			names[i] = f.fields[i].name
		}
		if f.writer, err = newRowWriter(q.out, q.screen, q.format, names, nil); err == nil {
			f.writer.omit = true
		}
	case q.format == "csv":
		f.csv, err = export.NewCSV(q.out, export.ContextColumns()...)
	}
	return f, err
}

// add prints an event, or a context where there is no event. The error is
// errEnough when there are as many as were asked for.
func (f *finds) add(ev *store.Event, c *store.Context) error {
	if f.limit > 0 && f.n == f.limit {
		f.more = true
		return errEnough
	}
	f.n++
	switch {
	case f.format == "table":
		return f.addTable(ev, c)
	case ev != nil:
		values := make([]any, len(f.fields))
		for i := range f.fields {
			values[i] = f.fields[i].get(ev)
		}
		return f.writer.add(values)
	case f.format == "csv":
		return f.csv.Row(export.ContextRow(c)...)
	}
	text, err := json.MarshalWithOption(c, json.DisableHTMLEscape())
	if err != nil {
		return fmt.Errorf("writing context %s: %w", c.ID, err)
	}
	return f.list.add(pipeline.EscapeJSON(nil, text))
}

func (f *finds) addTable(ev *store.Event, c *store.Context) error {
	if ev == nil {
		return f.summary.add(&c.Context)
	}
	if len(f.rows) < maxTableRows {
		f.rows = append(f.rows, newEventRow(ev))
	}
	return nil
}

// closeAfter is close where an error ended the search, which is returned
// unless it is errEnough.
func (f *finds) closeAfter(err error) error {
	if !errors.Is(err, errEnough) {
		return err
	}
	return f.close()
}

// close prints the rest.
func (f *finds) close() error {
	if f.n == 0 {
		f.hint()
	}
	switch {
	case f.format == "table":
		return f.closeTable()
	case f.writer != nil:
		return f.writer.close()
	case f.format == "csv":
		return f.csv.Flush()
	}
	return f.list.close()
}

func (f *finds) closeTable() error {
	what := "context"
	var err error
	if f.events {
		what = "event"
		err = f.eventTable()
	} else {
		err = f.summary.table(f.out, f.summary.ordered())
	}
	if err != nil {
		return err
	}
	switch {
	case f.n == 0:
		_, err = fmt.Fprintf(f.out, "No %s fits.\n", what)
	case f.more:
		_, err = fmt.Fprintf(f.out, "… and more: these are the first %s (--limit).\n", term.Count(f.n))
	case f.n > maxTableRows:
		_, err = fmt.Fprintf(f.out, "… and %s more than a table holds; --format jsonl prints all.\n", term.Plural(f.n-maxTableRows, what))
	default:
		_, err = fmt.Fprintf(f.out, "%s.\n", term.Plural(f.n, what))
	}
	return err
}

// eventRow is an event in a table.
type eventRow struct {
	time                     time.Time
	who, what, role, because string
	outcome                  pipeline.Outcome
}

func newEventRow(ev *store.Event) *eventRow {
	a := pipeline.ActorOf(ev.Event)
	r := &eventRow{
		time: ev.RequestReceived, who: actorText(&a), role: string(ev.Role),
		// The column WHO says already who is impersonated.
		what:    strings.TrimSuffix(label.Sentence(store.Kept(ev.Event)), ", impersonating "+a.Impersonated),
		outcome: pipeline.Outcome{Code: ev.Status.Code, Reason: ev.Status.Reason},
	}
	switch {
	case ev.Actor != "" && ev.Role == link.RoleEffect:
		r.because = actor.Short(ev.Actor)
	case ev.Role == link.RoleDropped || ev.Role == link.RoleBackground:
		r.because = "(" + ev.Rule + ")"
	}
	return r
}

// eventTable prints the events that were found.
func (f *finds) eventTable() error {
	if len(f.rows) == 0 {
		return nil
	}
	t := term.Table{Columns: []term.Column{
		{Title: "TIME"}, {Title: "WHO", Min: 10, Max: 40}, {Title: "WHAT", Min: 20, Max: 90, Weight: 3},
		{Title: "OUTCOME", Min: 8, Max: 24}, {Title: "ROLE"}, {Title: "BECAUSE OF", Min: 8, Max: 40},
	}}
	first := f.rows[0].time.Format(time.DateOnly)
	days := slices.ContainsFunc(f.rows, func(r *eventRow) bool { return r.time.Format(time.DateOnly) != first })
	for _, r := range f.rows {
		text, style := outcomeText(&r.outcome)
		t.Add(term.Cell{Text: clock(r.time, days), Style: term.Dim}, term.Cell{Text: r.who}, term.Cell{Text: r.what},
			term.Cell{Text: text, Style: style}, term.Cell{Text: r.role}, term.Cell{Text: r.because})
	}
	return t.Write(f.out, f.screen.columns, f.screen.paint)
}
