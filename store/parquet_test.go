package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	// Another reader of the files.
	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/whet-k8s/whet/store"
)

// TestWriteParquet holds every view, written as a file, against the view.
func TestWriteParquet(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{}, recordings+"crowd.metadata.jsonl.zst")
	data := open(t, dir)
	db := memory(t)
	for _, view := range store.Views() {
		file := filepath.Join(t.TempDir(), "it's "+view+".parquet")
		if err := data.WriteParquet(ctx, view, store.Where{}, file); err != nil {
			t.Fatal(err)
		}
		const sums = "SELECT count(*), sum(hash(COLUMNS(*)::VARCHAR)::HUGEINT % 1000003) FROM "
		if got, want := rowOf(t, db, sums+"read_parquet(?)", file), rowOf(t, data.DB(), sums+view); got != want {
			t.Errorf("%s: the file has %s, the view %s", view, got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "deletes.parquet")
	where := store.Where{SQL: "verb = ?", Args: []any{"delete"}}
	if err := data.WriteParquet(ctx, store.ViewEvents, where, file); err != nil {
		t.Fatal(err)
	}
	got := rowOf(t, db, "SELECT count(*), min(verb), max(verb) FROM read_parquet(?)", file)
	want := rowOf(t, data.DB(), "SELECT count(*), min(verb), max(verb) FROM events WHERE verb = ?", "delete")
	if got != want {
		t.Errorf("the file of deletions has %s, the view %s", got, want)
	}
}

// rowOf gives the one row of a query as text.
func rowOf(t testing.TB, db *sql.DB, statement string, args ...any) string {
	t.Helper()
	var row string
	if err := db.QueryRow("SELECT x::VARCHAR FROM ("+statement+") AS x", args...).Scan(&row); err != nil {
		t.Fatal(err)
	}
	return row
}

// memory is a database of DuckDB's own, without a data set.
func memory(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}
