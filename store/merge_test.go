package store_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// pieces analyses a recording as a live log, and makes a data set of it in many
// small runs.
func pieces(t *testing.T, dir string, lines int) {
	t.Helper()
	f, err := os.Open("../recordings/crowd.metadata.jsonl.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	log, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	var w *store.Writer
	s, err := pipeline.Start(pipeline.Options{}, pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error { return w.Event(a) },
		Context:    func(c *pipeline.Context) error { return w.Context(c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	list := bytes.SplitAfter(log, []byte("\n"))
	for at := 0; at < len(list); at += lines {
		if w, err = store.Append(t.Context(), dir, store.WriterOptions{Cluster: "live"}); err != nil {
			t.Fatal(err)
		}
		body := bytes.Join(list[at:min(at+lines, len(list))], nil)
		if _, err := s.Add(t.Context(), pipeline.Piece{Source: "audit.log", Line: at + 1, Body: body}); err != nil {
			t.Fatal(err)
		}
		err := s.Grown()
		if err == nil && at+lines >= len(list) {
			_, err = s.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context(), &pipeline.Accounting{Events: int64(lines)}); err != nil {
			t.Fatal(err)
		}
	}
}

// rowsOf gives every row of a data set as text.
func rowsOf(t *testing.T, d *store.DataSet) (list []string) {
	t.Helper()
	for ev, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(ev.AuditID, ev.Stage, ev.Context, ev.Operation, ev.Cause, ev.Rule, ev.Position.Line, ev.RequestURI))
	}
	for c, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%+v", *c))
	}
	return list
}

func openSet(t *testing.T, dir string) *store.DataSet {
	t.Helper()
	d, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// TestMergeLive merges the segments of many small runs, while somebody reads,
// and wants the same rows from fewer files.
func TestMergeLive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	pieces(t, dir, 60)
	old := openSet(t, dir)
	want := rowsOf(t, old)
	var all store.Merged
	for range 5 {
		done, err := store.Merge(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		all.FilesBefore += done.FilesBefore
		all.FilesAfter += done.FilesAfter
		if done.FilesBefore == 0 {
			break
		}
	}
	if all.FilesBefore < 20 || all.FilesAfter*4 > all.FilesBefore {
		t.Errorf("%+v", all)
	}
	merged := openSet(t, dir)
	if diff := cmp.Diff(want, rowsOf(t, merged)); diff != "" {
		t.Errorf("rows (-before +after):\n%.2000s", diff)
	}
	if diff := cmp.Diff(want, rowsOf(t, old)); diff != "" {
		t.Errorf("rows of who reads on (-before +after):\n%.2000s", diff)
	}
	if err := merged.Check(t.Context()); err != nil || len(merged.Damaged()) > 0 {
		t.Errorf("damaged: %v (%v)", merged.Damaged(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "merging")); err == nil {
		t.Error("the folder of the merge is left behind")
	}
}

// TestMergeMeetsAWriter changes what is being merged, and wants the writer's
// rows to stay.
func TestMergeMeetsAWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for n := range 20 {
		addContext(t, dir, fmt.Sprint(n), noon.Add(time.Duration(n)*time.Second), 1)
	}
	addContext(t, dir, "100", noon.Add(time.Hour), 1)
	// The lock is asked for when the files are written: just then one grows.
	grow := &during{do: func() { addContext(t, dir, "7", noon.Add(7*time.Second), 5) }}
	done, err := store.Merge(t.Context(), dir, grow)
	if err != nil || done.FilesBefore != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	for _, c := range rowsOf(t, openSet(t, dir)) {
		if strings.Contains(c, "AuditID:7 ") && !strings.Contains(c, "Events:5") {
			t.Errorf("what the writer wrote is gone: %s", c)
		}
	}
	if done, err = store.Merge(t.Context(), dir, nil); err != nil || done.FilesBefore != 20 || done.FilesAfter != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if n := len(rowsOf(t, openSet(t, dir))); n != 21 {
		t.Errorf("%d contexts, want 21", n)
	}
}

// during does something when it is locked.
type during struct{ do func() }

func (d *during) Lock()   { d.do() }
func (d *during) Unlock() {}

// TestMergeAfterAKill leaves behind what a process does that is killed.
func TestMergeAfterAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	addContext(t, dir, "1", time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), 1)
	left := filepath.Join(dir, "merging", "contexts", "x.parquet")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	addContext(t, dir, "2", time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), 1)
	if _, err := store.Merge(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("it is still there")
	}
	if _, err := store.Merge(t.Context(), t.TempDir(), nil); err == nil {
		t.Error("a folder that is no data set was merged")
	}
}

