package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
)

// maxSummaryRows bounds how many contexts a summary keeps in memory, at about
// half a kilobyte each.
const maxSummaryRows = 100_000

// summary collects contexts for the table that people read.
type summary struct {
	screen *screen
	all    bool
	// limit cuts the table after so many contexts; 0 is no limit.
	limit int

	rows  map[string]*summaryRow
	reads int // commands that only read and are not listed
	over  int // contexts beyond maxSummaryRows
}

// summaryRow is a context, its parts brought together.
type summaryRow struct {
	id, operation, actor, action, origin string
	outcome                              pipeline.Outcome
	start, end                           time.Time
	clients, effects, failed             int
	effectsBy                            map[string]int
	readOnly                             bool
}

func newSummary(s *screen, all bool) *summary {
	return &summary{screen: s, all: all, rows: map[string]*summaryRow{}}
}

// add takes a part of a context.
func (s *summary) add(c *pipeline.Context) error {
	row := s.rows[c.ID]
	switch {
	case row != nil:
	case c.ReadOnly && !s.all && !telling(c):
		if c.Part == 1 {
			s.reads++
		}
		return nil
	case len(s.rows) >= maxSummaryRows:
		if c.Part == 1 {
			s.over++
		}
		return nil
	default:
		row = &summaryRow{
			id: c.ID, operation: c.Operation, actor: actorText(&c.Actor), origin: c.Origin,
			// The column WHO says already who is impersonated.
			action:  strings.TrimSuffix(c.Action, ", impersonating "+c.Actor.Impersonated),
			outcome: pipeline.Outcome{Code: c.Outcome.Code, Reason: c.Outcome.Reason},
			start:   c.Start, end: c.End, readOnly: c.ReadOnly,
		}
		s.rows[c.ID] = row
	}
	if c.Start.Before(row.start) {
		row.start = c.Start
	}
	if c.End.After(row.end) {
		row.end = c.End
	}
	row.clients += c.Clients
	row.effects += c.Effects
	row.failed += c.Failed
	if row.effectsBy == nil {
		row.effectsBy = c.EffectsBy
		return nil
	}
	for who, n := range c.EffectsBy {
		row.effectsBy[who] += n
	}
	return nil
}

// telling says which commands that only read stand in the summary all the
// same: those that a person on call, or one who looks for an intruder, wants
// to see.
func telling(c *pipeline.Context) bool {
	root := audit.Event{
		Object: audit.ObjectRef{Resource: c.Resource, Subresource: c.Subresource},
		Status: audit.Status{Code: c.Outcome.Code, Message: c.Outcome.Message},
	}
	if c.Actor.Impersonated != "" {
		root.Impersonated = &audit.User{Username: c.Actor.Impersonated}
	}
	return root.Notable() != 0
}

// actorText names who did it, and as whom.
func actorText(a *pipeline.Actor) string {
	name := actor.Short(a.Username)
	if a.Impersonated != "" {
		name += " as " + actor.Short(a.Impersonated)
	}
	return name
}

// print writes the table and then the accounting.
func (s *summary) print(w io.Writer, account *pipeline.Accounting) error {
	rows := s.ordered()
	shown := len(rows)
	if s.limit > 0 {
		shown = min(shown, s.limit)
	}
	if err := s.table(w, rows[:shown]); err != nil {
		return err
	}
	var b strings.Builder
	if shown < len(rows) {
		fmt.Fprintf(&b, "… and %s more.\n", term.Plural(len(rows)-shown, "context"))
	}
	if s.over > 0 {
		fmt.Fprintf(&b, "… and %s more than a summary holds: choose with --since, --until or --actor, or use --format contexts.\n",
			term.Plural(s.over, "context"))
	}
	if s.reads > 0 {
		fmt.Fprintf(&b, "%s only read and %s not listed (--all lists them).\n",
			term.Plural(s.reads, "command"), map[bool]string{true: "is", false: "are"}[s.reads == 1])
	}
	if b.Len() > 0 || len(rows) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(accountText(account, s.screen.columns))
	_, err := io.WriteString(w, term.SanitizeLines(b.String()))
	return err
}

// ordered gives the rows in order of time, those of one operation together.
func (s *summary) ordered() []*summaryRow {
	begun := map[string]time.Time{}
	for _, row := range s.rows {
		if t, ok := begun[row.group()]; !ok || row.start.Before(t) {
			begun[row.group()] = row.start
		}
	}
	return slices.SortedFunc(maps.Values(s.rows), func(a, b *summaryRow) int {
		return cmp.Or(
			begun[a.group()].Compare(begun[b.group()]),
			cmp.Compare(a.group(), b.group()),
			a.start.Compare(b.start),
			cmp.Compare(a.id, b.id),
		)
	})
}

// group is what holds the contexts of one operation together.
func (r *summaryRow) group() string {
	if r.operation == "" {
		return r.id
	}
	return r.operation
}

