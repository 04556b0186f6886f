package store_test

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/store"
)

// state is what a data set says, as sums over all of its rows and the logs that
// it keeps.
func state(tb testing.TB, dir string) string {
	tb.Helper()
	d, err := store.Open(tb.Context(), dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer d.Close()
	if err := d.Check(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if damaged := d.Damaged(); len(damaged) > 0 {
		tb.Errorf("damaged: %v", damaged)
	}
	return answers(tb, d)
}

func answers(tb testing.TB, d *store.DataSet) string {
	tb.Helper()
	var b strings.Builder
	for _, view := range []string{store.ViewContexts, store.ViewEvents} {
		b.WriteString(view + rowOf(tb, d.DB(), "SELECT count(*), sum(hash(COLUMNS(*)::VARCHAR)::HUGEINT % 1000003) FROM "+view))
	}
	for p, err := range d.Raw(tb.Context()) {
		if err != nil {
			tb.Fatal(err)
		}
		b.Write(p.Bytes)
	}
	return b.String()
}

// copied gives a copy of a data set.
func copied(tb testing.TB, dir string) string {
	tb.Helper()
	to := filepath.Join(tb.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		tb.Fatal(err)
	}
	return to
}

// parts are pieces of the log of a recording, in files of a folder, of so many
// lines each.
func parts(tb testing.TB, name string, lines ...int) []string {
	tb.Helper()
	all := strings.SplitAfter(string(recording(tb, name)), "\n")
	var files []string
	dir := tb.TempDir()
	for _, n := range lines {
		files = append(files, save(tb, dir, name+"."+string(rune('a'+len(files))), strings.Join(all[:n], "")))
		all = all[n:]
	}
	return files
}

// twoParts is a data set of one part of a log, and the part that is to be added.
func twoParts(tb testing.TB) (dir, next string) {
	tb.Helper()
	logs := parts(tb, "crowd.audit", 150, 200)
	dir = filepath.Join(tb.TempDir(), "data")
	add(tb, dir, store.WriterOptions{Keep: store.KeepAll}, logs[0])
	return dir, logs[1]
}

// maxRounds bounds how often a process is begun to be killed: what it takes was
// measured beside other work, and it may end sooner each time.
const maxRounds = 40

// TestKilledWhileWriting kills a process that adds to a data set, at random
// moments of the run and of its end, and wants the data set as it was or with
// all of the run in it, and the next run to complete.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	dir, next := twoParts(t)
	before := state(t, dir)
	whole := copied(t, dir)
	takes := duration(t, sayBegin, jobAppend, whole, next)
	after := state(t, whole)
	whole = copied(t, dir)
	ends := duration(t, sayCommit, jobAppend, whole, next)
	if state(t, whole) != after || before == after {
		t.Fatal("the same run gives something else, or nothing: the test says nothing")
	}
	random := rand.New(rand.NewPCG(1, 2))
	work := copied(t, dir)
	found := map[string]int{}
	for round := 0; round < 9 || found["killed"] == 0 && round < maxRounds; round++ {
		word, span := sayCommit, &ends
		if round%3 == 0 {
			word, span = sayBegin, &takes
		}
		if killed(t, random, word, *span, jobAppend, work, next) {
			found["killed"]++
		} else {
			*span = *span * 3 / 4
		}
		switch state(t, work) {
		case before:
			found["old"]++
		case after:
			found["new"]++
			work = copied(t, dir)
		default:
			t.Fatalf("round %d: the data set is neither as it was nor as it should be", round)
		}
	}
	t.Logf("%v of runs of %v, the last %v of it to commit", found, takes, ends)
	if found["killed"] == 0 {
		t.Error("no process was killed in time: the test says nothing")
	}
	if err := begin(t, nil, jobAppend, work, next).end(); err != nil {
		t.Fatal(err)
	}
	if state(t, work) != after {
		t.Error("the run after those that were killed gives something else")
	}
	wantNoLitter(t, work)
}

// wantNoLitter wants no files that belong to nothing.
func wantNoLitter(tb testing.TB, dir string) {
	tb.Helper()
	whole := filepath.Join(tb.TempDir(), "whole")
	if err := os.CopyFS(whole, os.DirFS(dir)); err != nil {
		tb.Fatal(err)
	}
	// A run removes what nothing names.
	add(tb, whole, store.WriterOptions{}, save(tb, tb.TempDir(), "empty", ""))
	if got, want := files(tb, dir), files(tb, whole); !slices.Equal(got, want) {
		tb.Errorf("the data set has the files %q, of which it needs %q", got, want)
	}
}

// files are the names of the files in a folder.
func files(tb testing.TB, dir string) []string {
	tb.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

// TestKilledWhileCompacting kills a process that compacts a data set, which must
// say the same at all times.
func TestKilledWhileCompacting(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	for i, log := range parts(t, "crowd.audit", 100, 100, 100, 100) {
		cluster := []string{"a", "b"}[i%2]
		add(t, dir, store.WriterOptions{Keep: store.KeepAll, Cluster: cluster}, log)
	}
	want := state(t, dir)
	whole := copied(t, dir)
	takes := min(duration(t, sayBegin, jobCompact, whole), duration(t, sayBegin, jobCompact, copied(t, dir)))
	if state(t, whole) != want {
		t.Fatal("a compaction changes what the data set says")
	}
	random := rand.New(rand.NewPCG(3, 4))
	work := copied(t, dir)
	stopped := 0
	for round := 0; round < 6 || stopped == 0 && round < maxRounds; round++ {
		if killed(t, random, sayBegin, takes, jobCompact, work) {
			stopped++
		} else {
			takes = takes * 3 / 4
		}
		if state(t, work) != want {
			t.Fatalf("round %d: the data set says something else", round)
		}
		if len(segments(t, work)) == len(segments(t, whole)) {
			work = copied(t, dir)
		}
	}
	t.Logf("%d processes were killed within %v", stopped, takes)
	if stopped == 0 {
		t.Error("no process was killed in time: the test says nothing")
	}
	if err := begin(t, nil, jobCompact, work).end(); err != nil {
		t.Fatal(err)
	}
	if state(t, work) != want {
		t.Error("the compaction after those that were killed changes what the data set says")
	}
	wantNoLitter(t, work)
}

// segments are the names of the Parquet files of a data set.
func segments(tb testing.TB, dir string) []string {
	tb.Helper()
	return slices.DeleteFunc(files(tb, dir), func(name string) bool { return !strings.HasSuffix(name, ".parquet") })
}

// TestReadWhileWritten reads a data set over and over while another run adds to
// it and a compaction replaces its files: what one opens stays as it was opened.
func TestReadWhileWritten(t *testing.T) {
	t.Parallel()
	dir, next := twoParts(t)
	before := state(t, dir)
	old := open(t, dir)
	whole := copied(t, dir)
	add(t, whole, store.WriterOptions{Keep: store.KeepAll}, next)
	after := state(t, whole)
	done := make(chan struct{})
	seen := make(chan map[string]int)
	go func() {
		counts := map[string]int{}
		defer func() { seen <- counts }()
		for {
			counts[state(t, dir)]++
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	add(t, dir, store.WriterOptions{Keep: store.KeepAll}, next)
	if got := answers(t, old); got != before {
		t.Error("what was open before the run says something else after it")
	}
	if _, err := store.Compact(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if got := answers(t, old); got != before {
		t.Error("what was open before the compaction says something else after it")
	}
	close(done)
	counts := <-seen
	for got := range maps.Keys(counts) {
		if got != before && got != after {
			t.Error("a reader saw a state that is neither the old nor the new one")
		}
	}
	if got := state(t, dir); got != after {
		t.Error("the run and the compaction give something else")
	}
}

// TestKilledAtFirst kills the first run into a folder, at random moments of its
// end, and wants the next run to make the data set whole.
func TestKilledAtFirst(t *testing.T) {
	t.Parallel()
	log := parts(t, "crowd.audit", 200)[0]
	whole := filepath.Join(t.TempDir(), "data")
	takes := duration(t, sayCommit, jobAppend, whole, log)
	want := len(segments(t, whole))
	random := rand.New(rand.NewPCG(5, 6))
	unnamed := 0
	for range 8 {
		dir := filepath.Join(t.TempDir(), "data")
		killed(t, random, sayCommit, takes, jobAppend, dir, log)
		if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil && len(segments(t, dir)) < want {
			unnamed++
		}
		if added := add(t, dir, store.WriterOptions{Keep: store.KeepAll}, log); len(segments(t, dir)) != want {
			t.Errorf("after a run that was killed the next one adds %+v, and there are %d files", added, len(segments(t, dir)))
		}
	}
	t.Logf("%d of 8 were killed before all was written", unnamed)
}
