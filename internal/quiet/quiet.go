// Package quiet keeps what happens again and again from filling a log: of lines
// with the same key it lets one through every ten seconds, which can say how many
// were kept back.
//
//	if more, ok := q.Say("refused " + client); ok {
//		log.Warn("a request was refused", "client", client, "more", more)
//	}
package quiet

import (
	"sync"
	"time"
)

const (
	every = 10 * time.Second
	// maxKeys bounds what is remembered: a part of a key may come from whoever
	// sends requests.
	maxKeys = 10_000
)

// Quiet tells whether to log. It may be used by several goroutines at once.
type Quiet struct {
	now  func() time.Time
	mu   sync.Mutex
	said map[string]*said
}

type said struct {
	last time.Time
	more int // lines since then that were kept back
}

// New makes a Quiet; a nil now is time.Now.
func New(now func() time.Time) *Quiet {
	if now == nil {
		now = time.Now
	}
	return &Quiet{now: now, said: map[string]*said{}}
}

// Say tells whether to log a line with a key, and how many such lines were kept
// back before.
func (q *Quiet) Say(key string) (more int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	s := q.said[key]
	switch {
	case s == nil:
		if len(q.said) >= maxKeys {
			q.forget(now)
		}
		s = &said{}
		q.said[key] = s
	case now.Sub(s.last) < every:
		s.more++
		return 0, false
	}
	more = s.more
	s.last, s.more = now, 0
	return more, true
}

// forget drops the keys that would be logged again anyway, or else all.
func (q *Quiet) forget(now time.Time) {
	for key, s := range q.said {
		if now.Sub(s.last) >= every {
			delete(q.said, key)
		}
	}
	if len(q.said) >= maxKeys {
		clear(q.said)
	}
}
