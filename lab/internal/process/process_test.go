package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDeathIsToldWithTheEndOfTheLog(t *testing.T) {
	g := NewGroup(t.TempDir())
	defer g.Stop(time.Second)
	err := g.Start(Spec{Name: "part", Path: "/bin/sh", Args: []string{"-c", "echo one; echo the reason; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-g.Died():
		for _, want := range []string{"part died", "exit status 3", "part.log", "  the reason"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error lacks %q:\n%v", want, err)
			}
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody told that the process died")
	}
}

func TestStopIsNoDeath(t *testing.T) {
	g := NewGroup(t.TempDir())
	if err := g.Start(Spec{Name: "part", Path: "/bin/sleep", Args: []string{"60"}}); err != nil {
		t.Fatal(err)
	}
	g.Stop(5 * time.Second)
	select {
	case err := <-g.Died():
		t.Errorf("a stopped process counts as dead: %v", err)
	default:
	}
	if err := g.Start(Spec{Name: "late", Path: "/bin/true"}); err == nil {
		t.Error("a stopped group starts processes")
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	g := NewGroup(t.TempDir())
	if err := g.Start(Spec{Name: "deaf", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; while :; do sleep 0.05; done"}}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { g.Stop(200 * time.Millisecond); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Stop waits for a process that ignores SIGTERM")
	}
}

func TestOutput(t *testing.T) {
	ctx := context.Background()
	out, errs, status, err := Output(ctx, Spec{Name: "sh", Path: "/bin/sh", Args: []string{"-c", "cat; echo bad >&2; exit 4"}}, strings.NewReader("in"))
	if out != "in" || errs != "bad\n" || status != 4 || err != nil {
		t.Errorf("got %q, %q, %d, %v; want in, bad, 4 and no error", out, errs, status, err)
	}
	if _, _, _, err := Output(ctx, Spec{Name: "none", Path: "/no/such/program"}, nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a missing program gives %v; want an error that names it", err)
	}
}

func TestOutputOfAHangingProgram(t *testing.T) {
	late := errors.New("took longer than 100ms")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 100*time.Millisecond, late)
	defer cancel()
	_, _, _, err := Output(ctx, Spec{Name: "kubectl", Path: "/bin/sh", Args: []string{"-c", "sleep 60 & wait"}}, nil)
	if !errors.Is(err, late) || !strings.Contains(err.Error(), "kubectl") {
		t.Errorf("got %v; want an error that names kubectl and says that it was late", err)
	}
}

// Why a program hangs may stand in what it has printed.
func TestAHangingProgramTellsWhatItPrinted(t *testing.T) {
	for _, tt := range []struct{ script, want, unwanted string }{
		{"echo waiting; echo no route >&2; sleep 60", "the end of its standard output:\n  waiting\nthe end of its standard error:\n  no route", ""},
		{"seq 100; sleep 60", "  99\n  100", "  89\n"},
		{"printf '\\033[31mred'; sleep 60", "·[31mred", "\x1b"},
		{"sleep 60", "it had printed nothing", ""},
	} {
		ctx, cancel := context.WithTimeoutCause(context.Background(), 300*time.Millisecond, errors.New("took longer"))
		_, _, _, err := Output(ctx, Spec{Name: "kubectl", Path: "/bin/sh", Args: []string{"-c", tt.script}}, nil)
		cancel()
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.unwanted != "" && strings.Contains(err.Error(), tt.unwanted) {
			t.Errorf("%s: got %v; want %q in it and not %q", tt.script, err, tt.want, tt.unwanted)
		}
	}
}

func TestTailIsSafeToPrint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(path, []byte("first\nsecond \x1b[31mred\n"+strings.Repeat("y", 1000)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := Tail(path, 2)
	if strings.Contains(got, "\x1b") || strings.Contains(got, "first") || !strings.Contains(got, "second ·[31mred") || len(got) > 500 {
		t.Errorf("Tail = %q", got)
	}
}
