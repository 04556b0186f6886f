package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/whet-k8s/whet/audit"
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
	// NewAfter says that the data set has no event whose stageTimestamp is after
	// it, so that it is not looked for there: that saves reading segments whose
	// times overlap. Zero looks for every event.
	NewAfter time.Time
	// Quick compresses fast, for segments that are soon compacted.
	Quick bool
}

const (
	// DefaultCluster is the name of a cluster that nobody named.
	DefaultCluster = "default"
	// maxCluster bounds a cluster's name in bytes, which is part of the names of
	// folders.
	maxCluster = 64
	// segmentRows is how many rows a segment has at most. It bounds the memory
	// of a run.
	segmentRows = 1 << 15
	// openContexts is how many contexts wait for further parts.
	openContexts = 1 << 14
)

// Writer adds the outcome of one run to a data set. Nothing of it is seen
// before Commit. Its methods are for one goroutine.
type Writer struct {
	dir      string
	options  WriterOptions
	lock     *lock
	manifest *manifest
	redactor *redactor // nil with NoRedact
	drewKey  bool      // the data set had no key for redaction
	files    *fileWriter

	batch   []pending              // events that are in no table yet
	events  map[string]*eventTable // by day
	waiting int                    // rows of events
	// today is the day of the last event, and todayNumber its number.
	today       string
	todayNumber int64
	ordinal     int64
	first       string // tells the log by its first event

	open     map[string]*pipeline.Context
	contexts map[string]*contextTable // by day
	closed   int                      // rows of contexts
	// reopened are further parts of contexts that are closed already.
	reopened map[string]*pipeline.Context

	raw *rawLog // with KeepAll
	// healedRaw are damaged segments of the log whose bytes this run has written.
	healedRaw []segment

	// announced tells that this run wrote the first manifest.
	announced bool

	present *present
	known   int64 // events that the data set had
	added   Added
}

// Added tells what a Commit added.
type Added struct {
	// Events and Contexts are new rows; Grown are contexts that took the place
	// of what the data set knew of them.
	Events, Contexts, Grown int64
	// Bytes is what the data set grew by on disk.
	Bytes int64
}

// Append opens the data set in dir for a run to be added, and makes it where
// there is none. Either Commit or Abort ends it. The error says so when
// somebody else writes to the data set, or a newer whet wrote it.
func Append(ctx context.Context, dir string, o WriterOptions) (*Writer, error) {
	o.Cluster = cmp.Or(o.Cluster, DefaultCluster)
	o.Keep = cmp.Or(o.Keep, KeepEvents)
	if len(o.Cluster) > maxCluster {
		return nil, fmt.Errorf("the cluster's name %.20q… has more than %d bytes", o.Cluster, maxCluster)
	}
	if !slices.Contains([]Keep{KeepContexts, KeepEvents, KeepAll}, o.Keep) {
		return nil, fmt.Errorf("cannot keep %q: there are %s, %s and %s", o.Keep, KeepContexts, KeepEvents, KeepAll)
	}
	w := &Writer{
		dir: filepath.Clean(dir), options: o,
		events: map[string]*eventTable{}, open: map[string]*pipeline.Context{}, contexts: map[string]*contextTable{},
		reopened: map[string]*pipeline.Context{},
	}
	if err := w.begin(ctx); err != nil {
		return nil, fmt.Errorf("opening the data set %s for writing: %w", dir, err)
	}
	return w, nil
}

func (w *Writer) begin(ctx context.Context) (err error) {
	w.lock, w.manifest, err = openForWriting(w.dir)
	if err != nil {
		return err
	}
	if !w.options.NoRedact {
		_, statErr := os.Stat(filepath.Join(w.dir, keyName))
		w.drewKey = errors.Is(statErr, fs.ErrNotExist)
		w.redactor, err = openRedactor(w.dir)
	}
	if err != nil {
		w.lock.release()
		return err
	}
	w.ordinal = w.manifest.Ordinals
	if w.options.Keep == KeepAll {
		w.raw = newRawLog()
	}
	w.present = newPresent(w.dir, w.options.Cluster, w.manifest)
	w.files = newFileWriter(ctx, w.dir, w.options.Cluster, false)
	w.files.quick = w.options.Quick
	if w.manifest.fresh {
		w.files.before = w.announce
	}
	return nil
}

// announce writes an empty manifest before the first segment of a data set, so
// that segments without a manifest always mean that the manifest was lost.
func (w *Writer) announce() error {
	placed, err := w.manifest.write(w.dir)
	w.announced = placed
	return err
}

