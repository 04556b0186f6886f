package link

import (
	"cmp"
	"container/heap"
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// item is an event on its way through the window.
type item struct {
	event          *audit.Event
	tag            uint64
	received, done micros
	late           bool
}

// compareItems is the order in which events are linked: by when the API
// server received the request; of one request the last stage first, since it
// tells most. Nothing of the order of arrival takes part, so that a shuffled
// log gives the same result.
func compareItems(a, b *item) int {
	if c := cmp.Compare(a.received, b.received); c != 0 {
		return c // before the events are looked at, which are somewhere in memory
	}
	return cmp.Or(
		strings.Compare(a.event.AuditID, b.event.AuditID),
		strings.Compare(a.event.RequestURI, b.event.RequestURI),
		cmp.Compare(stageRank(a.event.Stage), stageRank(b.event.Stage)),
		cmp.Compare(a.done, b.done),
		cmp.Compare(a.tag, b.tag),
	)
}

func stageRank(s audit.Stage) int {
	switch s {
	case audit.StageResponseComplete:
		return 0
	case audit.StagePanic:
		return 1
	case audit.StageResponseStarted:
		return 2
	}
	return 3
}

// window holds events back until none received before them is to be expected.
// It orders by the time the request was received; the newest stage time seen
// is its clock.
type window struct {
	wait              micros
	maxItems          int
	maxBytes          int
	heap              itemHeap
	bytes             int
	clock             micros
	released          micros // the received time of the last event released in order
	late, forcedCount int
}

type itemHeap []*item

func (h itemHeap) Len() int           { return len(h) }
func (h itemHeap) Less(i, j int) bool { return compareItems(h[i], h[j]) < 0 }
func (h itemHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *itemHeap) Push(x any)        { *h = append(*h, x.(*item)) }
func (h *itemHeap) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return it
}

// push takes an event in and returns it at once when it comes too late to be
// put in order.
func (w *window) push(it *item) (late bool) {
	w.clock = max(w.clock, it.done)
	if it.received < w.released || it.received < w.clock-w.wait {
		it.late = true
		w.late++
		return true
	}
	heap.Push(&w.heap, it)
	w.bytes += it.event.Position.Size
	return false
}

// pop returns the next event that need not wait any longer, nil if there is
// none. With all set nothing waits.
func (w *window) pop(all bool) *item {
	if len(w.heap) == 0 {
		return nil
	}
	full := len(w.heap) > w.maxItems || w.bytes > w.maxBytes
	if !all && !full && w.heap[0].received > w.clock-w.wait {
		return nil
	}
	if full && !all && w.heap[0].received > w.clock-w.wait {
		w.forcedCount++
	}
	it := heap.Pop(&w.heap).(*item)
	w.bytes -= it.event.Position.Size
	w.released = max(w.released, it.received)
	return it
}

func toMicros(t time.Time) micros {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
