package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

func gunzip(t *testing.T, body []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGate(t *testing.T) {
	g := newGate(1, 1)
	leave, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A second waits, and gives up when its client does.
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error)
	go func() {
		_, err := g.enter(ctx)
		waited <- err
	}()
	for len(g.waiting) < 2 {
		time.Sleep(time.Millisecond)
	}
	// A third is refused.
	var full *problem
	if _, err := g.enter(t.Context()); !errors.As(err, &full) || full.status != http.StatusTooManyRequests {
		t.Errorf("the third got %v", err)
	}
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that waited got %v", err)
	}
	leave()
	leave, err = g.enter(t.Context())
	if err != nil {
		t.Errorf("after all are gone: %v", err)
	}
	leave()
	if len(g.waiting)+len(g.running) > 0 {
		t.Error("somebody is still counted")
	}
}

// TestManyAskAtOnce asks more than may run, all of whom get an answer.
func TestManyAskAtOnce(t *testing.T) {
	handler := dayServer(t, func(o *Options) { o.Queries = 2 })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if w := ask(handler, http.MethodGet, "/api/v1/facets", ""); w.Code != http.StatusOK {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
}

// TestTimeIsBounded gives queries no time.
func TestTimeIsBounded(t *testing.T) {
	handler := dayServer(t, func(o *Options) { o.QueryTime = time.Nanosecond })
	w := ask(handler, http.MethodGet, "/api/v1/timeline", "")
	if p := problemIn(t, w); w.Code != http.StatusServiceUnavailable || p.Hint == "" {
		t.Errorf("status %d, %+v", w.Code, p)
	}
}

// TestGoneClientEndsItsQuery cancels a request in the middle of a query that
// would run for very long.
func TestGoneClientEndsItsQuery(t *testing.T) {
	dir, err := dayFolder()
	if err != nil {
		t.Fatal(err)
	}
	a := &api{data: open(t, dir)}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = a.count(ctx, "events AS a, events AS b, events AS c", is("a.auditID || b.auditID || c.auditID = ''"))
	if err == nil {
		t.Error("the query ran to its end")
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	entered := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done() // as a query that only ends with its client
	})
	done := make(chan error)
	go func() { done <- Serve(ctx, listener, handler) }()
	go http.Get("http://" + listener.Addr().String())
	<-entered
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve ended with %v", err)
	}
}