// openForWriting takes the lock of a data set, which it makes where there is
// none, reads its manifest, and removes what a run that was killed left behind.
func openForWriting(dir string) (*lock, *manifest, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	if err := looksLikeOurs(dir); err != nil {
		return nil, nil, err
	}
	l, err := lockWriter(filepath.Join(dir, writerName))
	if err != nil {
		return nil, nil, err
	}
	m, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = &manifest{Version: formatVersion, fresh: true}, nil
	}
	if err == nil {
		err = clean(dir, m)
	}
	if err == nil {
		// Readers lock this file, and must not need to make it.
		err = touch(filepath.Join(dir, readersFile(m.Readers)))
	}
	if err != nil {
		l.release()
		return nil, nil, err
	}
	return l, m, nil
}

// looksLikeOurs refuses a folder that holds something else, in which files
// would be written and removed.
func looksLikeOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case manifestName, manifestName + temporarySuffix, writerName, mergeName, keyName, keyName + temporarySuffix, tableEvents, tableContexts, tableRaw, mergingName, LiveFolder:
		default:
			if isReadersFile(e.Name()) {
				continue
			}
			return fmt.Errorf("it holds %q, which is no part of a data set: name an empty folder, or one that is not there yet", e.Name())
		}
	}
	return nil
}

// Sink gives the functions that take what a run of the pipeline gives. With
// KeepAll the run needs pipeline.Options.KeepGaps.
func (w *Writer) Sink() pipeline.Sink {
	s := pipeline.Sink{Annotation: w.Event, Context: w.Context}
	if w.raw != nil {
		s.Gap = w.Gap
	}
	return s
}

// Event takes an event with what was found out about it.
func (w *Writer) Event(a *pipeline.Annotation) error {
	w.ordinal++
	if w.first == "" {
		w.begins(a.Event)
	}
	if w.options.Keep == KeepContexts || a.Role == link.RoleDropped && w.options.Keep != KeepAll {
		return nil
	}
	e := a.Event
	if w.raw != nil {
		// What is kept of the bytes follows from the event as it is kept.
		e = w.redacted(e)
		if err := w.rawEvent(a, e); err != nil {
			return err
		}
	}
	w.batch = append(w.batch, pending{e, *a, w.ordinal})
	if len(w.batch) < batchRows && (w.raw == nil || !w.raw.full()) {
		return nil
	}
	w.fill()
	switch {
	case w.raw != nil && (w.waiting >= segmentRows || w.raw.full()):
		return w.flushAll()
	case w.raw != nil || w.waiting < segmentRows:
		return nil
	}
	return w.flushEvents(largest(w.events, func(t *eventTable) int { return t.rows }), nil)
}

func (w *Writer) redacted(e *audit.Event) *audit.Event {
	if w.redactor == nil {
		return e
	}
	return w.redactor.event(e)
}

// fill brings the events that wait into their tables.
func (w *Writer) fill() {
	batch := w.batch
	if w.raw == nil {
		for i := range batch {
			batch[i].Event = w.redacted(batch[i].Event)
		}
	}
	for from := 0; from < len(batch); {
		day := w.day(batch[from].Event)
		end := from + 1
		for end < len(batch) && w.day(batch[end].Event) == day {
			end++
		}
		t := w.events[day]
		if t == nil {
			t = w.files.table()
			w.events[day] = t
		}
		t.add(batch[from:end])
		from = end
	}
	w.waiting += len(batch)
	clear(batch)
	w.batch = batch[:0]
}

// day is the date of an event's stageTimestamp in UTC, or of its
// requestReceivedTimestamp when it has no other.
func (w *Writer) day(e *audit.Event) string {
	const seconds = 24 * 60 * 60
	t := e.StageTime
	if t.IsZero() {
		t = e.RequestReceived
	}
	number := t.Unix() / seconds
	if w.today == "" || number != w.todayNumber {
		w.todayNumber, w.today = number, t.UTC().Format(time.DateOnly)
	}
	return w.today
}

// begins takes note of the first event of the log.
func (w *Writer) begins(e *audit.Event) {
	w.first = logID(w.options.Cluster, e)
	if w.raw != nil {
		w.raw.compare(w.manifest.Inputs, w.options.Cluster, w.first)
	}
}

// largest gives the key of the largest table.
func largest[T any](tables map[string]T, size func(T) int) string {
	return slices.MaxFunc(slices.Sorted(maps.Keys(tables)), func(a, b string) int {
		return cmp.Compare(size(tables[a]), size(tables[b]))
	})
}

// flushEvents writes the events of a day, and notes in without, where there is
// one, the ordinals of those that the data set has.
func (w *Writer) flushEvents(day string, without map[int64]bool) error {
	t := w.events[day]
	delete(w.events, day)
	w.waiting -= t.rows
	skip, known, err := w.present.events(t, w.options.NewAfter)
	if err != nil {
		return err
	}
	w.known += known
	if without != nil && known > 0 {
		for row, yes := range skip {
			if yes {
				without[t.ordinal.numbers[row]] = true
			}
		}
	}
	if known == int64(t.rows) {
		w.files.done(t)
		return nil
	}
	w.added.Events += int64(t.rows) - known
	return w.files.add(tableEvents, day, func(f *segmentFile) error {
		t.resolve(skip)
		defer w.files.done(t)
		return t.writeTo(f, skip)
	})
}

