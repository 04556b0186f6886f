package edit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/label"
)

// web is a log of 50 events: a change of a deployment's image and what it
// sets off, a roll-back, and the deletion of the deployment.
const web = "testdata/web.jsonl"

// copyLog puts a log into a folder of its own and gives its name.
func copyLog(t testing.TB, log []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "audit.log")
	write(t, name, log)
	return name
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// session is a session with the means to end it.
type session struct {
	*edit.Session
	log     *edit.Log
	journal *edit.Journal
}

func (s *session) close(t testing.TB) {
	t.Helper()
	if err := errors.Join(s.journal.Close(), s.log.Close()); err != nil {
		t.Error(err)
	}
}

// begin opens a session up to where decisions can be taken.
func begin(name string, o edit.Options) (*session, error) {
	l, err := edit.OpenLog(context.Background(), name, nil)
	if err != nil {
		return nil, err
	}
	j, err := edit.OpenJournal(edit.JournalName(name))
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s, err := edit.NewSession(l, j, o)
	if err == nil {
		var scanned *edit.Scanned
		scanned, err = s.Scan(context.Background(), func(entries []edit.Entry, _ int64) error {
			s.Append(entries)
			return nil
		})
		if err == nil {
			err = s.Begin(scanned)
		}
	}
	if err != nil {
		return nil, errors.Join(err, j.Close(), l.Close())
	}
	return &session{s, l, j}, nil
}

