package queue

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/whet-k8s/whet/pipeline"
)

// Stream holds the messages of one cluster. Its methods may be used by several
// goroutines at once.
type Stream struct {
	queue   *Queue
	cluster string
	subject string

	mu      sync.Mutex
	changed chan struct{} // closed when a message came
	last    uint64        // the number of the newest message that is known of
	oldest  time.Time     // when the oldest message came, zero without one
	failed  error         // why the last message was not stored
	failure time.Time     // when that was
}

// Message is what a stream holds under one number.
type Message struct {
	// Number counts the messages of the stream from 1.
	Number uint64
	// Published is when the message was stored.
	Published time.Time
	// Piece is a part of the log; its Body is empty in a Quiet note.
	Piece pipeline.Piece
	// Quiet is how long nothing had come when the note was published.
	Quiet time.Duration
}

// Stats tell how full a stream is.
type Stats struct {
	// Messages and Bytes count what is stored and not released.
	Messages uint64
	Bytes    uint64
	// First and Last are the numbers of the oldest and the newest message; of
	// an empty stream Last is that of the newest it had.
	First, Last uint64
	// Oldest is when the oldest message came, zero without one.
	Oldest time.Time
}

// FullError says that a stream takes nothing more for now. A source is to send
// again after RetryAfter; over HTTP that is 429 with Retry-After.
type FullError struct {
	Cluster    string
	Reason     string
	RetryAfter time.Duration
}

// Error says which cluster's stream is full, and why.
func (e *FullError) Error() string {
	return fmt.Sprintf("cannot take events of cluster %q for now: %s; try again in %v", e.Cluster, e.Reason, e.RetryAfter)
}

// retryAfter is when a refused source is to try again.
const retryAfter = 10 * time.Second

// ErrTooLarge says that a piece is larger than MaxBody.
var ErrTooLarge = errors.New("the piece is larger than the queue takes")

// head is what stands before the body in a message, as JSON with its length.
type head struct {
	Source string        `json:"source,omitempty"`
	Line   int           `json:"line,omitempty"`
	Quiet  time.Duration `json:"quiet,omitempty"`
}

// Publish stores a piece of the log and returns when it is on disk. One that
// was published before, with the same bytes, source and line within two
// minutes, is not stored again, and is no error. The error is a *FullError when
// the stream takes nothing for now, and ErrTooLarge. It may have stored the piece
// all the same when the disk failed, so that it is to be published again. A piece
// on its way is not given up when ctx ends.
func (s *Stream) Publish(ctx context.Context, p pipeline.Piece) error {
	if len(p.Body) > MaxBody {
		return fmt.Errorf("%w: %d bytes of %s, and at most %d", ErrTooLarge, len(p.Body), p.Source, MaxBody)
	}
	if err := s.age(); err != nil {
		return err
	}
	payload, err := s.queue.pack(head{Source: p.Source, Line: p.Line}, p.Body)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%d %q %d\n", len(p.Source), p.Source, p.Line)
	_, _ = sum.Write(p.Body)
	return s.publish(ctx, payload, jetstream.WithMsgID(hex.EncodeToString(sum.Sum(nil))))
}

// PublishQuiet stores a note that nothing has come for so long. Errors are
// those of Publish.
func (s *Stream) PublishQuiet(ctx context.Context, quiet time.Duration) error {
	payload, err := s.queue.pack(head{Quiet: quiet}, nil)
	if err != nil {
		return err
	}
	return s.publish(ctx, payload)
}

func (s *Stream) publish(ctx context.Context, payload []byte, options ...jetstream.PublishOpt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done, err := s.space(int64(len(payload)))
	defer done()
	if err != nil {
		return err
	}
	number, err := s.send(ctx, payload, options...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.failure = err, time.Now()
	if err == nil {
		s.last = max(s.last, number)
		if s.oldest.IsZero() {
			s.oldest = time.Now()
		}
	}
	// After an error the message may be there all the same.
	close(s.changed)
	s.changed = make(chan struct{})
	return err
}

// newest is the number of the newest message that is known of.
func (s *Stream) newest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// forgive forgets that a message was not stored, and has readers look again.
func (s *Stream) forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = nil
	close(s.changed)
	s.changed = make(chan struct{})
}

