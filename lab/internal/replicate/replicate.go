// Package replicate makes a large log from a recording: the recording again and
// again, each time later, with fresh ids, and with its truth. It is for
// measuring speed and memory; what it says about accuracy is only what the
// recording says.
package replicate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/whet-k8s/whet/lab/internal/truth"
)

// Recording is what is replicated.
type Recording struct {
	Audit, Metadata [][]byte
	Lines           []truth.Line
	Contexts        []truth.Context
}

// Copier writes copies of a recording. Use [New].
type Copier struct {
	recording *Recording
	length    time.Duration // from one copy's start to the next one's, in whole minutes
	versions  int64         // what a copy adds to resource versions
	from, to  time.Time     // between these, digits in a name are a time
}

const (
	// gap is the least silence between two copies.
	gap = 5 * time.Second
	// margin is how far before and after the recording the times in names may lie.
	margin = 24 * time.Hour
)

var (
	uuidForm    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timeForm    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z`)
	versionForm = regexp.MustCompile(`("resourceVersion":"|\\"resourceVersion\\":\\"|resourceVersion=)(\d{1,15})`)
	// An Event is called after its object and the time, in nanoseconds; a CronJob's
	// Job after the CronJob and the time, in minutes.
	nanosForm   = regexp.MustCompile(`[a-z0-9]\.[0-9a-f]{16}\b`)
	minutesForm = regexp.MustCompile(`[a-z0-9]-[0-9]{8}\b`)
)

// New returns a copier of a recording, which must have at least one line.
func New(r *Recording) (*Copier, error) {
	if len(r.Audit) == 0 || len(r.Audit) != len(r.Lines) || len(r.Metadata) != len(r.Lines) {
		return nil, fmt.Errorf("a recording with %d, %d and %d lines of audit log, metadata and truth cannot be replicated", len(r.Audit), len(r.Metadata), len(r.Lines))
	}
	c := &Copier{recording: r}
	var first, last time.Time
	for i, line := range r.Audit {
		e, err := truth.ReadEvent(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if first.IsZero() || e.Received.Before(first) {
			first = e.Received
		}
		if e.Received.After(last) {
			last = e.Received
		}
		for _, m := range versionForm.FindAllSubmatch(line, -1) {
			if v, err := strconv.ParseInt(string(m[2]), 10, 64); err == nil {
				c.versions = max(c.versions, v+1)
			}
		}
	}
	// Whole minutes, so that schedules and the times in the names of Jobs agree.
	c.length = (last.Sub(first) + gap + time.Minute - 1).Truncate(time.Minute)
	c.from, c.to = first.Add(-margin), last.Add(margin)
	return c, nil
}

// Line writes a line of the log as the n-th copy has it, without a newline. The
// copy 0 is the recording itself.
func (c *Copier) Line(line []byte, n int) []byte {
	if n == 0 {
		return line
	}
	line = uuidForm.ReplaceAllFunc(line, func(id []byte) []byte { return freshID(id, n) })
	line = timeForm.ReplaceAllFunc(line, func(t []byte) []byte { return c.later(t, n) })
	line = nanosForm.ReplaceAllFunc(line, func(m []byte) []byte { return c.laterInName(m, 16, time.Nanosecond, n) })
	line = minutesForm.ReplaceAllFunc(line, func(m []byte) []byte { return c.laterInName(m, 10, time.Minute, n) })
	return versionForm.ReplaceAllFunc(line, func(m []byte) []byte {
		digits := bytes.LastIndexAny(m, `"=`) + 1
		v, err := strconv.ParseInt(string(m[digits:]), 10, 64)
		if err != nil || v == 0 {
			// Version 0 is no version: it asks for any.
			return m
		}
		return strconv.AppendInt(append([]byte{}, m[:digits]...), v+int64(n)*c.versions, 10)
	})
}

