package tui

import (
	"context"
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/term"
)

// work is how far the work in the background has come.
type work struct {
	// scanned, linked and written count bytes of the log.
	scanned, linked, written int64
	// linking and predicting tell that the one and the other go on.
	linking, predicting bool
	// searching ends the search that goes on, nil without one.
	searching context.CancelFunc
	malformed int
}

// The messages of the work in the background.
type (
	foundMsg struct {
		entries []edit.Entry
		read    int64
	}
	scannedMsg struct {
		scanned *edit.Scanned
		err     error
	}
	learntMsg struct {
		opinions []edit.Opinion
		read     int64
	}
	linkedMsg    struct{ err error }
	predictedMsg struct{ predictions []edit.Prediction }
	modelledMsg  struct{ err error }
	hitMsg       struct {
		event int
		found bool
		text  string
		err   error
	}
	writingMsg struct{ done int64 }
	writtenMsg struct{ err error }
)

// job is work that Run waits for.
func (m *Model) job(do func() tea.Msg) tea.Cmd {
	m.jobs.Add(1)
	return func() tea.Msg {
		defer m.jobs.Done()
		return do()
	}
}

// scan reads the log from its beginning to its end.
func (m *Model) scan() tea.Cmd {
	return m.job(func() tea.Msg {
		scanned, err := m.session.Scan(m.ctx, func(entries []edit.Entry, read int64) error {
			m.send(foundMsg{entries, read})
			return m.ctx.Err()
		})
		return scannedMsg{scanned, err}
	})
}

// link lets the linker look at the log.
func (m *Model) link() tea.Cmd {
	m.work.linking = true
	return m.job(func() tea.Msg {
		return linkedMsg{m.analyse()}
	})
}

// analyse links the log, and labels it with the model.
func (m *Model) analyse() error {
	o := edit.Analysis{
		Policy: m.options.Policy, Rules: m.options.Rules,
		Opinions: func(opinions []edit.Opinion, read int64) error {
			m.send(learntMsg{opinions, read})
			return m.ctx.Err()
		},
		Predictions: func(p []edit.Prediction) error {
			m.send(predictedMsg{p})
			return m.ctx.Err()
		},
	}
	if m.options.Model != nil {
		var err error
		if o.Model, err = m.options.Model(); err != nil {
			return err
		}
	}
	return m.session.Analyse(m.ctx, o)
}

// predict reads the model's predictions.
func (m *Model) predict() tea.Cmd {
	if m.options.Predictions == nil {
		return nil
	}
	m.work.predicting = true
	reader := m.session.Predictions()
	return m.job(func() tea.Msg {
		f, err := m.options.Predictions()
		if err != nil {
			return modelledMsg{err}
		}
		// It was only read.
		defer func() { _ = f.Close() }()
		return modelledMsg{reader.Read(m.ctx, f, func(p []edit.Prediction) error {
			m.send(predictedMsg{p})
			return m.ctx.Err()
		})}
	})
}

// find searches for a text, forwards or backwards.
func (m *Model) find(text string, step int) tea.Cmd {
	m.stopSearch()
	ctx, cancel := context.WithCancel(m.ctx)
	m.work.searching = cancel
	finder, from := m.session.Finder(), m.event
	return m.job(func() tea.Msg {
		i, ok, err := finder.Find(ctx, text, from, step)
		return hitMsg{i, ok, text, err}
	})
}

func (m *Model) stopSearch() {
	if m.work.searching != nil {
		m.work.searching()
		m.work.searching = nil
	}
}

// write writes the labelled log.
func (m *Model) write() tea.Cmd {
	output, err := m.session.Output()
	if err != nil {
		m.say(term.Bad, "%v", err)
		return nil
	}
	m.written = true // as of now
	m.say(term.Plain, "Writing %s…", term.Sanitize(m.options.Output))
	return m.job(func() tea.Msg {
		return writtenMsg{output.WriteFile(m.ctx, m.options.Output, func(done, _ int64) { m.send(writingMsg{done}) })}
	})
}

// progress takes a message of the work in the background.
func (m *Model) progress(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case foundMsg:
		first := m.session.Len() == 0
		m.session.Append(msg.entries)
		m.work.scanned = msg.read
		if first && m.session.Len() > 0 {
			m.look(0)
		}
	case scannedMsg:
		return m.scanned(msg)
	case learntMsg:
		m.work.linked = msg.read
		if err := m.session.Learn(msg.opinions); err != nil {
			return m.fail(err)
		}
		m.renew()
	case linkedMsg:
		m.work.linking = false
		return m.linked(msg.err)
	case predictedMsg:
		m.session.Predict(msg.predictions)
		m.renew()
	case modelledMsg:
		m.work.predicting = false
		if msg.err != nil && !errors.Is(msg.err, context.Canceled) {
			return m.fail(fmt.Errorf("reading the predictions: %w", msg.err))
		}
	case hitMsg:
		m.hit(msg)
	case writingMsg:
		m.work.written = msg.done
	case writtenMsg:
		return m.wrote(msg.err)
	}
	return nil
}

// renew shows what is known now.
func (m *Model) renew() {
	m.refresh()
	if m.mode == asking {
		m.prompt.events = m.session.CountSure(m.prompt.confidence)
	}
}

func (m *Model) scanned(msg scannedMsg) tea.Cmd {
	if msg.err != nil {
		return m.fail(msg.err)
	}
	if msg.scanned.Events == 0 {
		err := fmt.Errorf("%s holds no audit event", m.session.Log().Name())
		if msg.scanned.Broken != nil {
			err = fmt.Errorf("%w; the first of %d malformed pieces: %w", err, msg.scanned.Malformed, msg.scanned.Broken)
		}
		return m.fail(err)
	}
	if err := m.session.Begin(msg.scanned); err != nil {
		return m.fail(err)
	}
	m.work.malformed = msg.scanned.Malformed
	if n := m.session.Steps(); n > 0 {
		m.say(term.Good, "Going on after %s in %s.", term.Plural(n, "decision"), term.Sanitize(m.session.Journal().Name()))
	}
	if m.session.Mark(m.event).By != edit.Nobody {
		m.forward()
	}
	m.refresh()
	return tea.Batch(m.link(), m.predict())
}

func (m *Model) linked(err error) tea.Cmd {
	if err != nil && !errors.Is(err, context.Canceled) {
		return m.fail(err)
	}
	// Whoever has not moved yet begins where there is something to do.
	if m.session.Mark(m.event).By == edit.Automatic {
		m.forward()
	}
	m.refresh()
	return nil
}

func (m *Model) hit(msg hitMsg) {
	m.work.searching = nil
	switch {
	case errors.Is(msg.err, context.Canceled):
	case msg.err != nil:
		m.say(term.Bad, "%v", msg.err)
	case !msg.found:
		m.say(term.Caution, "No event has %s.", quote(msg.text))
	default:
		m.look(msg.event)
		m.say(term.Plain, "Line %s has %s. ] and [ go to the next and the previous one.",
			term.Count(int(m.session.Entry(msg.event).Line)), quote(msg.text))
	}
}

func (m *Model) wrote(err error) tea.Cmd {
	leaving := m.mode == leaving
	if err != nil {
		m.written = false
		if leaving {
			return m.fail(err)
		}
		m.say(term.Bad, "%v", err)
		return nil
	}
	m.say(term.Good, "Wrote %s.", term.Sanitize(m.options.Output))
	if leaving {
		return tea.Quit
	}
	return nil
}