// narrow is the width below which a context takes two lines.
const narrow = 76

func (s *summary) table(w io.Writer, rows []*summaryRow) error {
	if len(rows) == 0 {
		return nil
	}
	if s.screen.columns > 0 && s.screen.columns < narrow {
		return s.stacked(w, rows)
	}
	t := term.Table{Columns: []term.Column{
		{Title: "TIME"}, {Title: "WHO", Min: 10, Max: 40}, {Title: "WHAT", Min: 20, Max: 90, Weight: 3},
		{Title: "OUTCOME", Min: 8, Max: 24}, {Title: "FOLLOWED BY", Min: 12, Max: 76}, {Title: "SPAN", Right: true},
	}}
	days := spansDays(rows)
	previous := ""
	for _, r := range rows {
		text, style := outcomeText(&r.outcome)
		look := term.Plain
		if r.readOnly {
			look = term.Dim
		}
		who := term.Cell{Text: r.who(), Style: look}
		what := term.Cell{Text: r.action, Style: look}
		if r.group() == previous {
			who, what.Text = term.Cell{}, "└ "+what.Text
		}
		previous = r.group()
		t.Add(term.Cell{Text: clock(r.start, days), Style: term.Dim}, who, what,
			term.Cell{Text: text, Style: style}, term.Cell{Text: r.followed(), Style: look}, term.Cell{Text: r.span(), Style: look})
	}
	return t.Write(w, s.screen.columns, s.screen.paint)
}

// stacked prints a context on two lines, for narrow terminals.
func (s *summary) stacked(w io.Writer, rows []*summaryRow) error {
	var b strings.Builder
	days := spansDays(rows)
	previous := ""
	for _, r := range rows {
		text, style := outcomeText(&r.outcome)
		if r.group() != previous {
			head := term.Truncate(clock(r.start, days)+" "+term.Sanitize(r.who()), s.screen.columns)
			b.WriteString(s.screen.paint.Paint(term.Bold, head) + "\n")
		}
		previous = r.group()
		b.WriteString(term.Truncate("  "+term.Sanitize(r.action), s.screen.columns) + "\n")
		tail := fmt.Sprintf("    %s; requests that followed: %s", text, r.followed())
		b.WriteString(s.screen.paint.Paint(style, term.Truncate(term.Sanitize(tail), s.screen.columns)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *summaryRow) who() string {
	if r.origin != "" {
		return r.actor + " (clock)"
	}
	return r.actor
}

// followed says how many requests followed and who sent most of them.
func (r *summaryRow) followed() string {
	if r.effects == 0 {
		return "none"
	}
	names := map[string]int64{}
	for who, n := range r.effectsBy {
		names[actor.ComponentOf(who)] += int64(n)
	}
	text := fmt.Sprintf("%d by %d: %s", r.effects, len(names), byCount(names, " ", 3))
	if len(names) == 1 {
		text = fmt.Sprintf("%d by %s", r.effects, slices.Collect(maps.Keys(names))[0])
	}
	if r.failed > 0 {
		text += fmt.Sprintf(" (%d failed)", r.failed)
	}
	return text
}

// span is how long the context went on, rounded as the server and the web app
// round.
func (r *summaryRow) span() string {
	d := r.end.Sub(r.start)
	if d < 0 {
		return ""
	}
	if d := d.Round(time.Millisecond); d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	if d := d.Round(time.Second / 10); d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	if d := d.Round(time.Second); d < time.Hour {
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// spansDays tells whether the rows are of more than one day.
func spansDays(rows []*summaryRow) bool {
	first := rows[0].start.Format(time.DateOnly)
	return slices.ContainsFunc(rows, func(r *summaryRow) bool { return r.start.Format(time.DateOnly) != first })
}

// clock is a point in time, in UTC as in the log.
func clock(t time.Time, days bool) string {
	if days {
		return t.Format("01-02 15:04:05")
	}
	return t.Format(time.TimeOnly)
}

// outcomeText says how a request ended.
func outcomeText(o *pipeline.Outcome) (string, term.Style) {
	switch code := o.Code; {
	case code == 0:
		return "unknown", term.Caution
	case code < 400:
		return "ok", term.Good
	case code == 401 || code == 403:
		return fmt.Sprintf("refused %d", code), term.Bad
	case code == 404:
		return "not found 404", term.Caution
	case code == 409 && o.Reason == "AlreadyExists":
		return "exists already 409", term.Caution
	case code == 409:
		return "conflict 409", term.Caution
	case code == 422:
		return "invalid 422", term.Bad
	case code == 429:
		return "too many 429", term.Caution
	case o.Reason != "":
		return fmt.Sprintf("%s %d", o.Reason, code), term.Bad
	default:
		return fmt.Sprintf("failed %d", code), term.Bad
	}
}
