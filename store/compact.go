package store

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
)

const (
	// compactRows is how many rows a segment has at most after a compaction.
	compactRows = 1 << 18
	// compactRaw is how many bytes of a log a segment holds at most after one.
	compactRaw = 32 << 20
)

// Compacted tells what a compaction did.
type Compacted struct {
	// Before and After count the files and their bytes.
	FilesBefore, FilesAfter int
	BytesBefore, BytesAfter int64
	// Damaged are files that could not be read. They were left as they are.
	Damaged []Damage
}

// Compact merges the segments of a data set, and compresses them as far as
// zstd can. The data set says the same before and after. The error says so when
// somebody else writes to it.
func Compact(ctx context.Context, dir string) (Compacted, error) {
	done, err := compact(ctx, dir)
	if err != nil {
		return Compacted{}, fmt.Errorf("compacting the data set %s: %w", dir, err)
	}
	return done, nil
}

func compact(ctx context.Context, dir string) (done Compacted, err error) {
	dir = filepath.Clean(dir)
	if _, err := readManifest(dir); err != nil {
		return done, err
	}
	l, m, err := openForWriting(dir)
	if err != nil {
		return done, err
	}
	defer l.release()
	done.FilesBefore, done.BytesBefore = len(m.Segments), m.size()
	c := &compaction{ctx: ctx, dir: dir, into: dir, hard: true, next: *m, files: map[string]*fileWriter{}}
	if err := c.run(m); err != nil {
		c.drop()
		return done, err
	}
	if err := c.next.retire(dir); err != nil {
		c.drop()
		return done, err
	}
	if placed, err := c.next.write(dir); err != nil {
		if !placed {
			c.drop()
		}
		return done, err
	}
	done.FilesAfter, done.BytesAfter, done.Damaged = len(c.next.Segments), c.next.size(), c.damaged
	removeReplaced(dir, &c.next)
	return done, nil
}

// compaction is a compaction in progress.
type compaction struct {
	ctx     context.Context
	dir     string
	into    string // where segments are written
	hard    bool   // compress as far as zstd can
	next    manifest
	files   map[string]*fileWriter // by cluster
	damaged []Damage
}

func (c *compaction) run(m *manifest) error {
	c.next.Segments = nil
	c.next.Replaced = slices.Clone(m.Replaced)
	for _, group := range c.groups(m.Segments) {
		if len(group) == 1 && group[0].Level >= compactLevel {
			c.next.Segments = append(c.next.Segments, group[0])
			continue
		}
		merged, err := c.merge(group)
		if err != nil {
			return err
		}
		c.next.Segments = append(c.next.Segments, merged...)
		for i := range group {
			c.next.Replaced = append(c.next.Replaced, group[i].Path)
		}
	}
	for _, files := range c.files {
		if err := files.sync(); err != nil {
			return err
		}
	}
	return nil
}

// groups gives the segments that become one: of the same table, cluster and
// day, next to each other in time. Damaged ones stay as they are.
func (c *compaction) groups(segments []segment) [][]segment {
	var sound []segment
	for _, s := range segments {
		if err := cmp.Or(s.check(c.dir), s.verify(c.dir)); err != nil {
			c.damaged = append(c.damaged, Damage{s.Path, err.Error()})
			c.next.Segments = append(c.next.Segments, s)
			continue
		}
		sound = append(sound, s)
	}
	slices.SortStableFunc(sound, func(a, b segment) int {
		return cmp.Or(
			cmp.Compare(a.Table, b.Table), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Day, b.Day),
			cmp.Compare(a.Input, b.Input), cmp.Compare(a.Start, b.Start), a.First.Compare(b.First),
		)
	})
	var groups [][]segment
	var rows, bytes int64
	for _, s := range sound {
		n := len(groups)
		if n > 0 && rows+s.Rows <= compactRows && bytes+s.Bytes <= compactRaw && alike(&groups[n-1][0], &s) {
			groups[n-1] = append(groups[n-1], s)
			rows, bytes = rows+s.Rows, bytes+s.Bytes
			continue
		}
		groups = append(groups, []segment{s})
		rows, bytes = s.Rows, s.Bytes
	}
	return groups
}

// alike tells segments that may become one.
func alike(a, b *segment) bool {
	return a.Table == b.Table && a.Cluster == b.Cluster && a.Day == b.Day && a.Input == b.Input
}

// merge writes segments as one.
func (c *compaction) merge(group []segment) ([]segment, error) {
	// One writer after the other would take much memory for zstd's highest level.
	files := c.files[group[0].Cluster]
	if files == nil {
		files = newFileWriter(c.ctx, c.into, group[0].Cluster, c.hard)
		c.files[group[0].Cluster] = files
	}
	before := len(files.segments)
	write, err := c.table(group)
	if err != nil {
		return nil, err
	}
	if err := files.add(group[0].Table, group[0].Day, write); err != nil {
		return nil, err
	}
	segments, err := files.close()
	if err != nil {
		return nil, err
	}
	return slices.Clone(segments[before:]), nil
}

// table reads segments, and gives the function that writes them together.
func (c *compaction) table(group []segment) (write func(*segmentFile) error, err error) {
	events, contexts, raw := newEventTable(), newContextTable(), new(rawTable)
	for i := range group {
		name := filepath.Join(c.dir, filepath.FromSlash(group[i].Path))
		switch group[i].Table {
		case tableEvents:
			err = events.read(name)
			write = func(f *segmentFile) error {
				events.join()
				return events.writeTo(f, nil)
			}
		case tableContexts:
			err = contexts.read(name)
			write = func(f *segmentFile) error { return contexts.writeTo(f, nil) }
		case tableRaw:
			err = readFile(name, raw.columns())
			write = func(f *segmentFile) error {
				f.Input, f.Start = group[0].Input, group[0].Start
				return raw.writeTo(f)
			}
		default:
			err = fmt.Errorf("the manifest names the unknown table %q", group[i].Table)
		}
		if err != nil {
			return nil, err
		}
	}
	return write, nil
}

// drop removes what was written.
func (c *compaction) drop() {
	for _, files := range c.files {
		files.drop()
	}
}
