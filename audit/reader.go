package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
)

// The defaults of Options.
const (
	// DefaultChunkBytes is enough for the cost of handing a chunk to another
	// goroutine to vanish, and small enough to keep several cores busy.
	DefaultChunkBytes = 256 << 10
	// DefaultMaxLine is 64 MiB. The API server refuses requests larger than a
	// few MiB, but a list that it answers can be larger than any request.
	DefaultMaxLine = 64 << 20
)

// Options are how a Reader reads. The zero value is good.
type Options struct {
	// Stdin is what "-" reads; nil means os.Stdin.
	Stdin io.Reader
	// ChunkBytes is about how many bytes a Chunk has; 0 means
	// DefaultChunkBytes. A longer record makes a longer chunk.
	ChunkBytes int
	// MaxLine is the longest line, or value over several lines, in bytes; 0
	// means DefaultMaxLine. What is longer is malformed.
	MaxLine int
	// KeepData makes every Chunk hold all of its bytes.
	KeepData bool
}

// Reader reads logs one after the other and cuts them into chunks. Its
// methods, but for Progress, are for one goroutine at a time.
type Reader struct {
	options Options
	sources []source
	skipped []Skipped
	empty   []string
	total   int64
	count   atomic.Int64
	mark    bool // the source began with a byte order mark, which no chunk holds yet

	in      *input // nil between sources
	scanner lineScanner
	ended   bool   // the source gave all it has
	damage  string // why the source ended early
	seq     int
	err     error // sticky

	// free are buffers that came back.
	free chan []byte
}

// maxFree is how many buffers a Reader keeps for reuse: about as many as are
// on their way between goroutines.
const maxFree = 16

// byteOrderMark is what a text in UTF-8 may begin with.
const byteOrderMark = "\xef\xbb\xbf"

// Open finds the logs that the arguments name and gives a Reader of them, in
// the order of the arguments. An argument is a file, a folder, a pattern
// (filepath.Match's), or "-" for standard input. Files may be compressed with
// gzip or zstd. Of a folder, and of a pattern's matches, the files of a
// rotated log come oldest first: audit-2026-11-23T18-00-00.000.log before
// audit.log, audit.log.2.gz before audit.log.1. Members of a folder that hold
// no audit events are left out; Skipped names them.
//
// It is an error when an argument names nothing, or a folder without a log.
func Open(args []string, options Options) (*Reader, error) {
	sources, skipped, err := expand(args)
	if err != nil {
		return nil, err
	}
	r := &Reader{options: options, sources: sources, skipped: skipped, free: make(chan []byte, maxFree)}
	for _, s := range sources {
		r.total += s.size
	}
	if r.options.Stdin == nil {
		r.options.Stdin = os.Stdin
	}
	if r.options.ChunkBytes <= 0 {
		r.options.ChunkBytes = DefaultChunkBytes
	}
	if r.options.MaxLine <= 0 {
		r.options.MaxLine = DefaultMaxLine
	}
	return r, nil
}

// Next gives the next chunk, and io.EOF after the last. A chunk never spans
// two sources. Whatever the input holds is no error, but part of a chunk:
// errors come from ctx and from reading, name the file, and end the Reader.
func (r *Reader) Next(ctx context.Context) (*Chunk, error) {
	for r.err == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.in == nil {
			if len(r.sources) == 0 {
				return nil, io.EOF
			}
			r.start()
		}
		if err := r.fill(ctx); err != nil {
			r.err = fmt.Errorf("reading %s: %w", printable(r.in.source.name), err)
			if ctx.Err() != nil {
				r.in = nil // its read may still be going on
			}
			break
		}
		c := r.cut()
		if r.ended {
			r.finish()
		}
		if c != nil {
			return c, nil
		}
	}
	return nil, r.err
}

// start begins with the next source.
func (r *Reader) start() {
	r.in = &input{source: r.sources[0], stdin: r.options.Stdin, count: &r.count}
	r.sources = r.sources[1:]
	r.ended, r.damage = false, ""
	r.scanner = lineScanner{maxLine: r.options.MaxLine, line: 1, buf: r.scanner.buf[:0]}
}

// finish ends the source. Its files were only read, so that an error in
// closing them says nothing about the log.
func (r *Reader) finish() {
	if r.scanner.offset == 0 && r.scanner.line == 1 && r.damage == "" {
		r.empty = append(r.empty, r.in.source.name)
	}
	_ = r.in.Close()
	r.in = nil
}

