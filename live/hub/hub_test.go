package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/pipeline"
)

// numbered makes contexts whose ids are numbers.
func numbered(from, to int) []pipeline.Context {
	var list []pipeline.Context
	for n := from; n < to; n++ {
		list = append(list, pipeline.Context{ID: fmt.Sprint(n), Events: n})
	}
	return list
}

// take reads a number of updates.
func take(ctx context.Context, h *hub.Hub, after uint64, n int) []hub.Update {
	var list []hub.Update
	if n == 0 {
		return nil
	}
	for u := range h.Subscribe(ctx, after) {
		if list = append(list, u); len(list) == n {
			break
		}
	}
	return list
}

func TestResume(t *testing.T) {
	for _, c := range []struct {
		name      string
		published int
		// back is how many updates before the newest one the reader was.
		back  int
		want  []int
		first uint64 // what the first one says was missed
	}{
		{"nothing new", 5, 0, nil, 0},
		{"one", 5, 1, []int{4}, 0},
		{"all of a process", 5, 5, []int{0, 1, 2, 3, 4}, 0},
		{"as much as is remembered", 20, 8, []int{12, 13, 14, 15, 16, 17, 18, 19}, 0},
		{"one more than is remembered", 20, 9, []int{12, 13, 14, 15, 16, 17, 18, 19}, 1},
		{"all, of which most is forgotten", 20, 20, []int{12, 13, 14, 15, 16, 17, 18, 19}, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hub.New(8)
			h.Publish("test", numbered(0, c.published))
			got := take(t.Context(), h, h.Newest()-uint64(c.back), len(c.want))
			for i, u := range got {
				if u.Context.Events != c.want[i] || u.Cluster != "test" || i > 0 && (u.Missed != 0 || u.ID != got[i-1].ID+1) {
					t.Errorf("update %d: %+v, want context %d", i, u, c.want[i])
				}
			}
			if len(got) > 0 && got[0].Missed != c.first {
				t.Errorf("%d were missed, want %d", got[0].Missed, c.first)
			}
			if stats := h.Stats(); stats.Published != uint64(c.published) || stats.Missed != c.first || stats.Subscribers != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// TestForeignID subscribes after ids that this process never gave.
func TestForeignID(t *testing.T) {
	h := hub.New(4)
	h.Publish("", numbered(0, 2))
	newest := h.Newest()
	for _, after := range []uint64{0, 1, newest - 3, newest + 1, newest + 1_000_000, ^uint64(0)} {
		got := take(t.Context(), h, after, 2)
		if got[0].Context.ID != "0" || got[0].Missed == 0 || got[1].Context.ID != "1" || got[1].Missed != 0 {
			t.Errorf("after %d: %+v", after, got)
		}
	}
}

// TestIDsGrowAcrossProcesses wants ids of a later Hub above those of an earlier
// one.
func TestIDsGrowAcrossProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := hub.New(4)
		for range 100 {
			before.Publish("", numbered(0, 50))
		}
		time.Sleep(time.Second)
		after := hub.New(4)
		if after.Newest() < before.Newest() {
			t.Errorf("%d comes after %d", after.Newest(), before.Newest())
		}
	})
}

// TestWaits wants a subscriber to sleep until something is published, and to end
// with its context.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(4)
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		var done sync.WaitGroup
		after := h.Newest()
		done.Go(func() {
			for u := range h.Subscribe(ctx, after) {
				got = append(got, u.Context.ID)
			}
		})
		synctest.Wait()
		if h.Stats().Subscribers != 1 {
			t.Error("nobody listens")
		}
		h.Publish("", nil)
		h.Publish("", numbered(0, 1))
		synctest.Wait()
		h.Publish("", numbered(1, 3))
		synctest.Wait()
		cancel()
		done.Wait()
		if fmt.Sprint(got) != "[0 1 2]" || h.Stats().Subscribers != 0 {
			t.Errorf("%v, %+v", got, h.Stats())
		}
	})
}

// TestNothingIsLostUntold has subscribers of every speed listen while much is
// published, and wants each to get every update once, in order, or to be told
// exactly how many it missed.
func TestNothingIsLostUntold(t *testing.T) {
	const total = 20_000
	h := hub.New(64)
	after := h.Newest()
	var done sync.WaitGroup
	for speed := range 6 {
		done.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(speed), 1)) //nolint:gosec // A test wants the same numbers each time.
			last, seen, missed := after, 0, uint64(0)
			for u := range h.Subscribe(t.Context(), after) {
				if u.ID != last+1+u.Missed {
					t.Errorf("update %d comes after %d, with %d missed", u.ID, last, u.Missed)
				}
				last, missed = u.ID, missed+u.Missed
				seen++
				if u.Context.Events == total-1 {
					break
				}
				if speed > 0 && rng.IntN(100) < speed {
					time.Sleep(time.Millisecond)
				}
			}
			if uint64(seen)+missed != total {
				t.Errorf("%d seen and %d missed, of %d", seen, missed, total)
			}
		})
	}
	done.Go(func() {
		for n := 0; n < total; n += 5 {
			h.Publish("", numbered(n, n+5))
			if n%1000 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})
	done.Wait()
}

func BenchmarkPublish(b *testing.B) {
	for _, readers := range []int{0, 10, 100} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			h := hub.New(0)
			ctx, cancel := context.WithCancel(b.Context())
			var done sync.WaitGroup
			after := h.Newest()
			for range readers {
				done.Go(func() {
					for range h.Subscribe(ctx, after) {
					}
				})
			}
			list := numbered(0, 100)
			for b.Loop() {
				h.Publish("test", list)
			}
			b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "contexts/s")
			cancel()
			done.Wait()
		})
	}
}
