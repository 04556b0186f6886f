package tui

import (
	"strconv"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
)

// purpose is what a prompt asks for.
type purpose uint8

const (
	forLabel purpose = iota
	forText
	forLine
	forConfidence
)

// prompt is what is being typed.
type prompt struct {
	purpose purpose
	text    string
	// completions are the labels that the text may mean.
	completions []label.Action
	// sought is what was searched for last.
	sought string
	// confidence and events are what a question to accept is about.
	confidence float64
	events     int
}

// maxTyped bounds what can be typed or pasted.
const maxTyped = 200

// open asks for something.
func (m *Model) open(p purpose, text string) {
	m.mode, m.prompt.purpose, m.selected, m.message = typing, p, 0, ""
	m.typed(text)
}

// typed takes the text as it is now.
func (m *Model) typed(text string) {
	text = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	if utf8.RuneCountInString(text) > maxTyped {
		text = string([]rune(text)[:maxTyped])
	}
	m.prompt.text = text
	m.prompt.completions = nil
	if m.prompt.purpose != forLabel {
		return
	}
	ev, err := m.session.Event(m.event)
	if err != nil {
		m.say(term.Bad, "%v", err)
		return
	}
	m.selected = 0
	m.prompt.completions = m.names.Complete(text, ev)
}

// promptKey takes a key while something is typed.
func (m *Model) promptKey(key, text string) tea.Cmd {
	switch key {
	case "esc":
		m.mode, m.selected = browse, 0
	case "enter":
		return m.typedAll()
	case "backspace":
		if m.prompt.text == "" {
			m.mode, m.selected = browse, 0
			return nil
		}
		_, n := utf8.DecodeLastRuneInString(m.prompt.text)
		m.typed(m.prompt.text[:len(m.prompt.text)-n])
	case "ctrl+u":
		m.typed("")
	case "down":
		m.selected = min(m.selected+1, max(0, len(m.prompt.completions)-1))
	case "up":
		m.selected = max(m.selected-1, 0)
	case "tab":
		if m.selected < len(m.prompt.completions) {
			a := m.prompt.completions[m.selected]
			m.typed(strings.Join(strings.Fields(a.Verb+" "+a.Group+" "+a.Resource+" "+a.Subresource), " "))
		}
	default:
		if text != "" {
			m.typed(m.prompt.text + text)
		}
	}
	return nil
}

// typedAll takes what was typed.
func (m *Model) typedAll() tea.Cmd {
	text := strings.TrimSpace(m.prompt.text)
	switch m.prompt.purpose {
	case forLabel:
		if m.selected >= len(m.prompt.completions) {
			m.say(term.Caution, "No label is called that; backspace changes it, esc leaves.")
			return nil
		}
		l := m.prompt.completions[m.selected].Label
		m.mode, m.selected = browse, 0
		m.label(l)
	case forText:
		m.mode, m.selected = browse, 0
		if m.prompt.text != "" {
			m.prompt.sought = m.prompt.text
		}
		return m.again(1)
	case forLine:
		line, err := strconv.Atoi(text)
		if err != nil || line < 1 {
			m.say(term.Caution, "The number of a line is wanted, from 1.")
			return nil
		}
		m.mode = browse
		m.look(m.session.ByLine(line))
	case forConfidence:
		confidence, err := strconv.ParseFloat(text, 64)
		if err != nil || !(confidence >= 0 && confidence <= 1) {
			m.say(term.Caution, "A confidence from 0 to 1 is wanted.")
			return nil
		}
		m.ask(confidence)
	}
	return nil
}

// ask counts what would be accepted and asks whether that is meant.
func (m *Model) ask(confidence float64) {
	m.mode, m.selected = browse, 0
	n := m.session.CountSure(confidence)
	if n == 0 {
		m.say(term.Caution, "No event without a label has a proposal that is so sure.")
		return
	}
	m.mode, m.prompt.confidence, m.prompt.events = asking, confidence, n
}

// answer takes the answer to whether all are to be accepted.
func (m *Model) answer(key string) tea.Cmd {
	m.mode = browse
	if key != "y" && key != "Y" {
		m.say(term.Plain, "Nothing was accepted.")
		return nil
	}
	n, err := m.session.Accept(m.prompt.confidence)
	if err != nil {
		m.say(term.Bad, "%v", err)
		return nil
	}
	m.written = false
	m.forward()
	m.say(term.Good, "%s accepted. u takes that back.", term.Plural(n, "label"))
	return nil
}
