package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// liveServer is a server of a data set that grows.
type liveServer struct {
	*Server
	dir  string
	hub  *hub.Hub
	http *httptest.Server
}

func newLiveServer(t *testing.T) *liveServer {
	t.Helper()
	l := &liveServer{dir: filepath.Join(t.TempDir(), "data"), hub: hub.New(16)}
	if err := store.Create(l.dir); err != nil {
		t.Fatal(err)
	}
	var err error
	o := Options{Listen: "127.0.0.1:0", Hub: l.hub, Reload: 5 * time.Millisecond}
	if l.Server, err = New(t.Context(), open(t, l.dir), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Watch(ctx) }()
	l.http = httptest.NewServer(l.Server)
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		l.http.Close()
		l.Close()
	})
	return l
}

// liveEvent is one server-sent event.
type liveEvent struct {
	id   uint64
	name string
	data string
}

// listener reads the events of an answer of /live.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	body  io.Closer
}

func (l *liveServer) listen(t *testing.T, parameters, last string) *listener {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.http.URL+"/api/v1/live"+parameters, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("status %s of %s", answer.Status, answer.Header.Get("Content-Type"))
	}
	return &listener{t, bufio.NewScanner(answer.Body), answer.Body}
}

// next is the next event that has data.
func (l *listener) next() liveEvent {
	l.t.Helper()
	var e liveEvent
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			e.id, _ = strconv.ParseUint(value, 10, 64)
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.data != "" {
				return e
			}
		}
	}
	l.t.Fatalf("the answer ended: %v", l.lines.Err())
	return e
}

// named is the next event of a name.
func (l *listener) named(name string) liveEvent {
	l.t.Helper()
	for {
		if e := l.next(); e.name == name {
			return e
		}
	}
}

// actions gives the actions of the next contexts.
func (l *listener) actions(n int) (list []string) {
	l.t.Helper()
	for range n {
		var c struct {
			Action string
			Open   bool
		}
		if err := json.Unmarshal([]byte(l.named("context").data), &c); err != nil {
			l.t.Fatal(err)
		}
		list = append(list, fmt.Sprint(c.Action, " ", c.Open))
	}
	return list
}

func happened(actor, action string, open bool) pipeline.Context {
	now := time.Now()
	return pipeline.Context{
		ID: "f6b3bdd1-3d3c-5a7b-8a0b-4e3c4a6d9f10", Part: 1, Open: open, Actor: pipeline.Actor{Username: actor},
		Action: action, Verb: "delete", Outcome: pipeline.Outcome{Code: 200}, Start: now, End: now, Events: 1,
	}
}

