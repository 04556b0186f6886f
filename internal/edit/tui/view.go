package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
)

// The smallest screen on which the parts have room.
const (
	minWidth  = 40
	minHeight = 14
)

// The widths from which there is room for more.
const (
	wide   = 130 // what labels mean, in full
	medium = 76  // codes, and why a label is proposed
)

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(strings.Join(m.Frame(), "\n"))
	v.AltScreen = true
	return v
}

// Frame gives the lines of the screen, none wider or more than there is room
// for.
func (m *Model) Frame() []string {
	if m.small() {
		return m.fit([]string{"Too small:", fmt.Sprintf("%d by %d are needed.", minWidth, minHeight), "q writes and ends."}, nil)
	}
	if m.mode == reading {
		return m.pageFrame()
	}
	head := m.header()
	foot := m.footer()
	if m.session.Len() == 0 {
		return m.fit(append(head, "", "The log is being read."), foot)
	}
	ev, err := m.session.Event(m.event)
	if err != nil {
		return m.fit(append(head, "", term.Sanitize(err.Error())), foot)
	}
	details := m.details(ev)
	// What is left is shared by the events around and the proposals.
	room := m.height - len(head) - len(details) - len(foot) - 2
	around := max(3, min(11, room-len(m.proposals)))
	if around%2 == 0 {
		around--
	}
	body := append(head, m.events(around)...)
	body = append(body, details...)
	title, list := "proposals", m.proposalLines
	if m.mode == typing && m.prompt.purpose == forLabel {
		title, list = "labels of that name", m.completionLines
	}
	body = append(body, m.rule(title))
	body = append(body, list(m.height-len(body)-len(foot))...)
	if m.mode != typing {
		body = append(body, m.because(m.height-len(body)-len(foot))...)
	}
	return m.fit(body, foot)
}

// small tells that the screen has no room for what there is to see.
func (m *Model) small() bool { return m.width < minWidth || m.height < minHeight }

// fit cuts lines to the screen, with the foot at its bottom.
func (m *Model) fit(body, foot []string) []string {
	body = body[:min(len(body), max(0, m.height-len(foot)))]
	for len(body)+len(foot) < m.height {
		body = append(body, "")
	}
	lines := append(body, foot...)
	for i := range lines {
		lines[i] = term.Truncate(lines[i], m.width)
	}
	return lines
}

// rule is a line with a title.
func (m *Model) rule(title string) string {
	line := "── " + title + " "
	return m.paint.Paint(term.Dim, line+strings.Repeat("─", max(0, m.width-term.Width(line))))
}

// header says where in the log this is, and how much is labelled.
func (m *Model) header() []string {
	name := term.Sanitize(m.session.Log().Base())
	place := ""
	if m.session.Len() > 0 {
		place = fmt.Sprintf("event %s of %s", term.Count(m.event+1), term.Count(m.session.Len()))
	}
	doing := m.doing()
	left := m.width - term.Width(place) - term.Width(doing) - 4
	first := m.paint.Paint(term.Bold, term.Truncate(name, max(8, left))) + "  " + place
	if doing != "" {
		first += "  " + m.paint.Paint(term.Caution, doing)
	}
	return []string{first, m.counts()}
}

// doing says what goes on in the background.
func (m *Model) doing() string {
	percent := func(done int64) string {
		return fmt.Sprintf("%d%%", 100*min(done, m.session.Log().Size())/max(1, m.session.Log().Size()))
	}
	switch {
	case !m.session.Ready():
		return "reading " + percent(m.work.scanned)
	case m.mode == leaving:
		return "writing " + percent(m.work.written)
	case m.work.searching != nil:
		return "searching, esc ends it"
	case m.work.linking:
		return "linking " + percent(m.work.linked)
	case m.work.predicting:
		return "reading predictions"
	}
	return ""
}

func (m *Model) counts() string {
	c := m.session.Counts()
	parts := []string{term.Count(c.Unlabelled) + " without a label"}
	for _, part := range []struct {
		n    int
		word string
	}{{c.Person, "yours"}, {c.Accepted, "accepted"}, {c.Given, "in the log"}, {c.Automatic, "automatic"}, {m.work.malformed, "malformed"}} {
		if part.n > 0 {
			parts = append(parts, term.Count(part.n)+" "+part.word)
		}
	}
	return strings.Join(parts, ", ")
}

// events lists n events around the current one.
func (m *Model) events(n int) []string {
	current, err := m.session.Event(m.event)
	if err != nil {
		return nil
	}
	var lines []string
	for i := m.event - n/2; i <= m.event+n/2; i++ {
		if i < 0 || i >= m.session.Len() {
			lines = append(lines, m.paint.Paint(term.Dim, "  "+map[bool]string{true: "(the log begins)", false: "(the log ends)"}[i < 0]))
			continue
		}
		ev, err := m.session.Event(i)
		if err != nil {
			lines = append(lines, "  "+term.Sanitize(err.Error()))
			continue
		}
		lines = append(lines, m.eventLine(i, ev, current))
	}
	return lines
}

