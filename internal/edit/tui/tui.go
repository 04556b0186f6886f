package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	tea "charm.land/bubbletea/v2"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/noise"
)

// Options say what a screen shows.
type Options struct {
	// Policy is the noise policy, nil for the default one.
	Policy *noise.Policy
	// Output is the file that the labelled log is written to.
	Output string
	// Predictions opens the file of a model's predictions; nil without one.
	Predictions func() (io.ReadCloser, error)
	// Model gives a model that predicts while the log is linked; nil for none.
	Model func() (*model.Model, error)
	// Rules has the linker's rules decide alone, without its ranker.
	Rules bool
	// Colors tells whether the terminal shows colours and the user wants them.
	Colors bool
}

// mode is what keys mean.
type mode uint8

const (
	browse  mode = iota
	typing       // a prompt
	asking       // yes or no to accept
	reading      // the raw event, or the help
	leaving      // the labelled log is written, and then it is over
)

// Model is the state of the screen. Its methods are for one goroutine.
type Model struct {
	session *edit.Session
	options Options
	paint   term.Painter
	// ctx ends the work in the background.
	ctx  context.Context
	send func(tea.Msg)
	jobs *sync.WaitGroup

	width, height int
	mode          mode
	event         int // the current one
	proposals     []edit.Proposal
	selected      int    // of the proposals, or of the completions
	prefix        string // the first key of two
	prompt        prompt
	page          page
	names         *edit.Names

	message string
	style   term.Style
	work    work
	written bool  // the labelled log was written, and nothing was decided since
	err     error // why the session had to end
}

// New makes the screen of a session whose log is not scanned yet. Send passes a
// message to Update from another goroutine.
func New(ctx context.Context, s *edit.Session, o Options, send func(tea.Msg)) *Model {
	return &Model{
		session: s, options: o, paint: term.Painter{Colors: o.Colors}, ctx: ctx, send: send, jobs: new(sync.WaitGroup),
		width: 80, height: 24, names: s.Names(),
	}
}

// Run shows a session on the terminal that in and out are, until the user
// leaves. It tells whether the labelled log was written after the last
// decision. Errors come from ctx, the terminal, the log and the journal;
// decisions are saved whatever happens.
func Run(ctx context.Context, s *edit.Session, o Options, in io.Reader, out io.Writer) (written bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var program *tea.Program
	m := New(ctx, s, o, func(msg tea.Msg) { program.Send(msg) })
	program = tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
	_, err = program.Run()
	cancel()
	m.jobs.Wait()
	switch {
	case m.err != nil:
		return false, m.err
	case err != nil && ctx.Err() != nil:
		return false, errors.Join(ctx.Err(), err)
	case err != nil:
		return false, fmt.Errorf("showing the session: %w", err)
	}
	return m.written, nil
}

// Init begins to read the log.
func (m *Model) Init() tea.Cmd { return m.scan() }

// Update takes a key or a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m, nil
	case tea.KeyPressMsg:
		return m, m.key(msg.String(), msg.Text)
	case tea.PasteMsg:
		if m.mode == typing && !m.small() {
			m.typed(m.prompt.text + msg.Content)
		}
		return m, nil
	}
	return m, m.progress(msg)
}

// say puts a message at the foot of the screen.
func (m *Model) say(style term.Style, format string, args ...any) {
	m.message, m.style = fmt.Sprintf(format, args...), style
}

// fail ends the session.
func (m *Model) fail(err error) tea.Cmd {
	if m.err == nil {
		m.err = err
	}
	return tea.Quit
}

// look makes event i the current one.
func (m *Model) look(i int) {
	m.event = max(0, min(i, m.session.Len()-1))
	m.selected = 0
	m.refresh()
	// Enter leaves a label that is there as it is.
	if mark := m.session.Mark(m.event); mark.By != edit.Nobody {
		m.selected = max(0, slices.IndexFunc(m.proposals, func(p edit.Proposal) bool { return p.Label == mark.Label }))
	}
}

// refresh reads anew what is proposed for the current event.
func (m *Model) refresh() {
	if m.session.Len() == 0 {
		return
	}
	list, err := m.session.Proposals(m.event)
	if err != nil {
		m.say(term.Bad, "%v", err)
	}
	m.proposals = list
	m.selected = max(0, min(m.selected, len(list)-1))
}
