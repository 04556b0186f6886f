package engine_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/pipeline"
)

// TestToldAgain has telling fail after each of some commits, and every second commit
// say that it failed though all of it is in the data set, as when only syncing the
// folder failed. It wants every event once, and every context told as it is in
// the end.
func TestToldAgain(t *testing.T) {
	for _, name := range []string{"telling fails", "the commit is unsure"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			lines := bytes.SplitAfter(bytes.TrimSpace(recording(t, "crowd.metadata")), []byte("\n"))[:1500]
			stream := openStream(t, dir)
			o := options(dir)
			told := map[string]int{}
			calls := 0
			o.Contexts = func(list []pipeline.Context) error {
				if calls++; name == "telling fails" && calls%3 != 0 {
					return errors.New("somebody does not listen")
				}
				for i := range list {
					told[list[i].ID] = list[i].Events
				}
				return nil
			}
			// The first engine asks for all events, since it has no state.
			l := start(t, stream, options(dir))
			saved := func(n int) {
				t.Helper()
				l.eventually(t, "everything is saved", func(s engine.Stats) bool { return s.Events >= int64(n) && s.Err == nil && s.Saved == s.Taken })
			}
			l.publish(t, pieces(bytes.Join(lines[:500], nil))...)
			saved(500)
			l.stop(t)
			e, err := engine.Open(stream, o)
			if err != nil {
				t.Fatal(err)
			}
			if name == "the commit is unsure" {
				engine.FailCommits(e)
			}
			l = run(t, stream, e)
			n := 0
			// The first part is there before the engine reads what is known already.
			for _, part := range [][][]byte{lines[500:520], lines[520:800], lines[800:1100], lines[1100:]} {
				l.publish(t, pieces(bytes.Join(part, nil))...)
				n += len(part)
				saved(n)
			}
			if err := finish(t.Context(), stream, l.engine, l.done); err != nil {
				t.Fatal(err)
			}
			l.stop(t)
			whole := analysed(t, bytes.Join(lines, nil))
			events, contexts := counts(t, filepath.Join(dir, "data"))
			wantEvents, wantContexts := counts(t, whole)
			if events != wantEvents || contexts != wantContexts || len(told) == 0 {
				t.Errorf("%d events and %d contexts, %d of them told, want %d and %d", events, contexts, len(told), wantEvents, wantContexts)
			}
			_, got := rows(t, filepath.Join(dir, "data"))
			_, want := rows(t, whole)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("contexts (-whole +told again):\n%.2000s", diff)
			}
		})
	}
}