func TestLiveFilters(t *testing.T) {
	l := newLiveServer(t)
	all, alice, closed, other := l.listen(t, "?contexts=all", ""), l.listen(t, "?query=actor==alice", ""), l.listen(t, "?contexts=closed", ""), l.listen(t, "?cluster=other", "")
	for _, one := range []*listener{all, alice, closed, other} {
		if e := one.next(); e.name != "data" || e.id == 0 {
			t.Errorf("the first event is %+v", e)
		}
	}
	l.hub.Publish("default", []pipeline.Context{happened("alice", "first", true), happened("bob", "second", false)})
	l.hub.Publish("other", []pipeline.Context{happened("bob", "third", true), happened("alice", "fourth", false)})
	for _, c := range []struct {
		who  *listener
		want string
	}{
		{all, "[first true second false third true fourth false]"},
		{alice, "[first true fourth false]"},
		{closed, "[second false fourth false]"},
		{other, "[third true fourth false]"},
	} {
		if got := fmt.Sprint(c.who.actions(len(strings.Fields(c.want)) / 2)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestLiveResumes breaks off, and wants the rest when it comes back, or to be
// told how much is missing.
func TestLiveResumes(t *testing.T) {
	l := newLiveServer(t)
	first := l.listen(t, "", "")
	first.next()
	l.hub.Publish("", []pipeline.Context{happened("a", "0", false)})
	last := first.named("context").id
	first.body.Close()
	for n := range 5 {
		l.hub.Publish("", []pipeline.Context{happened("a", fmt.Sprint(n+1), false)})
	}
	if got := fmt.Sprint(l.listen(t, "", fmt.Sprint(last)).actions(5)); got != "[1 false 2 false 3 false 4 false 5 false]" {
		t.Errorf("with the header: %s", got)
	}
	if got := fmt.Sprint(l.listen(t, "?after="+fmt.Sprint(last+3), "").actions(2)); got != "[4 false 5 false]" {
		t.Errorf("with the parameter: %s", got)
	}
	for n := range 20 {
		l.hub.Publish("", []pipeline.Context{happened("a", fmt.Sprint(n+6), false)})
	}
	late := l.listen(t, "", fmt.Sprint(last))
	if e := late.named("missed"); e.data != `{"missed":9}` || e.id != last+9 {
		t.Errorf("%+v", e)
	}
	if got := late.actions(1); got[0] != "10 false" {
		t.Errorf("after what was missed: %s", got)
	}
}

// TestLiveDataSet adds to the data set, and wants /live to tell of it once the
// other paths answer from it.
func TestLiveDataSet(t *testing.T) {
	l, c := newLiveServer(t), newContract(t)
	to := l.listen(t, "?contexts=none", "")
	if e := to.next(); !strings.Contains(e.data, `"contexts":0,`) || !strings.Contains(e.data, `"live":true`) {
		t.Errorf("the first event is %+v", e)
	}
	if err := build(t.Context(), l.dir, store.KeepEvents, "../recordings/crowd.metadata.jsonl.zst"); err != nil {
		t.Fatal(err)
	}
	l.hub.Publish("", []pipeline.Context{happened("a", "nobody wants to hear of it", false)})
	var got infoAnswer
	var e liveEvent
	// What was told may be shown before what was written.
	for got.Events == 0 {
		if e = to.next(); e.name != "data" {
			t.Fatalf("event %s with %s", e.name, e.data)
		}
		if err := json.Unmarshal([]byte(e.data), &got); err != nil {
			t.Fatalf("%v: %s", err, e.data)
		}
	}
	if body := c.check(t, l, "/api/v1/info", http.StatusOK); string(bytes.TrimSpace(body)) != e.data {
		t.Errorf("/info says %s, and /live %s", body, e.data)
	}
	var page struct{ Total int }
	if err := json.Unmarshal(c.check(t, l, "/api/v1/contexts?limit=1", http.StatusOK), &page); err != nil || page.Total != got.Contexts {
		t.Errorf("%d contexts are listed, want %d (%v)", page.Total, got.Contexts, err)
	}
}

// TestLiveOverlay tells of contexts that are not in the data set, and wants them
// in every answer at once, and once when they are stored.
func TestLiveOverlay(t *testing.T) {
	l, c := newLiveServer(t), newContract(t)
	to := l.listen(t, "?contexts=none", "")
	to.next()
	const id = "f6b3bdd1-3d3c-5a7b-8a0b-4e3c4a6d9f10"
	wait := func(contexts, events int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			var page struct {
				Items []struct {
					ID     string
					Events int
				}
				Total int
			}
			if err := json.Unmarshal(c.check(t, l, "/api/v1/contexts?query=actor==alice", http.StatusOK), &page); err != nil {
				t.Fatal(err)
			}
			if page.Total == contexts && page.Items[0].Events == events {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v, want %d contexts with %d events", page, contexts, events)
			}
		}
	}
	told := happened("alice", "delete pod", true)
	l.hub.Preview("default", []pipeline.Context{told})
	wait(1, 1)
	if e := to.next(); !strings.Contains(e.data, `"contexts":1,`) || !strings.Contains(e.data, `"clusters":["default"]`) || !strings.Contains(e.data, `"last":`) {
		t.Errorf("/live says %s", e.data)
	}
	c.check(t, l, "/api/v1/contexts/"+id, http.StatusOK)
	c.check(t, l, "/api/v1/contexts/"+id+"/events", http.StatusOK)
	c.check(t, l, "/api/v1/timeline", http.StatusOK)
	told.Events = 2
	l.hub.Preview("default", []pipeline.Context{told})
	wait(1, 2)

	w, err := store.Append(t.Context(), l.dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	told.Events = 3
	if err := w.Context(&told); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), &pipeline.Accounting{}); err != nil {
		t.Fatal(err)
	}
	wait(1, 3)
	l.hub.Publish("default", []pipeline.Context{told})
	other := happened("alice", "another", true)
	other.ID = "f6b3bdd1-3d3c-5a7b-8a0b-4e3c4a6d9f11"
	other.Start, other.End = other.Start.Add(time.Hour), other.End.Add(time.Hour)
	l.hub.Preview("default", []pipeline.Context{other})
	wait(2, 3)
}

// TestOverlayIsBounded tells of more than is shown.
func TestOverlayIsBounded(t *testing.T) {
	h := hub.New(3 * maxOverlaid)
	o := newOverlay()
	after := h.Newest()
	for n := range 3 * maxOverlaid {
		c := happened("a", "x", true)
		c.ID = fmt.Sprint(n)
		h.Preview("", []pipeline.Context{c})
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { o.listen(ctx, h, after); close(done) }()
	newest := [2]string{"", fmt.Sprint(3*maxOverlaid - 1)}
	for there := false; !there; time.Sleep(time.Millisecond) {
		o.mu.Lock()
		_, there = o.list[newest]
		o.mu.Unlock()
	}
	stop()
	<-done
	list, changed := o.take()
	if !changed || len(list) != maxOverlaid {
		t.Errorf("%d contexts, changed: %v", len(list), changed)
	}
	if _, there := o.list[newest]; !there {
		t.Error("the newest is forgotten")
	}
}

// TestLiveIsAsDescribed holds the data of the events to openapi.yaml.
func TestLiveIsAsDescribed(t *testing.T) {
	l, c := newLiveServer(t), newContract(t)
	to := l.listen(t, "?after=1", "")
	hostile := happened("<script>\r\ndata: x\n\nid: 7\n\u2028\u202e", "delete \x1b[2J", true)
	l.hub.Publish("default", []pipeline.Context{hostile})
	for _, want := range []struct{ name, schema string }{{"data", "Info"}, {"missed", "LiveMissed"}, {"context", "Context"}} {
		e := to.next()
		var value any
		if err := json.Unmarshal([]byte(e.data), &value); err != nil || e.name != want.name {
			t.Fatalf("event %s with %s: %v", e.name, e.data, err)
		}
		if err := c.doc.Components.Schemas[want.schema].Value.VisitJSON(value); err != nil {
			t.Errorf("event %s: %.500v", e.name, err)
		}
		if strings.ContainsAny(e.data, "<>\x1b\u2028\u202e") {
			t.Errorf("event %s is not escaped: %s", e.name, e.data)
		}
	}
	for target, want := range map[string]int{
		"/live?query=(": http.StatusBadRequest, "/live?after=x": http.StatusBadRequest, "/live?open=true": http.StatusBadRequest,
	} {
		c.check(t, l, "/api/v1"+target, want)
	}
	if w := ask(dayServer(t), http.MethodGet, "/api/v1/live", ""); w.Code != http.StatusNotFound {
		t.Errorf("without a hub: status %d", w.Code)
	}
	guarded := dayServer(t, func(o *Options) { o.Hub, o.Token = l.hub, strings.Repeat("t", 30) })
	if w := ask(guarded, http.MethodGet, "/api/v1/live", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("without the token: status %d", w.Code)
	}
}

// TestLiveIsBounded wants one client more than the bound to be refused, and the
// place of one that leaves to be free again.
func TestLiveIsBounded(t *testing.T) {
	l := newLiveServer(t)
	for len(l.live) < cap(l.live) {
		l.live <- struct{}{}
	}
	if w := ask(l, http.MethodGet, "/api/v1/live", ""); w.Code != http.StatusTooManyRequests {
		t.Errorf("status %d", w.Code)
	}
	<-l.live
	to := l.listen(t, "", "")
	to.next()
	to.body.Close()
	for len(l.live) == cap(l.live) {
		time.Sleep(time.Millisecond)
	}
}

// TestStale damages the data set, and wants the server to say that it cannot show
// what is new, and that it can again.
func TestStale(t *testing.T) {
	l := newLiveServer(t)
	manifest := filepath.Join(l.dir, "manifest.json")
	good, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		text  string
		stale bool
	}{{"{", true}, {string(good) + "\n", false}} {
		if err := os.WriteFile(manifest, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); (l.Stale() != nil) != tt.stale; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("stale: %v, want %v", l.Stale(), tt.stale)
			}
		}
	}
}

// TestRequestsKeepTheirDataSet has a request in flight while another data set
// takes the place of its own.
func TestRequestsKeepTheirDataSet(t *testing.T) {
	l := newLiveServer(t)
	old := l.take()
	if err := build(t.Context(), l.dir, store.KeepEvents, "../recordings/crowd.metadata.jsonl.zst"); err != nil {
		t.Fatal(err)
	}
	_, changed := l.newest()
	for now, _ := l.newest(); now == old.api; now, changed = l.newest() {
		<-changed
	}
	if n, err := old.count(t.Context(), "contexts", store.Where{}); err != nil || n != 0 {
		t.Errorf("%d contexts in the old data set (%v)", n, err)
	}
	now, _ := l.newest()
	if n, err := now.count(t.Context(), "contexts", store.Where{}); err != nil || n == 0 {
		t.Errorf("%d contexts in the new one (%v)", n, err)
	}
	l.drop(old)
	// The server did not open the first one, and leaves it alone.
	if _, err := old.count(t.Context(), "contexts", store.Where{}); err != nil {
		t.Error(err)
	}
}
