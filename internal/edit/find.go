package edit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Finder searches the events of a log for a text. It runs on its own, while
// the session goes on.
type Finder struct {
	log     *Log
	entries []Entry
}

// Finder gives a searcher of the events known so far.
func (s *Session) Finder() *Finder { return &Finder{s.log, slices.Clip(s.index.entries)} }

// findBlock is how much is read at a time.
const findBlock = 1 << 20

// Find gives the next event after from whose JSON holds the text as it stands,
// or with step -1 the next one before. After the last event it goes on with
// the first, up to from itself. It is false where no event does. Errors come
// from ctx and from reading.
func (f *Finder) Find(ctx context.Context, text string, from, step int) (int, bool, error) {
	n := len(f.entries)
	if n == 0 || text == "" {
		return from, false, nil
	}
	ranges := [][2]int{{from + 1, n}, {0, from + 1}}
	search := f.forward
	if step < 0 {
		ranges = [][2]int{{0, from}, {from, n}}
		search = f.backward
	}
	for _, r := range ranges {
		if r[0] >= r[1] {
			continue
		}
		last := f.entries[r[1]-1]
		i, ok, err := search(ctx, []byte(text), f.entries[r[0]].Offset, last.Offset+int64(last.Size))
		if err != nil {
			return from, false, fmt.Errorf("searching %s: %w", f.log.name, err)
		}
		if ok {
			return i, true, nil
		}
	}
	return from, false, nil
}

// forward searches the bytes from start to end.
func (f *Finder) forward(ctx context.Context, text []byte, start, end int64) (int, bool, error) {
	buffer := make([]byte, findBlock+len(text)-1)
	for at := start; at < end; at += findBlock {
		block, err := f.read(ctx, buffer, at, end)
		if err != nil {
			return 0, false, err
		}
		for skip := 0; ; {
			k := bytes.Index(block[skip:], text)
			if k < 0 {
				break
			}
			if i, ok := f.eventAt(at+int64(skip+k), len(text)); ok {
				return i, true, nil
			}
			skip += k + 1
		}
	}
	return 0, false, nil
}

// backward searches the bytes from end to start.
func (f *Finder) backward(ctx context.Context, text []byte, start, end int64) (int, bool, error) {
	buffer := make([]byte, findBlock+len(text)-1)
	for at := end; at > start; {
		at = max(start, at-findBlock)
		block, err := f.read(ctx, buffer, at, end)
		if err != nil {
			return 0, false, err
		}
		for {
			k := bytes.LastIndex(block, text)
			if k < 0 {
				break
			}
			if i, ok := f.eventAt(at+int64(k), len(text)); ok {
				return i, true, nil
			}
			block = block[:k+len(text)-1]
		}
	}
	return 0, false, nil
}

func (f *Finder) read(ctx context.Context, buffer []byte, at, end int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	block := buffer[:min(int64(len(buffer)), end-at)]
	if _, err := f.log.ReadAt(block, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return block, nil
}

// eventAt gives the event that holds n bytes at an offset, false where they
// are not all in one event.
func (f *Finder) eventAt(offset int64, n int) (int, bool) {
	i := sort.Search(len(f.entries), func(i int) bool { return f.entries[i].Offset > offset }) - 1
	return i, i >= 0 && offset+int64(n) <= f.entries[i].Offset+int64(f.entries[i].Size)
}
