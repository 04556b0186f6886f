package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
)

// manyEvents is how far page up and page down go.
const manyEvents = 10

// key takes a key that was pressed; text is what it writes, if anything.
func (m *Model) key(key, text string) tea.Cmd {
	if key == "ctrl+c" {
		return tea.Quit
	}
	if key == "ctrl+z" {
		return tea.Suspend
	}
	if m.small() {
		return m.unseen(key)
	}
	switch m.mode {
	case typing:
		return m.promptKey(key, text)
	case asking:
		return m.answer(key)
	case reading:
		m.pageKey(key)
		return nil
	case leaving:
		return nil
	}
	if m.session.Len() == 0 {
		return m.leave(key)
	}
	m.message = ""
	if m.prefix != "" {
		keys := m.prefix + key
		m.prefix = ""
		m.choose(keys)
		return nil
	}
	if m.move(key) || m.decide(key) {
		return nil
	}
	return m.command(key, text)
}

// unseen takes a key that was pressed while the screen is too small to show
// what it would do: only q, which writes the log and ends, is taken.
func (m *Model) unseen(key string) tea.Cmd {
	switch {
	case key != "q" || m.mode == leaving:
		return nil
	case m.session.Len() == 0:
		return tea.Quit
	}
	m.mode, m.prefix = browse, ""
	return m.quit()
}

// leave is what can be done while there is no event.
func (m *Model) leave(key string) tea.Cmd {
	if key == "q" || key == "esc" {
		return tea.Quit
	}
	return nil
}

// move takes the keys that go to another event or proposal.
func (m *Model) move(key string) bool {
	switch key {
	case "right", "j":
		m.look(m.event + 1)
	case "left", "k":
		m.look(m.event - 1)
	case "pgdown":
		m.look(m.event + manyEvents)
	case "pgup":
		m.look(m.event - manyEvents)
	case "home", "g":
		m.look(0)
	case "end", "G":
		m.look(m.session.Len() - 1)
	case "down":
		m.selected = min(m.selected+1, len(m.proposals)-1)
	case "up":
		m.selected = max(m.selected-1, 0)
	case "s":
		m.jump(m.session.NextUnlabelled, 1, "Every event has a label.")
	case "S":
		m.jump(m.session.NextUnlabelled, -1, "Every event has a label.")
	case "tab":
		m.jump(m.session.NextUnsure, 1, "Nothing is unsure.")
	case "shift+tab":
		m.jump(m.session.NextUnsure, -1, "Nothing is unsure.")
	default:
		return false
	}
	return true
}

func (m *Model) jump(next func(i, step int) (int, bool), step int, none string) {
	i, ok := next(m.event, step)
	if !ok {
		m.say(term.Good, "%s", none)
		return
	}
	m.look(i)
}

// forward goes to the next event that needs a label.
func (m *Model) forward() {
	if i, ok := m.session.NextUnlabelled(m.event, 1); ok {
		m.look(i)
		return
	}
	m.refresh()
}

// decide takes the keys that give a label, or take one away.
func (m *Model) decide(key string) bool {
	switch key {
	case "enter":
		if m.selected < len(m.proposals) {
			m.label(m.proposals[m.selected].Label)
		}
	case "a", "b", "m", "l", "t":
		m.choose(key)
	case "n", "e":
		m.prefix = key
		m.say(term.Plain, "%s: c create, p patch, d delete, w watch", map[string]string{"n": "The next event with", "e": "As"}[key])
	case "x":
		line := m.session.Entry(m.event).Line
		if err := m.session.Remove(m.event); err != nil {
			m.say(term.Bad, "%v", err)
			return true
		}
		m.written = false
		m.refresh()
		m.say(term.Plain, "Line %s has no label any more.", term.Count(int(line)))
	case "u":
		m.travel("Undone", m.session.Undo, "There is nothing to undo.")
	case "U", "ctrl+r":
		m.travel("Redone", m.session.Redo, "There is nothing to redo.")
	default:
		return false
	}
	return true
}

// choose takes the proposal that keys stand for.
func (m *Model) choose(keys string) {
	l, ok := edit.Choose(m.proposals, keys)
	if !ok {
		why := "here"
		if m.work.linking && (keys == "l" || keys == "m" || keys == "t") {
			why = "yet: the linker is still reading"
		}
		m.say(term.Caution, "%s proposes nothing %s.", keys, why)
		return
	}
	m.label(l)
}

// label gives the current event a label and goes on.
func (m *Model) label(l label.Label) {
	line := m.session.Entry(m.event).Line
	if err := m.session.Decide(m.event, l); err != nil {
		m.say(term.Bad, "%v", err)
		return
	}
	m.written = false
	done := fmt.Sprintf("Line %s has the label %d.", term.Count(int(line)), l)
	if m.session.Counts().Unlabelled == 0 {
		done += " Every event has a label: q writes the log and ends."
	}
	m.forward()
	m.say(term.Good, "%s", done)
}

// travel takes a decision back, or gives it again.
func (m *Model) travel(done string, step func() (first, events int, err error), none string) {
	first, n, err := step()
	switch {
	case err != nil:
		m.say(term.Bad, "%v", err)
	case n == 0:
		m.say(term.Caution, "%s", none)
	default:
		m.written = false
		m.look(first)
		m.say(term.Plain, "%s: %s, from line %s on.", done, term.Plural(n, "event"), term.Count(int(m.session.Entry(first).Line)))
	}
}

// command takes all other keys.
func (m *Model) command(key, text string) tea.Cmd {
	switch key {
	case "=", "i":
		m.open(forLabel, "")
	case "/":
		m.open(forText, "")
	case ":":
		m.open(forLine, "")
	case "A":
		m.open(forConfidence, fmt.Sprint(m.session.Sure()))
	case "]":
		return m.again(1)
	case "[":
		return m.again(-1)
	case "r":
		m.showRaw()
	case "?", "h", "f1":
		m.showHelp()
	case "w":
		return m.write()
	case "q":
		return m.quit()
	case "esc":
		m.stopSearch()
	default:
		if text != "" && strings.ContainsAny(text, "0123456789-") {
			m.open(forLabel, text)
		}
	}
	return nil
}

// again goes on with the search.
func (m *Model) again(step int) tea.Cmd {
	if m.prompt.sought == "" {
		m.say(term.Caution, "Nothing was searched for yet: / does that.")
		return nil
	}
	return m.find(m.prompt.sought, step)
}

// quit writes the labelled log where somebody decided something, and ends.
func (m *Model) quit() tea.Cmd {
	counts := m.session.Counts()
	if m.written || counts.Person+counts.Accepted == 0 && m.session.Steps() == 0 {
		return tea.Quit
	}
	m.mode = leaving
	return m.write()
}
