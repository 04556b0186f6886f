package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
)

// kept is what came out of a run: annotations without their place, and the
// newest record of each context.
type kept struct {
	annotations []string
	contexts    map[string]pipeline.Context
}

func (k *kept) sink() pipeline.Sink {
	k.contexts = map[string]pipeline.Context{}
	return pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			_, line, _ := strings.Cut(string(a.AppendJSON(nil)), `"auditID":`)
			k.annotations = append(k.annotations, line)
			return nil
		},
		Context: func(c *pipeline.Context) error {
			one := *c
			one.Root.File, one.Root.Line, one.Root.Item = "", 0, 0
			k.contexts[c.ID] = one
			return nil
		},
	}
}

// wholeRun analyses a log with Run. Its contexts have one part each.
func wholeRun(t *testing.T, log []byte) (kept, *pipeline.Accounting) {
	t.Helper()
	var k kept
	o := pipeline.Options{}
	o.Link.Totals = true
	account, err := pipeline.Run(t.Context(), []string{audit.Stdin}, bytes.NewReader(log), o, k.sink())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(k.annotations)
	return k, account
}

// cutLog cuts a log into pieces of 1 to 400 lines, some of them as EventLists.
func cutLog(log []byte, rng *rand.Rand) []pipeline.Piece {
	lines := bytes.SplitAfter(bytes.TrimSpace(log), []byte("\n"))
	var pieces []pipeline.Piece
	for at := 0; at < len(lines); {
		n := min(1+rng.IntN(400), len(lines)-at)
		body := bytes.Join(lines[at:at+n], nil)
		if rng.IntN(2) == 0 {
			items := bytes.ReplaceAll(bytes.TrimSpace(body), []byte("\n"), []byte(","))
			body = fmt.Appendf(nil, `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[%s]}`, items)
		}
		pieces = append(pieces, pipeline.Piece{Source: "webhook", Line: at + 1, Body: body})
		at += n
	}
	return pieces
}

// TestSessionIsRun wants a session, that is cut, repeated, saved and resumed,
// to say what Run says of the whole log.
func TestSessionIsRun(t *testing.T) {
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		log := recording(t, name)
		want, account := wholeRun(t, log)
		rng := rand.New(rand.NewPCG(3, 4))
		var got kept
		s, err := pipeline.Start(pipeline.Options{}, got.sink())
		if err != nil {
			t.Fatal(err)
		}
		repeated := 0
		for i, p := range cutLog(log, rng) {
			first, err := s.Add(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if i%5 == 0 {
				again, err := s.Add(t.Context(), p)
				if err != nil || again.Repeated != first.Events || again.Events != first.Events {
					t.Fatalf("%s: the piece again: %+v, %v", name, again, err)
				}
				repeated += again.Repeated
			}
			if i%3 == 0 {
				if err := s.Grown(); err != nil {
					t.Fatal(err)
				}
			}
			if i%7 == 0 {
				s = resumed(t, s, got.sinkOf())
			}
		}
		gotAccount, err := s.Close()
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got.annotations)
		if diff := cmp.Diff(want.annotations, got.annotations); diff != "" {
			t.Errorf("%s: annotations (-run +session):\n%.2000s", name, diff)
		}
		if diff := cmp.Diff(want.contexts, got.contexts); diff != "" {
			t.Errorf("%s: contexts (-run +session):\n%.2000s", name, diff)
		}
		if gotAccount.Repeated != int64(repeated) {
			t.Errorf("%s: %d repeated, want %d", name, gotAccount.Repeated, repeated)
		}
		if diff := cmp.Diff(account, gotAccount, cmpopts.IgnoreFields(pipeline.Accounting{},
			"Lines", "Blank", "EventLines", "Bytes", "Repeated", "Contexts", "Link"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: accounting (-run +session):\n%s", name, diff)
		}
	}
}

// sinkOf is the sink that goes on with what is there.
func (k *kept) sinkOf() pipeline.Sink {
	before := k.contexts
	sink := k.sink()
	k.contexts = before
	return sink
}