// freshID returns the UUID that stands for id in the n-th copy. It is the same
// wherever the id stands.
func freshID(id []byte, n int) []byte {
	sum := sha256.Sum256(append(append([]byte{}, id...), strconv.Itoa(n)...))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return []byte(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// later shifts a time and keeps its number of decimals.
func (c *Copier) later(text []byte, n int) []byte {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return text
	}
	layout := "2006-01-02T15:04:05"
	if dot := bytes.IndexByte(text, '.'); dot >= 0 {
		layout += "." + "000000000"[:len(text)-dot-2]
	}
	return t.Add(time.Duration(n)*c.length).AppendFormat(nil, layout+"Z")
}

// laterInName shifts the time in a name, which stands behind its first two
// characters to the base, in units since the Unix epoch. Digits that are no time
// near the recording stay.
func (c *Copier) laterInName(name []byte, base int, unit time.Duration, n int) []byte {
	v, err := strconv.ParseInt(string(name[2:]), base, 64)
	if err != nil || v > c.to.UnixNano()/int64(unit) || v < c.from.UnixNano()/int64(unit) {
		return name
	}
	return strconv.AppendInt(append([]byte{}, name[:2]...), v+int64(n)*int64(c.length/unit), base)
}

// Truth returns the truth of the n-th copy's lines.
func (c *Copier) Truth(n int) []truth.Line {
	out := make([]truth.Line, len(c.recording.Lines))
	for i, l := range c.recording.Lines {
		l.Line += n * len(c.recording.Lines)
		l.AuditID = c.id(l.AuditID, n)
		if l.Context != nil {
			name := contextName(*l.Context, n)
			l.Context = &name
		}
		if l.Clock != "" {
			l.Clock = contextName(l.Clock, n)
		}
		out[i] = l
	}
	return out
}

// Contexts returns the n-th copy's contexts.
func (c *Copier) Contexts(n int) []truth.Context {
	out := make([]truth.Context, len(c.recording.Contexts))
	for i, x := range c.recording.Contexts {
		x.Context = contextName(x.Context, n)
		x.Root = c.id(x.Root, n)
		x.RootLine += n * len(c.recording.Lines)
		x.Start = string(c.Line([]byte(x.Start), n))
		out[i] = x
	}
	return out
}

func (c *Copier) id(id string, n int) string { return string(c.Line([]byte(id), n)) }

func contextName(name string, n int) string {
	if n == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}

// Sink takes the files of a replicated recording.
type Sink struct{ Audit, Metadata, Truth, Contexts io.Writer }

// Write writes copies until the audit log has at least size bytes, and at least
// one, and returns how many. encode writes a truth line or a context as JSON. It
// stops with an error when the context ends.
func (c *Copier) Write(ctx context.Context, s Sink, size int64, encode func(any) ([]byte, error)) (copies int, err error) {
	var written int64
	for copies == 0 || written < size {
		for _, line := range c.recording.Audit {
			if ctx.Err() != nil {
				return copies, fmt.Errorf("writing copy %d: %w", copies+1, context.Cause(ctx))
			}
			line = c.Line(line, copies)
			if _, err := s.Audit.Write(append(line[:len(line):len(line)], '\n')); err != nil {
				return copies, fmt.Errorf("writing the audit log: %w", err)
			}
			written += int64(len(line)) + 1
		}
		for _, line := range c.recording.Metadata {
			line = c.Line(line, copies)
			if _, err := s.Metadata.Write(append(line[:len(line):len(line)], '\n')); err != nil {
				return copies, fmt.Errorf("writing the metadata log: %w", err)
			}
		}
		if err := writeEach(s.Truth, c.Truth(copies), encode); err != nil {
			return copies, fmt.Errorf("writing the truth: %w", err)
		}
		if err := writeEach(s.Contexts, c.Contexts(copies), encode); err != nil {
			return copies, fmt.Errorf("writing the contexts: %w", err)
		}
		copies++
	}
	return copies, nil
}

func writeEach[T any](w io.Writer, list []T, encode func(any) ([]byte, error)) error {
	for _, x := range list {
		data, err := encode(x)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(data, '\n')); err != nil {
			return err
		}
	}
	return nil
}
