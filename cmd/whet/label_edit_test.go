//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// typist drives whet label edit on a terminal of its own.
type typist struct {
	t        *testing.T
	terminal *os.File
	cmd      *exec.Cmd
	journal  string
	printed  chan []byte
	over     chan struct{}
	text     string // all that was printed so far
}

// screen is all that was printed.
func (x *typist) screen() string {
	for {
		select {
		case piece := <-x.printed:
			x.text += string(piece)
		case <-x.over:
			return x.text
		default:
			return x.text
		}
	}
}

// end waits for the program to end and gives all that it printed.
func (x *typist) end() (string, error) {
	for {
		select {
		case piece := <-x.printed:
			x.text += string(piece)
		case <-x.over:
			return x.text, x.cmd.Wait()
		}
	}
}

// edit starts whet label edit on a terminal of 100 by 30. The test binary is
// whet where it is called so (testscript.Main).
func editOnTerminal(t *testing.T, log string, args ...string) *typist {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &typist{t: t, journal: log + ".journal", printed: make(chan []byte), over: make(chan struct{})}
	x.cmd = &exec.Cmd{Path: exe, Args: append([]string{"whet", "label", "edit", log}, args...), Env: append(os.Environ(), "TERM=xterm-256color")}
	if x.terminal, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(x.over)
		for {
			piece := make([]byte, 4096)
			n, err := x.terminal.Read(piece)
			if err != nil {
				return // the program has gone
			}
			select {
			case x.printed <- piece[:n]:
			case <-t.Context().Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill() // it may be over
		_ = x.terminal.Close()
	})
	return x
}

// until waits for something to hold.
func (x *typist) until(what string, holds func() bool) {
	x.t.Helper()
	for range 3000 {
		_ = x.screen() // a terminal that nobody reads stops its program
		if holds() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	x.t.Fatalf("in a minute, not: %s", what)
}

// decisions is how many decisions the journal holds.
func (x *typist) decisions() int {
	data, err := os.ReadFile(x.journal)
	if err != nil {
		return -1
	}
	return bytes.Count(data, []byte("\n{\"decide\""))
}

// linked waits until the linker has said which events are background.
func (x *typist) linked() {
	x.t.Helper()
	x.until("the journal notes the background", func() bool {
		data, _ := os.ReadFile(x.journal)
		return bytes.Contains(data, []byte("\n{\"automatic\""))
	})
}

// press presses a key and waits until the journal has what it decides.
func (x *typist) press(key string) {
	x.t.Helper()
	before := x.decisions()
	if _, err := x.terminal.WriteString(key); err != nil {
		x.t.Fatal(err)
	}
	x.until("the journal has what "+key+" decides", func() bool { return x.decisions() > before })
}

// labels reads the labels of a labelled log.
func labels(t *testing.T, name string) []int {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []int
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var ev struct{ Label *int }
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatal(err)
		}
		if ev.Label == nil {
			ev.Label = new(int)
		}
		list = append(list, *ev.Label)
	}
	return list
}

// logToEdit copies the log of package edit's tests, 50 events of which nine are
// background.
func logToEdit(t *testing.T) string {
	t.Helper()
	log, err := os.ReadFile("../../internal/edit/testdata/web.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "web.jsonl")
	if err := os.WriteFile(name, log, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestLabelEditKilled kills a session in the middle: what was decided is there
// when it is opened again.
func TestLabelEditKilled(t *testing.T) {
	log := logToEdit(t)
	x := editOnTerminal(t, log)
	x.linked()
	for _, key := range []string{"l", "l", "nd", "4400\r"} {
		x.press(key)
	}
	if err := x.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = x.cmd.Wait() // killed, as it should be
	if _, err := os.Stat(log + ".labelled"); err == nil {
		t.Error("a killed session wrote the labelled log")
	}

	again := editOnTerminal(t, log)
	again.until("it says where it goes on", func() bool { return strings.Contains(again.screen(), "Going on after 4 decisions") })
	again.press("b")
	if _, err := again.terminal.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	screen, err := again.end()
	if err != nil {
		t.Errorf("the second session: %v", err)
	}
	if !strings.Contains(screen, "14 of 50 events have a label, 5 of them by your decision.") {
		t.Errorf("at the end it says %q", screen[max(0, len(screen)-300):])
	}
	var byHand []int
	for _, l := range labels(t, log+".labelled")[7:] {
		if l > 0 && l != 119232 {
			byHand = append(byHand, l)
		}
	}
	if want := []int{65984, 65984, 4512, 4400, 164240}; !slices.Equal(byHand, want) {
		t.Errorf("labels %v, want %v", byHand, want)
	}
}

// TestLabelEditTwice opens a log that is being edited.
func TestLabelEditTwice(t *testing.T) {
	log := logToEdit(t)
	x := editOnTerminal(t, log)
	x.linked()
	for _, args := range [][]string{nil, {"--journal", filepath.Join(t.TempDir(), "other")}} {
		second := editOnTerminal(t, log, args...)
		screen, err := second.end()
		if err == nil {
			t.Errorf("a second session with %v began", args)
		}
		if !strings.Contains(screen, "it is being edited elsewhere") {
			t.Errorf("the second session with %v says %q", args, screen)
		}
	}
}