func resumed(t *testing.T, s *pipeline.Session, sink pipeline.Sink) *pipeline.Session {
	t.Helper()
	var b bytes.Buffer
	if err := s.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	s, err := pipeline.Resume(&b, pipeline.Options{}, sink)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSessionTellsWhatIsMalformed wants the place in the source of what holds
// no event, and the rest analysed.
func TestSessionTellsWhatIsMalformed(t *testing.T) {
	line, _, _ := bytes.Cut(recording(t, "day.metadata"), []byte("\n"))
	s, err := pipeline.Start(pipeline.Options{}, pipeline.Sink{})
	if err != nil {
		t.Fatal(err)
	}
	body := slices.Concat(line, []byte("\nno event\n"))
	got, err := s.Add(t.Context(), pipeline.Piece{Source: "audit.log", Line: 41, Body: body})
	if err != nil || got.Events != 1 || len(got.Malformed) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if m := got.Malformed[0]; !strings.HasPrefix(m.Error(), "audit.log:42: ") {
		t.Errorf("the malformed line is at %s", m.Error())
	}
}

// TestSessionAdvance wants what waits to be decided when time has passed.
// TestSessionFuture wants an event from the future to be told with its place, like
// a malformed one, and time not to jump because of it.
func TestSessionFuture(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	line := func(id string, received, stage time.Time) string {
		return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":%q,"stage":"ResponseComplete",`+
			`"requestURI":"/api/v1/namespaces/a/pods/b","verb":"get","user":{"username":"alice"},"requestReceivedTimestamp":%q,"stageTimestamp":%q}`,
			id, received.Format(time.RFC3339Nano), stage.Format(time.RFC3339Nano)) + "\n"
	}
	s, err := pipeline.Start(pipeline.Options{}, pipeline.Sink{})
	if err != nil {
		t.Fatal(err)
	}
	far := now.Add(24 * time.Hour)
	got, err := s.Add(t.Context(), pipeline.Piece{
		Source: "audit.log", Line: 11, Until: now.Add(time.Hour),
		Body: []byte(line("a", now, now) + line("b", now, far) + line("c", far, now) + line("d", now, now.Add(time.Hour))),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Events != 2 || len(got.Malformed) != 2 || got.Malformed[1].Error() !=
		"audit.log:13: the event is from the future: from 2026-11-02T12:00:00Z, and nothing is taken here from after 2026-11-01T13:00:00Z" {
		t.Errorf("%+v", got)
	}
	if newest := s.Newest(); !newest.Equal(now.Add(time.Hour)) {
		t.Errorf("the time is %v", newest)
	}
	account, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := account.Check(); err != nil || account.Malformed != 2 || account.Events != 2 {
		t.Errorf("%+v, %v", account, err)
	}
}

func TestSessionAdvance(t *testing.T) {
	log := recording(t, "crowd.metadata")
	var got kept
	s, err := pipeline.Start(pipeline.Options{}, got.sink())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), pipeline.Piece{Body: log}); err != nil {
		t.Fatal(err)
	}
	before := len(got.annotations)
	if err := s.Advance(s.Newest().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if all := bytes.Count(log, []byte("\n")); before >= all || len(got.annotations) != all || !s.Idle() {
		t.Errorf("%d annotations before and %d after, want %d", before, len(got.annotations), all)
	}
	if err := s.Accounting().Check(); err == nil {
		return
	}
	t.Error("nothing waits, and the sums do not add up")
}

func TestSessionErrors(t *testing.T) {
	if _, err := pipeline.Start(pipeline.Options{KeepRaw: true}, pipeline.Sink{}); err == nil {
		t.Error("KeepRaw was accepted")
	}
	boom := errors.New("boom")
	s, err := pipeline.Start(pipeline.Options{}, pipeline.Sink{Annotation: func(*pipeline.Annotation) error { return boom }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), pipeline.Piece{Body: recording(t, "crowd.metadata")}); !errors.Is(err, boom) {
		t.Errorf("the sink's error became %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err = pipeline.Start(pipeline.Options{}, pipeline.Sink{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(ctx, pipeline.Piece{Body: []byte("{}")}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %v", err)
	}
}

// TestResumeRefusesWhatIsBroken cuts and changes a saved session.
func TestResumeRefusesWhatIsBroken(t *testing.T) {
	whole := savedSession(t)
	resume := func(b []byte) error {
		_, err := pipeline.Resume(bytes.NewReader(b), pipeline.Options{}, pipeline.Sink{})
		return err
	}
	if err := resume(whole); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1 + at/20 {
		broken := bytes.Clone(whole)
		broken[at] ^= 1
		if resume(broken) == nil || resume(whole[:at]) == nil {
			t.Fatalf("broken at byte %d, and accepted", at)
		}
	}
	other := bytes.Clone(whole)
	other[len("whet session ")]++
	if err := resume(other); !errors.Is(err, pipeline.ErrSessionVersion) {
		t.Errorf("of another version: %v", err)
	}
}

func savedSession(tb testing.TB) []byte {
	tb.Helper()
	s, err := pipeline.Start(pipeline.Options{}, pipeline.Sink{})
	if err != nil {
		tb.Fatal(err)
	}
	log := recording(tb, "crowd.metadata")
	if _, err := s.Add(tb.Context(), pipeline.Piece{Source: "a", Body: log[:bytes.IndexByte(log[40_000:], '\n')+40_001]}); err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Snapshot(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// FuzzResume must refuse what is not a saved session, without a panic.
func FuzzResume(f *testing.F) {
	f.Add(savedSession(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := pipeline.Resume(bytes.NewReader(data), pipeline.Options{}, pipeline.Sink{})
		if err != nil {
			return
		}
		if err := s.Snapshot(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}
