package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/whet-k8s/whet/internal/replicate"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// replicated writes a log of so many copies of a recording.
func replicated(tb testing.TB, name string, copies int) string {
	tb.Helper()
	r, err := replicate.Read(tb.Context(), []string{recordings + name + ".jsonl.zst"}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	var log bytes.Buffer
	if _, err := r.Write(tb.Context(), &log, replicate.Options{Copies: copies, Seed: 1}); err != nil {
		tb.Fatal(err)
	}
	return save(tb, tb.TempDir(), "log", log.String())
}

// BenchmarkWrite measures what it costs to keep what was found: an analysis
// with a data set takes so many times as long as one without, in turns.
func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"day.audit", "day.metadata"} {
		path := replicated(b, name, 5)
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, keep := range []store.Keep{store.KeepContexts, store.KeepEvents, store.KeepAll} {
			b.Run(name+"/"+string(keep), func(b *testing.B) {
				b.SetBytes(info.Size())
				var with, without time.Duration
				for b.Loop() {
					b.StopTimer()
					without += analyze(b, path, pipeline.Sink{Context: func(*pipeline.Context) error { return nil }})
					dir := filepath.Join(b.TempDir(), "data")
					b.StartTimer()
					begun := time.Now()
					add(b, dir, store.WriterOptions{Keep: keep}, path)
					with += time.Since(begun)
				}
				b.ReportMetric(float64(with)/float64(without), "times")
			})
		}
	}
}

// analyze runs the pipeline and tells how long it took.
func analyze(tb testing.TB, path string, sink pipeline.Sink) time.Duration {
	tb.Helper()
	begun := time.Now()
	if _, err := pipeline.Run(tb.Context(), []string{path}, nil, pipeline.Options{}, sink); err != nil {
		tb.Fatal(err)
	}
	return time.Since(begun)
}
