package store_test

import (
	"context"
	"testing"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// write analyses a recording into a new data set.
func write(tb testing.TB, name string, o store.WriterOptions) string {
	tb.Helper()
	dir := tb.TempDir()
	w, err := store.Append(context.Background(), dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	account, err := pipeline.Run(context.Background(), []string{"../recordings/" + name + ".jsonl.zst"}, nil, pipeline.Options{}, w.Sink())
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Commit(context.Background(), account); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := write(t, "day.audit", store.WriterOptions{Cluster: "a/b c"})
	d, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	events, contexts := 0, 0
	for ev, err := range d.Events(context.Background(), store.Where{SQL: "verb <> ?", Args: []any{"watch"}}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Cluster != "a/b c" {
			t.Fatalf("cluster is %q", ev.Cluster)
		}
		events++
	}
	for _, err := range d.Contexts(context.Background(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		contexts++
	}
	t.Log(events, contexts)
	var n int
	if err := d.DB().QueryRow("SELECT count(*) FROM objects").Scan(&n); err != nil {
		t.Fatal(err)
	}
	t.Log(n)
}
