package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/DataDog/zstd"
	"github.com/zeebo/xxh3"
	"golang.org/x/sync/errgroup"

	"github.com/whet-k8s/whet/internal/durable"
)

const segmentSuffix = ".parquet"

// The zstd levels. A run must not wait for its full segments; the others, of
// which there are few, are small.
const (
	quickLevel   = 3
	fullLevel    = 5
	partLevel    = 12
	compactLevel = 19
)

// fullRows is from how many rows on a segment counts as full.
const fullRows = segmentRows / 2

// fileWriter writes segments, one at a time, while the caller goes on.
type fileWriter struct {
	ctx     context.Context
	dir     string
	cluster string
	compact bool
	quick   bool
	zstd    zstd.Ctx
	spare   chan *eventTable
	// before is called before the first segment is written; it may be nil.
	before func() error

	wait     sync.WaitGroup
	segments []segment
	err      error
}

// newFileWriter writes segments into the data set in dir: of a run, or with
// compact of a compaction.
func newFileWriter(ctx context.Context, dir, cluster string, compact bool) *fileWriter {
	return &fileWriter{ctx: ctx, dir: dir, cluster: cluster, compact: compact, zstd: zstd.NewCtx(), spare: make(chan *eventTable, 2)}
}

// table gives a table for events, in the memory of one that is written if there
// is one.
func (w *fileWriter) table() *eventTable {
	select {
	case t := <-w.spare:
		return t
	default:
		return newEventTable()
	}
}

// done takes a table that is written.
func (w *fileWriter) done(t *eventTable) {
	t.reset()
	select {
	case w.spare <- t:
	default:
	}
}

// segmentFile is a segment being written.
type segmentFile struct {
	segment
	file  *os.File
	hash  *xxh3.Hasher
	owner *fileWriter
}

// Write takes bytes of the file.
func (f *segmentFile) Write(b []byte) (int, error) {
	n, err := f.file.Write(b)
	f.Size += int64(n)
	_, _ = f.hash.Write(b[:n]) // a hash takes everything
	return n, err
}

// compress is a parquetfile.Compress.
func (f *segmentFile) compress(dst, src []byte) ([]byte, error) {
	if cap(dst)-len(dst) < zstd.CompressBound(len(src)) {
		dst = make([]byte, 0, zstd.CompressBound(len(src)))
	}
	return f.owner.zstd.CompressLevel(dst[:cap(dst)], src, f.Level)
}

// writeTo writes the rows for which skip is not true, as a segment.
func (t *eventTable) writeTo(f *segmentFile, skip []bool) error {
	rows := t.order(skip)
	f.rows(rows, t.received.numbers)
	f.ordinals(rows, t.ordinal.numbers)
	return t.write(f, rows, f.compress)
}

// writeTo writes the rows for which skip is not true, as a segment.
func (t *contextTable) writeTo(f *segmentFile, skip []bool) error {
	rows := t.order(skip)
	f.rows(rows, t.start.numbers)
	return t.write(f, rows, f.compress)
}

// ordinals notes which events are written.
func (f *segmentFile) ordinals(rows []int32, ordinals []int64) {
	f.From, f.To = ordinals[rows[0]], ordinals[rows[0]]
	for _, row := range rows {
		f.From, f.To = min(f.From, ordinals[row]), max(f.To, ordinals[row])
	}
}

// choose notes how many rows are written, and how hard they are compressed.
func (f *segmentFile) choose(rows int) {
	f.Rows = int64(rows)
	switch {
	case f.owner.compact:
		f.Level = compactLevel
	case f.owner.quick:
		f.Level = quickLevel
	case rows >= fullRows || f.Table == tableRaw:
		f.Level = fullLevel
	default:
		f.Level = partLevel
	}
}

// rows notes which rows of a column of times are written.
func (f *segmentFile) rows(rows []int32, times []int64) {
	f.choose(len(rows))
	first, last := times[rows[0]], times[rows[0]]
	for _, row := range rows {
		first, last = min(first, times[row]), max(last, times[row])
	}
	f.First, f.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
}

// add writes a segment of a table. It waits for the one before, and gives the
// error of that one.
func (w *fileWriter) add(table, day string, write func(*segmentFile) error) error {
	w.wait.Wait()
	if w.err != nil {
		return w.err
	}
	if w.err = w.ctx.Err(); w.err != nil {
		return w.err
	}
	w.wait.Go(func() { w.err = w.write(table, day, write) })
	return nil
}

func (w *fileWriter) write(table, day string, write func(*segmentFile) error) error {
	if w.before != nil {
		if err := w.before(); err != nil {
			return err
		}
		w.before = nil
	}
	id := strings.ToLower(rand.Text()[:10])
	folder := path.Join(table, "cluster="+escapeName(w.cluster))
	if day != "" {
		folder = path.Join(folder, "day="+day)
	}
	f := &segmentFile{
		segment: segment{Path: path.Join(folder, id+segmentSuffix), Table: table, Cluster: w.cluster, Day: day},
		hash:    xxh3.New(), owner: w,
	}
	name := filepath.Join(w.dir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	var err error
	if f.file, err = os.OpenFile(name+temporarySuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	err = write(f)
	if closeErr := f.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(name+temporarySuffix, name)
	}
	if err != nil {
		// The file is of no use; the next run would remove it, too.
		_ = os.Remove(name + temporarySuffix)
		return err
	}
	f.Hash = hex.EncodeToString(f.hash.Sum(nil))
	w.segments = append(w.segments, f.segment)
	return nil
}

// close waits for the last segment, and gives all that were written.
func (w *fileWriter) close() ([]segment, error) {
	w.wait.Wait()
	if w.err != nil {
		return nil, w.err
	}
	return w.segments, nil
}

// maxSyncs bounds how many files are synced at a time.
const maxSyncs = 16

// sync makes all segments last, and their names: it must be done before a
// manifest names them.
func (w *fileWriter) sync() error {
	names := map[string]bool{}
	for i := range w.segments {
		name := filepath.Join(w.dir, filepath.FromSlash(w.segments[i].Path))
		names[name] = true
		// The names of the folders are in the folders above.
		for dir := filepath.Dir(name); len(dir) > len(w.dir); dir = filepath.Dir(dir) {
			names[dir] = true
		}
	}
	var group errgroup.Group
	group.SetLimit(maxSyncs)
	for name := range names {
		group.Go(func() error { return durable.Sync(name) })
	}
	return group.Wait()
}

// keep lets go of what was written: a manifest names it now.
func (w *fileWriter) keep() { w.segments = nil }

// drop removes what was written.
func (w *fileWriter) drop() {
	w.wait.Wait()
	for i := range w.segments {
		// What stays behind is removed by the next run.
		_ = os.Remove(filepath.Join(w.dir, filepath.FromSlash(w.segments[i].Path)))
	}
	w.segments = nil
	w.err = errors.New("the data set's writer is closed")
}

// escapeName makes the name of a cluster one that a folder can have, with
// percent signs, as Hive's partitions are written.
func escapeName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// verify compares a segment with the hash that it was written with.
func (s *segment) verify(dir string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(s.Path)))
	if err != nil {
		return err
	}
	defer f.Close()
	h := xxh3.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != s.Hash {
		return fmt.Errorf("its bytes are not those that were written")
	}
	return nil
}
