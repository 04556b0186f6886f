package server

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/store"
)

//go:embed openapi.yaml
var openAPI []byte

// The bounds of a server, in time.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 15 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 3 * time.Second
	// writeSlack is what writing an answer may take beyond finding it.
	writeSlack = time.Minute
	// maxHeader bounds the request line and the headers, in bytes: a query of
	// maxQuery bytes may be three times as long when it is escaped.
	maxHeader = 64 << 10
)

// Options say how a server works. Listen is needed; else the zero value is
// good.
type Options struct {
	// Assets are the files of the web app, with index.html; nil serves the API
	// alone.
	Assets fs.FS
	// Listen is the address that the server listens on, by which it knows its
	// names. Hosts are more names that it answers to.
	Listen string
	Hosts  []string
	// Token is what clients must send, "" for nothing.
	Token string
	// Reader judges requests in place of Token: an error says why a request may
	// not read, and is answered. One that wraps ErrForbidden becomes 403, others
	// 401. It is asked with each one; for a session of the app with the token
	// that the session began with, as Authorization.
	Reader func(*http.Request) error
	// TLS tells that clients come over TLS alone.
	TLS bool

	// Version is that of the program, and Source what the user named: logs or
	// a folder. Both are shown.
	Version string
	Source  []string
	// Warnings are shown beside those of the data set.
	Warnings []string

	// Queries bounds the queries that run at once; 0 means as many as there
	// are processors. QueryTime bounds each; 0 means 10 s.
	Queries   int
	QueryTime time.Duration
	// Policy is the noise policy whose rules are explained; nil means
	// noise.Default.
	Policy *noise.Policy

	// Hub tells of contexts while they happen; nil where nothing does.
	Hub *hub.Hub
	// Reload is how often Watch looks whether the data set changed; 0 means
	// 500 ms.
	Reload time.Duration
	// Log takes what a person who runs the server should know. Default is none.
	Log *slog.Logger
}

// Server answers requests about a data set. It is an http.Handler.
type Server struct {
	options  Options
	labels   *label.Codec
	policy   *noise.Policy
	gate     *gate
	packer   *packer
	sessions *sessions
	handler  http.Handler
	// live bounds the answers of /live that go on at once.
	live chan struct{}

	mu      sync.Mutex
	current *shown
	changed chan struct{} // closed when another data set is shown
	stale   error         // why Watch cannot show what is new
	ended   chan struct{} // closed when Watch ends
	// overlay is what the hub tells, after the update that begun is the id of.
	overlay *overlay
	begun   uint64
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// api answers from one opening of a data set.
type api struct {
	data    *store.DataSet
	options *Options
	labels  *label.Codec
	policy  *noise.Policy
	facts   atomic.Pointer[infoAnswer]
	stats   *store.Stats
}

// maxHeld bounds the contexts that are held in memory, about a kilobyte each.
// Asking more of them takes longer, and no more memory.
const maxHeld = 100_000

// New makes a server for a data set, which it neither closes nor changes on
// disk. It reads the contexts of one that is not large into memory first.
func New(ctx context.Context, data *store.DataSet, o Options) (*Server, error) {
	packer, err := newPacker()
	if err != nil {
		return nil, err
	}
	var files *assets
	if o.Assets != nil {
		if files, err = newAssets(o.Assets, packer); err != nil {
			return nil, err
		}
	}
	o.QueryTime = cmp.Or(o.QueryTime, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	queries := cmp.Or(o.Queries, runtime.GOMAXPROCS(0))
	policy := o.Policy
	if policy == nil {
		policy = noise.Default()
	}
	s := &Server{
		options: o, labels: label.New(label.Options{}), policy: policy,
		gate: newGate(queries, 16*queries), packer: packer, sessions: newSessions(o.Token, o.TLS, o.Reader),
		live: make(chan struct{}, maxLive), changed: make(chan struct{}), ended: make(chan struct{}),
		overlay: newOverlay(),
	}
	a, err := s.look(ctx, data, maxHeld)
	if err != nil {
		return nil, err
	}
	s.current = &shown{api: a, uses: 1}
	if o.Hub != nil {
		s.begun = o.Hub.Newest()
	}
	mux := http.NewServeMux()
	s.routes(mux)
	for _, path := range []string{"/api", "/api/"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			writeProblem(w, notFound("see /api/v1/openapi.yaml", "the API has no %s", quoteName(r.URL.Path)))
		})
	}
	if files != nil {
		mux.Handle("/", files)
	}
	s.handler = &guard{hosts: hostsOf(o.Listen, o.Hosts), next: mux}
	return s, nil
}

