package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/whet-k8s/whet/internal/durable"
	"github.com/whet-k8s/whet/internal/filelock"
)

// mergingName is the folder, within that of the data set, in which Merge writes
// until a manifest can name the files.
const mergingName = "merging"

const (
	// mergeCold is how much older than the newest rows those of a segment must
	// be, so that nobody who writes is likely to need it, by the time of the log.
	mergeCold = 2 * time.Minute
	// mergeLeast is how many segments of about the same size become one. A row is
	// so written anew once for each step of size.
	mergeLeast = 8
	// mergeWait is how long Merge waits for another writer to finish, and
	// mergeLook how often it looks.
	mergeWait = 30 * time.Second
	mergeLook = 50 * time.Millisecond
)

// mergeSteps are the sizes of segments, in rows, up to which they are of a step.
// Beyond the last they stay as they are.
func mergeSteps() []int64 { return []int64{1 << 11, 1 << 14, compactRows / 2} }

// Merged tells what Merge and Retain did: how many files and bytes went, and how
// many took their place.
type Merged struct {
	FilesBefore, FilesAfter int
	BytesBefore, BytesAfter int64
}

// Merge merges small segments of a data set that somebody writes to all the
// time, without keeping him waiting: only putting the new files in place needs
// the writer's lock, for a moment. It takes segments whose rows are a while older
// than the newest ones, and those of days that are over whatever their size.
// What another writer changed meanwhile stays as it is.
//
// Writing is held for that moment, for writers of the same process that wait for
// each other; it may be nil. The error says so when another Merge runs, or
// somebody else writes for long.
func Merge(ctx context.Context, dir string, writing sync.Locker) (Merged, error) {
	done, err := mergeSegments(ctx, filepath.Clean(dir), writing)
	if err != nil {
		return Merged{}, fmt.Errorf("merging segments of the data set %s: %w", dir, err)
	}
	return done, nil
}

func mergeSegments(ctx context.Context, dir string, writing sync.Locker) (done Merged, err error) {
	one, err := lockExclusive(filepath.Join(dir, mergeName))
	if errors.Is(err, filelock.ErrLocked) {
		return done, errors.New("another whet does so")
	}
	if err != nil {
		return done, err
	}
	defer one.release()
	into := filepath.Join(dir, mergingName)
	// A process that was killed left it behind.
	if err := os.RemoveAll(into); err != nil {
		return done, err
	}
	// What is read must not be removed.
	reading, m, err := lockReading(dir)
	if err != nil {
		return done, err
	}
	defer reading.release()
	groups := mergeGroups(m.Segments)
	if len(groups) == 0 {
		return done, nil
	}
	defer os.RemoveAll(into)
	c := &compaction{ctx: ctx, dir: dir, into: into, next: *m, files: map[string]*fileWriter{}}
	var list []replacement
	for _, g := range groups {
		r, err := c.replacement(g)
		if err != nil {
			return done, err
		}
		list = append(list, r...)
	}
	for _, files := range c.files {
		if err := files.sync(); err != nil {
			return done, err
		}
	}
	return place(ctx, dir, list, writing)
}

// replacement are segments and what takes their place.
type replacement struct {
	old, new []segment
}

// replacement merges the sound segments of a group.
func (c *compaction) replacement(group []segment) ([]replacement, error) {
	group = slices.DeleteFunc(slices.Clone(group), func(s segment) bool {
		return cmp.Or(s.check(c.dir), s.verify(c.dir)) != nil
	})
	if len(group) < 2 {
		return nil, nil
	}
	merged, err := c.merge(group)
	if err != nil {
		return nil, err
	}
	return []replacement{{group, merged}}, nil
}

