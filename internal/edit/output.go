package edit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Output is the labelled log, as the session stood when it was asked for. It is
// written on its own, while the session goes on.
type Output struct {
	log     *Log
	key     key
	entries []Entry
	labels  []int32 // unchanged, removed, or a label
}

// What stands for no label in Output.labels.
const (
	unchanged = noLabel
	removed   = noLabel + 1
)

// Output gives the labelled log with the decisions so far.
func (s *Session) Output() (*Output, error) {
	if !s.ready {
		return nil, errNotReady
	}
	o := &Output{log: s.log, key: s.key, entries: slices.Clip(s.index.entries), labels: make([]int32, s.Len())}
	for i := range o.labels {
		switch mark := s.Mark(i); {
		case mark.By == Nobody && s.marks.decided[i].by != Nobody:
			o.labels[i] = removed
		case mark.By == Nobody || mark.By == Given:
			o.labels[i] = unchanged
		default:
			o.labels[i] = int32(mark.Label)
		}
	}
	return o, nil
}

// OutputName is the name that the labelled log has if nobody says another: that
// of the log, without what says that it is compressed, and ".labelled".
func OutputName(log string) string {
	for _, ext := range []string{".gz", ".zst", ".zstd"} {
		log = strings.TrimSuffix(log, ext)
	}
	return log + ".labelled"
}

// JournalName is the name that the journal has if nobody says another.
func JournalName(log string) string { return log + ".journal" }

// WriteTo writes the log with each label under the key at the end of its event,
// or in the place of the label that is there. All other bytes are those of the
// log, whatever they are: blank and malformed lines, and the events without a
// label. Progress is called now and then and may be nil.
func (o *Output) WriteTo(ctx context.Context, w io.Writer, progress func(written, total int64)) error {
	reader := bufio.NewReaderSize(o.log.Reader(), 1<<20)
	out := bufio.NewWriterSize(w, 1<<20)
	var at int64
	var raw, line []byte
	for i, e := range o.entries {
		if i%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if progress != nil {
				progress(at, o.log.Size())
			}
		}
		if o.labels[i] == unchanged {
			continue
		}
		if _, err := io.CopyN(out, reader, e.Offset-at); err != nil {
			return fmt.Errorf("copying %s: %w", o.log.name, err)
		}
		raw = slices.Grow(raw[:0], int(e.Size))[:e.Size]
		if _, err := io.ReadFull(reader, raw); err != nil {
			return fmt.Errorf("copying line %d of %s: %w", e.Line, o.log.name, err)
		}
		l := o.labels[i]
		if l == removed {
			l = noLabel
		}
		line = o.key.append(line[:0], raw, l)
		if _, err := out.Write(line); err != nil {
			return err
		}
		at = e.Offset + int64(e.Size)
	}
	if _, err := io.Copy(out, reader); err != nil {
		return fmt.Errorf("copying %s: %w", o.log.name, err)
	}
	return out.Flush()
}

// WriteFile writes the labelled log to a file, which is there whole or not at
// all: a file of that name stays until the new one is on the disk.
func (o *Output) WriteFile(ctx context.Context, name string, progress func(written, total int64)) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".whet-*.tmp")
	if err != nil {
		return fmt.Errorf("writing the labelled log: %w", err)
	}
	err = o.WriteTo(ctx, f, progress)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use
		return fmt.Errorf("writing the labelled log: %w", err)
	}
	return nil
}
