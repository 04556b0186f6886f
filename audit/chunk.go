package audit

import (
	"bytes"
	"errors"

	"github.com/goccy/go-json"
)

// Chunk is a run of records of one source, as a Reader cuts them: what one
// goroutine decodes at a time. It may be decoded while the Reader goes on.
type Chunk struct {
	// Seq numbers the chunks of a Reader from 0, so that what several
	// goroutines decoded can be put in order again.
	Seq int
	// Source is the Source of every Position in the chunk.
	Source string
	// Records are the values that the chunk holds, in order.
	Records []Record
	// Lines counts the physical lines of the chunk, Blank those of them that
	// hold nothing but spaces. The rest belongs to the records.
	Lines int
	Blank int
	// Bytes counts the bytes of the chunk after decompression.
	Bytes int
	// Data are all bytes of the chunk, those between the records too, and Offset
	// counts the bytes of the source before them. They are there with
	// Options.KeepData only.
	Data   []byte
	Offset int64

	buffer []byte // what holds the records, for Reader.Recycle
}

// Record is a line of the input, or several lines that hold a value together,
// not yet decoded.
type Record struct {
	// Raw is what the record holds, without the last line feed.
	Raw []byte
	// Line is the record's first physical line, from 1, and Lines how many it
	// takes.
	Line, Lines int
	// Offset counts the bytes before the record in the decompressed source.
	Offset int64
	// Reason is set where the Reader already knows that this cannot be an
	// event: a line over the limit, a value that is never closed.
	Reason string
}

// Batch is what the records of one Chunk gave.
type Batch struct {
	Seq    int
	Source string
	// Events and Malformed are each in the order of the input.
	Events    []Event
	Malformed []Malformed
	// Lines counts the physical lines, and is the sum of the other three:
	// blank ones, those of records that gave events (or are an empty list),
	// and those of records that gave none.
	Lines, Blank, EventLines, MalformedLines int
	// Bytes counts the bytes after decompression.
	Bytes int
}

// DecodeChunk decodes every record of a chunk: an Event, an EventList, or
// several of them one after the other. It always gives a Batch, and what is
// wrong with a record stands in Batch.Malformed.
func (d *Decoder) DecodeChunk(c *Chunk) *Batch {
	b := &Batch{Events: make([]Event, 0, len(c.Records))}
	d.DecodeInto(b, c)
	return b
}

// DecodeInto does what DecodeChunk does, in the memory of a Batch that is not
// needed any more.
func (d *Decoder) DecodeInto(b *Batch, c *Chunk) {
	*b = Batch{
		Seq: c.Seq, Source: c.Source, Lines: c.Lines, Blank: c.Blank, Bytes: c.Bytes,
		Events: b.Events[:0], Malformed: b.Malformed[:0],
	}
	for i := range c.Records {
		r := &c.Records[i]
		if d.record(b, r) {
			b.EventLines += r.Lines
		} else {
			b.MalformedLines += r.Lines
		}
	}
}

// record decodes one record and tells whether it gave events, or is a list
// without any.
func (d *Decoder) record(b *Batch, r *Record) bool {
	at := Position{Source: b.Source, Line: r.Line, Offset: r.Offset}
	if r.Reason != "" {
		b.fault(at, r.Raw, r.Reason, r.Lines)
		return false
	}
	err := d.value(b, r.Raw, at)
	if err == nil {
		return true
	}
	pieces := splitValues(r.Raw)
	if len(pieces) < 2 {
		b.fault(at, r.Raw, err.Error(), r.Lines)
		return false
	}
	return d.pieces(b, r, pieces)
}

// pieces decodes the values of a record that holds more than one.
func (d *Decoder) pieces(b *Batch, r *Record, pieces []piece) bool {
	good := false
	at := Position{Source: b.Source, Line: r.Line, Offset: r.Offset}
	before := 0
	for i, p := range pieces {
		at.Line += bytes.Count(r.Raw[before:p.start], []byte("\n"))
		at.Offset += int64(p.start - before)
		before = p.start
		if err := d.value(b, r.Raw[p.start:p.end:p.end], at); err != nil {
			lines := 0
			if i == len(pieces)-1 && !good {
				lines = r.Lines
			}
			b.fault(at, r.Raw[p.start:p.end:p.end], err.Error(), lines)
			continue
		}
		good = true
	}
	return good
}

// value decodes one Event or EventList into the batch.
func (d *Decoder) value(b *Batch, raw []byte, at Position) error {
	b.Events = append(b.Events, Event{})
	last := len(b.Events) - 1
	err := d.decode(raw, at, &b.Events[last])
	if err == nil {
		return nil
	}
	b.Events = b.Events[:last]
	if errors.Is(err, errEventList) {
		return d.list(b, raw, at)
	}
	return err
}

// list decodes the items of an EventList. A malformed item costs only itself.
func (d *Decoder) list(b *Batch, raw []byte, at Position) error {
	var w struct {
		APIVersion string            `json:"apiVersion"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return reason(err)
	}
	if err := checkKind(kindEvent, w.APIVersion, false); err != nil {
		return err
	}
	before := 0
	for i, item := range w.Items {
		found := bytes.Index(raw[before:], item)
		if found < 0 {
			found = 0 // an item is a part of raw, so this only keeps the slice in bounds
		}
		start := before + found
		end := min(start+len(item), len(raw))
		at.Item = i + 1
		at.Line += bytes.Count(raw[before:start], []byte("\n"))
		at.Offset += int64(start - before)
		b.Events = append(b.Events, Event{})
		last := len(b.Events) - 1
		if err := d.decode(raw[start:end:end], at, &b.Events[last]); err != nil {
			b.Events = b.Events[:last]
			b.fault(at, raw[start:end:end], err.Error(), 0)
		}
		at.Line += bytes.Count(raw[start:end], []byte("\n"))
		at.Offset += int64(end - start)
		before = end
	}
	return nil
}

func (b *Batch) fault(at Position, raw []byte, reason string, lines int) {
	b.Malformed = append(b.Malformed, Malformed{Position: at, Reason: reason, Lines: lines, Raw: raw})
}
