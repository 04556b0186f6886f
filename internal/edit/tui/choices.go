package tui

import (
	"fmt"
	"strings"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
)

// proposalLines lists what is proposed, in at most n lines.
func (m *Model) proposalLines(n int) []string {
	rows := make([]string, 0, len(m.proposals))
	action := 0
	for _, p := range m.proposals {
		action = max(action, term.Width(m.actionText(p.Action)))
	}
	for i, p := range m.proposals {
		rows = append(rows, m.row(i, keysOf(p), p.Action, action, m.reasons(p)))
	}
	return m.window(rows, n)
}

// completionLines lists what was typed may mean.
func (m *Model) completionLines(n int) []string {
	if m.prompt.text == "" {
		return []string{"Type a number, or words such as: patch deployments scale"}
	}
	// Nobody scrolls through a thousand.
	list := m.prompt.completions[:min(len(m.prompt.completions), 100)]
	rows := make([]string, 0, len(list))
	for i, a := range list {
		rows = append(rows, m.row(i, "", a, 0, ""))
	}
	return m.window(rows, n)
}

// row is a line of a list of labels.
func (m *Model) row(i int, keys string, a label.Action, width int, why string) string {
	marker, style := "  ", term.Plain
	if i == m.selected {
		marker, style = "> ", term.Bold
	}
	line := marker + column(keys, m.keysWidth()) + fmt.Sprintf(" %7d  ", a.Label) + column(m.actionText(a), max(width, term.Width(m.actionText(a))))
	return m.paint.Paint(style, line) + "  " + why
}

// keysWidth is the room for the keys of a proposal. Where some do not fit, the
// others do the same.
func (m *Model) keysWidth() int {
	if m.width < medium {
		return 7
	}
	return 11
}

// keysOf are the keys that choose a proposal.
func keysOf(p edit.Proposal) string {
	var keys []string
	for _, r := range p.Reasons {
		if r.Keys != "" {
			keys = append(keys, r.Keys)
		}
	}
	return strings.Join(keys, " ")
}

// actionText says what a label means, in short where there is little room: that
// a request is about one object in a namespace then goes without saying.
func (m *Model) actionText(a label.Action) string {
	if m.width >= wide || a.Verb == "" {
		return a.String()
	}
	text := a.Verb + " " + a.Resource
	if m.width >= medium {
		text = a.Verb + " " + a.Group + "/" + a.Resource
	}
	if a.Subresource != "" {
		text += "/" + a.Subresource
	}
	if !a.Named {
		text += ", no name"
	}
	if !a.Namespaced {
		text += ", no namespace"
	}
	return text
}

// reasons say on one line why a label is proposed.
func (m *Model) reasons(p edit.Proposal) string {
	parts := make([]string, 0, len(p.Reasons))
	for _, r := range p.Reasons {
		parts = append(parts, reasonText(r, m.width >= medium))
	}
	return strings.Join(parts, "; ")
}

// reasonText says why a label is proposed, in full or in short.
func reasonText(r edit.Reason, full bool) string {
	text := string(r.Source)
	if r.Confidence >= 0 {
		text += fmt.Sprintf(" %.2f", r.Confidence)
	}
	switch {
	case r.Why == "":
	case r.Source == edit.FromProposer:
		text = r.Why
	case full:
		text += ": " + r.Why
	}
	return term.Sanitize(text)
}

// because gives the reasons of the selected proposal in full, where there are
// n lines to spare for that.
func (m *Model) because(n int) []string {
	if m.selected >= len(m.proposals) {
		return nil
	}
	p := m.proposals[m.selected]
	if n < len(p.Reasons)+1 {
		return nil
	}
	lines := []string{m.rule(fmt.Sprintf("why %d", p.Label))}
	for _, r := range p.Reasons {
		lines = append(lines, "  "+reasonText(r, true))
	}
	return lines
}

// window shows n of the rows, the selected one among them.
func (m *Model) window(rows []string, n int) []string {
	n = max(1, n)
	if len(rows) <= n {
		return rows
	}
	first := max(0, min(m.selected-n/2, len(rows)-n))
	shown := append([]string(nil), rows[first:first+n]...)
	if below := len(rows) - first - n; below > 0 {
		shown[n-1] = m.paint.Paint(term.Dim, fmt.Sprintf("  … %d more below", below+1))
		if m.selected == first+n-1 {
			shown[n-1] = rows[m.selected]
		}
	}
	return shown
}

// footer is the message, or the prompt, and the keys that help most.
func (m *Model) footer() []string {
	line := m.paint.Paint(m.style, term.Sanitize(m.message))
	switch m.mode {
	case typing:
		return []string{m.promptLine(), m.hints(typingHints(m.prompt.purpose))}
	case asking:
		line = m.paint.Paint(term.Caution, fmt.Sprintf("Label %s as proposed with %g or more? y or n",
			term.Plural(m.prompt.events, "event"), m.prompt.confidence))
		return []string{line, m.hints([]string{"y label them", "n do not"})}
	}
	return []string{line, m.hints(browseHints())}
}

func (m *Model) promptLine() string {
	name := map[purpose]string{forLabel: "Label", forText: "Search", forLine: "Line", forConfidence: "Accept all of at least"}[m.prompt.purpose]
	line := m.paint.Paint(term.Bold, name+": ") + term.Sanitize(m.prompt.text) + "▏"
	if over := term.Width(line) - m.width; over > 0 {
		line = term.Truncate(name+": …"+tail(m.prompt.text, m.width-term.Width(name)-5)+"▏", m.width)
	}
	if m.message != "" {
		line += "  " + m.paint.Paint(m.style, term.Sanitize(m.message))
	}
	return line
}

// tail gives the end of a text that is at most so wide.
func tail(text string, width int) string {
	runes := []rune(text)
	for len(runes) > 0 && term.Width(string(runes)) > width {
		runes = runes[1:]
	}
	return string(runes)
}

// hints joins as many hints as there is room for.
func (m *Model) hints(hints []string) string {
	line := ""
	for _, hint := range hints {
		next := line
		if next != "" {
			next += "  "
		}
		next += hint
		if term.Width(next) > m.width {
			break
		}
		line = next
	}
	return m.paint.Paint(term.Dim, line)
}

// browseHints are the most useful keys, the most needed first.
func browseHints() []string {
	return []string{"? help", "q quit", "enter label", "u undo", "←→ event", "↑↓ proposal", "= name", "s skip", "tab unsure", "A accept all", "/ search", "r raw"}
}

func typingHints(p purpose) []string {
	hints := []string{"enter take", "esc leave"}
	if p == forLabel {
		hints = append(hints, "↑↓ choose", "tab complete")
	}
	return hints
}
