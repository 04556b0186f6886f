package edit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/internal/edit"
)

// TestRedo takes decisions back and gives them again, over a kill, until another
// way was taken.
func TestRedo(t *testing.T) {
	name := copyLog(t, read(t, web))
	s := open(t, name, edit.Options{})
	s.learn(t)
	redo := func(wantFirst, wantEvents int) {
		t.Helper()
		if first, n, err := s.Redo(); err != nil || n != wantEvents || n > 0 && first != wantFirst {
			t.Fatalf("redone: %d events from %d on, %v; want %d from %d on", n, first, err, wantEvents, wantFirst)
		}
	}
	undo := func() {
		t.Helper()
		if _, n, err := s.Undo(); err != nil || n == 0 {
			t.Fatalf("undone: %d events, %v", n, err)
		}
	}
	redo(0, 0)
	for _, do := range []func() error{
		func() error { return s.Decide(8, 65984) }, func() error { return s.Decide(8, 4400) }, func() error { return s.Remove(8) },
		func() error { _, err := s.Accept(0.9); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	all := s.state()
	for range 4 {
		undo()
	}
	none := s.state()
	s.close(t)

	s = open(t, name, edit.Options{})
	if diff := cmp.Diff(none, s.state()); diff != "" {
		t.Errorf("undone work came back (-want +got):\n%s", diff)
	}
	redo(8, 1)
	redo(8, 1)
	if got := s.Mark(8); got != (edit.Mark{Label: 4400, By: edit.Person}) {
		t.Errorf("after redoing two decisions: %+v", got)
	}
	s.close(t)
	s = open(t, name, edit.Options{})
	redo(8, 1)
	if _, n, err := s.Redo(); err != nil || n < 10 {
		t.Fatalf("redone: %d events, %v", n, err)
	}
	if diff := cmp.Diff(all, s.state()); diff != "" {
		t.Errorf("redoing gives other labels (-want +got):\n%s", diff)
	}
	undo()
	if err := s.Decide(9, 4400); err != nil {
		t.Fatal(err)
	}
	redo(0, 0)
	s.close(t)
}