// failureTime is how long a message that was not stored counts as a sign that
// the next one will not be.
const failureTime = time.Minute

// Writable says why the stream would not take a piece now, nil when it would as
// far as can be known: the disk has room, what waits is not too much or too old,
// and the last piece was stored, or came long ago.
func (s *Stream) Writable(ctx context.Context) error {
	if err := s.age(); err != nil {
		return err
	}
	done, err := s.space(0)
	done()
	if err != nil {
		return err
	}
	if _, broken := s.queue.current(); broken != nil {
		return s.reopening(broken)
	}
	s.mu.Lock()
	failed, at := s.failed, s.failure
	s.mu.Unlock()
	if failed != nil && time.Since(at) < failureTime {
		return failed
	}
	stats, err := s.Stats(ctx)
	if err == nil && stats.Bytes >= uint64(s.queue.options.MaxBytes) {
		err = s.full("it has as many bytes as it may have")
	}
	return err
}

// send has the server store a message, and gives its number. When the server
// fails, another one is opened.
func (s *Stream) send(ctx context.Context, payload []byte, options ...jetstream.PublishOpt) (number uint64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	c, broken := s.queue.current()
	if broken != nil {
		return 0, s.reopening(broken)
	}
	ack, err := c.js.Publish(ctx, s.subject, payload, options...)
	if err == nil {
		return ack.Sequence, nil
	}
	var refused *jetstream.APIError
	if errors.As(err, &refused) && (refused.ErrorCode == codeNoResources ||
		refused.ErrorCode == codeStoreFailed && strings.Contains(refused.Description, fullOfBytes)) {
		return 0, s.full(refused.Description)
	}
	s.queue.fail(c, err)
	return 0, s.reopening(err)
}

// What NATS says (server/errors.json, server/store.go) of a message that is
// beyond the bounds of the stream. With codeStoreFailed it also says that it could
// not write.
const (
	codeNoResources = 10023
	codeStoreFailed = 10077
	fullOfBytes     = "maximum bytes exceeded"
)

func (s *Stream) full(reason string) *FullError {
	return &FullError{Cluster: s.cluster, RetryAfter: retryAfter, Reason: reason}
}

// reopening is the error while another server is being opened, and errClosed
// when none will be.
func (s *Stream) reopening(cause error) error {
	select {
	case <-s.queue.end:
		return errClosed
	default:
	}
	return s.full("the queue failed and is being opened again: " + cause.Error())
}

// space refuses what the disk has no room for. Until done is called the bytes
// count as being written.
func (s *Stream) space(bytes int64) (done func(), err error) {
	done, free, ok := s.queue.disk.take(bytes)
	if !ok {
		err = s.full(fmt.Sprintf("the disk has %d MiB free, and %d MiB must stay so", free>>20, s.queue.options.MinFree>>20))
	}
	return done, err
}

// age refuses more while what waits is too old.
func (s *Stream) age() error {
	s.mu.Lock()
	oldest := s.oldest
	s.mu.Unlock()
	if age := time.Since(oldest); !oldest.IsZero() && age > s.queue.options.MaxAge {
		return s.full(fmt.Sprintf("its oldest events have waited for %v", age.Round(time.Second)))
	}
	return nil
}

// lookAgain is how often Next looks for a message that nobody told it of: one
// that was stored although its sender was told otherwise.
const lookAgain = 5 * time.Second