// fill reads until there is a chunk's worth of new input, or of a stream,
// whatever is there now.
func (r *Reader) fill(ctx context.Context) error {
	s := &r.scanner
	// A record longer than a chunk doubles the buffer with each fill, so that
	// looking at its beginning again costs little.
	want := len(s.buf) + max(r.options.ChunkBytes, min(len(s.buf), r.options.MaxLine+1-len(s.buf)))
	s.buf = slices.Grow(s.buf, want-len(s.buf))
	for len(s.buf) < want && !r.ended {
		var n int
		var err error
		if r.in.waits() {
			n, err = readContext(ctx, r.in, s.buf[len(s.buf):want])
		} else {
			n, err = r.in.Read(s.buf[len(s.buf):want])
		}
		s.buf = s.buf[:len(s.buf)+n]
		var damaged *damagedError
		switch {
		case errors.Is(err, io.EOF):
			r.ended = true
		case errors.As(err, &damaged):
			r.ended, r.damage = true, damaged.Error()
		case err != nil:
			return err
		case r.in.waits() && n > 0:
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// cut makes a chunk of the complete records in the buffer, or nil when there
// is nothing to say.
func (r *Reader) cut() *Chunk {
	s := &r.scanner
	if s.offset == 0 && s.line == 1 && bytes.HasPrefix(s.buf, []byte(byteOrderMark)) {
		s.drop(len(byteOrderMark)) // which some editors and shells put there
		r.mark = r.options.KeepData
	}
	found := s.scan(r.ended)
	c := &Chunk{
		Seq: r.seq, Source: r.in.source.name,
		Lines: found.lines, Blank: found.blank, Bytes: found.used,
	}
	keep := 0
	for _, p := range found.spans {
		keep = max(keep, p.end)
	}
	if r.options.KeepData {
		keep = found.used
	}
	data := s.buf[:keep]
	handOver := keep > cap(s.buf)/2
	if !handOver {
		data = slices.Clone(data) // a few lines must not keep a whole buffer
	}
	c.Records = make([]Record, 0, len(found.spans)+1)
	for _, p := range found.spans {
		c.Records = append(c.Records, Record{
			Raw: data[p.start:p.end:p.end], Line: p.line, Lines: p.lines,
			Offset: s.offset + int64(p.start), Reason: p.reason,
		})
	}
	if r.options.KeepData {
		c.Data, c.Offset = data, s.offset
		if r.mark {
			c.Data, c.Offset, r.mark = append([]byte(byteOrderMark), data...), 0, false
		}
	}
	if handOver {
		c.buffer = s.buf
		s.buf = append(r.buffer(len(s.buf)-found.used), s.buf[found.used:]...)
		s.advance(found.used)
	} else {
		s.drop(found.used)
		if r.isLarge(s.buf) && len(s.buf) < r.options.ChunkBytes {
			s.buf = append(r.buffer(len(s.buf)), s.buf...)
		}
	}
	if r.ended && r.damage != "" {
		c.Records = append(c.Records, Record{Line: s.line, Offset: s.offset, Reason: r.damage})
	}
	if len(c.Records) == 0 && c.Lines == 0 && c.Bytes == 0 && len(c.Data) == 0 {
		return nil
	}
	r.seq++
	return c
}

// buffer gives an empty buffer for a chunk behind what is left of the last one.
func (r *Reader) buffer(left int) []byte {
	want := left + r.options.ChunkBytes
	select {
	case b := <-r.free:
		if cap(b) >= want {
			return b[:0]
		}
	default:
	}
	return make([]byte, 0, want+r.options.ChunkBytes/4)
}

// isLarge tells a buffer that grew for a long line, and must not be kept when
// that is gone.
func (r *Reader) isLarge(b []byte) bool { return cap(b) > 4*r.options.ChunkBytes }

// Recycle gives the memory of a chunk back, for the chunks to come: a log of a
// gigabyte then needs only as much as is decoded at a time. Nothing of the chunk
// may be used any more, nor the Raw of any event or Malformed decoded from it.
// It may be called from any goroutine, and need not be called at all.
func (r *Reader) Recycle(c *Chunk) {
	b := c.buffer
	*c = Chunk{}
	if cap(b) == 0 || r.isLarge(b) {
		return
	}
	select {
	case r.free <- b:
	default:
	}
}

// Close closes the file that is open. The Reader cannot be used any more.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = errors.New("the reader is closed")
	}
	if r.in == nil {
		return nil
	}
	in := r.in
	r.in = nil
	return in.Close()
}

// Sources are the names of the sources not begun yet, in the order of reading.
func (r *Reader) Sources() []string {
	var names []string
	for _, s := range r.sources {
		names = append(names, s.name)
	}
	return names
}

// Skipped are the members of folders that are not read, with the reason.
func (r *Reader) Skipped() []Skipped { return r.skipped }

// Empty are the sources, among those read to their end, without a single byte.
func (r *Reader) Empty() []string { return r.empty }

// Progress tells how many bytes of the sources are read, before decompression,
// and how many they have. The total is 0 when it is not known, as with
// standard input. It may be called from any goroutine.
func (r *Reader) Progress() (read, total int64) { return r.count.Load(), r.total }
