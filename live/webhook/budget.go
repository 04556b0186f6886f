package webhook

import (
	"sync"
	"time"
)

// budget bounds a rate. It may be overdrawn by one body, since how many events
// that has is known when it has been read; the next one waits until the budget
// is in credit again.
type budget struct {
	rate float64 // a second; 0 is no bound
	now  func() time.Time

	mu     sync.Mutex
	credit float64
	at     time.Time // of credit, zero before the first body
}

// burst is how many seconds' worth may come at once.
const burst = 10

// wait gives how long to wait for the next body, 0 when it may come now.
func (b *budget) wait() time.Duration {
	if b.rate <= 0 {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill()
	if b.credit > 0 {
		return 0
	}
	return max(time.Duration(-b.credit/b.rate*float64(time.Second)), time.Second)
}

func (b *budget) spend(n float64) {
	if b.rate <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill()
	b.credit -= n
}

func (b *budget) fill() {
	now := b.now()
	if b.at.IsZero() {
		b.credit = burst * b.rate
	} else {
		b.credit = min(b.credit+now.Sub(b.at).Seconds()*b.rate, burst*b.rate)
	}
	b.at = now
}
