package edit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
)

// Entry is an event's place in the log, and what must be known of all events
// at once.
type Entry struct {
	// Offset and Size give the event's bytes, Line its first physical line
	// from 1, and Item its place in an EventList from 1, 0 outside one.
	Offset int64
	Size   int32
	Line   int32
	Item   int32
	// Own is the label of the event by itself.
	Own int32
	// Given is the label that the log has under the key, noLabel without one.
	Given int32
	// check tells whether what is said elsewhere is about this event.
	check uint32
}

// index lists the events of a log in its order. Number i is the i-th event
// from 0, whatever else the log holds.
type index struct {
	entries []Entry
}

// append adds the next events that were found.
func (x *index) append(entries []Entry) { x.entries = append(x.entries, entries...) }

// find gives the event that begins at an offset.
func (x *index) find(offset int64) (int, bool) {
	i := sort.Search(len(x.entries), func(i int) bool { return x.entries[i].Offset >= offset })
	return i, i < len(x.entries) && x.entries[i].Offset == offset
}

// byLine gives the event at a line of the log, or the first one after it; the
// number of events where there is none.
func (x *index) byLine(line int) int {
	return sort.Search(len(x.entries), func(i int) bool { return int(x.entries[i].Line) >= line })
}

// Scanned is what a scan found out about a log as a whole.
type Scanned struct {
	// Sum is the SHA-256 of the log after decompression, in hexadecimal.
	Sum string
	// Events counts the events, Malformed what gives none; Broken is the
	// first of these.
	Events, Malformed int
	Broken            error
}

// scan reads a log from its beginning to its end and gives its entries to
// found, which may keep them, with the number of bytes read so far. Errors come
// from ctx and from reading; malformed pieces are counted.
func scan(ctx context.Context, l *Log, codec *label.Codec, k key, found func(entries []Entry, read int64) error) (*Scanned, error) {
	sum := sha256.New()
	reader, err := audit.Open([]string{audit.Stdin}, audit.Options{Stdin: io.TeeReader(l.Reader(), sum)})
	if err != nil {
		return nil, err
	}
	// It was only read.
	defer func() { _ = reader.Close() }()
	var decoder audit.Decoder
	scanned := &Scanned{}
	var read int64
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			scanned.Sum = hex.EncodeToString(sum.Sum(nil))
			return scanned, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", l.name, err)
		}
		batch := decoder.DecodeChunk(chunk)
		scanned.Events += len(batch.Events)
		scanned.Malformed += len(batch.Malformed)
		if scanned.Broken == nil && len(batch.Malformed) > 0 {
			scanned.Broken = fmt.Errorf("line %d: %s", batch.Malformed[0].Line, batch.Malformed[0].Reason)
		}
		entries := make([]Entry, 0, len(batch.Events))
		for i := range batch.Events {
			ev := &batch.Events[i]
			given := int32(noLabel)
			if value, _, ok := k.Find(ev.Raw); ok {
				given = labelIn(value)
			}
			entries = append(entries, Entry{
				Offset: ev.Position.Offset, Size: int32(len(ev.Raw)), Line: int32(ev.Position.Line), Item: int32(ev.Position.Item),
				Own: int32(codec.EncodeEvent(ev)), Given: given, check: checkOf(ev.AuditID, string(ev.Stage)),
			})
		}
		read += int64(batch.Bytes)
		reader.Recycle(chunk)
		if err := found(entries, read); err != nil {
			return nil, err
		}
	}
}

// checkOf tells events apart well enough to notice a mistake.
func checkOf(auditID, stage string) uint32 {
	return crc32.ChecksumIEEE([]byte(auditID + "\x00" + stage))
}

// Event reads an event of the log again, with its Raw. The error names the
// line.
func (l *Log) Event(e Entry) (*audit.Event, error) {
	raw := make([]byte, e.Size)
	if _, err := l.ReadAt(raw, e.Offset); err != nil {
		return nil, fmt.Errorf("reading line %d of %s again: %w", e.Line, l.name, err)
	}
	var decoder audit.Decoder
	ev := new(audit.Event)
	at := audit.Position{Source: l.name, Line: int(e.Line), Offset: e.Offset, Item: int(e.Item), Size: int(e.Size)}
	if err := decoder.Decode(raw, at, ev); err != nil {
		return nil, fmt.Errorf("reading a line again, so that the file must have changed: %w", err)
	}
	return ev, nil
}
