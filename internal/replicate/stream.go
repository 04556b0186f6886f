package replicate

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// StreamOptions say what a Stream gives.
type StreamOptions struct {
	// Start is the time of the first event.
	Start time.Time
	// Rate is how many events there are a second, on average.
	Rate float64
	// Seed chooses the UUIDs.
	Seed uint64
}

// Stream is a log without an end, at a given rate: as many copies of the
// recording as the rate needs are under way at once, each begun a little after
// the one before, at the pace of the recording. At the start they are all under
// way already. Another copy of a line comes as soon as the recording's time to it
// has passed, so that the events come in the order of their stageTimestamp and
// nothing in a copy is faster or slower than it was.
//
// The same options give the same bytes.
type Stream struct {
	recording *Recording
	options   StreamOptions
	step      time.Duration // between the beginnings of two copies
	lines     []streamLine  // in the order in which they come in each step
	times     []time.Time   // of the recording's values that are times

	at    int // the next one of lines
	last  int // the one before
	steps int // that are over
}

// streamLine is an event of the recording.
type streamLine struct {
	start, end int // in the recording's text, without the line feed
	slots      []slot
	since      time.Duration // since the beginning of its step
	step       int           // the steps from the beginning of its copy
}

// Stream begins a log without an end. Lines of the recording that hold no event
// are left out. It is an error when the rate is not positive.
func (r *Recording) Stream(o StreamOptions) (*Stream, error) {
	if o.Rate <= 0 {
		return nil, errors.New("the rate of a stream must be positive")
	}
	s := &Stream{recording: r, options: o}
	var decoder audit.Decoder
	start, first := 0, 0
	for _, l := range r.lines {
		one := streamLine{start: start, end: l.end - 1, slots: r.slots[first:l.slotEnd]}
		start, first = l.end, l.slotEnd
		var ev audit.Event
		if l.count != 1 || decoder.Decode(r.text[one.start:one.end], audit.Position{}, &ev) != nil {
			continue
		}
		one.since = max(ev.StageTime.Sub(r.first), 0)
		s.lines = append(s.lines, one)
	}
	s.step = max(time.Duration(float64(len(s.lines))/o.Rate*float64(time.Second)), time.Microsecond)
	for i := range s.lines {
		l := &s.lines[i]
		l.step, l.since = int(l.since/s.step), l.since%s.step
	}
	slices.SortStableFunc(s.lines, func(a, b streamLine) int { return cmp.Compare(a.since, b.since) })
	s.times = make([]time.Time, len(r.list))
	for i, v := range r.list {
		switch v.kind { // the scanner has parsed them
		case kindTime:
			s.times[i], _ = time.Parse(secondLayout, v.text)
		case kindNanos:
			s.times[i], _ = parseNanos(v.text)
		}
	}
	return s, nil
}

// Next appends the next event to to, as a line without its line feed, and says
// when it is due: its stageTimestamp.
func (s *Stream) Next(to []byte) (line []byte, due time.Time) {
	l := &s.lines[s.at]
	due = s.options.Start.Add(time.Duration(s.steps)*s.step + l.since)
	copyNumber := s.steps - l.step
	shift := s.options.Start.Add(time.Duration(copyNumber) * s.step).Sub(s.recording.first)
	from := l.start
	for _, slot := range l.slots {
		if slot.start < from {
			continue // the fraction of a time
		}
		to = append(to, s.recording.text[from:slot.start]...)
		from = slot.end
		switch v := s.recording.list[slot.value]; v.kind {
		case kindUUID:
			to = append(to, newUUID(v.text, copyNumber, s.options.Seed)...)
		case kindTime:
			to, from = s.appendTime(to, s.times[slot.value].Add(shift), slot.end, l.end)
		case kindNanos:
			to = appendNanos(to, s.times[slot.value].Add(shift))
		case kindNamespace, kindID:
			to = append(append(to, v.text...), "-r"...)
			to = strconv.AppendUint(to, uint64(uint32(copyNumber)), 36) //nolint:gosec // Any name that differs is good.
		}
	}
	to = append(to, s.recording.text[from:l.end]...)
	s.last = s.at
	if s.at++; s.at == len(s.lines) {
		s.at, s.steps = 0, s.steps+1
	}
	return to, due
}

// Last tells the event of the recording that Next gave last: a number below the
// count of the recording's lines, the same for all copies.
func (s *Stream) Last() int { return s.last }

// appendTime writes a time with as many decimals as the recording has behind
// the place at, and gives the place behind them.
func (s *Stream) appendTime(to []byte, t time.Time, at, end int) ([]byte, int) {
	text := s.recording.text[at:end]
	digits := 0
	if len(text) > 1 && text[0] == '.' {
		for digits+1 < len(text) && text[digits+1] >= '0' && text[digits+1] <= '9' {
			digits++
		}
	}
	if digits == 0 || digits > 9 {
		return t.AppendFormat(to, secondLayout), at
	}
	nanos := 0
	for i := range 9 {
		nanos *= 10
		if i < digits {
			nanos += int(text[1+i] - '0')
		}
	}
	t = t.Add(time.Duration(nanos))
	to = t.AppendFormat(to, secondLayout)
	fraction := strconv.Itoa(1_000_000_000 + t.Nanosecond())
	to = append(append(to, '.'), fraction[1:1+digits]...)
	return to, at + 1 + digits
}
