package webhook

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/whet-k8s/whet/internal/quiet"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/queue"
)

// Path is where a Handler is to be mounted: http.ServeMux.Handle(Path, handler).
const Path = "/ingest/"

// Options say what a Handler works with.
type Options struct {
	// Stream gives the stream of a cluster, false for an unknown one.
	Stream func(cluster string) (*queue.Stream, bool)
	// Auth tells who sends.
	Auth *auth.Authenticator
	// Limits bound what is taken.
	Limits Limits
	// Log takes what a person who runs the server should know. Default is none.
	Log *slog.Logger
	// Now tells the time; nil is time.Now.
	Now func() time.Time
}

// Limits bound what a Handler takes. The zero value of a field means its
// default.
type Limits struct {
	// Body bounds a body in bytes, as it is sent, and what comes of a
	// compressed one. Default 64 MiB.
	Body int64
	// Ratio bounds how many bytes one byte of a compressed body may become, of
	// all beyond the first MiB. Default 100.
	Ratio int64
	// Memory bounds the bytes of all bodies that are being taken. Default
	// 256 MiB.
	Memory int64
	// Concurrent bounds how many bodies of one client are taken at once; others
	// wait. Default 16.
	Concurrent int
	// BodyTime is how long a body may take to come. Default 30 s.
	BodyTime time.Duration
	// WaitTime is how long a body waits for its turn before it is refused.
	// Default 5 s.
	WaitTime time.Duration
	// EventsPerSecond bounds what one client sends on average, in events a
	// second; a body that is refused counts as one event a KiB. Ten seconds'
	// worth may come at once. Default is no bound.
	EventsPerSecond float64
	// Ahead is how far ahead of this server's clock an event's time may be.
	// Default 1 h.
	Ahead time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Body = cmp.Or(l.Body, 64<<20)
	l.Ratio = cmp.Or(l.Ratio, 100)
	l.Memory = cmp.Or(l.Memory, 256<<20)
	l.Concurrent = cmp.Or(l.Concurrent, 16)
	l.BodyTime = cmp.Or(l.BodyTime, 30*time.Second)
	l.WaitTime = cmp.Or(l.WaitTime, 5*time.Second)
	l.Ahead = cmp.Or(l.Ahead, time.Hour)
	return l
}

// Handler takes events over HTTP.
type Handler struct {
	options Options
	memory  *semaphore.Weighted
	bodies  sync.Pool // of *body
	counts  counts
	quiet   *quiet.Quiet

	mu      sync.Mutex
	clients map[string]*sender // by the name of the client
}

// sender is what is known of a client that has sent something.
type sender struct {
	turns  chan struct{}
	budget budget
}

// New makes a Handler.
func New(o Options) *Handler {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Handler{
		options: o, memory: semaphore.NewWeighted(o.Limits.Memory), clients: map[string]*sender{},
		counts: counts{clusters: map[string]*Stats{}}, quiet: quiet.New(o.Now),
	}
}

// ServeHTTP takes the body of one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	// A body that is refused unread has to come in time, too. A connection
	// without deadlines, as in a test, has nobody slow on it.
	_ = control.SetReadDeadline(time.Now().Add(h.options.Limits.BodyTime))
	d, err := h.admit(r)
	if err == nil {
		err = h.take(w, r, d)
	}
	if err == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	h.refuse(w, r, d, err)
}

// delivery is a body on its way.
type delivery struct {
	client  string // "" when it is not known
	cluster string // "" when it is none of ours
	stream  *queue.Stream
	sender  *sender
}

// admit looks at everything but the body.
func (h *Handler) admit(r *http.Request) (*delivery, error) {
	d := &delivery{}
	if r.Method != http.MethodPost {
		return d, &refusal{status: http.StatusMethodNotAllowed, reason: ReasonMethod, text: "events are sent by POST, not by " + quote(r.Method)}
	}
	who, err := h.options.Auth.Identify(r)
	if err != nil {
		return d, &refusal{status: http.StatusUnauthorized, reason: ReasonCredential, text: err.Error()}
	}
	d.client = who.Name
	name := strings.TrimPrefix(r.URL.Path, Path)
	if !clusterName(name) {
		return d, &refusal{status: http.StatusBadRequest, reason: ReasonCluster, text: quote(name) +
			" is no name of a cluster: send to " + Path + "CLUSTER, with letters, digits, dots, dashes and underscores, at most 64"}
	}
	if !who.MayIngest(name) {
		return d, &refusal{status: http.StatusForbidden, reason: ReasonForbidden, text: fmt.Sprintf("client %s may not send events of cluster %s", who.Name, name)}
	}
	stream, ok := h.options.Stream(name)
	if !ok {
		return d, &refusal{status: http.StatusNotFound, reason: ReasonCluster, text: fmt.Sprintf("this server has no cluster %s", name)}
	}
	d.cluster, d.stream, d.sender = name, stream, h.sender(who.Name)
	return d, checkHeader(r.Header)
}

