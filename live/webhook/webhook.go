package webhook

import (
	"log/slog"
	"net/http"
	"time"

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
	// Body bounds a body in bytes, as it is sent and, compressed, as what it
	// holds. Default 64 MiB.
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
	// second. Default is no bound.
	EventsPerSecond float64
	// Ahead is how far ahead of this server's clock an event's time may be.
	// Default 1 h.
	Ahead time.Duration
}

// Handler takes events over HTTP.
type Handler struct{}

// New makes a Handler.
func New(o Options) *Handler { return &Handler{} }

// ServeHTTP takes the body of one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Stats count what came for one cluster since the Handler was made.
type Stats struct {
	// Bodies and Bytes count what was read, Bytes after decompression.
	Bodies, Bytes int64
	// Received counts the events in EventLists, Acknowledged those of them that
	// are stored and answered so, repeated ones too.
	Received, Acknowledged int64
	// Refused counts the bodies that were not acknowledged, by why.
	Refused map[Reason]int64
	// Last is when events were acknowledged last, zero before.
	Last time.Time
}

// Reason is why a body was refused.
type Reason string

// Stats gives the counts by cluster; those of bodies for no known cluster stand
// under "".
func (h *Handler) Stats() map[string]Stats { return nil }
