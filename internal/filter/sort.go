package filter

import (
	"bufio"
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

const (
	// DefaultSortMemory is about how many bytes of lines a sort holds.
	DefaultSortMemory = 64 << 20
	// fanIn is how many sorted runs are merged at a time. Each takes a buffer
	// of runBuffer bytes and its next line.
	fanIn     = 64
	runBuffer = 64 << 10
	// entryBytes is what a line takes in memory besides its bytes.
	entryBytes = 64
)

// entry is a line and the time it is sorted by.
type entry struct {
	seconds int64
	nanos   uint32
	line    []byte
}

func newEntry(t time.Time, line []byte) entry {
	return entry{t.Unix(), uint32(t.Nanosecond()), line} //nolint:gosec // Less than a billion.
}

func (e *entry) compare(o *entry) int {
	return cmp.Or(cmp.Compare(e.seconds, o.seconds), cmp.Compare(e.nanos, o.nanos))
}

// sorter is a stable external merge sort. Lines gather in memory; when they
// reach the limit they become a sorted run in a temporary file. Runs that
// stand together and were merged equally often are merged when there are fanIn
// of them, so that the number of open runs stays small and each line is
// written a number of times that grows with the logarithm of the log.
type sorter struct {
	limit  int
	parent string

	buffer []entry
	held   int

	dir  string // of the runs, "" until there is one
	runs []run
}

// run is a file of sorted entries. Those of a lower index came earlier in the
// input.
type run struct {
	name  string
	level int // how often its lines were merged
}

func newSorter(limit int, parent string) *sorter {
	if limit <= 0 {
		limit = DefaultSortMemory
	}
	return &sorter{limit: limit, parent: parent}
}

// add takes an event's line and the time to sort it by. The line is copied: its chunk holds lines that
// nobody keeps.
func (s *sorter) add(ctx context.Context, received time.Time, line []byte) error {
	s.buffer = append(s.buffer, newEntry(received, slices.Clone(line)))
	s.held += len(line) + entryBytes
	if s.held < s.limit {
		return nil
	}
	return s.spill(ctx)
}

func (s *sorter) sortBuffer() {
	slices.SortStableFunc(s.buffer, func(a, b entry) int { return a.compare(&b) })
}

// spill makes a run of what is held.
func (s *sorter) spill(ctx context.Context) error {
	s.sortBuffer()
	next := func() (*entry, error) {
		if len(s.buffer) == 0 {
			return nil, io.EOF
		}
		e := &s.buffer[0]
		s.buffer = s.buffer[1:]
		return e, nil
	}
	if err := s.writeRun(ctx, 0, next); err != nil {
		return err
	}
	s.buffer, s.held = nil, 0
	return s.compact(ctx)
}

// compact merges the last runs while there are fanIn of the same level.
func (s *sorter) compact(ctx context.Context) error {
	for {
		n := len(s.runs)
		if n < fanIn || s.runs[n-fanIn].level != s.runs[n-1].level {
			return nil
		}
		last := slices.Clone(s.runs[n-fanIn:])
		m, err := newMerge(last)
		if err != nil {
			return err
		}
		s.runs = s.runs[:n-fanIn]
		err = s.writeRun(ctx, last[0].level+1, m.next)
		if err = errors.Join(err, m.close()); err != nil {
			return err
		}
		for _, r := range last {
			if err := os.Remove(r.name); err != nil {
				return fmt.Errorf("sorting: %w", err)
			}
		}
	}
}

// writeRun writes what next gives into a new run.
func (s *sorter) writeRun(ctx context.Context, level int, next func() (*entry, error)) error {
	if s.dir == "" {
		dir, err := os.MkdirTemp(s.parent, "whet-sort-")
		if err != nil {
			return fmt.Errorf("sorting: making a folder for what does not fit into memory: %w", err)
		}
		s.dir = dir
	}
	f, err := os.CreateTemp(s.dir, "run-")
	if err != nil {
		return fmt.Errorf("sorting: making a temporary file: %w", err)
	}
	s.runs = append(s.runs, run{f.Name(), level})
	w := bufio.NewWriterSize(f, runBuffer)
	err = each(ctx, next, func(e *entry) error { return e.write(w) })
	if err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sorting: writing a temporary file: %w", err)
	}
	return nil
}