// maxCluster bounds a cluster's name, as package store does.
const maxCluster = 64

func clusterName(s string) bool {
	return s != "" && len(s) <= maxCluster && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

func (h *Handler) sender(client string) *sender {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.clients[client]
	if s == nil {
		s = &sender{
			turns:  make(chan struct{}, h.options.Limits.Concurrent),
			budget: budget{rate: h.options.Limits.EventsPerSecond, now: h.options.Now},
		}
		h.clients[client] = s
	}
	return s
}

// take reads the body and stores its events.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, d *delivery) error {
	if wait := d.sender.budget.wait(); wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, reason: ReasonRate, retry: wait, text: fmt.Sprintf(
			"client %s sends more than %g events a second", d.client, h.options.Limits.EventsPerSecond)}
	}
	leave, err := h.enter(r.Context(), d)
	if err != nil {
		return err
	}
	defer leave()
	b := h.newBody()
	defer h.freeBody(b)
	cost := 0
	defer func() { d.sender.budget.spend(float64(max(cost, 1))) }()
	if err = b.read(w, r, h.options.Limits); err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		err = b.split(h.options.Now().Add(h.options.Limits.Ahead))
	}
	h.counts.body(d.cluster, len(b.data), b.events)
	if err != nil {
		cost = len(b.data) >> 10
		return err
	}
	cost = b.events
	return h.publish(r.Context(), d, b)
}

// enter waits for the client's turn.
func (h *Handler) enter(ctx context.Context, d *delivery) (leave func(), err error) {
	leave = func() { <-d.sender.turns }
	select {
	case d.sender.turns <- struct{}{}:
		return leave, nil
	default:
	}
	late := time.NewTimer(h.options.Limits.WaitTime)
	defer late.Stop()
	select {
	case d.sender.turns <- struct{}{}:
		return leave, nil
	case <-late.C:
		return nil, &refusal{status: http.StatusTooManyRequests, reason: ReasonBusy, retry: h.options.Limits.WaitTime, text: fmt.Sprintf(
			"%d bodies of client %s are being taken already", h.options.Limits.Concurrent, d.client)}
	case <-ctx.Done():
		return nil, &refusal{status: http.StatusRequestTimeout, reason: ReasonCut, text: "the client went away while it waited for its turn"}
	}
}

// publish stores the lines of a body.
func (h *Handler) publish(ctx context.Context, d *delivery, b *body) error {
	stored := 0
	for _, p := range b.pieces {
		if err := d.stream.Publish(ctx, p.piece("webhook/"+d.client)); err != nil {
			return publishRefusal(err)
		}
		stored += p.events
	}
	if b.future != nil {
		return b.future
	}
	h.counts.acknowledged(d.cluster, stored, h.options.Now())
	return nil
}

func publishRefusal(err error) error {
	var full *queue.FullError
	switch {
	case errors.As(err, &full):
		return &refusal{status: http.StatusTooManyRequests, reason: ReasonFull, retry: full.RetryAfter, text: err.Error()}
	case errors.Is(err, queue.ErrTooLarge):
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: ReasonTooLarge, text: err.Error()}
	case errors.Is(err, context.Canceled):
		return &refusal{status: http.StatusRequestTimeout, reason: ReasonCut, text: "the client went away before its events were stored"}
	}
	const retry = 10 * time.Second
	return &refusal{status: http.StatusServiceUnavailable, reason: ReasonFailed, retry: retry, text: "the events could not be stored: " + err.Error()}
}

// Server makes an http.Server with bounds on what comes before a body: 32 KiB of
// headers, ten seconds for them and for the TLS handshake, and two minutes for a
// connection that sends nothing. Config may be nil. What goes wrong on a
// connection, such as a certificate that nobody issued, goes to log.
func Server(handler http.Handler, config *tls.Config, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, TLSConfig: config,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
