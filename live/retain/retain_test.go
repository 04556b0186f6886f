package retain_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whet-k8s/whet/live/retain"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// noon is when the first context of a test begins.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// add adds a context to a data set.
func add(dir string, n int, begun time.Time) error {
	ctx := context.Background()
	w, err := store.Append(ctx, dir, store.WriterOptions{})
	if err != nil {
		return err
	}
	err = w.Context(&pipeline.Context{
		ID: fmt.Sprintf("00000000-0000-5000-8000-%012d", n), Part: 1, Events: 1, Start: begun, End: begun,
		Root: pipeline.Root{AuditID: fmt.Sprint(n), Received: begun, Staged: begun},
	})
	if err != nil {
		return err
	}
	_, err = w.Commit(ctx, &pipeline.Accounting{})
	return err
}

func write(t *testing.T, dir string, n int, begun time.Time) {
	t.Helper()
	if err := add(dir, n, begun); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, dir string) (n int) {
	t.Helper()
	d, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM contexts").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func files(t *testing.T, dir string) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "contexts", "*", "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// rounds waits until the Keeper has looked so many times.
func rounds(t *testing.T, k *retain.Keeper, n int64) retain.Stats {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); k.Stats().Rounds < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d rounds", k.Stats().Rounds)
		}
	}
	return k.Stats()
}

// TestKeeper wants small files merged and old ones gone, while somebody writes.
func TestKeeper(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for n := range 30 {
		write(t, dir, n, noon.Add(time.Duration(n)*time.Second))
	}
	old := noon.AddDate(0, 0, -10)
	for n := range 5 {
		write(t, dir, 100+n, old.AddDate(0, 0, n))
	}
	write(t, dir, 200, noon.Add(time.Hour))
	var writing sync.Mutex
	k := retain.New(retain.Options{
		DataSet: dir, Every: time.Millisecond, Writing: &writing, Now: func() time.Time { return noon },
		Limits: retain.Limits{Contexts: retain.Limit{Age: 8 * 24 * time.Hour}},
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	for n := range 10 {
		writing.Lock()
		write(t, dir, 300+n, noon.Add(time.Hour+time.Duration(n)*time.Second))
		writing.Unlock()
	}
	seen := rounds(t, k, k.Stats().Rounds+2)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if seen.Removed != 2 || seen.RemovedBytes == 0 || seen.Merged < 30 || seen.SavedBytes <= 0 || seen.Err != nil {
		t.Errorf("%+v", seen)
	}
	if n := count(t, dir); n != 30+3+1+10 {
		t.Errorf("%d contexts are left", n)
	}
	write(t, dir, 400, noon.Add(2*time.Hour))
	if n := files(t, dir); n > 20 {
		t.Errorf("%d files are left on disk", n)
	}
}

// TestKeeperFails looks after what is no data set yet, and wants it to go on
// when it is one.
func TestKeeperFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	k := retain.New(retain.Options{DataSet: dir, Every: time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	if err := rounds(t, k, 1).Err; err == nil {
		t.Error("a folder that is not there was looked after")
	}
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); k.Stats().Err != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(k.Stats().Err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestEvery wants it to look once a minute unless told otherwise.
func TestEvery(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		k := retain.New(retain.Options{DataSet: dir})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- k.Run(ctx) }()
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		stop()
		if err := <-done; err != nil || k.Stats().Rounds != 3 {
			t.Errorf("%d rounds in three minutes (%v)", k.Stats().Rounds, err)
		}
	})
}

// Contexts are kept for two days.
func ExampleKeeper() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for day := range 5 {
		if err := add(dir, day, noon.AddDate(0, 0, day)); err != nil {
			log.Fatal(err)
		}
	}
	keeper := retain.New(retain.Options{
		DataSet: dir, Every: time.Millisecond,
		Limits: retain.Limits{Contexts: retain.Limit{Age: 48 * time.Hour}},
		Now:    func() time.Time { return noon.AddDate(0, 0, 4) },
	})
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		for keeper.Stats().Rounds == 0 {
			time.Sleep(time.Millisecond)
		}
		stop()
	}()
	if err := keeper.Run(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(keeper.Stats().Removed, "of 5 files are removed")
	// Output: 2 of 5 files are removed
}