// mergeGroups chooses the segments that become one.
func mergeGroups(segments []segment) [][]segment {
	type kind struct{ table, cluster string }
	type part struct {
		kind
		day string
	}
	newest := map[kind]time.Time{}
	parts := map[part][]segment{}
	for _, s := range segments {
		if s.Table == tableRaw {
			continue
		}
		k := kind{s.Table, s.Cluster}
		if s.Last.After(newest[k]) {
			newest[k] = s.Last
		}
		p := part{k, s.Day}
		parts[p] = append(parts[p], s)
	}
	var groups [][]segment
	for _, p := range slices.SortedFunc(maps.Keys(parts), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.day, b.day))
	}) {
		cold := newest[p.kind].Add(-mergeCold)
		list := slices.DeleteFunc(parts[p], func(s segment) bool { return !s.Last.Before(cold) })
		slices.SortFunc(list, func(a, b segment) int {
			return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Path, b.Path))
		})
		if p.day < cold.UTC().Format(time.DateOnly) {
			groups = append(groups, bounded(list, 0, compactRows, 2)...)
			continue
		}
		from := int64(0)
		for _, to := range mergeSteps() {
			groups = append(groups, bounded(list, from, to, mergeLeast)...)
			from = to
		}
	}
	return groups
}

// bounded groups the segments with a number of rows between two, as many
// together as one segment may hold, and at least some.
func bounded(list []segment, from, to int64, least int) [][]segment {
	var groups [][]segment
	var group []segment
	var rows int64
	end := func() {
		if len(group) >= least {
			groups = append(groups, group)
		}
		group, rows = nil, 0
	}
	for _, s := range list {
		if s.Rows < from || s.Rows >= to {
			continue
		}
		if rows+s.Rows > compactRows {
			end()
		}
		group, rows = append(group, s), rows+s.Rows
	}
	end()
	return groups
}

// place puts what was merged into the data set, where what it was made of is
// still there.
func place(ctx context.Context, dir string, list []replacement, writing sync.Locker) (done Merged, err error) {
	if writing != nil {
		writing.Lock()
		defer writing.Unlock()
	}
	l, m, err := waitForWriting(ctx, dir)
	if err != nil {
		return done, err
	}
	defer l.release()
	next := *m
	next.Segments, next.Replaced = slices.Clone(m.Segments), slices.Clone(m.Replaced)
	folders := map[string]bool{}
	for _, r := range list {
		if !next.replace(r) {
			continue
		}
		for _, s := range r.new {
			name := filepath.Join(dir, filepath.FromSlash(s.Path))
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				return done, err
			}
			if err := os.Rename(filepath.Join(dir, mergingName, filepath.FromSlash(s.Path)), name); err != nil {
				return done, err
			}
			folders[filepath.Dir(name)] = true
			done.FilesAfter, done.BytesAfter = done.FilesAfter+1, done.BytesAfter+s.Size
		}
		for _, s := range r.old {
			done.FilesBefore, done.BytesBefore = done.FilesBefore+1, done.BytesBefore+s.Size
		}
	}
	for folder := range folders {
		if err := durable.Sync(folder); err != nil {
			return done, err
		}
	}
	return done, next.settle(dir)
}

// settle writes a manifest in which segments were replaced.
func (m *manifest) settle(dir string) error {
	if err := m.retire(dir); err != nil {
		return err
	}
	if _, err := m.write(dir); err != nil {
		return err
	}
	removeReplaced(dir, m)
	return nil
}

// replace puts segments in the place of others, and gives false where one of
// these is there no more.
func (m *manifest) replace(r replacement) bool {
	there := func(s segment) bool {
		return slices.ContainsFunc(m.Segments, func(other segment) bool { return other.Path == s.Path })
	}
	for _, s := range r.old {
		if !there(s) {
			return false
		}
	}
	m.Segments = slices.DeleteFunc(m.Segments, func(s segment) bool {
		return slices.ContainsFunc(r.old, func(old segment) bool { return old.Path == s.Path })
	})
	m.Segments = append(m.Segments, r.new...)
	for _, s := range r.old {
		m.Replaced = append(m.Replaced, s.Path)
	}
	return true
}

// waitForWriting is openForWriting of a data set that is there, for who can wait
// for another writer.
func waitForWriting(ctx context.Context, dir string) (*lock, *manifest, error) {
	if _, err := readManifest(dir); err != nil {
		return nil, nil, err
	}
	for deadline := time.Now().Add(mergeWait); ; {
		l, m, err := openForWriting(dir)
		if !errors.Is(err, filelock.ErrLocked) || time.Now().After(deadline) {
			return l, m, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(mergeLook):
		}
	}
}