// open is begin for what must work.
func open(t testing.TB, name string, o edit.Options) *session {
	t.Helper()
	s, err := begin(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// learn lets the linker look at the whole log.
func (s *session) learn(t testing.TB) {
	t.Helper()
	err := s.Analyse(context.Background(), edit.Analysis{Opinions: func(opinions []edit.Opinion, _ int64) error { return s.Learn(opinions) }})
	if err != nil {
		t.Fatal(err)
	}
}

// state is the label of each event and by whom.
func (s *session) state() []edit.Mark {
	var list []edit.Mark
	for i := range s.Len() {
		list = append(list, s.Mark(i))
	}
	return list
}

func (s *session) output(t testing.TB) []byte {
	t.Helper()
	o, err := s.Output()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := o.WriteTo(context.Background(), &b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSession(t *testing.T) {
	name := copyLog(t, read(t, web))
	s := open(t, name, edit.Options{})
	s.learn(t)
	background := s.Counts()
	if background.Automatic == 0 || background.Unlabelled+background.Automatic != s.Len() {
		t.Fatalf("after the linker: %+v of %d events", background, s.Len())
	}
	for i, l := range map[int]label.Label{4: 65984, 5: 65984, 6: -1} {
		if err := s.Decide(i, l); err != nil {
			t.Fatal(err)
		}
	}
	accepted, err := s.Accept(0.9)
	if err != nil || accepted == 0 {
		t.Fatalf("accepted %d: %v", accepted, err)
	}
	want := s.state()
	labelled := s.output(t)
	s.close(t)

	again := open(t, name, edit.Options{})
	if diff := cmp.Diff(want, again.state()); diff != "" {
		t.Errorf("the journal gives other labels (-before +after):\n%s", diff)
	}
	if !bytes.Equal(labelled, again.output(t)) {
		t.Error("the journal gives another labelled log")
	}
	for steps := 4; steps > 0; steps-- {
		if again.Steps() != steps {
			t.Fatalf("%d steps can be undone, want %d", again.Steps(), steps)
		}
		if _, n, err := again.Undo(); err != nil || n == 0 {
			t.Fatalf("undo: %d events, %v", n, err)
		}
	}
	if got := again.Counts(); got != background {
		t.Errorf("after undoing all: %+v, want %+v", got, background)
	}
	if _, n, err := again.Undo(); n != 0 || err != nil {
		t.Errorf("undoing nothing: %d events, %v", n, err)
	}
	again.close(t)
	third := open(t, name, edit.Options{})
	defer third.close(t)
	if got := third.Counts(); got != background {
		t.Errorf("undone work came back: %+v, want %+v", got, background)
	}
}

// forms are the shapes in which logs come.
func forms(t testing.TB) map[string][]byte {
	lines := bytes.SplitAfter(read(t, web), []byte("\n"))[:12]
	plain := bytes.Join(lines, nil)
	var pretty, list bytes.Buffer
	list.WriteString(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`)
	for i, line := range lines {
		if err := json.Indent(&pretty, line, "", "  "); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			list.WriteString(" ,\n")
		}
		list.Write(bytes.TrimSpace(line))
	}
	list.WriteString("]}\n")
	return map[string][]byte{
		"lines": plain, "pretty": pretty.Bytes(), "list": list.Bytes(),
		"windows": bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")),
		"broken":  bytes.Join([][]byte{lines[0], []byte("\n{\"kind\":\"Event\", broken\n"), lines[1], []byte("  "), lines[2][:len(lines[2])-1]}, nil),
	}
}

// TestOutputKeepsBytes holds that the labelled log is the log but for the
// labels, in whatever shape it came.
func TestOutputKeepsBytes(t *testing.T) {
	for form, log := range forms(t) {
		t.Run(form, func(t *testing.T) {
			s := open(t, copyLog(t, log), edit.Options{Key: "mine"})
			defer s.close(t)
			if !bytes.Equal(s.output(t), log) {
				t.Error("without a label the log is changed")
			}
			for i := range s.Len() {
				e := s.Entry(i)
				ev, err := s.Event(i)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(ev.Raw, log[e.Offset:e.Offset+int64(e.Size)]) {
					t.Fatalf("event %d does not stand where the index says", i)
				}
				if err := s.Decide(i, 65984); err != nil {
					t.Fatal(err)
				}
			}
			got := s.output(t)
			if n := bytes.Count(got, []byte(`,"mine":65984}`)); n != s.Len() || n == 0 {
				t.Errorf("%d labels for %d events", n, s.Len())
			}
			if !bytes.Equal(bytes.ReplaceAll(got, []byte(`,"mine":65984}`), []byte("}")), log) {
				t.Error("more than the labels is changed")
			}
		})
	}
}

func TestCompressedLog(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	log := read(t, web)
	s := open(t, copyLog(t, encoder.EncodeAll(log, nil)), edit.Options{})
	defer s.close(t)
	if s.Len() != 50 || !bytes.Equal(s.output(t), log) {
		t.Errorf("%d events of 50, and the log differs", s.Len())
	}
}

// TestGivenLabels covers logs that carry labels already.
func TestGivenLabels(t *testing.T) {
	lines := bytes.Split(bytes.TrimSpace(read(t, web)), []byte("\n"))[:4]
	with := func(i int, member string) { lines[i] = append(lines[i][:len(lines[i])-1], member+"}"...) }
	with(0, `,"label":119232`)
	with(1, `,"label":"65984","cplabel":true`)
	with(2, `,"label": -1`)
	name := copyLog(t, bytes.Join(lines, []byte("\n")))
	s := open(t, name, edit.Options{})
	defer s.close(t)
	want := []edit.Mark{{Label: 119232, By: edit.Given}, {Label: 65984, By: edit.Given}, {}, {}}
	if diff := cmp.Diff(want, s.state()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, do := range []func() error{
		func() error { return s.Decide(0, 4400) }, func() error { return s.Remove(1) }, func() error { return s.Decide(2, 4112) },
	} {
		if err := do(); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	got := bytes.Split(s.output(t), []byte("\n"))
	for i, end := range []string{`,"label":4400}`, `,"label":null,"cplabel":true}`, `,"label": 4112}`, `}`} {
		if !bytes.HasSuffix(got[i], []byte(end)) {
			t.Errorf("event %d ends in %s, want %s", i, got[i][len(got[i])-40:], end)
		}
	}
	if !bytes.Equal(got[3], lines[3]) {
		t.Error("the event without a label is changed")
	}
}

func TestRefused(t *testing.T) {
	log := read(t, web)
	decided := func(t *testing.T) string {
		name := copyLog(t, log)
		s := open(t, name, edit.Options{})
		defer s.close(t)
		if err := s.Decide(0, 119232); err != nil {
			t.Fatal(err)
		}
		return name
	}
	appendTo := func(file func(string) string, data string) func(*testing.T, string) {
		return func(t *testing.T, name string) { write(t, file(name), append(read(t, file(name)), data...)) }
	}
	itself := func(name string) string { return name }
	for what, c := range map[string]struct {
		do   func(t *testing.T, name string)
		key  string
		want string
	}{
		"the log has grown": {appendTo(itself, "\n"), "", "has changed since the journal"},
		"the log is another": {func(t *testing.T, name string) {
			write(t, name, bytes.Replace(log, []byte("alice"), []byte("alicf"), 1))
		}, "", "its content is another"},
		"another key":             {func(*testing.T, string) {}, "mine", `has the labels of the key "label"`},
		"a key of the event":      {func(*testing.T, string) {}, "verb", "a field of the event itself"},
		"a damaged journal":       {appendTo(edit.JournalName, "{\"decide\":[[1,1,\n{\"undo\":true}\n"), "", "line 3 is damaged"},
		"an event out of the log": {appendTo(edit.JournalName, "{\"decide\":[[51,51,4400]],\"by\":\"person\"}\n"), "", "are none of the log's 50"},
		"a label there is not":    {appendTo(edit.JournalName, "{\"decide\":[[5,5,4401000]],\"by\":\"person\"}\n"), "", "label 4401000"},
		"too many redone":         {appendTo(edit.JournalName, "{\"undo\":true}\n{\"redo\":true}\n{\"redo\":true}\n"), "", "nothing to redo"},
		"too many undone":         {appendTo(edit.JournalName, "{\"undo\":true}\n{\"undo\":true}\n"), "", "nothing to undo"},
		"another file": {func(t *testing.T, name string) { write(t, edit.JournalName(name), []byte("notes\n")) }, "",
			"this is another file"},
	} {
		t.Run(what, func(t *testing.T) {
			name := decided(t)
			c.do(t, name)
			before := read(t, edit.JournalName(name))
			s, err := begin(name, edit.Options{Key: c.key})
			if err == nil {
				s.close(t)
				t.Fatal("it was taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want %q in it", err, c.want)
			}
			if !bytes.Equal(before, read(t, edit.JournalName(name))) {
				t.Error("the journal was changed")
			}
		})
	}
	t.Run("a second session", func(t *testing.T) {
		name := decided(t)
		s := open(t, name, edit.Options{})
		if _, err := begin(name, edit.Options{}); !errors.Is(err, edit.ErrLocked) {
			t.Errorf("the error is %v", err)
		}
		if _, err := edit.OpenJournal(edit.JournalName(name)); !errors.Is(err, edit.ErrLocked) {
			t.Errorf("the error of the journal is %v", err)
		}
		s.close(t)
		open(t, name, edit.Options{}).close(t)
	})
}

// TestTornJournal cuts a journal at every byte, as a crash can: what was saved
// before the cut is there, and the session goes on.
func TestTornJournal(t *testing.T) {
	name := copyLog(t, read(t, web))
	s := open(t, name, edit.Options{})
	ends := []int{len(read(t, edit.JournalName(name)))}
	for i := range 3 {
		if err := s.Decide(i, 65984); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(read(t, edit.JournalName(name))))
	}
	s.close(t)
	whole := read(t, edit.JournalName(name))
	for cut := range whole {
		if cut%13 != 0 && !slices.ContainsFunc(ends, func(end int) bool { return cut >= end-2 && cut <= end+1 }) {
			continue // every byte gives the same, but takes a while
		}
		write(t, edit.JournalName(name), whole[:cut])
		saved := 0
		for saved+1 < len(ends) && ends[saved+1] <= cut {
			saved++
		}
		s := open(t, name, edit.Options{})
		if got := s.Counts().Person; got != saved {
			t.Fatalf("cut at %d of %d bytes: %d labels, want %d", cut, len(whole), got, saved)
		}
		if err := s.Decide(7, 4400); err != nil {
			t.Fatal(err)
		}
		s.close(t)
		again := open(t, name, edit.Options{})
		if got := again.Counts().Person; got != saved+1 {
			t.Fatalf("cut at %d: %d labels after going on, want %d", cut, got, saved+1)
		}
		again.close(t)
	}
}

func TestNext(t *testing.T) {
	s := open(t, copyLog(t, read(t, web)), edit.Options{})
	defer s.close(t)
	s.learn(t)
	first, ok := s.NextUnlabelled(s.Len()-1, 1)
	if !ok || s.Mark(first).By != edit.Nobody {
		t.Fatalf("the first unlabelled event is %d, %v", first, ok)
	}
	if back, ok := s.NextUnlabelled(first+1, -1); !ok || back != first {
		t.Errorf("backwards from %d: %d, %v", first+1, back, ok)
	}
	if n := s.CountSure(0.9); n == 0 {
		t.Error("the linker is sure of nothing")
	}
	if _, err := s.Accept(0); err != nil {
		t.Fatal(err)
	}
	for i := range s.Len() {
		if err := s.Decide(i, 4400); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.NextUnlabelled(0, 1); ok {
		t.Error("something is unlabelled after all was")
	}
	if _, ok := s.NextUnsure(0, 1); ok {
		t.Error("something is unsure after a person decided about all")
	}
}