// Context takes a part of a context.
func (w *Writer) Context(c *pipeline.Context) error {
	into := w.open
	if c.Part > 1 && w.open[c.ID] == nil {
		into = w.reopened
	}
	if before := into[c.ID]; before != nil {
		merge(before, c)
		return nil
	}
	part := w.Redacted(*c)
	into[c.ID] = &part
	if len(w.open) < openContexts {
		return nil
	}
	w.closeContexts(openContexts / 2)
	if w.closed < segmentRows {
		return nil
	}
	day := largest(w.contexts, func(t *contextTable) int { return t.rows })
	t := w.contexts[day]
	delete(w.contexts, day)
	w.closed -= t.rows
	return w.addContexts(day, t, nil)
}

// Redacted gives a context as the data set keeps it, without secret values, for
// those who are shown it straight away.
func (w *Writer) Redacted(c pipeline.Context) pipeline.Context {
	if w.redactor == nil {
		return c
	}
	c.Outcome.Message = w.redactor.Message(c.Outcome.Message, c.Resource, c.Subresource)
	c.Actor.UserAgent = w.redactor.Text(c.Actor.UserAgent)
	c.Action = w.redactor.Text(c.Action)
	return c
}

// closeContexts moves the contexts that ended longest ago to tables, until so
// many are left.
func (w *Writer) closeContexts(left int) {
	list := slices.SortedFunc(maps.Values(w.open), func(a, b *pipeline.Context) int {
		return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID))
	})
	for _, c := range list[:max(len(list)-left, 0)] {
		delete(w.open, c.ID)
		day := c.Start.UTC().Format(time.DateOnly)
		t := w.contexts[day]
		if t == nil {
			t = newContextTable()
			w.contexts[day] = t
		}
		t.add(c)
		w.closed++
	}
}

// addContexts writes the contexts of a day.
func (w *Writer) addContexts(day string, t *contextTable, skip []bool) error {
	return w.files.add(tableContexts, day, func(f *segmentFile) error { return t.writeTo(f, skip) })
}

// Commit puts what was taken into the data set, all at once. The Writer cannot
// be used any more, whether or not there is an error; after one the data set is
// as it was, unless it says that only syncing its folder failed.
func (w *Writer) Commit(ctx context.Context, account *pipeline.Accounting) (Added, error) {
	err := w.commit(ctx, account)
	if err != nil {
		return Added{}, errors.Join(fmt.Errorf("writing the data set %s: %w", w.dir, err), w.Abort())
	}
	w.lock.release()
	return w.added, nil
}

func (w *Writer) commit(ctx context.Context, account *pipeline.Accounting) error {
	w.fill()
	if w.raw != nil {
		if err := w.flushAll(); err != nil {
			return err
		}
	}
	for _, day := range slices.Sorted(maps.Keys(w.events)) {
		if err := w.flushEvents(day, nil); err != nil {
			return err
		}
	}
	replaced, err := w.settle()
	if err != nil {
		return err
	}
	if err := w.settleRaw(); err != nil {
		return err
	}
	segments, err := w.files.close()
	if err != nil {
		return err
	}
	for _, s := range w.heal() {
		replaced = append(replaced, s.Path)
	}
	m := *w.manifest
	m.Segments = slices.Concat(slices.DeleteFunc(slices.Clone(m.Segments), func(s segment) bool {
		return slices.Contains(replaced, s.Path)
	}), segments)
	m.Replaced = slices.Concat(m.Replaced, replaced)
	m.Inputs = w.account(m.Inputs, account)
	m.Ordinals = w.ordinal
	if len(segments)+len(replaced) == 0 && slices.EqualFunc(m.Inputs, w.manifest.Inputs, func(a, b input) bool { return a.Bytes == b.Bytes }) {
		return nil
	}
	if err := w.files.sync(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.retire(w.dir); err != nil {
		return err
	}
	placed, err := m.write(w.dir)
	if placed {
		w.files.keep()
		w.announced = false
	}
	if err != nil {
		return err
	}
	w.added.Bytes = m.size() - w.manifest.size()
	removeReplaced(w.dir, &m)
	return nil
}

// Abort drops what was taken. The data set is as it was.
func (w *Writer) Abort() error {
	_, err := w.files.close()
	w.files.drop()
	if w.announced {
		// An empty data set that stays harms nobody.
		_ = os.Remove(filepath.Join(w.dir, manifestName))
	}
	w.lock.release()
	if err != nil {
		return nil //nolint:nilerr // What could not be written was to be dropped.
	}
	return nil
}
