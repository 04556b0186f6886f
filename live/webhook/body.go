package webhook

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/semaphore"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// checkHeader looks at what kind of body a request says it has.
func checkHeader(head http.Header) error {
	if kind, _, err := mime.ParseMediaType(head.Get("Content-Type")); err != nil || kind != "application/json" {
		return &refusal{status: http.StatusUnsupportedMediaType, reason: ReasonType, text: "an EventList is sent as application/json, not as " + quote(head.Get("Content-Type"))}
	}
	switch encoding := head.Get("Content-Encoding"); encoding {
	case "", "identity", "gzip":
		return nil
	default:
		return &refusal{status: http.StatusUnsupportedMediaType, reason: ReasonType, text: "a body may be compressed with gzip, not with " + quote(encoding)}
	}
}

// body is a request's body on its way to the queue. Its memory is used again.
type body struct {
	memory *semaphore.Weighted
	held   int64 // of memory
	data   []byte
	lines  []byte
	gzip   gzip.Reader

	events int // items of the list
	pieces []part
	future error // why some events are not among the pieces
}

// part is some lines of a body, few enough for the queue.
type part struct {
	lines  []byte
	events int
}

func (p part) piece(source string) pipeline.Piece {
	return pipeline.Piece{Source: source, Line: 1, Body: p.lines}
}

// maxSpare bounds the memory that is kept for another body, in bytes.
const maxSpare = 8 << 20

func (h *Handler) newBody() *body {
	b, ok := h.bodies.Get().(*body)
	if !ok {
		b = &body{memory: h.memory}
	}
	return b
}

func (h *Handler) freeBody(b *body) {
	h.memory.Release(b.held)
	if cap(b.data) > maxSpare || cap(b.lines) > maxSpare {
		return
	}
	clear(b.pieces)
	b.held, b.data, b.lines, b.pieces, b.events, b.future = 0, b.data[:0], b.lines[:0], b.pieces[:0], 0, nil
	h.bodies.Put(b)
}

// counter counts the bytes that a reader gives.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// read reads and decompresses a request's body.
func (b *body) read(w http.ResponseWriter, r *http.Request, l Limits) error {
	if r.ContentLength > l.Body {
		return tooLarge(fmt.Sprintf("the body has %d bytes, and at most %d are taken", r.ContentLength, l.Body))
	}
	sent := &counter{r: http.MaxBytesReader(w, r.Body, l.Body)}
	var from io.Reader = sent
	most := func() int64 { return l.Body }
	if r.Header.Get("Content-Encoding") == "gzip" {
		if err := b.gzip.Reset(sent); err != nil {
			return b.readRefusal(err, l)
		}
		from = &b.gzip
		most = func() int64 { return min(l.Body, 1<<20+sent.n*l.Ratio) }
	}
	if err := b.fill(from, min(r.ContentLength, 1<<20), most); err != nil {
		return b.readRefusal(err, l)
	}
	return nil
}

var (
	errTooMuch = errors.New("the body becomes too large when it is decompressed")
	errMemory  = errors.New("too many large bodies are being taken at once")
)

// fill reads everything into b.data, as long as that stays within most and the
// memory of all bodies.
func (b *body) fill(from io.Reader, expected int64, most func() int64) error {
	if err := b.grow(max(expected+1, 4<<10)); err != nil {
		return err
	}
	for {
		if len(b.data) == cap(b.data) {
			if err := b.grow(2 * int64(cap(b.data))); err != nil {
				return err
			}
		}
		n, err := from.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if int64(len(b.data)) > most() {
			return errTooMuch
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// grow makes room for so many bytes in all.
func (b *body) grow(size int64) error {
	size = max(size, int64(cap(b.data)))
	if !b.memory.TryAcquire(size - b.held) {
		return errMemory
	}
	b.held = size
	if size > int64(cap(b.data)) {
		b.data = append(make([]byte, 0, size), b.data...)
	}
	return nil
}

// readRefusal says what was wrong with reading.
func (b *body) readRefusal(err error, l Limits) error {
	var large *http.MaxBytesError
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &large):
		return tooLarge(fmt.Sprintf("the body has more than %d bytes", large.Limit))
	case errors.Is(err, errTooMuch):
		return tooLarge(fmt.Sprintf("the body becomes more than %d bytes, or more than %d times as many as it has", l.Body, l.Ratio))
	case errors.Is(err, errMemory):
		return &refusal{status: http.StatusTooManyRequests, reason: ReasonBusy, retry: time.Second, text: err.Error()}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{status: http.StatusRequestTimeout, reason: ReasonSlow, text: fmt.Sprintf("the body took longer than %v to come", l.BodyTime)}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return &refusal{status: http.StatusBadRequest, reason: ReasonNoList, text: "the body is no gzip: " + err.Error()}
	}
	return &refusal{status: http.StatusBadRequest, reason: ReasonCut, text: "the body ends too early: " + err.Error()}
}

func tooLarge(text string) error {
	return &refusal{status: http.StatusRequestEntityTooLarge, reason: ReasonTooLarge, text: text +
		"; lower --audit-webhook-batch-max-size, or set --audit-webhook-truncate-enabled"}
}

// split makes lines of the list that was read, and leaves out what is later
// than a time.
func (b *body) split(until time.Time) error {
	list, err := audit.ReadList(b.data)
	if err != nil {
		return &refusal{status: http.StatusBadRequest, reason: ReasonNoList, text: err.Error()}
	}
	b.events = len(list.Items)
	future, first := 0, ""
	start, events := 0, 0
	cut := func(end int) {
		if events > 0 {
			b.pieces = append(b.pieces, part{b.lines[start:end:end], events})
		}
		start, events = end, 0
	}
	// Lines are a little longer than items. What was cut off before a growth
	// stays as it is.
	for i := range list.Items {
		item := &list.Items[i]
		if when := item.Latest(); when.After(until) {
			if future++; first == "" {
				first = fmt.Sprintf("item %d is from %s", i+1, when.Format(time.RFC3339))
			}
			continue
		}
		before := len(b.lines)
		b.lines = list.AppendLine(b.lines, item)
		if len(b.lines)-before > queue.MaxBody {
			return tooLarge(fmt.Sprintf("item %d has %d bytes, and an event may have at most %d", i+1, len(item.Raw), queue.MaxBody))
		}
		if len(b.lines)-start > queue.MaxBody {
			cut(before)
		}
		events++
	}
	cut(len(b.lines))
	if future > 0 {
		b.future = &refusal{status: http.StatusBadRequest, reason: ReasonFuture, text: fmt.Sprintf(
			"%d of %d events are from the future and were not stored: %s, and this server takes nothing from after %s; look at the clocks",
			future, len(list.Items), first, until.UTC().Format(time.RFC3339))}
	}
	return nil
}
