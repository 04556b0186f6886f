package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/store"
)

// TestIsOneOfFindsIDs holds that the quick condition finds what the plain one finds.
func TestIsOneOfFindsIDs(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{}, recordings+"crowd.metadata.jsonl.zst")
	data := open(t, dir)
	tests := []struct{ view, field, some string }{
		{store.ViewEvents, "auditID", "SELECT auditID FROM events USING SAMPLE reservoir(3 ROWS) REPEATABLE (7)"},
		{store.ViewEvents, "context", "SELECT context FROM events WHERE context IS NOT NULL USING SAMPLE reservoir(3 ROWS) REPEATABLE (7)"},
		{store.ViewContexts, "id", "SELECT id FROM contexts USING SAMPLE reservoir(3 ROWS) REPEATABLE (7)"},
		{store.ViewContexts, "auditID", "SELECT auditID FROM contexts USING SAMPLE reservoir(3 ROWS) REPEATABLE (7)"},
	}
	for _, test := range tests {
		rows, err := data.DB().Query(test.some)
		if err != nil {
			t.Fatal(err)
		}
		var known []string
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			known = append(known, id)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		lists := [][]string{
			known, known[:1], {"", known[0]}, {strings.ToUpper(known[0])}, {"chosen by a client"},
			{"00000000-0000-4000-8000-000000000000", known[1]},
		}
		for _, list := range lists {
			marks := "(?" + strings.Repeat(", ?", len(list)-1) + ")"
			args := make([]any, len(list))
			for i, v := range list {
				args[i] = v
			}
			selects := "SELECT count(*), min(auditID) FROM " + test.view + " WHERE "
			want := rowOf(t, data.DB(), selects+test.field+" IN "+marks, args...)
			quick := store.IsOneOf(test.field, list...)
			if got := rowOf(t, data.DB(), selects+quick.SQL, quick.Args...); got != want {
				t.Errorf("%s of %s, %q: %s, want %s", test.field, test.view, list, got, want)
			}
			if slices.Equal(list, known) && strings.Contains(want, "': 0,") {
				t.Errorf("%s of %s: the plain condition finds nothing, so that the test says nothing", test.field, test.view)
			}
		}
	}
}
