package pipeline

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
)

// Session is an analysis without an end: of a log that is still being written,
// and is handed over piece by piece as it comes. It does with each piece what
// Run does with a file, and differs in this:
//
//   - An event that came before is left out: a source that got no answer sends
//     again. The last 130,000 events at least are remembered for that.
//   - Sink.Annotation is called as soon as an event is decided about, whatever
//     the order of the input.
//   - Sink.Context gets contexts while they are open too, when Grown asks, each
//     time with all that is known of it by then, as Part 1. The newest record
//     of an id is the one that counts.
//   - Advance tells it that time has passed in which nothing came.
//   - Snapshot and Resume carry it over the end of a process.
//
// The same calls give the same calls of the Sink. Its methods are for one
// goroutine.
type Session struct {
	run     *run
	decoder audit.Decoder
	seen    repeats
	newest  time.Time
}

// Piece is a part of a live log: bytes as audit.Open takes them from standard
// input, so that a line, many lines and an EventList are all right.
type Piece struct {
	// Source names where it comes from, and Line is the number of its first
	// line there, 0 when that means nothing.
	Source string
	Line   int
	Body   []byte
	// Until is a time after which nothing in the piece can be from, since the piece
	// was read then or soon before. An event from later would let time pass for all
	// others; it counts as malformed. Zero for no bound.
	Until time.Time
}

// Received says what a Piece held.
type Received struct {
	// Events counts the events, Repeated those among them that came before.
	Events, Repeated int
	// Malformed are the places that hold no event, without their Raw.
	Malformed []audit.Malformed
}

var errSessionRaw = errors.New("a session cannot keep the bytes of events")

// Start begins a Session. Options.KeepRaw and KeepGaps are errors, and Workers and
// Progress have no meaning.
func Start(o Options, sink Sink) (*Session, error) {
	s := &Session{seen: newRepeats()}
	if _, err := rand.Read(s.seen.key[:]); err != nil {
		return nil, fmt.Errorf("drawing a key: %w", err)
	}
	if err := s.begin(o, sink); err != nil {
		return nil, err
	}
	s.run.linker = link.New(s.run.options.Link, s.run.assigned, s.run.reporter())
	return s, nil
}

func (s *Session) begin(o Options, sink Sink) error {
	if o.KeepRaw || o.KeepGaps {
		return errSessionRaw
	}
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	o.Link.Totals = true
	s.run = &run{options: o, sink: sink, account: newAccounting(), rules: newRuleTable()}
	return nil
}

// Add takes the next piece of the log. Malformed events are no error; an error
// comes from ctx or from the Sink, and ends the Session.
func (s *Session) Add(ctx context.Context, p Piece) (Received, error) {
	var got Received
	reader, err := audit.Open([]string{audit.Stdin}, audit.Options{Stdin: bytes.NewReader(p.Body)})
	if err != nil {
		return got, fmt.Errorf("reading a piece of %s: %w", p.Source, err)
	}
	defer reader.Close()
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, fmt.Errorf("reading a piece of %s: %w", p.Source, err)
		}
		chunk.Source = p.Source
		if err := s.chunk(chunk, p, &got); err != nil {
			return got, err
		}
	}
}

// chunk takes a chunk of a piece.
func (s *Session) chunk(chunk *audit.Chunk, p Piece, got *Received) error {
	before := max(p.Line-1, 0)
	b := new(decoded)
	s.decoder.DecodeInto(&b.Batch, chunk)
	for i := range b.Malformed {
		b.Malformed[i].Line += before
	}
	got.Events += len(b.Events)
	kept := b.Events[:0]
	for i := range b.Events {
		ev := &b.Events[i]
		if when := latest(ev); !p.Until.IsZero() && when.After(p.Until) {
			ev.Position.Line += before
			b.Malformed = append(b.Malformed, audit.Malformed{Position: ev.Position, Reason: fmt.Sprintf(
				"the event is from the future: from %s, and nothing is taken here from after %s", when.UTC().Format(time.RFC3339), p.Until.UTC().Format(time.RFC3339))})
			got.Events--
			continue
		}
		if s.seen.add(ev) {
			s.run.account.Repeated++
			got.Repeated++
			continue
		}
		ev.Position.Line += before
		if ev.StageTime.After(s.newest) {
			s.newest = ev.StageTime
		}
		kept = append(kept, *ev)
	}
	b.Events = kept
	b.judge(s.run.options, func(*audit.Event) uint64 { return 0 })
	got.Malformed = append(got.Malformed, b.Malformed...)
	s.run.account.addBatch(&b.Batch)
	for i := range b.Events {
		if err := s.run.event(&b.Events[i], b.verdicts[i]); err != nil {
			return err
		}
	}
	return nil
}

// latest is the later one of an event's times.
func latest(ev *audit.Event) time.Time {
	if ev.StageTime.After(ev.RequestReceived) {
		return ev.StageTime
	}
	return ev.RequestReceived
}

// Advance says that no event received before a time is to be expected any more,
// as (*link.Linker).Advance does. An error comes from the Sink.
func (s *Session) Advance(to time.Time) error {
	s.run.linker.Advance(to)
	return s.run.err
}

// Grown gives Sink.Context every open context that events have come to since
// it was last given. An error comes from the Sink.
func (s *Session) Grown() error {
	if report := s.run.reporter(); report != nil {
		s.run.open = true
		s.run.linker.Grown(report)
		s.run.open = false
	}
	return s.run.err
}

// Idle tells that nothing waits, so that Advance has nothing to do.
func (s *Session) Idle() bool { return s.run.linker.Idle() }

// Open counts the contexts that events may still come to.
func (s *Session) Open() int { return s.run.linker.Open() }

// Newest is the latest stageTimestamp of all events so far, dropped ones too.
func (s *Session) Newest() time.Time { return s.newest }

// Accounting tells where everything went so far. What waits stands in Events
// already and in no role yet, so that Check fails until Close. It must not be
// changed.
func (s *Session) Accounting() *Accounting {
	s.run.account.Link = s.run.linker.Stats()
	return s.run.account
}

// Close links what still waits and closes every context. An error comes from
// the Sink.
func (s *Session) Close() (*Accounting, error) {
	err := s.run.close()
	return s.Accounting(), err
}
