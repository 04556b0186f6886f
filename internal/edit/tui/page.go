package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/whet-k8s/whet/internal/term"
)

// page is a text that fills the screen.
type page struct {
	title string
	text  []string // sanitised
	top   int      // of the lines as they are wrapped
}

// maxRaw bounds how much of an event's JSON is shown; a list of a whole cluster
// is longer than anybody reads.
const maxRaw = 1 << 20

// showRaw shows the JSON of the current event.
func (m *Model) showRaw() {
	ev, err := m.session.Event(m.event)
	if err != nil {
		m.say(term.Bad, "%v", err)
		return
	}
	raw, cut := ev.Raw, ""
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		b.Reset()
		b.Write(raw)
	}
	if b.Len() > maxRaw {
		cut = fmt.Sprintf("\n… %s more", term.Bytes(int64(b.Len()-maxRaw)))
		b.Truncate(maxRaw)
	}
	text := strings.Split(term.SanitizeLines(b.String()+cut), "\n")
	m.mode, m.page = reading, page{title: fmt.Sprintf("line %s", term.Count(int(m.session.Entry(m.event).Line))), text: text}
}

// showHelp shows what the keys do.
func (m *Model) showHelp() {
	text := help
	if m.options.Predictions == nil && m.options.Model == nil {
		text = strings.Replace(text, "  t       the model's\n", "", 1)
	}
	text += fmt.Sprintf("\nJournal:       %s\nLabelled log:  %s\n", term.Sanitize(m.session.Journal().Name()), term.Sanitize(m.options.Output))
	m.mode, m.page = reading, page{title: "help", text: strings.Split(text, "\n")}
}

const help = `A label says which action caused an event. An event that somebody sent has the
label of the command it belongs to, and so has all that followed from it; only
background has its own. Every decision is saved at once: a kill loses nothing.

Giving the label
  enter   the proposal marked with >, which up and down choose
  l       the linker's
  t       the model's
  a       the label of the event before (background aside)
  b       the event's own
  m       that of the next action by a person
  n c     that of the next event that creates; n p patches, n d deletes,
          n w watches
  e c     as if the event were a create; e p patch, e d delete, e w watch
  = or i  by name, such as: patch deployments scale
  0-9 -   by number; -1 is unknown, -2 ignored
  x       no label
  A       all that have none and a proposal of at least some confidence
  u       undo, one step at a time, also those of earlier sessions; U or ctrl+r
          does it again

Going about
  right j, left k   the next and the previous event
  pgdn, pgup        ten events on and back
  g, G              the first and the last event
  s, S              the next and the previous event without a label
  tab, shift+tab    the next and the previous unsure one: no proposal is sure,
                    or two contradict each other, and nobody decided alone
  :                 the event at a line
  /                 the next event whose JSON has a text; ] and [ go on

Else
  r       the event's JSON
  w       write the labelled log now
  q       write the labelled log and end
  ctrl+c  end without writing; what was decided is in the journal

Labels: "you" gave them one by one, "acc." many at once, "log" they stood in
the log, "auto" background, which has its own.
`

// wrapped is the page as it fits the screen.
func (m *Model) wrapped() []string {
	var lines []string
	for _, line := range m.page.text {
		lines = append(lines, strings.Split(ansi.Hardwrap(line, m.width, true), "\n")...)
	}
	return lines
}

// pageFrame draws the page.
func (m *Model) pageFrame() []string {
	lines := m.wrapped()
	room := m.height - 2
	top := max(0, min(m.page.top, len(lines)-room))
	end := min(len(lines), top+room)
	foot := "esc back"
	if len(lines) > room {
		foot = fmt.Sprintf("esc back  ↑↓ pgup pgdn scroll  %d to %d of %d", top+1, end, len(lines))
	}
	return m.fit(append([]string{m.rule(m.page.title)}, lines[top:end]...), []string{m.paint.Paint(term.Dim, foot)})
}

// pageKey takes a key while a page is shown.
func (m *Model) pageKey(key string) {
	room := m.height - 2
	last := max(0, len(m.wrapped())-room)
	switch key {
	case "down", "j", "enter":
		m.page.top++
	case "up", "k":
		m.page.top--
	case "pgdown", "space":
		m.page.top += room
	case "pgup", "b":
		m.page.top -= room
	case "home", "g":
		m.page.top = 0
	case "end", "G":
		m.page.top = last
	default:
		m.mode = browse
	}
	m.page.top = max(0, min(m.page.top, last))
}