// eventLine says on one line who did what, when as seen from the current event,
// and which label that has.
func (m *Model) eventLine(i int, ev, current *audit.Event) string {
	clock, code := "15:04:05", ""
	if m.width >= medium {
		clock, code = "15:04:05.000", fmt.Sprintf(" %3d", ev.Status.Code)
	}
	marker, style, when := "  ", term.Plain, delta(ev.RequestReceived.Sub(current.RequestReceived))
	if i == m.event {
		marker, style, when = "> ", term.Bold, ev.RequestReceived.Format(clock)
	}
	who := max(10, min(26, m.width/5))
	line := marker + column(when, len(clock)) + " " + column(term.Sanitize(actor.Short(ev.User.Username)), who) + " "
	mark := m.mark(i)
	words := m.width - term.Width(line) - term.Width(code) - 1 - markWidth
	line += column(term.Sanitize(label.Sentence(ev)), words) + code
	if i != m.event && m.session.Mark(i).By == edit.Automatic {
		style = term.Dim
	}
	return m.paint.Paint(style, line) + " " + mark
}

// markWidth is the width of what mark says.
const markWidth = 12

// mark says which label an event has and whose it is.
func (m *Model) mark(i int) string {
	mark := m.session.Mark(i)
	if mark.By == edit.Nobody {
		return m.paint.Paint(term.Caution, column("      –", markWidth))
	}
	text := fmt.Sprintf("%7d %s", mark.Label, whose(mark.By))
	style := term.Good
	if mark.By == edit.Automatic {
		style = term.Dim
	}
	return m.paint.Paint(style, column(text, markWidth))
}

func whose(by edit.By) string {
	return map[edit.By]string{edit.Person: "you", edit.Accepted: "acc.", edit.Given: "log", edit.Automatic: "auto"}[by]
}

// details say more of the current event, and in what its neighbours differ.
func (m *Model) details(ev *audit.Event) []string {
	entry := m.session.Entry(m.event)
	object := ev.Object.Name
	if ev.Object.Namespace != "" {
		object = ev.Object.Namespace + "/" + object
	}
	what := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %d %s %s", ev.Verb, edit.ResourceOf(ev), object, ev.Status.Code, ev.Status.Reason, ev.Stage)), "  ")
	lines := []string{m.rule(fmt.Sprintf("line %s", term.Count(int(entry.Line))))}
	if m.width < medium && m.height >= 18 {
		lines = append(lines, squeeze(actor.Short(ev.User.Username)+": "+label.Sentence(ev)))
	}
	lines = append(lines, squeeze(what))
	if m.height >= 22 {
		groups := ""
		if len(ev.User.Groups) > 0 {
			groups = " (" + strings.Join(ev.User.Groups, ", ") + ")"
		}
		from := ""
		if len(ev.SourceIPs) > 0 {
			from = " from " + ev.SourceIPs[0]
		}
		lines = append(lines, squeeze(ev.User.Username+groups+from+" with "+ev.UserAgent))
	}
	if m.height >= 30 {
		lines = append(lines, squeeze(ev.RequestURI), m.linkLine())
	}
	return append(lines, m.neighbour("before", m.event-1, ev), m.neighbour("after", m.event+1, ev))
}

// linkLine says what the linker knows.
func (m *Model) linkLine() string {
	role, rule, evidence := m.session.Links(m.event)
	if role == "" {
		return m.paint.Paint(term.Dim, "linker: not yet")
	}
	return squeeze(fmt.Sprintf("linker: %s, %s: %s", role, rule, evidence))
}

// neighbour says how long ago or away an event is, and in what it differs.
func (m *Model) neighbour(word string, i int, current *audit.Event) string {
	if i < 0 || i >= m.session.Len() {
		return fmt.Sprintf("%-6s  none", word)
	}
	other, err := m.session.Event(i)
	if err != nil {
		return term.Sanitize(err.Error())
	}
	var parts []string
	if other.AuditID == current.AuditID {
		parts = append(parts, "another stage of the same request")
	}
	for _, d := range edit.Differences(current, other) {
		value := d.After
		if d.Field == "user" {
			value = actor.Short(value)
		}
		if value == "" {
			value = "none"
		}
		parts = append(parts, d.Field+" "+value)
	}
	if len(parts) == 0 {
		parts = append(parts, "no difference but the time")
	}
	line := fmt.Sprintf("%-6s  %s  %s", word, delta(other.RequestReceived.Sub(current.RequestReceived)), strings.Join(parts, ", "))
	return squeeze(line)
}

// squeeze makes a line of what the log says.
func squeeze(text string) string { return strings.TrimRight(term.Sanitize(text), " ") }

// column pads a sanitised text to a width, or cuts it.
func column(text string, width int) string {
	text = term.Truncate(text, width)
	return text + strings.Repeat(" ", max(0, width-term.Width(text)))
}

// delta writes a time between two events.
func delta(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	switch {
	case d < time.Second:
		return fmt.Sprintf("%s%.1fms", sign, float64(d.Microseconds())/1000)
	case d < time.Minute:
		return fmt.Sprintf("%s%.1fs", sign, d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%s%dm%02ds", sign, int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%s%dh%02dm", sign, int(d.Hours()), int(d.Minutes())%60)
}

// quote quotes what was typed.
func quote(text string) string { return `"` + term.Sanitize(text) + `"` }
