package audit

import (
	"cmp"
	"strings"
	"time"
)

// The defaults of NewSorter.
const (
	// DefaultWindow is far longer than requests other than watches take, which
	// is milliseconds; the API server ends them after 60 seconds. The few that
	// take longer than the window come out late.
	DefaultWindow = 30 * time.Second
	// DefaultMaxHeld bounds the events held, at about a kilobyte each and
	// their raw bytes.
	DefaultMaxHeld = 100_000
)

// Sorter puts the events of a log, which stand in the order in which their
// stages were written, into the order in which the requests were received.
// It holds an event until the log is a window of time further, or until it
// holds too many. Its order is by requestReceivedTimestamp, then
// stageTimestamp, then auditID and stage, then place in the input, so that it
// does not depend on the order of the log within the window.
//
// An event that was received before one that is already out is late: a watch
// is written when it ends, minutes after it was received. Late events come out
// at once and flagged. When the log goes back in time by more than the window
// (another file, a clock that was set), all that is held comes out and the
// order starts anew, so that a log of days out of order is sorted piece by
// piece and nothing waits without end.
//
// T is whatever goes with an event. A Sorter is for one goroutine.
type Sorter[T any] struct {
	window time.Duration
	most   int
	heap   []sortEntry[T]
	ready  []sortEntry[T]
	next   int // of ready
	clock  time.Time
	last   time.Time // the latest RequestReceived given out in order
	seq    uint64
	stats  SorterStats
}

// SorterStats says what a Sorter could not put in order.
type SorterStats struct {
	// Late counts the events that came out behind one received later.
	Late int
	// Cut counts the events that came out before the window was over, because
	// too many were held.
	Cut int
	// Jumps counts how often the log went back in time by more than the window.
	Jumps int
	// MostHeld is the largest number of events held at a time.
	MostHeld int
}

type sortEntry[T any] struct {
	received, staged time.Time
	auditID          string
	stage            Stage
	seq              uint64
	value            T
	late             bool
}

// NewSorter gives a Sorter with a window of time and the number of events that
// it holds at most. 0 or less means DefaultWindow and DefaultMaxHeld.
func NewSorter[T any](window time.Duration, most int) *Sorter[T] {
	if window <= 0 {
		window = DefaultWindow
	}
	if most <= 0 {
		most = DefaultMaxHeld
	}
	return &Sorter[T]{window: window, most: most}
}

// Push takes the next event of the log, with what goes with it. Call Pop
// afterwards until it has nothing: what is ready waits there. Of the event the
// Sorter keeps times, auditID and stage, not the event itself.
func (s *Sorter[T]) Push(ev *Event, value T) {
	e := sortEntry[T]{
		received: ev.RequestReceived, staged: ev.StageTime,
		auditID: ev.AuditID, stage: ev.Stage, seq: s.seq, value: value,
	}
	s.seq++
	now := e.staged
	if now.IsZero() {
		now = e.received
	}
	if !s.clock.IsZero() && now.Before(s.clock.Add(-s.window)) {
		s.stats.Jumps++
		s.Flush()
		s.clock, s.last = now, time.Time{}
	}
	if now.After(s.clock) {
		s.clock = now
		s.release()
	}
	if e.received.Before(s.last) {
		s.stats.Late++
		e.late = true
		s.ready = append(s.ready, e)
		return
	}
	s.add(e)
	s.stats.MostHeld = max(s.stats.MostHeld, len(s.heap))
	s.release()
	for len(s.heap) > s.most {
		s.stats.Cut++
		s.out()
	}
}

// Flush makes all that is held ready, at the end of the log.
func (s *Sorter[T]) Flush() {
	for len(s.heap) > 0 {
		s.out()
	}
}

// Pop gives the next event that is ready, and whether it is late; ok is false
// when none is.
func (s *Sorter[T]) Pop() (value T, late, ok bool) {
	if s.next == len(s.ready) {
		s.ready, s.next = s.ready[:0], 0
		return value, false, false
	}
	e := s.ready[s.next]
	s.ready[s.next] = sortEntry[T]{} // so that it keeps nothing alive
	s.next++
	return e.value, e.late, true
}

// Held is the number of events that wait.
func (s *Sorter[T]) Held() int { return len(s.heap) + len(s.ready) - s.next }

// Stats tells what could not be put in order so far.
func (s *Sorter[T]) Stats() SorterStats { return s.stats }

// release moves what is a window old from the heap to the ready list.
func (s *Sorter[T]) release() {
	until := s.clock.Add(-s.window)
	for len(s.heap) > 0 && !s.heap[0].received.After(until) {
		s.out()
	}
}

// out moves the first of the heap to the ready list.
func (s *Sorter[T]) out() {
	e := s.heap[0]
	last := len(s.heap) - 1
	s.heap[0] = s.heap[last]
	s.heap[last] = sortEntry[T]{}
	s.heap = s.heap[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && before(&s.heap[child+1], &s.heap[child]) {
			child++
		}
		if !before(&s.heap[child], &s.heap[i]) {
			break
		}
		s.heap[i], s.heap[child] = s.heap[child], s.heap[i]
		i = child
	}
	s.last = e.received
	s.ready = append(s.ready, e)
}

// add puts an entry into the heap.
func (s *Sorter[T]) add(e sortEntry[T]) {
	s.heap = append(s.heap, e)
	for i := len(s.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !before(&s.heap[i], &s.heap[parent]) {
			break
		}
		s.heap[i], s.heap[parent] = s.heap[parent], s.heap[i]
		i = parent
	}
}

// before orders entries.
func before[T any](a, b *sortEntry[T]) bool {
	return cmp.Or(
		a.received.Compare(b.received),
		a.staged.Compare(b.staged),
		strings.Compare(a.auditID, b.auditID),
		strings.Compare(string(a.stage), string(b.stage)),
		cmp.Compare(a.seq, b.seq),
	) < 0
}
