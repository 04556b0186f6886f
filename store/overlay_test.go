package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// TestOverlay shows contexts that are not stored, with and without those that
// are in memory, and wants the rows that storing them gives.
func TestOverlay(t *testing.T) {
	var all []*store.Context
	sink := pipeline.Sink{Context: func(c *pipeline.Context) error {
		all = append(all, &store.Context{Context: *c, Cluster: store.DefaultCluster})
		return nil
	}}
	if _, err := pipeline.Run(t.Context(), []string{"../recordings/crowd.metadata.jsonl.zst"}, nil, pipeline.Options{}, sink); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var list []*store.Context
	for _, c := range all {
		// Those that come in parts are put together elsewhere.
		if !seen[c.ID] && c.Part == 1 && len(list) < 150 {
			list = append(list, c)
		}
		seen[c.ID] = true
	}
	for _, c := range all {
		if c.Part > 1 {
			for i := range list {
				if list[i].ID == c.ID {
					list = append(list[:i], list[i+1:]...)
					break
				}
			}
		}
	}
	write := func(dir string, list []*store.Context) {
		w, err := store.Append(t.Context(), dir, store.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			if err := w.Context(&c.Context); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Commit(t.Context(), &pipeline.Accounting{}); err != nil {
			t.Fatal(err)
		}
	}
	whole, half := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "half")
	write(whole, list)
	write(half, list[:len(list)/2])
	stored := openSet(t, whole)
	want, wantSQL := rowsOf(t, stored), sqlRows(t, stored)
	for _, held := range []bool{false, true} {
		d := openSet(t, half)
		if held {
			if _, err := d.HoldContexts(t.Context(), 1000); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			known, err := d.Overlay(t.Context(), list)
			if err != nil {
				t.Fatal(err)
			}
			if len(known) != len(list)/2 {
				t.Errorf("%d are known, want %d", len(known), len(list)/2)
			}
			if diff := cmp.Diff(want, rowsOf(t, d)); diff != "" {
				t.Errorf("held %v (-stored +overlaid):\n%.2000s", held, diff)
			}
			if diff := cmp.Diff(wantSQL, sqlRows(t, d)); diff != "" {
				t.Errorf("held %v, in SQL (-stored +overlaid):\n%.2000s", held, diff)
			}
		}
		for c, err := range d.Contexts(t.Context(), store.IsOneOf("id", list[len(list)-1].ID), store.Page{}) {
			if err != nil || c.ID != list[len(list)-1].ID {
				t.Errorf("by its id: %v, %v", c, err)
			}
		}
		if _, err := d.Overlay(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if n := len(rowsOf(t, d)); n != len(list)/2 {
			t.Errorf("without an overlay there are %d", n)
		}
	}
}

// sqlRows gives every column of every context as text.
func sqlRows(t *testing.T, d *store.DataSet) (list []string) {
	t.Helper()
	rows, err := d.DB().QueryContext(t.Context(), "SELECT contexts::VARCHAR FROM contexts ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	return list
}

// TestOverlayHostile shows a context of what nobody would call anything.
func TestOverlayHostile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	d := openSet(t, dir)
	now := time.Date(2026, 11, 23, 12, 0, 0, 1000, time.UTC)
	hostile := "a'b\"c\\d\x00\x1b\u202e$.x -- ;{}[]é"
	c := &store.Context{Cluster: hostile, Context: pipeline.Context{
		ID: link.ID(link.KindContext, hostile, now, now), Part: 1, Action: hostile, Actor: pipeline.Actor{Username: hostile, Groups: []string{hostile, "b"}},
		EffectsBy: map[string]int{hostile: 3}, Touched: map[string]int{hostile: 2, "pods": 1}, Start: now, End: now.Add(-time.Second),
		Root: pipeline.Root{AuditID: hostile, File: hostile},
	}}
	if _, err := d.Overlay(t.Context(), []*store.Context{c}); err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, d)
	c.Root.Received, c.Root.Staged = time.Time{}, time.Time{}
	if want := fmt.Sprintf("%+v", *c); len(got) != 1 || got[0] != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestOverlayLarge shows as many contexts as a server ever does, of which each
// says much, within the memory that DuckDB has.
func TestOverlayLarge(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	d := openSet(t, dir)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("of a deployment that is called so ", 3)
	touched, by := map[string]int{}, map[string]int{}
	for n := range 12 {
		touched[fmt.Sprintf("customresources%d.example.org", n)] = n + 1
		by[fmt.Sprintf("system:serviceaccount:kube-system:controller-%d", n)] = n + 1
	}
	list := make([]*store.Context, 5000)
	for n := range list {
		id := link.ID(link.KindContext, fmt.Sprint(n), now, now)
		list[n] = &store.Context{Cluster: store.DefaultCluster, Context: pipeline.Context{
			ID: id, Part: 1, Action: long, Actor: pipeline.Actor{Username: long, UserAgent: long}, Touched: touched, EffectsBy: by,
			Start: now, End: now, Root: pipeline.Root{AuditID: id},
		}}
	}
	for range 2 {
		if _, err := d.Overlay(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(t, d, "SELECT count(*) FROM contexts"); got != int64(len(list)) {
		t.Errorf("%d contexts, want %d", got, len(list))
	}
}