// writeTo writes all lines in order.
func (s *sorter) writeTo(ctx context.Context, out *lineWriter) error {
	if len(s.runs) == 0 {
		s.sortBuffer()
		for i := range s.buffer {
			if err := out.writeLine(s.buffer[i].line); err != nil {
				return err
			}
		}
		return nil
	}
	if len(s.buffer) > 0 {
		if err := s.spill(ctx); err != nil {
			return err
		}
	}
	m, err := newMerge(s.runs)
	if err != nil {
		return err
	}
	err = each(ctx, m.next, func(e *entry) error { return out.writeLine(e.line) })
	return errors.Join(err, m.close())
}

// each calls do for every entry that next gives, until the context ends.
func each(ctx context.Context, next func() (*entry, error), do func(*entry) error) error {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(e)
		}
		if err != nil {
			return err
		}
	}
}

// close removes the temporary files.
func (s *sorter) close() error {
	if s.dir == "" {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("sorting: removing temporary files: %w", err)
	}
	return nil
}

// The bytes of an entry in a run: seconds (8), nanoseconds (4), the length of
// the line (4), each little endian, and the line.
const entryHeader = 16

func (e *entry) write(w *bufio.Writer) error {
	var h [entryHeader]byte
	binary.LittleEndian.PutUint64(h[0:], uint64(e.seconds)) //nolint:gosec // The bits are read back as they are.
	binary.LittleEndian.PutUint32(h[8:], e.nanos)
	binary.LittleEndian.PutUint32(h[12:], uint32(len(e.line))) //nolint:gosec // audit.Reader bounds a line.
	if _, err := w.Write(h[:]); err != nil {
		return err
	}
	_, err := w.Write(e.line)
	return err
}

func (e *entry) read(r *bufio.Reader) error {
	var h [entryHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return err
	}
	e.seconds = int64(binary.LittleEndian.Uint64(h[0:])) //nolint:gosec // See write.
	e.nanos = binary.LittleEndian.Uint32(h[8:])
	length := int(binary.LittleEndian.Uint32(h[12:]))
	e.line = slices.Grow(e.line[:0], length)[:length]
	_, err := io.ReadFull(r, e.line)
	if errors.Is(err, io.EOF) {
		// The end of a run is before a header and nowhere else.
		err = io.ErrUnexpectedEOF
	}
	return err
}

// merge gives the entries of several runs in order, those of an earlier run
// first among equals.
type merge struct {
	heads []*head // a heap
	files []*os.File
	// last is the head whose entry was given out, to be read on.
	last *head
}

// head is the next entry of one run.
type head struct {
	entry
	index int
	r     *bufio.Reader
}

func newMerge(runs []run) (*merge, error) {
	m := new(merge)
	for i, r := range runs {
		f, err := os.Open(r.name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("sorting: reading a temporary file: %w", err), m.close())
		}
		m.files = append(m.files, f)
		h := &head{index: i, r: bufio.NewReaderSize(f, runBuffer)}
		if err := h.read(h.r); err != nil {
			return nil, errors.Join(fmt.Errorf("sorting: reading a temporary file: %w", err), m.close())
		}
		m.heads = append(m.heads, h)
	}
	heap.Init((*heads)(&m.heads))
	return m, nil
}

// next gives the next entry, which is valid until the following call, and
// io.EOF after the last.
func (m *merge) next() (*entry, error) {
	if m.last != nil {
		switch err := m.last.read(m.last.r); {
		case errors.Is(err, io.EOF):
			heap.Pop((*heads)(&m.heads))
		case err != nil:
			return nil, fmt.Errorf("sorting: reading a temporary file: %w", err)
		default:
			heap.Fix((*heads)(&m.heads), 0)
		}
		m.last = nil
	}
	if len(m.heads) == 0 {
		return nil, io.EOF
	}
	m.last = m.heads[0]
	return &m.last.entry, nil
}

func (m *merge) close() error {
	var errs []error
	for _, f := range m.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// heads is a heap of heads by their entries' times.
type heads []*head

func (h heads) Len() int { return len(h) }
func (h heads) Less(i, j int) bool {
	return cmp.Or(h[i].compare(&h[j].entry), cmp.Compare(h[i].index, h[j].index)) < 0
}
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(*head)) }
func (h *heads) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
