package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// TestCreate makes an empty data set, opens it, adds to it beside the files of
// live mode, and wants Create to leave alone what is there.
func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	count := func() (n int64) {
		t.Helper()
		d, err := store.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM events").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 0 {
		t.Errorf("%d events in an empty data set", n)
	}
	if err := os.Mkdir(filepath.Join(dir, store.LiveFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account, err := pipeline.Run(t.Context(), []string{"../recordings/crowd.metadata.jsonl.zst"}, nil, pipeline.Options{}, w.Sink())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	before := count()
	if err := store.Create(dir); err != nil || before == 0 || count() != before {
		t.Errorf("%v; %d events, and %d before", err, count(), before)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.doc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if err := store.Create(dir); err == nil {
		t.Error("made in a folder with somebody's files")
	}
}
