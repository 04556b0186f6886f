package store

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/whet-k8s/whet/audit"
)

// present tells what a data set has already, without what damaged files hold. It
// reads only segments whose times overlap with those of what is to be added.
type present struct {
	dir                      string
	seed                     maphash.Seed
	eventFiles, contextFiles []segment
	loaded                   map[string]map[uint64]int32
	// damaged are segments that cannot be read, as far as that was found out.
	damaged []segment
	// outgrown are the rows of contexts in old segments that new rows take the
	// place of.
	outgrown map[string]map[int32]bool
}

// maxLoaded bounds how many segments' keys are kept, at some 3 MB each.
const maxLoaded = 12

func newPresent(dir, cluster string, m *manifest) *present {
	p := &present{dir: dir, seed: maphash.MakeSeed(), loaded: map[string]map[uint64]int32{}, outgrown: map[string]map[int32]bool{}}
	for _, s := range m.Segments {
		switch {
		case s.Cluster != cluster:
		case s.check(dir) != nil:
			p.damaged = append(p.damaged, s)
		case s.Table == tableEvents:
			p.eventFiles = append(p.eventFiles, s)
		case s.Table == tableContexts:
			p.contextFiles = append(p.contextFiles, s)
		}
	}
	return p
}

// key tells events apart. The auditID alone does not: a request has an event a
// stage, and a client may choose the auditID.
func (t *eventTable) key(seed maphash.Seed, row int) uint64 {
	type key struct {
		auditID, stage    string
		received, elapsed int64
	}
	return maphash.Comparable(seed, key{
		t.auditID.binary(row), t.stage.text(row), t.received.numbers[row], t.elapsed.numbers[row],
	})
}

// overlapping gives the segments with times between two.
func overlapping(list []segment, times []int64) []segment {
	first, last := times[0], times[0]
	for _, t := range times {
		first, last = min(first, t), max(last, t)
	}
	var found []segment
	for _, s := range list {
		if s.First.UnixMicro() <= last && s.Last.UnixMicro() >= first {
			found = append(found, s)
		}
	}
	return found
}

// events marks the rows that the data set has. Rows of events after a time are
// not looked for.
func (p *present) events(t *eventTable, newAfter time.Time) (skip []bool, known int64, err error) {
	rows, times := t.upTo(newAfter)
	if len(rows) == 0 {
		return nil, 0, nil
	}
	for _, s := range overlapping(p.eventFiles, times) {
		keys, err := p.load(&s)
		if err != nil {
			return nil, 0, err
		}
		if skip == nil {
			skip = make([]bool, t.rows)
		}
		for _, row := range rows {
			if _, ok := keys[t.key(p.seed, int(row))]; ok && !skip[row] {
				skip[row] = true
				known++
			}
		}
	}
	return skip, known, nil
}

// upTo gives the rows without a stageTimestamp after a time, and their
// requestReceivedTimestamps; with the zero time all rows.
func (t *eventTable) upTo(newAfter time.Time) (rows []int32, received []int64) {
	until := int64(math.MaxInt64)
	if !newAfter.IsZero() {
		until = newAfter.UnixMicro()
	}
	for row, at := range t.received.numbers {
		if t.elapsed.null[row] || at+t.elapsed.numbers[row] <= until {
			rows, received = append(rows, int32(row)), append(received, at)
		}
	}
	return rows, received
}

func (p *present) load(s *segment) (map[uint64]int32, error) {
	if keys := p.loaded[s.Path]; keys != nil {
		return keys, nil
	}
	if len(p.loaded) >= maxLoaded {
		clear(p.loaded)
	}
	t := newEventTable()
	// What a damaged file holds is missing, so that it is written once more.
	if p.sound(s) {
		err := readFile(filepath.Join(p.dir, filepath.FromSlash(s.Path)), []fileColumn{
			auditIDOf(&t.auditID), textOf("auditIDText", &t.auditID.other), textOf("stage", &t.stage),
			timeOf("requestReceivedTimestamp", &t.received), elapsedOf(&t.elapsed),
		})
		if err != nil {
			return nil, err
		}
	}
	keys := make(map[uint64]int32, len(t.received.numbers))
	for row := range t.received.numbers {
		keys[t.key(p.seed, row)] = int32(row)
	}
	p.loaded[s.Path] = keys
	return keys, nil
}

// sound compares a segment with what was written, and takes note of one that is
// damaged.
func (p *present) sound(s *segment) bool {
	if s.verify(p.dir) == nil {
		return true
	}
	if !slices.ContainsFunc(p.damaged, func(other segment) bool { return other.Path == s.Path }) {
		p.damaged = append(p.damaged, *s)
	}
	return false
}

// contexts marks the rows that the data set has with as many events, and notes
// those of which it has a row with fewer.
func (p *present) contexts(t *contextTable) (skip []bool, known, grown int64, err error) {
	list := overlapping(p.contextFiles, t.start.numbers)
	if len(list) == 0 {
		return nil, 0, 0, nil
	}
	rows := map[string]int32{}
	for row := range t.rows {
		id, _ := t.ids(row)
		rows[id] = int32(row)
	}
	skip = make([]bool, t.rows)
	prefixes := make(map[int64]bool, t.rows)
	for _, prefix := range t.idPrefix.numbers {
		prefixes[prefix] = true
	}
	for i := range list {
		if !p.sound(&list[i]) {
			continue // as in load
		}
		if some, err := p.hasPrefix(&list[i], prefixes); err != nil {
			return nil, 0, 0, err
		} else if !some {
			continue
		}
		old := newContextTable()
		if err := old.read(filepath.Join(p.dir, filepath.FromSlash(list[i].Path))); err != nil {
			return nil, 0, 0, err
		}
		for at := range old.rows {
			id, _ := old.ids(at)
			row, ok := rows[id]
			if !ok {
				continue
			}
			if old.events.numbers[at] >= t.events.numbers[row] {
				skip[row] = true
				known++
				continue
			}
			if p.outgrown[list[i].Path] == nil {
				p.outgrown[list[i].Path] = map[int32]bool{}
			}
			p.outgrown[list[i].Path][int32(at)] = true
			grown++
		}
	}
	return skip, known, grown, nil
}

// hasPrefix tells whether some id in a segment of contexts begins as one of
// those given, which is quickly read.
func (p *present) hasPrefix(s *segment, prefixes map[int64]bool) (bool, error) {
	var c numberColumn
	if err := readFile(filepath.Join(p.dir, filepath.FromSlash(s.Path)), []fileColumn{prefixOf(&c)}); err != nil {
		return false, err
	}
	return slices.ContainsFunc(c.numbers, func(prefix int64) bool { return prefixes[prefix] }), nil
}

// logID tells a log by its first event.
func logID(cluster string, e *audit.Event) string {
	h := xxh3.New()
	for _, s := range []string{cluster, e.AuditID, string(e.Stage), e.User.Username, e.RequestURI} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	var times [16]byte
	binary.LittleEndian.PutUint64(times[:8], uint64(e.RequestReceived.UnixMicro()))
	binary.LittleEndian.PutUint64(times[8:], uint64(e.StageTime.UnixMicro()))
	_, _ = h.Write(times[:])
	return hex.EncodeToString(h.Sum(nil))
}
