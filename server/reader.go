package server

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// maxReaders bounds the sessions of a server that asks Options.Reader.
const maxReaders = 4096

// readers are sessions whose tokens are judged again with each request, so that
// one that ends, or is taken away, ends the sessions that began with it.
type readers struct {
	allow func(*http.Request) error
	now   func() time.Time

	mu   sync.Mutex
	list map[string]reading // by the value of the cookie
}

// reading is a session.
type reading struct {
	token string
	ends  time.Time
}

func newReaders(allow func(*http.Request) error, now func() time.Time) *readers {
	return &readers{allow: allow, now: now, list: map[string]reading{}}
}

// judge judges a request by what it shows, or else by the token that its
// session began with.
func (l *readers) judge(r *http.Request) error {
	if r.Header.Get("Authorization") == "" {
		if cookie, err := r.Cookie(cookieName); err == nil {
			l.mu.Lock()
			s, ok := l.list[cookie.Value]
			l.mu.Unlock()
			if ok && l.now().Before(s.ends) {
				return l.right(r, s.token)
			}
		}
	}
	return l.allow(r)
}

// right judges a request as if it showed a token.
func (l *readers) right(r *http.Request, token string) error {
	shown := r.Clone(r.Context())
	shown.Header.Set("Authorization", "Bearer "+token)
	return l.allow(shown)
}

// begin gives the cookie of a new session. When there are too many, those that
// have ended go, and then any.
func (l *readers) begin(token string) string {
	id := make([]byte, 32)
	_, _ = rand.Read(id) // crypto/rand.Read never returns an error
	l.mu.Lock()
	defer l.mu.Unlock()
	for value, s := range l.list {
		if len(l.list) >= maxReaders && !l.now().Before(s.ends) {
			delete(l.list, value)
		}
	}
	for value := range l.list {
		if len(l.list) < maxReaders {
			break
		}
		delete(l.list, value)
	}
	value := hex.EncodeToString(id)
	l.list[value] = reading{token, l.now().Add(sessionTime)}
	return value
}

func (l *readers) end(r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.list, cookie.Value)
	}
}