// look makes the api of a data set, of whose contexts it holds up to a number.
func (s *Server) look(ctx context.Context, data *store.DataSet, held int) (*api, error) {
	a := &api{data: data, options: &s.options, labels: s.labels, policy: s.policy}
	if _, err := data.HoldContexts(ctx, held); err != nil {
		return nil, err
	}
	facts, err := a.findFacts(ctx)
	a.facts.Store(facts)
	return a, err
}

// answerer finds an answer: a value that becomes JSON.
type answerer func(a *api, ctx context.Context, p *params) (any, error)

// answerers are the paths whose answers are JSON.
func answerers() map[string]answerer {
	return map[string]answerer{
		"/info":                  (*api).info,
		"/contexts":              (*api).listContexts,
		"/contexts/{id}":         (*api).getContext,
		"/contexts/{id}/events":  (*api).contextEvents,
		"/contexts/{id}/graph":   (*api).contextGraph,
		"/contexts/{id}/objects": (*api).contextObjects,
		"/timeline":              (*api).timeline,
		"/facets":                (*api).facets,
		"/fields":                (*api).fields,
		"/values":                (*api).fieldValues,
		"/parse":                 (*api).parse,
		"/events":                (*api).listEvents,
		"/events/{auditID}":      (*api).getEvent,
		"/objects":               (*api).searchObjects,
		"/objects/revision":      (*api).revision,
		"/events/{auditID}/raw":  (*api).rawEvent,
		"/object":                (*api).object,
		"/why":                   (*api).why,
		"/noise":                 (*api).noise,
		"/noise/{rule}/events":   (*api).noiseEvents,
	}
}

// routes registers every path of openapi.yaml.
func (s *Server) routes(mux *http.ServeMux) {
	for path, answer := range answerers() {
		mux.Handle("GET /api/v1"+path, s.answer(answer))
	}
	mux.Handle("GET /api/v1/contexts.jsonl", s.stream((*api).streamContexts))
	mux.Handle("GET /api/v1/events.jsonl", s.stream((*api).streamEvents))
	mux.HandleFunc("GET /api/v1/live", s.answerLive)
	mux.HandleFunc("GET /api/v1/session", s.sessions.get)
	mux.HandleFunc("POST /api/v1/session", s.sessions.begin)
	mux.HandleFunc("DELETE /api/v1/session", s.sessions.end)
	mux.HandleFunc("GET /api/v1/openapi.yaml", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		s.packer.write(w, r, openAPI)
	})
}

// answer makes a handler of an answerer: it asks for the token, waits for a
// turn, and bounds the time.
func (s *Server) answer(find answerer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := s.sessions.refusal(r); p != nil {
			refuse(w, p)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.options.QueryTime)
		defer cancel()
		body, err := s.find(ctx, r, find)
		if err != nil {
			writeProblem(w, problemOf(cmp.Or(ctx.Err(), err)))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		s.packer.write(w, r, body)
	})
}

func (s *Server) find(ctx context.Context, r *http.Request, find answerer) ([]byte, error) {
	leave, err := s.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	shown := s.take()
	defer s.drop(shown)
	value, err := find(shown.api, ctx, paramsOf(r))
	if err != nil {
		return nil, err
	}
	return encode(value)
}

// Serve runs a handler on a listener until ctx ends, and then gives the
// requests in progress a moment. It closes the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s := &http.Server{
		Handler: handler, BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: streamTime + writeSlack, MaxHeaderBytes: maxHeader,
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		stop() // ends the queries of those that took too long
		err = s.Close()
		if err != nil {
			return fmt.Errorf("stopping the server: %w", err)
		}
	}
	<-done //nolint:errcheck // It is http.ErrServerClosed.
	return nil
}