// TestRetain removes by age and by size, the oldest first.
func TestRetain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	noon := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for day := range 10 {
		addContext(t, dir, fmt.Sprint(day), noon.AddDate(0, 0, day), 1)
	}
	reading := openSet(t, dir)
	days := func() (list []int) {
		t.Helper()
		d, err := store.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for c, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c.Start.Day())
		}
		return list
	}
	var size int64
	for _, step := range []struct {
		bound func() store.Bound
		want  string
		gone  int
	}{
		{func() store.Bound { return store.Bound{} }, "[1 2 3 4 5 6 7 8 9 10]", 0},
		{func() store.Bound { return store.Bound{Before: noon.AddDate(0, 0, 3)} }, "[4 5 6 7 8 9 10]", 3},
		{func() store.Bound { return store.Bound{Bytes: 7 * size} }, "[4 5 6 7 8 9 10]", 0},
		{func() store.Bound { return store.Bound{Bytes: 4 * size} }, "[7 8 9 10]", 3},
		{func() store.Bound { return store.Bound{Before: noon.AddDate(0, 0, 8), Bytes: 3 * size} }, "[9 10]", 2},
		{func() store.Bound { return store.Bound{Before: noon.AddDate(1, 0, 0)} }, "[]", 2},
	} {
		done, err := store.Retain(t.Context(), dir, store.Retention{Contexts: step.bound()}, nil)
		if err != nil || done.FilesBefore != step.gone {
			t.Errorf("%+v (%v), want %d files gone", done, err, step.gone)
		}
		if step.gone > 0 && size == 0 {
			// Each file holds one context like the others; a few bytes differ.
			size = done.BytesBefore/int64(step.gone) + 8
		}
		if got := fmt.Sprint(days()); got != step.want {
			t.Errorf("%s are left, want %s", got, step.want)
		}
	}
	if n := len(rowsOf(t, reading)); n != 10 {
		t.Errorf("who reads on sees %d contexts", n)
	}
	reading.Close()
	addContext(t, dir, "11", noon, 1)
	if n := segmentFiles(t, dir); n != 1 {
		t.Errorf("%d files are left on disk", n)
	}
}

// TestRetainRaw removes lines of a log, and wants its events to stay; and events,
// and wants the lines to go with them.
func TestRetainRaw(t *testing.T) {
	for _, c := range []struct {
		bounds     store.Retention
		raw, event bool // what is left
	}{
		{store.Retention{Raw: store.Bound{Before: time.Now().AddDate(100, 0, 0)}}, false, true},
		{store.Retention{Events: store.Bound{Bytes: 1}}, false, false},
		{store.Retention{Contexts: store.Bound{Bytes: 1}}, true, true},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		w, err := store.Append(t.Context(), dir, store.WriterOptions{Keep: store.KeepAll})
		if err != nil {
			t.Fatal(err)
		}
		account, err := pipeline.Run(t.Context(), []string{"../recordings/crowd.metadata.jsonl.zst"}, nil, pipeline.Options{KeepGaps: true}, w.Sink())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Retain(t.Context(), dir, c.bounds, nil); err != nil {
			t.Fatal(err)
		}
		d := openSet(t, dir)
		var n int
		if err := d.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM events").Scan(&n); err != nil || n > 0 != c.event || d.HasRaw() != c.raw {
			t.Errorf("%+v: %d events, lines: %v (%v)", c.bounds, n, d.HasRaw(), err)
		}
	}
}
