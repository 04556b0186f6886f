package store_test

import (
	"path/filepath"
	"testing"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// TestReopen opens an empty data set, adds to it, and wants the old opening to
// stay as it was and a new one to have what came.
func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	empty, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	changed := func(d *store.DataSet, want bool) {
		t.Helper()
		if got, err := d.Changed(); err != nil || got != want {
			t.Errorf("changed: %v (%v), want %v", got, err, want)
		}
	}
	count := func(d *store.DataSet) (n int) {
		t.Helper()
		if err := d.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM contexts").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := store.Create(dir); err != nil {
		t.Errorf("a second time: %v", err)
	}
	changed(empty, false)

	w, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account, err := pipeline.Run(t.Context(), []string{"../recordings/crowd.metadata.jsonl.zst"}, nil, pipeline.Options{}, w.Sink())
	if err != nil {
		t.Fatal(err)
	}
	changed(empty, false)
	added, err := w.Commit(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	changed(empty, true)
	full, err := empty.Reopen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	changed(full, false)
	if n := count(empty); n != 0 {
		t.Errorf("the old opening has %d contexts", n)
	}
	if n := count(full); n == 0 || int64(n) != added.Contexts {
		t.Errorf("the new opening has %d contexts, and %d were added", n, added.Contexts)
	}
}
