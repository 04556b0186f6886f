package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

func open(tb testing.TB, o queue.Options) *queue.Queue {
	tb.Helper()
	q, err := queue.Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(q.Close)
	return q
}

func stream(tb testing.TB, q *queue.Queue, cluster string) *queue.Stream {
	tb.Helper()
	s, err := q.Stream(tb.Context(), cluster)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// TestOrder publishes from several goroutines, opens the queue again, and wants
// every piece once, with the numbers in order, also after a part was released.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	q := open(t, queue.Options{Dir: dir})
	s := stream(t, q, "prod/eu-1 ✓")
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 25 {
				body := fmt.Appendf(nil, "%d %d", g, i)
				if err := s.Publish(t.Context(), pipeline.Piece{Source: "webhook", Line: i, Body: body}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	first := read(t, s, 0, 100)
	q.Close()

	s = stream(t, open(t, queue.Options{Dir: dir}), "prod/eu-1 ✓")
	if diff := cmp.Diff(first, read(t, s, 0, 100)); diff != "" {
		t.Errorf("after opening again:\n%s", diff)
	}
	if err := s.Release(t.Context(), 40); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first[40:], read(t, s, 0, 60)); diff != "" {
		t.Errorf("after a release:\n%s", diff)
	}
	stats, err := s.Stats(t.Context())
	if err != nil || stats.Messages != 60 || stats.First != 41 || stats.Last != 100 || stats.Oldest.IsZero() {
		t.Errorf("%+v, %v", stats, err)
	}
	other := stream(t, open(t, queue.Options{Dir: t.TempDir()}), "other")
	if stats, err := other.Stats(t.Context()); err != nil || stats.Messages != 0 {
		t.Errorf("another cluster: %+v, %v", stats, err)
	}
}

// read gives so many messages, whose bodies must be all different.
func read(t *testing.T, s *queue.Stream, after uint64, n int) []queue.Message {
	t.Helper()
	var list []queue.Message
	seen := map[string]bool{}
	for range n {
		m, err := s.Next(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		if m.Number <= after || seen[string(m.Piece.Body)] || m.Published.IsZero() {
			t.Fatalf("after %d came %d, %s", after, m.Number, m.Piece.Body)
		}
		after = m.Number
		seen[string(m.Piece.Body)] = true
		list = append(list, *m)
	}
	return list
}

// TestRepeated wants a piece that is sent again stored once, and one with other
// bytes or from another place stored too.
func TestRepeated(t *testing.T) {
	s := stream(t, open(t, queue.Options{Dir: t.TempDir()}), "c")
	p := pipeline.Piece{Source: "webhook", Body: []byte("some events")}
	for range 3 {
		if err := s.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []pipeline.Piece{{Source: "file", Body: p.Body}, {Source: "webhook", Line: 7, Body: p.Body}, {Source: "webhook", Body: []byte("more")}} {
		if err := s.Publish(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	if stats, err := s.Stats(t.Context()); err != nil || stats.Messages != 4 {
		t.Errorf("%d messages, want 4 (%v)", stats.Messages, err)
	}
}

// TestNextWaits wants Next to wait for a message, and to end with its context.
func TestNextWaits(t *testing.T) {
	s := stream(t, open(t, queue.Options{Dir: t.TempDir()}), "c")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		m, err := s.Next(ctx, 0)
		if err == nil && m.Quiet != 3*time.Second {
			err = fmt.Errorf("got %+v", m)
		}
		done <- err
		_, err = s.Next(ctx, 1)
		done <- err
	}()
	if err := s.PublishQuiet(t.Context(), 3*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Next ended with %v", err)
	}
}

// TestRefusesWhenFull wants a FullError from each bound, and room again after a
// release, with nothing lost that was acknowledged.
func TestRefusesWhenFull(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{1})
	body := func() []byte {
		b := make([]byte, 10_000) // random bytes, which zstd cannot shrink
		_, _ = rng.Read(b)
		return b
	}
	tests := map[string]queue.Options{
		"bytes": {MaxBytes: 100_000},
		"age":   {MaxAge: time.Nanosecond},
		"disk":  {MinFree: 1 << 62},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			o.Dir = t.TempDir()
			s := stream(t, open(t, o), "prod")
			var stored [][]byte
			var err error
			for range 20 {
				b := body()
				if err = s.Publish(t.Context(), pipeline.Piece{Body: b}); err != nil {
					break
				}
				stored = append(stored, b)
			}
			var full *queue.FullError
			if writable := s.Writable(t.Context()); !errors.As(writable, &full) {
				t.Errorf("writable, though full: %v", writable)
			}
			if !errors.As(err, &full) || full.Cluster != "prod" || full.RetryAfter <= 0 || full.Reason == "" {
				t.Fatalf("after %d pieces: %v", len(stored), err)
			}
			for i, want := range stored {
				if m, err := s.Next(t.Context(), uint64(i)); err != nil || !bytes.Equal(m.Piece.Body, want) {
					t.Fatalf("piece %d is lost (%v)", i, err)
				}
			}
			if name == "disk" {
				return
			}
			if err := s.Release(t.Context(), uint64(len(stored))); err != nil {
				t.Fatal(err)
			}
			if err := s.Publish(t.Context(), pipeline.Piece{Body: body()}); err != nil {
				t.Errorf("after a release: %v", err)
			}
			if name == "bytes" {
				if err := s.Writable(t.Context()); err != nil {
					t.Errorf("not writable after a release: %v", err)
				}
			}
		})
	}
}

// TestCanceled wants a piece whose sender went away to be no sign that the queue
// fails.
func TestCanceled(t *testing.T) {
	s := stream(t, open(t, queue.Options{Dir: t.TempDir()}), "c")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Publish(ctx, pipeline.Piece{Body: []byte("{}\n")}); !errors.Is(err, context.Canceled) {
		t.Errorf("publishing for somebody who went away: %v", err)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("after somebody went away: %v", err)
	}
}

// TestGoOn wants numbers to go on after one that a reader knows, where the stream
// is empty, and no message to be lost where it is not.
func TestGoOn(t *testing.T) {
	s := stream(t, open(t, queue.Options{Dir: t.TempDir()}), "c")
	goOn := func(after, last uint64) {
		t.Helper()
		if err := s.GoOn(t.Context(), after); err != nil {
			t.Fatal(err)
		}
		if stats, err := s.Stats(t.Context()); err != nil || stats.Last != last {
			t.Errorf("after %d the last number is %d, want %d (%v)", after, stats.Last, last, err)
		}
	}
	goOn(0, 0)
	goOn(7, 7)
	goOn(3, 7)
	if err := s.Publish(t.Context(), pipeline.Piece{Body: []byte("a piece")}); err != nil {
		t.Fatal(err)
	}
	goOn(20, 8)
	if m, err := s.Next(t.Context(), 7); err != nil || m.Number != 8 || string(m.Piece.Body) != "a piece" {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestClusters wants the names of all streams, also after the queue was opened
// again.
func TestClusters(t *testing.T) {
	dir := t.TempDir()
	names := []string{"", "a", "prod/eu-1 ✓"}
	q := open(t, queue.Options{Dir: dir})
	for _, name := range names {
		stream(t, q, name)
	}
	q.Close()
	if got, err := open(t, queue.Options{Dir: dir}).Clusters(t.Context()); err != nil || !slices.Equal(got, names) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTooLarge(t *testing.T) {
	s := stream(t, open(t, queue.Options{Dir: t.TempDir()}), "c")
	b := make([]byte, queue.MaxBody+1)
	rng := rand.NewChaCha8([32]byte{2})
	_, _ = rng.Read(b)
	if err := s.Publish(t.Context(), pipeline.Piece{Body: b}); !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if err := s.Publish(t.Context(), pipeline.Piece{Body: b[1:]}); err != nil {
		t.Fatalf("the largest: %v", err)
	}
	if m, err := s.Next(t.Context(), 0); err != nil || !bytes.Equal(m.Piece.Body, b[1:]) {
		t.Errorf("the largest came back otherwise (%v)", err)
	}
}

// BenchmarkPublish measures an acknowledged event, by how many come at once and
// how often files are synced.
func BenchmarkPublish(b *testing.B) {
	line := bytes.Repeat([]byte(`{"kind":"Event","auditID":"2b1f","verb":"get","user":{"username":"alice"}}`), 20)
	for _, every := range []time.Duration{0, time.Second} {
		for _, events := range []int{1, 400} {
			b.Run(fmt.Sprintf("sync=%v/events=%d", every, events), func(b *testing.B) {
				s := stream(b, open(b, queue.Options{Dir: b.TempDir(), SyncEvery: every}), "c")
				i := 0
				for b.Loop() {
					i++
					body := bytes.Repeat(append(fmt.Appendf(nil, "%d", i), line...), events)
					if err := s.Publish(b.Context(), pipeline.Piece{Body: body}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(i*events)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
