package pipeline

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/noise"
)

const (
	// maxChunksPerWorker bounds how many chunks are between the reader and
	// the linker: enough that no worker waits for a slow one.
	maxChunksPerWorker = 4
	// maxChunkBytes bounds their bytes, which matters when lines are huge. A
	// single larger chunk passes alone.
	maxChunkBytes = 32 << 20
)

// decoded is a chunk's Batch with the verdict on each of its events.
type decoded struct {
	audit.Batch
	verdicts []verdict
	// data and offset are the chunk's, with Options.KeepGaps.
	data   []byte
	offset int64
}

// verdict is what is known of an event before it is linked.
type verdict struct {
	noise.Decision
	fingerprint uint64
}

// lineRange gives the first and the last line of the batch that holds
// anything, 0 when none does.
func (b *decoded) lineRange() (first, last int) {
	see := func(line int) {
		if first == 0 || line < first {
			first = line
		}
		last = max(last, line)
	}
	if n := len(b.Events); n > 0 {
		see(b.Events[0].Position.Line)
		see(b.Events[n-1].Position.Line)
	}
	if n := len(b.Malformed); n > 0 {
		see(b.Malformed[0].Line)
		see(b.Malformed[n-1].Line)
	}
	return first, last
}

// job is a chunk on its way through a worker.
type job struct {
	chunk *audit.Chunk
	bytes int64
	done  chan *decoded
}

// decodeAll reads and decodes everything that the reader gives and calls take
// for each chunk, in the order of the input, from the calling goroutine.
func decodeAll(ctx context.Context, reader *audit.Reader, o Options, take func(*decoded) error) error {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan *job)
	inOrder := make(chan *job, maxChunksPerWorker*o.Workers)
	room := semaphore.NewWeighted(maxChunkBytes)
	seed := maphash.MakeSeed()
	spare := make(spareBatches, maxChunksPerWorker*o.Workers)

	group.Go(func() error {
		defer close(inOrder)
		defer close(work)
		return readChunks(ctx, reader, room, work, inOrder)
	})
	for range o.Workers {
		group.Go(func() error {
			var d audit.Decoder
			for j := range work {
				j.done <- decodeChunk(&d, spare.get(), j.chunk, o, seed)
				if !o.KeepRaw {
					reader.Recycle(j.chunk)
				}
				j.chunk = nil
			}
			return nil
		})
	}
	var failed error
	for j := range inOrder {
		b := <-j.done
		if failed == nil {
			failed = take(b)
			if failed != nil {
				// The reader stops at its next look at the group's context.
				group.Go(func() error { return failed })
			}
		}
		spare.put(b)
		room.Release(j.bytes)
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return failed
}

// readChunks hands every chunk to the workers and to the one who takes the
// results in order.
func readChunks(ctx context.Context, reader *audit.Reader, room *semaphore.Weighted, work, inOrder chan<- *job) error {
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		j := &job{chunk: chunk, bytes: min(int64(chunk.Bytes), maxChunkBytes), done: make(chan *decoded, 1)}
		if err := room.Acquire(ctx, j.bytes); err != nil {
			return err
		}
		// A worker is sure to come: it waits for nobody but the reader. Thus
		// whatever stands in inOrder gets its result.
		work <- j
		select {
		case inOrder <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// spareBatches are batches whose events are taken, for chunks to come.
type spareBatches chan *decoded

func (s spareBatches) get() *decoded {
	select {
	case b := <-s:
		return b
	default:
		return new(decoded)
	}
}

func (s spareBatches) put(b *decoded) {
	clear(b.Events) // what the events refer to can go
	select {
	case s <- b:
	default:
	}
}

// decodeChunk decodes a chunk and decides about its events, in the memory of b.
func decodeChunk(d *audit.Decoder, b *decoded, c *audit.Chunk, o Options, seed maphash.Seed) *decoded {
	d.DecodeInto(&b.Batch, c)
	b.data, b.offset = c.Data, c.Offset
	b.judge(o, func(ev *audit.Event) uint64 { return fingerprint(ev, seed) })
	return b
}

// judge decides about the events of a batch, and lets go of what is not needed
// of them.
func (b *decoded) judge(o Options, fingerprint func(*audit.Event) uint64) {
	b.verdicts = slices.Grow(b.verdicts[:0], len(b.Events))[:len(b.Events)]
	for i := range b.Events {
		ev := &b.Events[i]
		b.verdicts[i] = verdict{o.Policy.Decide(ev), fingerprint(ev)}
		slim(ev)
		if !o.KeepRaw {
			ev.Raw = nil
		}
	}
	for i := range b.Malformed {
		b.Malformed[i].Raw = nil
	}
}

// maxText is how many bytes of a text of an event are kept beyond the noise
// policy, which sees all of it. The API server refuses headers and URIs that
// come near it.
const maxText = 64 << 10

// slim cuts texts that are too long to be kept for as long as the linker
// remembers the event.
func slim(ev *audit.Event) {
	for _, text := range []*string{&ev.RequestURI, &ev.UserAgent, &ev.Status.Message} {
		if len(*text) > maxText {
			*text = cutText(*text)
		}
	}
	var short map[string]string // since other events may share the map
	for key, value := range ev.Annotations {
		if len(key) > maxText || len(value) > maxText {
			if short == nil {
				short = maps.Clone(ev.Annotations)
			}
			delete(short, key)
			short[cutText(key)] = cutText(value)
		}
	}
	if short != nil {
		ev.Annotations = short
	}
}

// cutText copies the beginning of a text, so that the rest can be let go.
func cutText(s string) string {
	return strings.ToValidUTF8(strings.Clone(s[:min(len(s), maxText)]), "")
}

// fingerprint tells events apart. The auditID alone does not: a request has an
// event a stage, and a client may choose the auditID.
func fingerprint(ev *audit.Event, seed maphash.Seed) uint64 {
	type key struct {
		auditID, uri, username string
		stage                  audit.Stage
		received, staged       int64
	}
	return maphash.Comparable(seed, key{
		ev.AuditID, ev.RequestURI, ev.User.Username, ev.Stage,
		ev.RequestReceived.UnixMicro(), ev.StageTime.UnixMicro(),
	})
}

// duplicateMemory is how many events back a repeated one is noticed, at least.
const duplicateMemory = 100_000

// duplicates remembers the fingerprints of the last events.
type duplicates struct {
	current, previous map[uint64]struct{}
}

// add takes an event's fingerprint and tells whether it was seen before.
func (d *duplicates) add(fingerprint uint64) bool {
	_, known := d.current[fingerprint]
	if !known {
		_, known = d.previous[fingerprint]
	}
	if d.current == nil || len(d.current) >= duplicateMemory {
		d.previous, d.current = d.current, make(map[uint64]struct{}, duplicateMemory/8)
	}
	d.current[fingerprint] = struct{}{}
	return known
}
