package engine_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSentAgain gives an engine a log, and then another one, which begins with
// the state of the first or without any, the whole log once more in other
// pieces: more events than a session remembers may have come since, so that the
// data set has to know them.
func TestSentAgain(t *testing.T) {
	lines := bytes.SplitAfter(bytes.TrimSpace(recording(t, "crowd.metadata")), []byte("\n"))[:1500]
	log := bytes.Join(lines, nil)
	for _, lost := range []bool{false, true} {
		dir := t.TempDir()
		stream := openStream(t, dir)
		for range 2 {
			l := start(t, stream, options(dir))
			l.publish(t, pieces(log)...)
			if err := finish(t.Context(), stream, l.engine, l.done); err != nil {
				t.Fatal(err)
			}
			l.stop(t)
			if lost {
				if err := os.Remove(options(dir).Checkpoint); err != nil {
					t.Fatal(err)
				}
			}
			log = append([]byte("{}\n"), log...) // so that the queue does not know the pieces
		}
		log = bytes.Join(lines, nil)
		events, contexts := rows(t, filepath.Join(dir, "data"))
		wantEvents, wantContexts := rows(t, analysed(t, log))
		if len(events) != len(wantEvents) || len(contexts) != len(wantContexts) {
			t.Errorf("lost %v: %d events and %d contexts, want %d and %d", lost, len(events), len(contexts), len(wantEvents), len(wantContexts))
		}
		if diff := cmp.Diff(wantContexts, contexts); diff != "" {
			t.Errorf("lost %v: contexts (-once +again):\n%.2000s", lost, diff)
		}
	}
}
