// Package filter takes the events out of a log that a noise policy hides, and
// leaves the bytes of the others as they are. It is what whet filter does.
//
// Run reads the inputs in their order and writes each event that is kept as a
// line. By default an event is kept when the policy keeps it; with Light also
// when the policy sets it aside; Invert writes the others instead. With Sort
// the lines come ordered by requestReceivedTimestamp, equal ones in the order
// of the input; whatever does not fit into memory waits in temporary files.
//
// A line of the input that is one event is written byte for byte. An event
// that spans several lines is put on one, without the white space between its
// tokens, and an item of an EventList gets the kind and the apiVersion that it
// had from the list, so that what is written is a log again. Lines that are no
// events are never written, but counted and named in the Report.
package filter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/noise"
)

// MaxMalformed is how many malformed places a Report names.
const MaxMalformed = 20

// Options are what Run reads, decides and writes. Inputs and Out must be set.
type Options struct {
	// Inputs are files, folders, patterns, or "-", as audit.Open takes them.
	Inputs []string
	// In is what "-" reads; nil means os.Stdin.
	In io.Reader
	// Out gets the lines.
	Out io.Writer
	// Policy decides; nil means noise.Default.
	Policy *noise.Policy
	// Light keeps what the policy sets aside too: only drops are removed.
	Light bool
	// Invert writes what would be removed, and nothing else.
	Invert bool
	// Sort orders the lines by requestReceivedTimestamp.
	Sort bool
	// SortMemory is about how many bytes of lines Sort holds in memory; 0
	// means DefaultSortMemory. A longer line is held all the same.
	SortMemory int
	// TempDir is where Sort puts what does not fit; "" means os.TempDir.
	TempDir string
	// Escape, unless nil, is given each line and appends to dst what to write
	// in its place: for a terminal, which must not get control characters.
	Escape func(dst, line []byte) []byte
	// Progress, unless nil, is called for each chunk with the bytes read of
	// the inputs, before decompression, all they have (0 when that is not
	// known), and the events so far.
	Progress func(read, total, events int64)
}

// Report says where every line of the input went.
type Report struct {
	// Lines counts the physical lines: blank ones, those of events, and those
	// of malformed records. Bytes are counted after decompression.
	Lines, Blank, EventLines, MalformedLines int
	Bytes                                    int64
	// Counts are the policy's decisions, their bytes without line feeds.
	Counts noise.Counts
	// Written are the events that were written, with their bytes in the input.
	Written noise.Tally
	// Malformed counts malformed values; Named are the first of them.
	Malformed int
	Named     []audit.Malformed
	// Empty are the inputs without a byte, Skipped the members of folders that
	// are no logs.
	Empty   []string
	Skipped []audit.Skipped
}

// Check says where the sums do not add up, which would be a defect.
func (r *Report) Check() error {
	if sum := r.Blank + r.EventLines + r.MalformedLines; sum != r.Lines {
		return fmt.Errorf("%d lines read, but %d accounted for", r.Lines, sum)
	}
	total, parts := r.Counts.Total(), noise.Tally{}
	for _, a := range []noise.Action{noise.Drop, noise.SetAside, noise.Keep} {
		t := r.Counts.Of(a)
		parts.Events += t.Events
		parts.Bytes += t.Bytes
	}
	if parts != total {
		return fmt.Errorf("%d events (%d bytes) read, but %d (%d) decided on", total.Events, total.Bytes, parts.Events, parts.Bytes)
	}
	return nil
}

// Run filters the inputs. Malformed input is no error but part of the Report;
// errors come from the context, from reading, which names the file, and from
// writing. The Report is valid up to the error.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Policy == nil {
		o.Policy = noise.Default()
	}
	r := new(Report)
	reader, err := audit.Open(o.Inputs, audit.Options{Stdin: o.In})
	if err != nil {
		return r, err
	}
	out := &lineWriter{Writer: bufio.NewWriterSize(o.Out, 256<<10), escape: o.Escape}
	err = filterAll(ctx, &o, reader, out, r)
	if closeErr := reader.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("closing the input: %w", closeErr)
	}
	// What was kept before an error is written, so that the output ends with a
	// whole line.
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("writing the output: %w", flushErr)
	}
	return r, err
}

func filterAll(ctx context.Context, o *Options, reader *audit.Reader, out *lineWriter, r *Report) (err error) {
	if !o.Sort {
		write := func(_ *audit.Event, line []byte) error { return out.writeLine(line) }
		return readAll(ctx, o, reader, r, write)
	}
	sorter := newSorter(o.SortMemory, o.TempDir)
	defer func() {
		if closeErr := sorter.close(); err == nil {
			err = closeErr
		}
	}()
	add := func(ev *audit.Event, line []byte) error { return sorter.add(ctx, ev.RequestReceived, line) }
	if err := readAll(ctx, o, reader, r, add); err != nil {
		return err
	}
	return sorter.writeTo(ctx, out)
}

// readAll hands every event that is to be written to write, with its line.
func readAll(ctx context.Context, o *Options, reader *audit.Reader, r *Report, write func(*audit.Event, []byte) error) error {
	var decoder audit.Decoder
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			r.Empty, r.Skipped = reader.Empty(), reader.Skipped()
			return nil
		}
		if err != nil {
			return err
		}
		batch := decoder.DecodeChunk(chunk)
		r.addBatch(batch)
		for i := range batch.Events {
			ev := &batch.Events[i]
			d := o.Policy.Decide(ev)
			r.Counts.Add(d, len(ev.Raw))
			kept := d.Action == noise.Keep || o.Light && d.Action == noise.SetAside
			if kept == o.Invert {
				continue
			}
			line, err := eventLine(ev)
			if err == nil {
				err = write(ev, line)
			}
			if err != nil {
				return err
			}
			r.Written.Events++
			r.Written.Bytes += int64(len(ev.Raw))
		}
		if o.Progress != nil {
			read, total := reader.Progress()
			o.Progress(read, total, r.Counts.Total().Events)
		}
	}
}

func (r *Report) addBatch(b *audit.Batch) {
	r.Lines += b.Lines
	r.Blank += b.Blank
	r.EventLines += b.EventLines
	r.MalformedLines += b.MalformedLines
	r.Bytes += int64(b.Bytes)
	r.Malformed += len(b.Malformed)
	for _, m := range b.Malformed {
		if len(r.Named) == MaxMalformed {
			break
		}
		m.Raw = nil // so that the chunk's bytes can go
		r.Named = append(r.Named, m)
	}
}

// lineWriter writes lines.
type lineWriter struct {
	*bufio.Writer
	escape  func(dst, line []byte) []byte
	escaped []byte
}

func (w *lineWriter) writeLine(line []byte) error {
	if w.escape != nil {
		w.escaped = w.escape(w.escaped[:0], line)
		line = w.escaped
	}
	_, err := w.Write(line)
	if err == nil {
		err = w.WriteByte('\n')
	}
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
