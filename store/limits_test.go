//go:build linux || darwin

package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/store"
)

// TestDiskFull lets writes fail at all sizes of files, as they do on a full
// disk: the error says what could not be written, the data set stays as it was,
// and nothing that takes space is left.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir, next := twoParts(t)
	before := state(t, dir)
	largest := int64(0)
	whole := copied(t, dir)
	add(t, whole, store.WriterOptions{Keep: store.KeepAll}, next)
	for _, name := range files(t, whole) {
		info, err := os.Stat(filepath.Join(whole, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	list := files(t, dir)
	for _, job := range [][]string{{jobAppend, dir, next}, {jobCompact, dir}} {
		failed := 0
		for _, limit := range []int64{0, 1000, 6000, largest / 2, largest - 100} {
			err := begin(t, []string{fmt.Sprintf("%s=%d", limitVariable, limit)}, job...).end()
			if err == nil {
				continue
			}
			failed++
			text := err.Error()
			if !strings.Contains(text, "file too large") || !strings.Contains(text, dir) {
				t.Errorf("%s with files up to %d bytes: %v", job[0], limit, err)
			}
			if state(t, dir) != before {
				t.Fatalf("%s with files up to %d bytes: the data set is not as it was", job[0], limit)
			}
			if got := files(t, dir); !slices.Equal(got, list) {
				t.Errorf("%s with files up to %d bytes left %q, want %q", job[0], limit, got, list)
			}
		}
		t.Logf("%s failed %d times", job[0], failed)
		if failed < 3 {
			t.Errorf("%s failed %d times: the test says little", job[0], failed)
		}
	}
}

// TestDiskFullAtFirst lets the first run into a folder fail, and wants the next
// one to work.
func TestDiskFullAtFirst(t *testing.T) {
	t.Parallel()
	log := parts(t, "crowd.audit", 100)[0]
	for _, limit := range []int64{0, 10, 31, 1000} {
		dir := filepath.Join(t.TempDir(), "data")
		err := begin(t, []string{fmt.Sprintf("%s=%d", limitVariable, limit)}, jobAppend, dir, log).end()
		if err == nil || !strings.Contains(err.Error(), "file too large") {
			t.Errorf("with files up to %d bytes: %v", limit, err)
		}
		if added := add(t, dir, store.WriterOptions{Keep: store.KeepAll}, log); added.Events == 0 {
			t.Errorf("the run after adds %+v", added)
		}
	}
}

// TestTwoWriters wants the second of two who write at once to be told who the
// first one is, and that all goes on when that has ended.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	dir, _ := twoParts(t)
	first, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, appendErr := store.Append(t.Context(), dir, store.WriterOptions{})
	_, compactErr := store.Compact(t.Context(), dir)
	want := fmt.Sprintf("another whet (process %d) is writing to this data set: try again when it has finished", os.Getpid())
	for _, err := range []error{appendErr, compactErr} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("the error is %v, want one that says %s", err, want)
		}
	}
	// Reading is nobody's loss.
	if got := count(t, open(t, dir), "SELECT count(*) FROM events"); got == 0 {
		t.Error("nothing can be read meanwhile")
	}
	if err := first.Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Compact(t.Context(), dir); err != nil {
		t.Error(err)
	}
}
