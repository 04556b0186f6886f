package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/parquetfile"
	"github.com/whet-k8s/whet/pipeline"
)

const tableRaw = "raw"

// rawBytes is how many bytes of a log a segment holds at most. It bounds the
// memory of a run.
const rawBytes = 24 << 20

// rawTable collects the bytes of a log in their order: a row is an event with
// what stands before it, or a piece that belongs to no event.
type rawTable struct {
	file, before, template textColumn
	ordinal                numberColumn
	requestSize            numberColumn
	bodies                 [][]byte

	// data holds the rows' bytes one after the other.
	data []byte
	rows []rawRow
}

// rawRow is where the bytes of a row stand in data: all of them, and the bodies
// among them. Without a template there are no bodies.
type rawRow struct {
	start, end        int
	request, response [2]int
}

func (t *rawTable) columns() []fileColumn {
	bytes := func(name string, c *textColumn) fileColumn {
		return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.Bytes, Nullable: true}, text: c}
	}
	return []fileColumn{
		textOf("file", &t.file), bytes("before", &t.before),
		numberOf("ordinal", parquetfile.Int64, parquetfile.Delta, &t.ordinal),
		bytes("template", &t.template),
		numberOf("requestSize", parquetfile.Int32, parquetfile.Plain, &t.requestSize),
		{Column: parquetfile.Column{Name: "bodies", Type: parquetfile.Bytes}, raw: &t.bodies},
	}
}

// add takes a row. Without a template it is a piece of its own.
func (t *rawTable) add(file string, before, raw []byte, c *cut, ordinal int64) {
	start := len(t.data)
	t.data = append(t.data, raw...)
	row := rawRow{start: start, end: len(t.data)}
	t.file.add(file)
	t.before.addBytes(before)
	if c == nil {
		t.template.addNull()
		t.ordinal.addNull()
		t.requestSize.addNull()
	} else {
		t.template.addBytes(c.template)
		t.ordinal.add(ordinal)
		t.requestSize.addOr(int64(len(c.request)))
		row.request = within(raw, c.request, start)
		row.response = within(raw, c.response, start)
	}
	t.rows = append(t.rows, row)
}

// within is where a part of raw stands when raw begins at start.
func within(raw, part []byte, start int) [2]int {
	if len(part) == 0 {
		return [2]int{start, start}
	}
	at := start + cap(raw) - cap(part)
	return [2]int{at, at + len(part)}
}

// addBytes is add for bytes that need not be text.
func (c *textColumn) addBytes(b []byte) {
	if len(b) == 0 {
		c.addNull()
		return
	}
	at, ok := c.known[string(b)]
	if !ok {
		s := string(b)
		at = c.put(s, s)
	}
	c.index = append(c.index, at)
}

// settle fills in the bodies: of the events for which without is true, which the
// table of events does not have, all bytes.
func (t *rawTable) settle(without map[int64]bool) {
	for i, row := range t.rows {
		if !t.ordinal.null[i] && without[t.ordinal.numbers[i]] {
			t.template.index[i] = none
			t.ordinal.null[i], t.requestSize.null[i] = true, true
		}
		if t.ordinal.null[i] {
			t.bodies = append(t.bodies, t.data[row.start:row.end])
			continue
		}
		request, response := t.data[row.request[0]:row.request[1]], t.data[row.response[0]:row.response[1]]
		if row.request[1] == row.request[0] {
			t.bodies = append(t.bodies, response)
			continue
		}
		t.bodies = append(t.bodies, slices.Concat(request, response))
	}
}

// writeTo writes the rows as a segment.
func (t *rawTable) writeTo(f *segmentFile) error {
	f.choose(len(t.bodies))
	for _, b := range t.bodies {
		f.Bytes += int64(len(b))
	}
	for i, ordinal := range t.ordinal.numbers {
		if t.ordinal.null[i] {
			continue
		}
		if f.From == 0 || ordinal < f.From {
			f.From = ordinal
		}
		f.To = max(f.To, ordinal)
	}
	order := make([]int32, len(t.bodies))
	for i := range order {
		order[i] = int32(i)
	}
	return writeColumns(f, t.columns(), order, f.compress)
}

// rawLog is the log of a run as it is written with KeepAll.
type rawLog struct {
	table  *rawTable
	cutter cutter
	hash   *xxh3.Hasher
	// size counts the bytes so far; begun is where the table began.
	size, begun int64
	// known are the sizes at which a log that was read before ended, which this
	// one may be a continuation of.
	known []int64
	// same is the largest of them up to which the bytes are the same.
	same int64
	// hashes and names are those of the logs with the known sizes, taken all
	// names.
	hashes, names map[int64]string
	taken         []string
}

