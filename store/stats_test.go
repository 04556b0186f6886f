package store_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestStatsWhileWriting measures a data set in which files come and go.
func TestStatsWhileWriting(t *testing.T) {
	dir, _ := twoParts(t)
	d := open(t, dir)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	defer writing.Wait()
	defer close(stop)
	writing.Go(func() {
		name := filepath.Join(dir, "manifest.json.tmp")
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
				t.Error(err)
				return
			}
			if err := os.Remove(name); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 200 {
		if _, err := d.Stats(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
