package store_test

import (
	"strings"
	"testing"

	"github.com/whet-k8s/whet/store"
)

// TestSameLogTwice wants nothing of a log that the data set has, whatever it
// keeps, and however the runs are cut.
func TestSameLogTwice(t *testing.T) {
	log := parts(t, "crowd.audit", 1000)[0]
	for _, keep := range []store.Keep{store.KeepContexts, store.KeepEvents, store.KeepAll} {
		t.Run(string(keep), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := store.WriterOptions{Keep: keep}
			if first := add(t, dir, o, log); first.Contexts == 0 {
				t.Errorf("the log added %+v", first)
			}
			before, list := state(t, dir), files(t, dir)
			if again := add(t, dir, o, log); again != (store.Added{}) {
				t.Errorf("the same log once more added %+v", again)
			}
			if state(t, dir) != before || strings.Join(files(t, dir), " ") != strings.Join(list, " ") {
				t.Error("the same log once more changed the data set")
			}
			if _, err := store.Compact(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			if again := add(t, dir, o, log); again != (store.Added{}) || state(t, dir) != before {
				t.Errorf("after a compaction the same log added %+v", again)
			}
			if other := add(t, dir, store.WriterOptions{Keep: keep, Cluster: "other"}, log); other.Contexts == 0 {
				t.Errorf("the log of another cluster added %+v", other)
			}
		})
	}
}

// TestLogThatGrew wants of a log that grew only what is new: in the end every
// event once, the contexts that the whole log has, and all of its bytes.
func TestLogThatGrew(t *testing.T) {
	lines := strings.SplitAfter(string(recording(t, "crowd.audit")), "\n")[:2000]
	whole := strings.Join(lines, "")
	for _, keep := range []store.Keep{store.KeepContexts, store.KeepEvents, store.KeepAll} {
		t.Run(string(keep), func(t *testing.T) {
			t.Parallel()
			o := store.WriterOptions{Keep: keep, NoRedact: true}
			dir, log := t.TempDir(), t.TempDir()
			var sum store.Added
			for _, n := range []int{700, 1300, 1301, len(lines)} {
				added := add(t, dir, o, save(t, log, "log", strings.Join(lines[:n], "")))
				sum.Events += added.Events
				sum.Contexts += added.Contexts
			}
			want := t.TempDir()
			all := add(t, want, o, save(t, t.TempDir(), "log", whole))
			if sum.Events != all.Events {
				t.Errorf("in parts %d events were added, at once %d", sum.Events, all.Events)
			}
			got, at := open(t, dir), open(t, want)
			const events = "SELECT count(*), count(DISTINCT (auditID, stage, stageTimestamp)), sum(hash(auditID, stage, line)::HUGEINT % 1000003) FROM events"
			if got, want := rowOf(t, got.DB(), events), rowOf(t, at.DB(), events); got != want {
				t.Errorf("the events are %s, want %s", got, want)
			}
			const contexts = "SELECT count(*), count(DISTINCT id), sum(events) FROM contexts"
			if got, want := rowOf(t, got.DB(), contexts), rowOf(t, at.DB(), contexts); got != want {
				t.Errorf("the contexts are %s, want %s", got, want)
			}
			if keep == store.KeepAll && raw(t, dir)["log"] != whole {
				t.Error("the bytes of the log are not those that were read")
			}
		})
	}
}
