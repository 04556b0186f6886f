package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// BenchmarkEngine measures events from the call of Publish until all of them
// are in the data set, by how often a checkpoint is made. The last checkpoint
// tells what one costs when the data set has many small segments.
func BenchmarkEngine(b *testing.B) {
	log := recording(b, "day.audit")
	lines := bytes.SplitAfter(bytes.TrimSpace(log), []byte("\n"))
	for _, every := range []time.Duration{100 * time.Millisecond, 3 * time.Second} {
		b.Run(fmt.Sprintf("every=%v", every), func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			var last engine.Stats
			for b.Loop() {
				last = publishAll(b, lines, every)
			}
			b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(last.Checkpoints), "checkpoints")
			b.ReportMetric(float64(last.LastCheckpoint.Milliseconds()), "ms/last-checkpoint")
		})
	}
}

func publishAll(b *testing.B, lines [][]byte, every time.Duration) engine.Stats {
	b.Helper()
	dir := b.TempDir()
	o := options(dir)
	o.Every = every
	q, err := queue.Open(queue.Options{Dir: dir + "/queue"})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	stream, err := q.Stream(b.Context(), "default")
	if err != nil {
		b.Fatal(err)
	}
	e, err := engine.Open(stream, o)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	for batch := range slices.Chunk(lines, 400) {
		if err := stream.Publish(ctx, pipeline.Piece{Source: "webhook", Body: bytes.Join(batch, nil)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := finish(ctx, stream, e, done); err != nil {
		b.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	return e.Stats()
}
