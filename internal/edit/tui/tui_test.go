package tui

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model"
)

var update = flag.Bool("update", false, "write the frames into testdata and the picture into docs")

// web is a log of 50 events: a change of a deployment's image and what it sets
// off, a roll-back, and the deletion of the deployment.
const web = "../testdata/web.jsonl"

// terminal drives a Model as Run does, but in one goroutine.
type terminal struct {
	*Model
	t    testing.TB
	quit bool
}

// start opens a copy of a log and lets all work in the background come to its
// end.
func start(t testing.TB, log []byte, o Options) *terminal {
	t.Helper()
	name := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(name, log, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Output = edit.OutputName(name)
	l, err := edit.OpenLog(context.Background(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := edit.OpenJournal(edit.JournalName(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := edit.NewSession(l, j, edit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t}
	term.Model = New(context.Background(), s, o, term.take)
	term.do(term.Init())
	return term
}

// take gives the model a message and does what follows.
func (x *terminal) take(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil, tea.SuspendMsg:
	case tea.QuitMsg:
		x.quit = true
	case tea.BatchMsg:
		for _, cmd := range msg {
			x.do(cmd)
		}
	default:
		_, cmd := x.Update(msg)
		x.do(cmd)
	}
}

func (x *terminal) do(cmd tea.Cmd) {
	if cmd != nil {
		x.take(cmd())
	}
}

// special are the keys that write nothing, by their name.
func special() map[string]rune {
	return map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"tab": tea.KeyTab, "backspace": tea.KeyBackspace, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd,
	}
}

// press presses keys: names of special keys, or texts that are typed.
func (x *terminal) press(keys ...string) {
	for _, key := range keys {
		if code, ok := special()[key]; ok {
			x.take(tea.KeyPressMsg{Code: code})
			continue
		}
		for _, r := range key {
			x.take(tea.KeyPressMsg{Code: unicode.ToLower(r), Text: string(r)})
		}
	}
}

func (x *terminal) resize(width, height int) { x.take(tea.WindowSizeMsg{Width: width, Height: height}) }

// frame is the screen, with the folder of the test left out.
func (x *terminal) frame() string {
	text := strings.Join(x.Frame(), "\n") + "\n"
	return strings.ReplaceAll(text, filepath.Dir(x.session.Log().Name())+"/", "")
}

func readWeb(t testing.TB) []byte {
	t.Helper()
	log, err := os.ReadFile(web)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// hostile is a log whose names steer terminals.
func hostile(t testing.TB) []byte {
	line := bytes.SplitN(readWeb(t), []byte("\n"), 2)[0]
	var log []byte
	for i := range 4 {
		attack := []string{`\u001b[2J\u001b[31mroot`, `web\r\nline 2`, `\u202eevil`, `\u009b1m\u0007`}[i]
		event := bytes.Replace(line, []byte(`"username":"`), []byte(`"username":"`+attack), 1)
		event = bytes.Replace(event, []byte(`"name":"`), []byte(`"name":"`+attack), 1)
		event = bytes.Replace(event, []byte(`"userAgent":"`), []byte(`"userAgent":"`+attack), 1)
		log = append(append(log, event...), '\n')
	}
	return log
}

// states are what the frames in testdata show: keys pressed from the start.
func states() map[string][]string {
	return map[string][]string{
		"start":   nil,
		"decided": {"enter", "nc", "a", "ep"},
		"name":    {"=", "patch dep", "down"},
		"number":  {"65"},
		"accept":  {"A", "enter"},
		"search":  {"/", "replicaset-controller", "enter"},
		"raw":     {"r", "down"},
		"help":    {"?"},
		"end":     {"G"},
	}
}

func TestFrames(t *testing.T) {
	for state, keys := range states() {
		for _, size := range [][2]int{{110, 40}, {80, 24}, {60, 20}} {
			name := fmt.Sprintf("%s.%dx%d", state, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				x := start(t, readWeb(t), Options{})
				x.resize(size[0], size[1])
				x.press(keys...)
				compare(t, filepath.Join("testdata", name+".golden"), x.frame())
			})
		}
	}
}

func TestHostileFrame(t *testing.T) {
	x := start(t, hostile(t), Options{})
	x.resize(110, 40)
	frame := x.frame()
	compare(t, filepath.Join("testdata", "hostile.110x40.golden"), frame)
	x.press("r")
	for _, text := range []string{frame, x.frame()} {
		if term.SanitizeLines(text) != text {
			t.Errorf("the log steers the terminal: %q", text)
		}
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got, -update writes it):\n%s", name, diff)
	}
}

// TestKeys holds what keys do, by what is labelled afterwards.
func TestKeys(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want edit.Counts
		quit bool
	}{
		"nothing":           {nil, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"enter":             {[]string{"enter"}, edit.Counts{Unlabelled: 40, Automatic: 9, Person: 1}, false},
		"number":            {[]string{"65984", "enter"}, edit.Counts{Unlabelled: 40, Automatic: 9, Person: 1}, false},
		"no such number":    {[]string{"65999", "enter"}, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"unknown":           {[]string{"-1", "enter"}, edit.Counts{Unlabelled: 40, Automatic: 9, Person: 1}, false},
		"esc":               {[]string{"65984", "esc"}, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"two letters":       {[]string{"ep", "nd", "ez"}, edit.Counts{Unlabelled: 39, Automatic: 9, Person: 2}, false},
		"undo":              {[]string{"l", "l", "u"}, edit.Counts{Unlabelled: 40, Automatic: 9, Person: 1}, false},
		"redo":              {[]string{"l", "l", "u", "u", "U", "U", "U"}, edit.Counts{Unlabelled: 39, Automatic: 9, Person: 2}, false},
		"redo no more":      {[]string{"l", "u", "b", "U"}, edit.Counts{Unlabelled: 40, Automatic: 9, Person: 1}, false},
		"take away":         {[]string{"l", "left", "x"}, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"accept":            {[]string{"A", "backspace", "backspace", "backspace", "backspace", "0", "enter", "y"}, edit.Counts{Automatic: 9, Accepted: 41}, false},
		"accept none":       {[]string{"A", "enter", "n"}, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"accept nonsense":   {[]string{"A", "9", "enter"}, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"over an automatic": {[]string{"home", "65984", "enter"}, edit.Counts{Unlabelled: 41, Automatic: 8, Person: 1}, false},
		"look about":        {[]string{"s", "S", "tab", "j", "k", "pgdown", "pgup", "g", "G", ":", "7", "enter", "r", "esc", "?", "q"}, edit.Counts{Unlabelled: 41, Automatic: 9}, false},
		"leave":             {[]string{"q"}, edit.Counts{Unlabelled: 41, Automatic: 9}, true},
		"decide and leave":  {[]string{"b", "q"}, edit.Counts{Unlabelled: 40, Automatic: 9, Person: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t, readWeb(t), Options{})
			x.press(c.keys...)
			if got := x.session.Counts(); got != c.want {
				t.Errorf("%+v, want %+v\n%s", got, c.want, x.frame())
			}
			if x.quit != c.quit {
				t.Errorf("it is over: %v, want %v", x.quit, c.quit)
			}
			_, err := os.Stat(x.options.Output)
			if written := err == nil; written != (c.quit && c.want.Person > 0) || written != x.written {
				t.Errorf("the labelled log was written: %v, and said so: %v", written, x.written)
			}
		})
	}
}

// TestTooSmall presses keys while nobody can see what they do: nothing may be
// decided.
func TestTooSmall(t *testing.T) {
	x := start(t, readWeb(t), Options{})
	x.press("l")
	want := x.session.Counts()
	for _, size := range [][2]int{{minWidth - 1, 40}, {100, minHeight - 1}} {
		x.resize(size[0], size[1])
		x.press("l", "enter", "b", "x", "u", "U", "A", "0", "enter", "y", "65984", "enter", "/", "a", "?", "w")
		x.take(tea.PasteMsg{Content: "65984"})
		if got := x.session.Counts(); got != want || x.quit || x.mode != browse {
			t.Fatalf("at %v: %+v, want %+v; it is over: %v", size, got, want, x.quit)
		}
	}
	x.resize(100, 40)
	x.press("A")
	x.resize(10, 3)
	x.press("y", "q")
	if got := x.session.Counts(); got != want || !x.quit || !x.written {
		t.Errorf("%+v, want %+v; it is over: %v, written: %v", got, want, x.quit, x.written)
	}
}

// TestModelOnScreen lets a model label the log while it is linked.
func TestModelOnScreen(t *testing.T) {
	x := start(t, readWeb(t), Options{Model: model.Default})
	x.resize(110, 40)
	if frame := x.frame(); !strings.Contains(frame, "model 1.00; linker 0.98") {
		t.Errorf("no prediction:\n%s", frame)
	}
	x.press("?")
	if frame := x.frame(); !strings.Contains(frame, "t       the model's") {
		t.Errorf("no help about its key:\n%s", frame)
	}
	broken := errors.New("broken")
	x = start(t, readWeb(t), Options{Model: func() (*model.Model, error) { return nil, broken }})
	if !x.quit || !errors.Is(x.err, broken) {
		t.Errorf("the error is %v", x.err)
	}
}

// TestSearch goes round the log.
func TestSearch(t *testing.T) {
	x := start(t, readWeb(t), Options{})
	x.press("g", "/", "alice", "enter")
	first := x.event
	x.press("]")
	second := x.event
	x.press("[")
	if x.event != first || second <= first {
		t.Errorf("found %d, then %d, and back %d", first, second, x.event)
	}
	x.press("/", "no such text", "enter")
	if x.event != first || !strings.Contains(x.frame(), `No event has "no such text"`) {
		t.Errorf("at %d:\n%s", x.event, x.frame())
	}
}

// TestPredictionsOnScreen covers a model that is right, one of another log, and
// a file that cannot be opened.
func TestPredictionsOnScreen(t *testing.T) {
	log := readWeb(t)
	var said bytes.Buffer
	for _, line := range bytes.Split(bytes.TrimSpace(log), []byte("\n")) {
		fmt.Fprintf(&said, "%s,\"predicted_label\":4400,\"confidence\":0.97}\n", line[:len(line)-1])
	}
	opens := func(text string, err error) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), err }
	}
	x := start(t, log, Options{Predictions: opens(said.String(), nil)})
	if frame := x.frame(); !strings.Contains(frame, "model 0.97") {
		t.Errorf("no prediction:\n%s", frame)
	}
	x.press("t")
	if got := x.session.Counts().Person; got != 1 {
		t.Errorf("%d labels by the model's key", got)
	}
	if x.session.CountSure(0.95) != 0 {
		t.Error("what the linker and the model contradict each other about counts as sure")
	}
	for name, open := range map[string]func() (io.ReadCloser, error){
		"line 1: it is about auditID": opens(strings.Replace(said.String(), `"auditID":"`, `"auditID":"x`, 1), nil),
		"reading the predictions":     opens("", os.ErrPermission),
	} {
		x := start(t, log, Options{Predictions: open})
		if !x.quit || x.err == nil || !strings.Contains(x.err.Error(), name) {
			t.Errorf("the error is %v, want %q in it", x.err, name)
		}
	}
}

func TestNoEvents(t *testing.T) {
	for name, log := range map[string]string{"empty": "", "malformed": "{\"kind\":\n"} {
		x := start(t, []byte(log), Options{})
		if !x.quit || x.err == nil || !strings.Contains(x.err.Error(), "holds no audit event") {
			t.Errorf("%s: over %v, %v", name, x.quit, x.err)
		}
	}
}

// FuzzKeys presses any keys on screens of any size: the screen never has more
// than there is room for, and nothing in it steers the terminal.
func FuzzKeys(f *testing.F) {
	for _, keys := range states() {
		f.Add(strings.Join(keys, ""), byte(80), byte(24))
	}
	f.Add("=patch\t\t\n", byte(20), byte(5))
	f.Add("A0\nyuuxrG?q", byte(200), byte(60))
	log := append(hostile(f), bytes.Join(bytes.SplitAfter(readWeb(f), []byte("\n"))[:10], nil)...)
	names := []string{"enter", "esc", "up", "down", "left", "right", "tab", "backspace", "pgdown", "pgup"}
	f.Fuzz(func(t *testing.T, keys string, width, height byte) {
		x := start(t, log, Options{})
		x.resize(int(width), int(height))
		for _, r := range keys[:min(len(keys), 30)] {
			if r < rune(len(names)) {
				x.press(names[r])
			} else {
				x.take(tea.KeyPressMsg{Code: unicode.ToLower(r), Text: string(r)})
			}
			lines := x.Frame()
			if len(lines) > int(height) {
				t.Fatalf("%d lines on a screen of %d", len(lines), height)
			}
			for _, line := range lines {
				if term.Width(line) > int(width) || term.Sanitize(line) != line {
					t.Fatalf("the line %q on a screen %d wide", line, width)
				}
			}
			if x.quit {
				return
			}
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	x := start(b, readWeb(b), Options{Colors: true})
	x.resize(110, 40)
	for b.Loop() {
		x.Frame()
	}
}
