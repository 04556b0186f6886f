package hub

import (
	"cmp"
	"context"
	"iter"
	"sync"
	"time"

	"github.com/whet-k8s/whet/pipeline"
)

// defaultSize is how many updates a Hub remembers unless told otherwise.
const defaultSize = 8192

// Update is a context as it was at one moment.
type Update struct {
	// ID counts updates. It grows by one from each to the next, and across
	// restarts of the program.
	ID uint64
	// Missed is how many updates at least lie between the one given before and
	// this one, and are no longer remembered. Whoever gets one that is not 0
	// should look into the data set, which has them.
	Missed uint64
	// Cluster is the name of the cluster, Context the context with all that is
	// known of it. Context.Open tells whether it may still grow.
	Cluster string
	Context pipeline.Context
	// Preview says that the context is not in the data set like that yet.
	Preview bool
}

// Hub hands contexts from those who find them to all who listen. Its methods
// may be called from any goroutine.
type Hub struct {
	first uint64 // the id of the first update of this process

	mu     sync.Mutex
	ring   []Update // the update with an id stands at id modulo the length
	next   uint64   // the id of the next update
	wake   chan struct{}
	gauges Stats
}

// Stats tell what a Hub has done.
type Stats struct {
	// Published and Missed count updates: those that came, and those that a
	// subscriber came too late for, once for each subscriber.
	Published, Missed uint64
	// Subscribers is how many listen now.
	Subscribers int
}

// New makes a Hub that remembers the newest size updates, 8192 for 0. An update
// takes about two kilobytes.
func New(size int) *Hub {
	// Ids begin at the time in microseconds, so that those of a process are
	// above those of the one before it, as long as that published less than a
	// million updates a second.
	first := uint64(time.Now().UnixMicro())
	return &Hub{first: first, next: first, ring: make([]Update, cmp.Or(max(size, 0), defaultSize)), wake: make(chan struct{})}
}

// Publish takes contexts of a cluster as they are now in the data set. It never
// waits for anybody who listens.
func (h *Hub) Publish(cluster string, contexts []pipeline.Context) {
	h.publish(cluster, contexts, false)
}

// Preview is Publish for contexts that are not in the data set like that yet.
func (h *Hub) Preview(cluster string, contexts []pipeline.Context) {
	h.publish(cluster, contexts, true)
}

func (h *Hub) publish(cluster string, contexts []pipeline.Context, preview bool) {
	if len(contexts) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range contexts {
		h.ring[h.next%uint64(len(h.ring))] = Update{ID: h.next, Cluster: cluster, Context: contexts[i], Preview: preview}
		h.next++
	}
	h.gauges.Published += uint64(len(contexts))
	close(h.wake)
	h.wake = make(chan struct{})
}

// Newest is the id of the newest update. Whoever subscribes after it gets what
// is published from now on.
func (h *Hub) Newest() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next - 1
}

// Stats tells what the Hub has done.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gauges
}

// Subscribe gives the updates with an id greater than after, and then each one
// as it is published, until ctx ends. Who takes them more slowly than they are
// published, or comes back after long, is told by Update.Missed what he cannot
// have any more. An id of another process, whether an earlier one or one that
// was made up, gives all that is remembered, and counts one update as missed at
// least.
func (h *Hub) Subscribe(ctx context.Context, after uint64) iter.Seq[Update] {
	return func(yield func(Update) bool) {
		h.mu.Lock()
		h.gauges.Subscribers++
		h.mu.Unlock()
		defer func() {
			h.mu.Lock()
			h.gauges.Subscribers--
			h.mu.Unlock()
		}()
		for ctx.Err() == nil {
			list, wake := h.since(after)
			for i := range list {
				if !yield(list[i]) {
					return
				}
				after = list[i].ID
			}
			if len(list) > 0 {
				continue
			}
			select {
			case <-ctx.Done():
			case <-wake:
			}
		}
	}
}

// atOnce is how many updates are copied at a time.
const atOnce = 64

// since gives some of the updates after an id, and what is closed when there
// are more.
func (h *Hub) since(after uint64) ([]Update, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	size := uint64(len(h.ring))
	oldest := max(h.first, h.next-min(h.next, size))
	var missed uint64
	switch {
	case after+1 < h.first || after >= h.next:
		// What the process of that id published after it is not known.
		missed = 1 + oldest - h.first
		after = oldest - 1
	case after+1 < oldest:
		missed = oldest - 1 - after
		after = oldest - 1
	}
	list := make([]Update, 0, min(h.next-1-after, atOnce))
	for id := after + 1; id < h.next && len(list) < atOnce; id++ {
		list = append(list, h.ring[id%size])
	}
	if len(list) > 0 {
		list[0].Missed = missed
		h.gauges.Missed += missed
	}
	return list, h.wake
}