// Next gives the first message whose number is larger than after, and waits
// for it where there is none yet. An error comes from ctx, or from the disk.
func (s *Stream) Next(ctx context.Context, after uint64) (*Message, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		var raw *jetstream.RawStreamMsg
		err := s.use(ctx, func(stream jetstream.Stream) (err error) {
			raw, err = stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(s.subject))
			return err
		})
		if err == nil {
			return s.queue.unpack(raw)
		}
		if !errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil, fmt.Errorf("reading the events of cluster %q after message %d: %w", s.cluster, after, err)
		}
		select {
		case <-changed:
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// leastFree is how much must be free for Release to try: a server that cannot
// write down what it removed fails.
const leastFree = 1 << 20

// Release removes the messages up to a number: what came of them is saved
// elsewhere. On a full disk it is a *FullError.
func (s *Stream) Release(ctx context.Context, upTo uint64) error {
	if free, known := freeBytes(s.queue.options.Dir); known && free < leastFree {
		return s.full("the disk is full, so that what is saved cannot be removed from the queue")
	}
	err := s.use(ctx, func(stream jetstream.Stream) error {
		return stream.Purge(ctx, jetstream.WithPurgeSequence(upTo+1))
	})
	if err != nil {
		return fmt.Errorf("releasing the events of cluster %q up to message %d: %w", s.cluster, upTo, err)
	}
	return s.look(ctx)
}

// GoOn has a stream that is empty count on after a number, which a reader has
// read up to: a number that was used before would be passed over.
func (s *Stream) GoOn(ctx context.Context, after uint64) error {
	err := s.use(ctx, func(stream jetstream.Stream) error { return goOn(ctx, stream, after) })
	if err != nil {
		return fmt.Errorf("cluster %q: %w", s.cluster, err)
	}
	return s.look(ctx)
}

// look finds out when the oldest message came.
func (s *Stream) look(ctx context.Context) error {
	stats, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest = stats.Oldest
	s.last = max(s.last, stats.Last)
	return nil
}

// Stats tells how full the stream is.
func (s *Stream) Stats(ctx context.Context) (Stats, error) {
	var info *jetstream.StreamInfo
	err := s.use(ctx, func(stream jetstream.Stream) (err error) {
		info, err = stream.Info(ctx)
		return err
	})
	if err != nil {
		return Stats{}, fmt.Errorf("looking at the stream of cluster %q: %w", s.cluster, err)
	}
	st := Stats{Messages: info.State.Msgs, Bytes: info.State.Bytes, First: info.State.FirstSeq, Last: info.State.LastSeq}
	if st.Messages > 0 {
		st.Oldest = info.State.FirstTime
	}
	return st, nil
}

// pack makes the bytes of a message.
func (q *Queue) pack(h head, body []byte) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("describing events of %s: %w", h.Source, err)
	}
	b := binary.AppendUvarint(nil, uint64(len(text)))
	b = append(b, text...)
	if len(body) == 0 {
		return b, nil
	}
	return q.encoder.EncodeAll(body, b), nil
}

var errMessage = errors.New("a message of the queue is not what whet wrote")

// unpack reads a message.
func (q *Queue) unpack(raw *jetstream.RawStreamMsg) (*Message, error) {
	length, n := binary.Uvarint(raw.Data)
	if n <= 0 || length > uint64(len(raw.Data)-n) {
		return nil, fmt.Errorf("message %d: %w", raw.Sequence, errMessage)
	}
	var h head
	if err := json.Unmarshal(raw.Data[n:n+int(length)], &h); err != nil {
		return nil, fmt.Errorf("message %d: %w: %w", raw.Sequence, errMessage, err)
	}
	m := &Message{Number: raw.Sequence, Published: raw.Time, Piece: pipeline.Piece{Source: h.Source, Line: h.Line}, Quiet: h.Quiet}
	if packed := raw.Data[n+int(length):]; len(packed) > 0 {
		body, err := q.decoder.DecodeAll(packed, nil)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w: %w", raw.Sequence, errMessage, err)
		}
		m.Piece.Body = body
	}
	return m, nil
}
