package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
)

// Keep says what a data set keeps of a log.
type Keep string

// The values of Keep.
const (
	// KeepContexts keeps contexts only.
	KeepContexts Keep = "contexts"
	// KeepEvents keeps every event that no noise rule dropped, too.
	KeepEvents Keep = "events"
	// KeepAll keeps every event, and every line of the log byte for byte.
	KeepAll Keep = "all"
)

// WriterOptions say what a Writer keeps. The zero value is good.
type WriterOptions struct {
	// Cluster names the cluster that the log is of; "" means DefaultCluster.
	Cluster string
	// Keep says what is kept; "" means KeepEvents.
	Keep Keep
	// NoRedact keeps the values of Secrets and issued tokens as they are.
	NoRedact bool
}

// DefaultCluster is the name of a cluster that nobody named.
const DefaultCluster = "default"

// Writer adds the outcome of one run to a data set. Nothing of it is seen
// before Commit.
type Writer struct {
	dir      string
	options  WriterOptions
	manifest *manifest
	events   map[string][]eventRow // by day
	contexts map[string]*pipeline.Context
	actors   map[string]string // usernames of roots by context
}

// Added tells what a Commit added.
type Added struct {
	Events, Contexts int64
	// Bytes is what was added on disk.
	Bytes int64
}

// Append opens the data set in dir for a run to be added, and makes it where
// there is none. Either Commit or Abort ends it.
func Append(_ context.Context, dir string, o WriterOptions) (*Writer, error) {
	o.Cluster = cmp.Or(o.Cluster, DefaultCluster)
	o.Keep = cmp.Or(o.Keep, KeepEvents)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data set: %w", err)
	}
	m, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = &manifest{Version: formatVersion}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Writer{
		dir: dir, options: o, manifest: m,
		events: map[string][]eventRow{}, contexts: map[string]*pipeline.Context{}, actors: map[string]string{},
	}, nil
}

// Sink gives the functions that take what a run of the pipeline gives.
func (w *Writer) Sink() pipeline.Sink {
	s := pipeline.Sink{Context: w.Context}
	if w.options.Keep != KeepContexts {
		s.Annotation = w.Event
	}
	return s
}

// Event takes an event with what was found out about it.
func (w *Writer) Event(a *pipeline.Annotation) error {
	if a.Role == link.RoleDropped && w.options.Keep != KeepAll {
		return nil
	}
	day := a.Event.RequestReceived.UTC().Format(time.DateOnly)
	w.events[day] = append(w.events[day], newEventRow(a, ""))
	return nil
}

// Context takes a part of a context.
func (w *Writer) Context(c *pipeline.Context) error {
	before := w.contexts[c.ID]
	if before == nil {
		part := *c
		w.contexts[c.ID] = &part
		w.actors[c.ID] = c.Actor.Username
		return nil
	}
	merge(before, c)
	return nil
}

// merge brings a further part into a context.
func merge(into, part *pipeline.Context) {
	if part.Start.Before(into.Start) {
		into.Start = part.Start
	}
	if part.End.After(into.End) {
		into.End = part.End
	}
	into.Clients += part.Clients
	into.Effects += part.Effects
	into.Failed += part.Failed
	into.Events += part.Events
	into.Deletes += part.Deletes
	into.EffectsBy = sum(into.EffectsBy, part.EffectsBy)
	into.Touched = sum(into.Touched, part.Touched)
	into.ReadOnly = into.ReadOnly && part.ReadOnly
}

func sum(a, b map[string]int) map[string]int {
	if len(a)+len(b) == 0 {
		return nil
	}
	got := make(map[string]int, len(a)+len(b))
	maps.Copy(got, a)
	for k, n := range b {
		got[k] += n
	}
	return got
}

// Commit puts what was taken into the data set.
func (w *Writer) Commit(_ context.Context, account *pipeline.Accounting) (Added, error) {
	var added Added
	id := strings.ToLower(rand.Text()[:12])
	for _, day := range slices.Sorted(maps.Keys(w.events)) {
		rows := w.events[day]
		for i := range rows {
			if rows[i].Context != nil {
				rows[i].Actor = orNull(w.actors[*rows[i].Context])
			}
		}
		slices.SortFunc(rows, func(a, b eventRow) int { return cmp.Compare(a.Received, b.Received) })
		first, last := time.UnixMicro(rows[0].Received).UTC(), time.UnixMicro(rows[len(rows)-1].Received).UTC()
		s := segment{Table: tableEvents, Day: day, Rows: int64(len(rows)), First: first, Last: last}
		if err := writeRows(w, s, id, rows); err != nil {
			return added, err
		}
		added.Events += s.Rows
	}
	days := map[string][]contextRow{}
	for _, c := range w.contexts {
		day := c.Start.UTC().Format(time.DateOnly)
		days[day] = append(days[day], newContextRow(c))
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		rows := days[day]
		slices.SortFunc(rows, func(a, b contextRow) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
		})
		first, last := time.UnixMicro(rows[0].Start).UTC(), time.UnixMicro(rows[len(rows)-1].Start).UTC()
		s := segment{Table: tableContexts, Day: day, Rows: int64(len(rows)), First: first, Last: last}
		if err := writeRows(w, s, id, rows); err != nil {
			return added, err
		}
		added.Contexts += s.Rows
	}
	w.manifest.RawBytes += account.Bytes
	if err := w.manifest.write(w.dir); err != nil {
		return added, err
	}
	return added, nil
}

// Abort drops what was taken.
func (w *Writer) Abort() error { return nil }

func writeRows[T any](w *Writer, s segment, id string, rows []T) error {
	s.Cluster = w.options.Cluster
	folder := path.Join(s.Table, "cluster="+url.PathEscape(s.Cluster), "day="+s.Day)
	s.Path = path.Join(folder, id+".parquet")
	if err := os.MkdirAll(filepath.Join(w.dir, filepath.FromSlash(folder)), 0o700); err != nil {
		return fmt.Errorf("making a folder of the data set: %w", err)
	}
	name := filepath.Join(w.dir, filepath.FromSlash(s.Path))
	err := parquet.WriteFile(name, rows, parquet.Compression(&zstd.Codec{Level: zstd.DefaultLevel}))
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	s.Size = info.Size()
	w.manifest.Segments = append(w.manifest.Segments, s)
	return nil
}
