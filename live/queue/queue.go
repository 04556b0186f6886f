package queue

import (
	"context"
	"encoding/base32"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Options bound a Queue. The zero value of a field means its default.
type Options struct {
	// Dir is the folder of the queue's files, which is made where there is
	// none.
	Dir string
	// MaxBytes bounds what one stream takes on disk. Default 4 GiB.
	MaxBytes int64
	// MaxAge is how old the oldest message of a stream may be before more is
	// refused: whoever reads it does not keep up. Default 24 h.
	MaxAge time.Duration
	// MinFree is how many bytes must be free on the disk. Default 512 MiB.
	MinFree int64
	// SyncEvery is how often files are synced to the disk. The default, 0,
	// syncs before each acknowledgement. With another value a crash of the
	// machine, but not one of the process, can lose what was acknowledged in
	// that time.
	SyncEvery time.Duration
	// Log takes what a person who runs the program should know. Default is none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = 4 << 30
	}
	if o.MaxAge == 0 {
		o.MaxAge = 24 * time.Hour
	}
	if o.MinFree == 0 {
		o.MinFree = 512 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

const (
	// MaxBody bounds the Body of a Piece, in bytes.
	MaxBody = 16 << 20
	// maxPayload bounds a message: a body that zstd could not shrink, and its
	// head.
	maxPayload = MaxBody + 1<<20
	// startTime is how long the server may take to read its files.
	startTime = 2 * time.Minute
	// answerTime is how long the server may take to store a message before it
	// counts as one that failed. An API server waits for 30 s.
	answerTime = 20 * time.Second
	// repeatTime is how long a piece that is published again is recognised by
	// its bytes.
	repeatTime = 2 * time.Minute
)

// Queue holds the streams of all clusters. Its methods may be used by several
// goroutines at once.
type Queue struct {
	options Options
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	disk    diskGuard

	opening sync.Mutex // held by Stream

	mu       sync.Mutex
	core     *core
	broken   error          // why core is being replaced, nil when it is not
	renewed  chan struct{}  // closed when it was
	renewing sync.WaitGroup // watch and replace
	streams  map[string]*Stream
	closed   bool
	end      chan struct{} // closed by Close
	troubles chan trouble
}

// Open opens the queue in Options.Dir. Only one process may have it open. The
// caller closes it.
func Open(o Options) (*Queue, error) {
	q := &Queue{
		options: o.withDefaults(), streams: map[string]*Stream{},
		renewed: make(chan struct{}), end: make(chan struct{}), troubles: make(chan trouble, 1),
	}
	q.disk = diskGuard{dir: o.Dir, least: q.options.MinFree}
	if err := q.open(); err != nil {
		q.Close()
		return nil, fmt.Errorf("opening the queue in %s: %w", o.Dir, err)
	}
	return q, nil
}

func (q *Queue) open() (err error) {
	if err := os.MkdirAll(q.options.Dir, 0o700); err != nil {
		return err
	}
	if q.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)); err != nil {
		return err
	}
	if q.decoder, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxBody)); err != nil {
		return err
	}
	if q.core, err = openCore(q.options, q.troubles); err != nil {
		return err
	}
	q.renewing.Go(q.watch)
	return nil
}

// Close ends the queue. What was acknowledged stays on disk.
func (q *Queue) Close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.end)
	}
	q.mu.Unlock()
	q.renewing.Wait()
	if q.core != nil {
		q.core.close()
	}
	if q.decoder != nil {
		q.decoder.Close()
	}
}

const streamPrefix = "whet-"

var streamEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// streamName is a name that NATS and file systems take, whatever the cluster is
// called.
func streamName(cluster string) string {
	return streamPrefix + strings.ToLower(streamEncoding.EncodeToString([]byte(cluster)))
}

// Clusters names the clusters that the queue has streams of, empty ones too, in
// order: also those that nobody asked for since it was opened.
func (q *Queue) Clusters(ctx context.Context) ([]string, error) {
	c, broken := q.current()
	if broken != nil {
		return nil, fmt.Errorf("listing the streams of the queue: %w", broken)
	}
	var clusters []string
	list := c.js.StreamNames(ctx)
	for name := range list.Name() {
		code, ours := strings.CutPrefix(name, streamPrefix)
		cluster, err := streamEncoding.DecodeString(strings.ToUpper(code))
		if ours && err == nil {
			clusters = append(clusters, string(cluster))
		}
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("listing the streams of the queue: %w", err)
	}
	slices.Sort(clusters)
	return clusters, nil
}

// Stream gives the stream of a cluster, which is made where there is none.
func (q *Queue) Stream(ctx context.Context, cluster string) (*Stream, error) {
	q.opening.Lock()
	defer q.opening.Unlock()
	q.mu.Lock()
	s := q.streams[cluster]
	q.mu.Unlock()
	if s != nil {
		return s, nil
	}
	c, broken := q.current()
	if broken != nil {
		return nil, fmt.Errorf("opening the stream of cluster %q: %w", cluster, broken)
	}
	stream, err := c.stream(ctx, cluster, q.options)
	if err != nil {
		return nil, err
	}
	s = &Stream{queue: q, cluster: cluster, subject: streamName(cluster), changed: make(chan struct{})}
	q.mu.Lock()
	c.streams[cluster] = stream
	q.streams[cluster] = s
	q.mu.Unlock()
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	return s, nil
}