func newRawLog() *rawLog {
	return &rawLog{
		table: new(rawTable), cutter: cutter{tokens: newTokens()}, hash: xxh3.New(),
		hashes: map[int64]string{}, names: map[int64]string{},
	}
}

// bytes takes note of bytes of the log, and gives how many of them belong before
// the end of a log that was read before.
func (l *rawLog) bytes(b []byte) (cut int) {
	if len(l.known) == 0 || l.size+int64(len(b)) < l.known[0] {
		_, _ = l.hash.Write(b) // a hash takes everything
		l.size += int64(len(b))
		return -1
	}
	cut = int(l.known[0] - l.size)
	_, _ = l.hash.Write(b[:cut])
	if hex.EncodeToString(l.hash.Sum(nil)) == l.hashes[l.known[0]] {
		l.same = l.known[0]
	}
	_, _ = l.hash.Write(b[cut:])
	l.size += int64(len(b))
	l.known = l.known[1:]
	return cut
}

// compare makes the log look whether it continues one that was read before.
func (l *rawLog) compare(inputs []input, cluster, first string) {
	for _, in := range inputs {
		// Several logs may begin with the same event, as the same requests logged
		// at two levels do.
		if in.Cluster == cluster && strings.TrimRight(in.First, "+") == first && in.RawSize > 0 {
			l.known = append(l.known, in.RawSize)
			l.hashes[in.RawSize] = in.RawHash
			l.names[in.RawSize] = in.First
			l.taken = append(l.taken, in.First)
		}
	}
	slices.Sort(l.known)
}

// settleRaw leaves out the bytes that the data set has, where the log is one
// that was read before or continues it, and gives a log of its own a name of its
// own.
func (w *Writer) settleRaw() error {
	l := w.raw
	if l == nil || len(l.taken) == 0 && w.first != "" {
		return nil
	}
	segments, err := w.files.close()
	if err != nil {
		return err
	}
	name := w.first
	switch {
	case name == "":
		// A log without an event is known by all of its bytes.
		name = "bytes " + hex.EncodeToString(l.hash.Sum(nil))
		if slices.ContainsFunc(w.manifest.Inputs, func(in input) bool { return in.First == name && in.Cluster == w.options.Cluster }) {
			l.same = l.size
		}
	case l.same > 0:
		name = l.names[l.same]
	default:
		for slices.Contains(l.taken, name) {
			name += "+"
		}
	}
	healed := w.healRaw(name)
	for _, s := range slices.Clone(segments) {
		again := slices.ContainsFunc(healed, func(part [2]int64) bool { return part[0] <= s.Start && s.Start < part[1] })
		if s.Table == tableRaw && s.Start < l.same && !again {
			if err := w.files.remove(s.Path); err != nil {
				return err
			}
		}
	}
	for i := range w.files.segments {
		if s := &w.files.segments[i]; s.Table == tableRaw {
			s.Input = name
		}
	}
	w.first = name
	return nil
}

// Gap takes bytes of the log that belong to no event.
func (w *Writer) Gap(source string, b []byte) error {
	if err := w.piece(source, b, nil, nil, 0); err != nil {
		return err
	}
	if w.raw.full() {
		return w.flushAll()
	}
	return nil
}

// rawEvent takes the bytes of an event.
func (w *Writer) rawEvent(a *pipeline.Annotation, e *audit.Event) error {
	raw := a.Raw
	if w.redactor != nil {
		raw = w.redactor.Raw(nil, raw)
	}
	return w.piece(a.Position.Source, a.Before, a.Raw, func() (redacted []byte, c *cut) {
		if got, ok := w.raw.cutter.cut(raw, e); ok {
			return raw, &got
		}
		return raw, nil
	}, w.ordinal)
}

