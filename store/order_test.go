package store_test

import (
	"slices"
	"testing"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// TestStretchesAreTheWhole reads rows a few at a time, of all sorts of times, and
// wants what is read at once.
func TestStretchesAreTheWhole(t *testing.T) {
	for name, test := range map[string]struct {
		log  string
		once int64
	}{
		"day":       {recordings + "crowd.metadata.jsonl.zst", 300},
		"odd times": {save(t, t.TempDir(), "odd", oddTimes()), 2},
	} {
		dir := t.TempDir()
		add(t, dir, store.WriterOptions{}, test.log)
		add(t, dir, store.WriterOptions{}, parts(t, "day.metadata", 50)[0])
		d := open(t, dir)
		for _, text := range []string{
			"", "verb == get", "username == nobody", "2026-11-23T18:24:00Z <= requestReceivedTimestamp < 2026-11-23T18:26:00Z",
			"requestReceivedTimestamp < 1900-01-01", "since 2030-01-01 or verb == delete",
		} {
			for _, page := range []store.Page{{}, {Limit: 40, Offset: 5}, {Limit: 2000, Offset: 900}} {
				few, whole := found(t, d, text, page, test.once), found(t, d, text, page, 1<<20)
				if !slices.Equal(few, whole) {
					t.Errorf("%s, %q, %+v: %d rows a few at a time, %d at once", name, text, page, len(few), len(whole))
				}
			}
		}
	}
}

// found gives the contexts and the events that fit a query.
func found(t *testing.T, d *store.DataSet, text string, page store.Page, atOnce int64) (list []string) {
	t.Helper()
	d.SortAtOnce(atOnce)
	if e, err := query.Parse(text, query.Options{Over: query.Contexts}); err == nil {
		for c, err := range d.Contexts(t.Context(), e.Where(), page) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c.ID)
		}
	}
	if e, err := query.Parse(text, query.Options{Over: query.Events}); err == nil {
		for ev, err := range d.Events(t.Context(), e.Where(), page) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, ev.AuditID+string(ev.Stage)+ev.Cause+ev.Operation)
		}
	}
	return list
}

// TestNothingIsLeftOver wants the folder for temporary files removed.
func TestNothingIsLeftOver(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{}, parts(t, "crowd.metadata", 300)[0])
	d, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if left := files(t, temporary); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}
