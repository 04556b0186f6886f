package replicate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// gap is how long after the end of a copy the next one begins.
const gap = 10 * time.Second

// Recording is a log, taken apart into what stays and what changes from copy
// to copy.
type Recording struct {
	text  []byte
	lines []line
	slots []slot
	values
	namespaces map[string]bool
	first      time.Time
	last       time.Time
}

// line is a physical line of the text, or the lines of one value, with the line
// feed.
type line struct {
	end     int // in text
	slotEnd int // in slots
	count   int // physical lines
}

// Lines counts the physical lines of the recording.
func (r *Recording) Lines() int {
	n := 0
	for _, l := range r.lines {
		n += l.count
	}
	return n
}

// Period is by how much two copies are apart: the time from the recording's
// first event to its last, in whole seconds, and a few seconds more.
func (r *Recording) Period() time.Duration {
	return r.last.Sub(r.first).Truncate(time.Second) + time.Second + gap
}

// Read reads a recording: files, patterns, folders, or "-" for stdin, as
// audit.Open takes them. Lines that are no events are kept as they are, but for
// what is to change in them. A log without an event is an error.
func Read(ctx context.Context, inputs []string, stdin io.Reader) (*Recording, error) {
	reader, err := audit.Open(inputs, audit.Options{Stdin: stdin})
	if err != nil {
		return nil, err
	}
	// It was only read.
	defer func() { _ = reader.Close() }()
	r := &Recording{values: values{index: map[value]int{}}, namespaces: map[string]bool{}}
	var aboutNamespace []bool
	source, next := "", 0
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if chunk.Source != source {
			source, next = chunk.Source, 1
		}
		for _, record := range chunk.Records {
			for ; next < record.Line; next++ {
				r.addLine(nil, 1)
				aboutNamespace = append(aboutNamespace, false)
			}
			r.addLine(record.Raw, record.Lines)
			aboutNamespace = append(aboutNamespace, r.learn(record.Raw, record.Line))
			next += record.Lines
		}
	}
	if r.first.IsZero() {
		return nil, fmt.Errorf("%s holds no audit event", strings.Join(inputs, " "))
	}
	scanner := newScanner(r, &r.values)
	start := 0
	for i := range r.lines {
		l := &r.lines[i]
		r.slots = scanner.scan(r.slots, r.text[start:l.end], start, aboutNamespace[i])
		l.slotEnd = len(r.slots)
		start = l.end
	}
	return r, nil
}

func (r *Recording) addLine(raw []byte, count int) {
	r.text = append(append(r.text, raw...), '\n')
	r.lines = append(r.lines, line{end: len(r.text), count: count})
}

// learn notes the namespaces and the times of a line, and tells whether it is a
// request for namespaces.
func (r *Recording) learn(raw []byte, at int) (aboutNamespace bool) {
	var decoder audit.Decoder
	var ev audit.Event
	if decoder.Decode(raw, audit.Position{Line: at}, &ev) != nil {
		return false
	}
	if r.first.IsZero() || ev.RequestReceived.Before(r.first) {
		r.first = ev.RequestReceived
	}
	for _, t := range []time.Time{ev.RequestReceived, ev.StageTime} {
		if t.After(r.last) {
			r.last = t
		}
	}
	aboutNamespace = ev.Object.Resource == "namespaces" && ev.Object.APIGroup == ""
	r.addNamespace(ev.Object.Namespace)
	if aboutNamespace {
		r.addNamespace(ev.Object.Name)
	}
	return aboutNamespace
}

// addNamespace notes a namespace that copies rename.
func (r *Recording) addNamespace(name string) {
	if name == "" || name == "default" || strings.HasPrefix(name, "kube-") {
		return
	}
	r.namespaces[name] = true
}

// Options say how much to write.
type Options struct {
	// Copies is how many copies to write; 0 is as many as Size needs.
	Copies int
	// Size is how many bytes to write at most, in whole lines; 0 is no bound.
	// One of Copies and Size must be set.
	Size int64
	// Seed chooses the UUIDs.
	Seed uint64
}

// Written is what was written.
type Written struct {
	// Copies counts the copies begun; the last may be cut short.
	Copies int
	// Lines and Bytes count what was written, LastLines the lines of the last
	// copy.
	Lines, LastLines int
	Bytes            int64
}

// Write writes copies of the recording, one after the other, a line at a time.
// An error comes from ctx or from writing.
func (r *Recording) Write(ctx context.Context, w io.Writer, o Options) (Written, error) {
	var done Written
	if o.Copies <= 0 && o.Size <= 0 {
		return done, errors.New("neither a number of copies nor a size is given")
	}
	buffer := make([]byte, 0, 1<<20)
	for o.Copies <= 0 || done.Copies < o.Copies {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		texts := r.texts(done.Copies+1, o.Seed)
		done.Copies++
		done.LastLines = 0
		start, first := 0, 0
		for _, l := range r.lines {
			before := len(buffer)
			buffer = render(buffer, r.text, start, l.end, r.slots[first:l.slotEnd], texts)
			length := int64(len(buffer) - before)
			if o.Size > 0 && done.Bytes+length > o.Size {
				_, err := w.Write(buffer[:before])
				return done, err
			}
			done.Bytes += length
			done.Lines += l.count
			done.LastLines += l.count
			start, first = l.end, l.slotEnd
			if len(buffer) >= 1<<19 {
				if _, err := w.Write(buffer); err != nil {
					return done, err
				}
				buffer = buffer[:0]
			}
		}
	}
	_, err := w.Write(buffer)
	return done, err
}

// render appends text[start:end] with its slots filled.
func render(to, text []byte, start, end int, slots []slot, texts []string) []byte {
	for _, s := range slots {
		to = append(to, text[start:s.start]...)
		to = append(to, texts[s.value]...)
		start = s.end
	}
	return append(to, text[start:end]...)
}

// texts gives what the values are in a copy, which counts from 1.
func (r *Recording) texts(number int, seed uint64) []string {
	shift := time.Duration(number-1) * r.Period()
	suffix := "-r" + strconv.Itoa(number)
	texts := make([]string, len(r.list))
	for i, v := range r.list {
		switch v.kind {
		case kindUUID:
			texts[i] = newUUID(v.text, number, seed)
		case kindTime:
			// The scanner has parsed it.
			t, _ := time.Parse(secondLayout, v.text)
			texts[i] = t.Add(shift).Format(secondLayout)
		case kindNanos:
			t, _ := parseNanos(v.text) // and this one too
			texts[i] = string(appendNanos(nil, t.Add(shift)))
		case kindNamespace, kindID:
			texts[i] = v.text + suffix
		}
	}
	return texts
}

// newUUID gives the UUID (version 4 in form) that stands for another one in a
// copy.
func newUUID(old string, number int, seed uint64) string {
	var key [16 + uuidLength]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(number)) //nolint:gosec // A copy's number is positive.
	copy(key[16:], old)
	sum := sha256.Sum256(key[:])
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	var b [uuidLength]byte
	hex.Encode(b[0:], sum[0:4])
	hex.Encode(b[9:], sum[4:6])
	hex.Encode(b[14:], sum[6:8])
	hex.Encode(b[19:], sum[8:10])
	hex.Encode(b[24:], sum[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
