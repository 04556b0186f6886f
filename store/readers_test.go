package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// addContext adds a context that has so many events by now.
func addContext(t *testing.T, dir, auditID string, begun time.Time, events int) {
	t.Helper()
	w, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := &pipeline.Context{
		ID: "00000000-0000-5000-8000-" + strings.Repeat("0", 12-len(auditID)) + auditID, Part: 1, Verb: "delete", Events: events, Start: begun, End: begun.Add(time.Duration(events) * time.Second),
		Root: pipeline.Root{AuditID: auditID, Received: begun, Staged: begun},
	}
	if err := w.Context(c); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), &pipeline.Accounting{Events: 1}); err != nil {
		t.Fatal(err)
	}
}

// segmentFiles counts the segments on disk.
func segmentFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestReplacedFilesGo has somebody read all the time, as a server does, and
// wants what was replaced to be removed once its own readers are gone, and not
// before.
func TestReplacedFilesGo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	addContext(t, dir, "1", noon, 1)
	events := func(d *store.DataSet) (n int) {
		t.Helper()
		if err := d.DB().QueryRowContext(t.Context(), "SELECT events FROM contexts").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	old, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	first := old
	for n := 2; n < 100; n++ {
		addContext(t, dir, "1", noon, n)
		if n%10 == 5 && first != nil {
			if got := events(first); got != 1 {
				t.Fatalf("the first reader sees %d events", got)
			}
		}
		next, err := old.Reopen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if old != first {
			old.Close()
		}
		old = next
		if got := events(old); got != n {
			t.Fatalf("a new reader sees %d events, want %d", got, n)
		}
		if n == 60 {
			first.Close()
			first = nil
		}
	}
	defer old.Close()
	// The newest, and the one before that its reader had when the last was written.
	if n := segmentFiles(t, dir); n > 3 {
		t.Errorf("%d segments are left", n)
	}
	locks, err := filepath.Glob(filepath.Join(dir, "readers*.lock"))
	if err != nil || len(locks) > 3 {
		t.Errorf("%d locks are left: %v", len(locks), locks)
	}
}

// TestReadersAndAWriter opens a data set all the time while it is written to all
// the time, and wants each opening to read whole.
func TestReadersAndAWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	addContext(t, dir, "1", noon, 1)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				d, err := store.Open(t.Context(), dir)
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				if err := d.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM contexts").Scan(&n); err != nil || n != 1 || len(d.Damaged()) > 0 {
					t.Errorf("%d contexts, damaged: %v (%v)", n, d.Damaged(), err)
				}
				d.Close()
			}
		})
	}
	for n := 2; n < 60; n++ {
		addContext(t, dir, "1", noon, n)
	}
	stop()
	readers.Wait()
	addContext(t, dir, "1", noon, 60)
	if n := segmentFiles(t, dir); n != 1 {
		t.Errorf("%d segments are left", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
		t.Error(err)
	}
}