// piece takes the next bytes of the log: those before an event, and the event,
// which take gives redacted and taken apart.
func (w *Writer) piece(source string, before, raw []byte, take func() ([]byte, *cut), ordinal int64) error {
	l := w.raw
	redact := func(b []byte) []byte {
		if w.redactor == nil || len(b) == 0 {
			return b
		}
		return w.redactor.Between(nil, b)
	}
	for _, part := range []struct {
		bytes   []byte
		isEvent bool
	}{{before, false}, {raw, true}} {
		at := l.bytes(part.bytes)
		if at < 0 {
			continue
		}
		// A log that was read before ended here: what follows goes to a segment
		// of its own.
		var head, tail []byte
		if part.isEvent {
			all, _ := take()
			if len(all) != len(part.bytes) {
				at = len(all) // it was redacted, and has no such place any more
			}
			l.table.add(source, redact(before), all[:at], nil, 0)
			tail = all[at:]
		} else {
			head, tail = redact(before[:at]), redact(before[at:])
			l.table.add(source, nil, head, nil, 0)
		}
		if err := w.flushAll(); err != nil {
			return err
		}
		before = tail
		if part.isEvent {
			if len(tail) > 0 {
				l.table.add(source, nil, tail, nil, 0)
			}
			return nil
		}
	}
	if take != nil {
		all, c := take()
		l.table.add(source, redact(before), all, c, ordinal)
	} else if len(before) > 0 {
		l.table.add(source, nil, redact(before), nil, 0)
	}
	return nil
}

// full tells that the bytes so far fill a segment.
func (l *rawLog) full() bool { return len(l.table.data) >= rawBytes }

// flushAll writes the bytes of the log so far, and the events among them.
func (w *Writer) flushAll() error {
	w.fill()
	without := map[int64]bool{}
	for _, day := range slices.Sorted(maps.Keys(w.events)) {
		if err := w.flushEvents(day, without); err != nil {
			return err
		}
	}
	l := w.raw
	t, begun := l.table, l.begun
	l.table, l.begun = new(rawTable), l.size
	if len(t.rows) == 0 {
		return nil
	}
	return w.files.add(tableRaw, "", func(f *segmentFile) error {
		t.settle(without)
		f.Input, f.Start = w.first, begun
		return t.writeTo(f)
	})
}

// RawPiece is a piece of a log, as Raw gives it.
type RawPiece struct {
	Cluster string
	// File is the name of the input, as it was given when it was read.
	File string
	// Bytes are valid until the next piece.
	Bytes []byte
}

// Raw gives the logs that were read with KeepAll, byte for byte but for what was
// redacted: piece after piece, in the order in which they were read. What a
// damaged file held is left out, and Damaged names the file then at the latest.
func (d *DataSet) Raw(ctx context.Context) iter.Seq2[*RawPiece, error] {
	return func(yield func(*RawPiece, error) bool) {
		for _, s := range d.rawSegments() {
			if d.isDamaged(&s) || !d.compare(&s) {
				continue
			}
			if err := d.rawSegment(ctx, s, func(p *RawPiece) bool { return yield(p, nil) }); err != nil {
				if !errors.Is(err, io.EOF) {
					yield(nil, fmt.Errorf("reading %s: %w", s.Path, err))
				}
				return
			}
		}
	}
}

// rawSegments are the segments of logs in the order of the logs.
func (d *DataSet) rawSegments() []segment {
	var list []segment
	for _, in := range d.manifest.Inputs {
		from := len(list)
		for _, s := range d.raw {
			if s.Input == in.First {
				list = append(list, s)
			}
		}
		slices.SortFunc(list[from:], func(a, b segment) int { return int(a.Start - b.Start) })
	}
	return list
}

// rawSegment gives the pieces of a segment. It gives io.EOF when the caller has
// enough.
func (d *DataSet) rawSegment(ctx context.Context, s segment, yield func(*RawPiece) bool) error {
	var t rawTable
	if err := readFile(filepath.Join(d.dir, filepath.FromSlash(s.Path)), t.columns()); err != nil {
		return err
	}
	next, stop := iter.Pull2(d.byOrdinal(ctx, s.From, s.To))
	defer stop()
	tokens := newTokens()
	p := &RawPiece{Cluster: s.Cluster}
	at := &ordinalEvent{ordinal: -1}
	for row, bodies := range t.bodies {
		p.File = t.file.text(row)
		p.Bytes = append(p.Bytes[:0], t.before.text(row)...)
		if t.ordinal.null[row] {
			p.Bytes = append(p.Bytes, bodies...)
		} else {
			for at.ordinal < t.ordinal.numbers[row] {
				ev, err, ok := next()
				if err != nil {
					return err
				}
				if !ok {
					break
				}
				at = ev
			}
			if at.ordinal != t.ordinal.numbers[row] {
				// A file of events that is damaged, or was dropped, held the rest of
				// its bytes.
				d.lacksEvents(&s)
				continue
			}
			size := t.requestSize.numbers[row]
			p.Bytes = tokens.join(p.Bytes, []byte(t.template.text(row)), at.Event.Event, bodies[:size], bodies[size:])
		}
		if !yield(p) {
			return io.EOF
		}
	}
	return nil
}
