package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// The bounds of answers of /live.
const (
	// maxLive bounds how many go on at once.
	maxLive = 256
	// liveTime is how long one goes on; the client then comes back, and whether
	// it still may is looked at again.
	liveTime = 15 * time.Minute
	// liveWrite is how long the client may take to read what it is sent.
	liveWrite = 20 * time.Second
	// liveBeat is how often something is sent when nothing happens, so that
	// neither side takes the other for gone.
	liveBeat = 15 * time.Second
	// liveRetry is how long a client waits before it comes back, in
	// milliseconds.
	liveRetry = 2000
)

// liveContext is a context while it happens.
type liveContext struct {
	*contextAnswer

	Open bool `json:"open"`
}

// missedAnswer says how much a client cannot have any more.
type missedAnswer struct {
	Missed uint64 `json:"missed"`
}

// filter is what a client of /live wants.
type filter struct {
	expr    *query.Expr
	cluster string
	which   string // which contexts, one of the words below
	after   uint64 // the id of the last update that it had
}

// The values of the parameter contexts.
const (
	allContexts    = "all"
	closedContexts = "closed" // those that have closed
	noContexts     = "none"   // news of the data set alone
)

// filterOf reads the parameters of /live.
func (s *Server) filterOf(p *params) (filter, error) {
	f := filter{
		expr: p.expr("query", query.Contexts), cluster: p.text("cluster", maxName),
		which: p.choice("contexts", allContexts, closedContexts, noContexts),
	}
	f.after = s.options.Hub.Newest()
	last, name := p.text("after", maxName), "after"
	if header := p.request.Header.Get("Last-Event-ID"); header != "" {
		last, name = header, "Last-Event-ID"
	}
	if last != "" {
		id, err := strconv.ParseUint(last, 10, 64)
		if err != nil {
			p.fail(badParameter(name, "it is no id that this server gave"))
		}
		f.after = id
	}
	return f, p.done()
}

func (f *filter) wants(c *store.Context, open bool) bool {
	switch {
	case f.which == noContexts, f.which == closedContexts && open, f.cluster != "" && f.cluster != c.Cluster:
		return false
	}
	return f.expr.Context(c)
}

// answerLive answers /live with server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html) until the
// client leaves, or for liveTime.
func (s *Server) answerLive(w http.ResponseWriter, r *http.Request) {
	if p := s.sessions.refusal(r); p != nil {
		refuse(w, p)
		return
	}
	if s.options.Hub == nil {
		writeProblem(w, notFound("whet serve --config shows what happens now", "this server shows a data set that does not grow"))
		return
	}
	f, err := s.filterOf(paramsOf(r))
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	select {
	case s.live <- struct{}{}:
		defer func() { <-s.live }()
	default:
		writeProblem(w, &problem{status: http.StatusTooManyRequests, Message: "too many clients listen at once"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), liveTime)
	defer cancel()
	sending := &sending{w: w, control: http.NewResponseController(w)}
	// The server's bounds are for answers that end. A writer that cannot lift
	// them is bounded by them, and the client comes back.
	_ = sending.control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	// A proxy must pass on what comes as it comes.
	w.Header().Set("X-Accel-Buffering", "no")
	// Who does not read any more needs no error.
	_ = s.sendLive(ctx, sending, f)
}

// sendLive sends what the data set holds whenever it changed, and contexts as
// they are published, until ctx ends or the client does not read.
func (s *Server) sendLive(ctx context.Context, to *sending, f filter) error {
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	updates := make(chan hub.Update)
	go func() {
		for u := range s.options.Hub.Subscribe(ctx, f.after) {
			select {
			case updates <- u:
			case <-ctx.Done():
			}
		}
	}()
	fmt.Fprintf(&to.text, "retry: %d\n", liveRetry)
	now, changed := s.newest()
	to.event("data", f.after, now.facts.Load())
	for {
		if err := to.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.ended:
			return nil
		case <-beat.C:
			// The id alone, so that a client comes back to what it has not seen
			// also when nothing was for it.
			fmt.Fprintf(&to.text, "id: %d\n\n", max(to.seen, f.after))
		case <-changed:
			now, changed = s.newest()
			to.event("data", 0, now.facts.Load())
		case u := <-updates:
			to.update(&u, &f)
		}
		to.more(updates, &f)
	}
}

// sending writes server-sent events.
type sending struct {
	w       http.ResponseWriter
	control *http.ResponseController
	text    bytes.Buffer
	seen    uint64 // the id of the last update
	err     error
}

// maxAtOnce is how many bytes are collected before they are sent.
const maxAtOnce = 64 << 10

// more collects the updates that are there already.
func (o *sending) more(updates <-chan hub.Update, f *filter) {
	for o.text.Len() < maxAtOnce {
		select {
		case u := <-updates:
			o.update(&u, f)
		default:
			return
		}
	}
}

// update writes an update, where the client wants it.
func (o *sending) update(u *hub.Update, f *filter) {
	o.seen = u.ID
	if u.Missed > 0 && f.which != noContexts {
		o.event("missed", u.ID-1, missedAnswer{u.Missed})
	}
	c := &store.Context{Context: u.Context, Cluster: u.Cluster}
	if f.wants(c, u.Context.Open) {
		o.event("context", u.ID, liveContext{newContextAnswer(c), u.Context.Open})
	}
}

// event writes an event; an id of 0 leaves the client where it is.
func (o *sending) event(name string, id uint64, value any) {
	body, err := encode(value)
	if err != nil {
		o.err = err
		return
	}
	if id > 0 {
		fmt.Fprintf(&o.text, "id: %d\n", id)
	}
	// encode gives one line: JSON escapes every character that ends one.
	fmt.Fprintf(&o.text, "event: %s\ndata: %s\n\n", name, strings.TrimSuffix(string(body), "\n"))
}

// flush sends what was written.
func (o *sending) flush() error {
	if o.err != nil || o.text.Len() == 0 {
		return o.err
	}
	_ = o.control.SetWriteDeadline(time.Now().Add(liveWrite))
	if _, err := o.w.Write(o.text.Bytes()); err != nil {
		return err
	}
	o.text.Reset()
	return o.control.Flush()
}
