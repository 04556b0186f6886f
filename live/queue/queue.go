package queue

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
	// answerTime is how long the server may take for a request that its caller
	// has set no limit for.
	answerTime = 30 * time.Second
	// repeatTime is how long a piece that is published again is recognised by
	// its bytes.
	repeatTime = 2 * time.Minute
)

// Queue holds the streams of all clusters. Its methods may be used by several
// goroutines at once.
type Queue struct {
	options Options
	server  *server.Server
	conn    *nats.Conn
	js      jetstream.JetStream
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	disk    diskGuard

	mu      sync.Mutex
	streams map[string]*Stream
}

// Open opens the queue in Options.Dir. Only one process may have it open. The
// caller closes it.
func Open(o Options) (*Queue, error) {
	q := &Queue{options: o.withDefaults(), streams: map[string]*Stream{}}
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
	q.server, err = server.NewServer(&server.Options{
		ServerName: "whet", DontListen: true, NoLog: true, NoSigs: true, MaxPayload: maxPayload,
		JetStream: true, StoreDir: q.options.Dir,
		SyncAlways: q.options.SyncEvery == 0, SyncInterval: q.options.SyncEvery,
	})
	if err != nil {
		return err
	}
	q.server.Start()
	if !q.server.ReadyForConnections(startTime) {
		return errors.New("the queue did not become ready")
	}
	if q.conn, err = nats.Connect("", nats.InProcessServer(q.server), nats.MaxReconnects(-1)); err != nil {
		return err
	}
	q.js, err = jetstream.New(q.conn)
	return err
}

// Close ends the queue. What was acknowledged stays on disk.
func (q *Queue) Close() {
	if q.conn != nil {
		q.conn.Close()
	}
	if q.server != nil {
		q.server.Shutdown()
		q.server.WaitForShutdown()
	}
	if q.decoder != nil {
		q.decoder.Close()
	}
}

// streamName is a name that NATS and file systems take, whatever the cluster is
// called.
func streamName(cluster string) string {
	return "whet-" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(cluster)))
}

// Stream gives the stream of a cluster, which is made where there is none.
func (q *Queue) Stream(ctx context.Context, cluster string) (*Stream, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s := q.streams[cluster]; s != nil {
		return s, nil
	}
	name := streamName(cluster)
	stream, err := q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: q.options.MaxBytes,
		Duplicates: repeatTime, AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the stream of cluster %q: %w", cluster, err)
	}
	s := &Stream{queue: q, cluster: cluster, subject: name, stream: stream, changed: make(chan struct{})}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	q.streams[cluster] = s
	return s, nil
}
