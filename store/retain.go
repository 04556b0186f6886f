package store

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Retention bounds what a data set keeps, by kind of data. The zero value keeps
// everything.
type Retention struct {
	Events, Contexts, Raw Bound
}

// Bound bounds one kind of data; 0 is no bound.
type Bound struct {
	// Before is the time before which everything may go, by the time of the log.
	Before time.Time
	// Bytes is what the files may take. Of more the oldest go.
	Bytes int64
}

// Retain removes what a data set has beyond its bounds: whole segments, so that
// what is younger by up to a day may go with it or stay. Lines of the log go
// with their events at the latest. Writing is held while it does so; it may be
// nil. The error says so when somebody else writes for long.
func Retain(ctx context.Context, dir string, r Retention, writing sync.Locker) (Merged, error) {
	done, err := retain(ctx, filepath.Clean(dir), r, writing)
	if err != nil {
		return Merged{}, fmt.Errorf("removing old data from the data set %s: %w", dir, err)
	}
	return done, nil
}

func retain(ctx context.Context, dir string, r Retention, writing sync.Locker) (done Merged, err error) {
	m, err := readManifest(dir)
	if err != nil || len(r.beyond(m.Segments)) == 0 {
		return done, err
	}
	if writing != nil {
		writing.Lock()
		defer writing.Unlock()
	}
	l, m, err := waitForWriting(ctx, dir)
	if err != nil {
		return done, err
	}
	defer l.release()
	old := r.beyond(m.Segments)
	next := *m
	next.Segments, next.Replaced = slices.Clone(m.Segments), slices.Clone(m.Replaced)
	next.replace(replacement{old: old})
	for _, s := range old {
		done.FilesBefore, done.BytesBefore = done.FilesBefore+1, done.BytesBefore+s.Size
	}
	return done, next.settle(dir)
}

// beyond gives the segments that are too old or too many.
func (r Retention) beyond(segments []segment) []segment {
	byTable := map[string][]segment{}
	for _, s := range segments {
		byTable[s.Table] = append(byTable[s.Table], s)
	}
	// The time of a line is that of its event.
	raw := byTable[tableRaw]
	for i := range raw {
		raw[i].Last = time.Time{}
		for _, e := range byTable[tableEvents] {
			if e.From <= raw[i].To && e.To >= raw[i].From && e.Last.After(raw[i].Last) {
				raw[i].Last = e.Last
			}
		}
	}
	events := r.Events.beyond(byTable[tableEvents])
	old := slices.Concat(events, r.Contexts.beyond(byTable[tableContexts]), r.Raw.beyond(raw))
	for _, s := range raw {
		gone := slices.ContainsFunc(events, func(e segment) bool { return e.From <= s.To && e.To >= s.From })
		listed := slices.ContainsFunc(old, func(other segment) bool { return other.Path == s.Path })
		if gone && !listed {
			old = append(old, s)
		}
	}
	return old
}

// beyond gives the segments of one table that are too old or too many.
func (b Bound) beyond(list []segment) []segment {
	slices.SortFunc(list, func(a, b segment) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Path, b.Path))
	})
	var old []segment
	var bytes int64
	for _, s := range list {
		bytes += s.Size
		if s.Last.Before(b.Before) || b.Bytes > 0 && bytes > b.Bytes {
			old = append(old, s)
		}
	}
	return old
}
