package edit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
)

// Options say how a session labels. The zero value is good.
type Options struct {
	// Codec gives the numbers of actions; nil means the default one.
	Codec *label.Codec
	// Key is the member of an event that holds its label; "" means "label",
	// as in the seed.
	Key string
	// Sure is the confidence from which a proposal counts as sure; 0 means
	// DefaultSure.
	Sure float64
}

const (
	// DefaultKey is the key of the published data sets.
	DefaultKey = "label"
	// DefaultSure is the default of Options.Sure.
	DefaultSure = 0.95
)

// Session is a person's work on one log. It is for one goroutine.
type Session struct {
	log     *Log
	journal *Journal
	codec   *label.Codec
	key     key
	sure    float64

	index  index
	marks  marks
	steps  []step // that can be undone, oldest first
	undone []step // taken back, the newest last; before is what each decided
	learnt learnt
	ready  bool
	events map[int]*audit.Event // read lately
}

// step is what one keystroke decided.
type step struct {
	by      By
	changes []change
}

// change is an event and what was said of it before.
type change struct {
	event  int32
	before decision
}

// NewSession begins a session on a log that is open, with its journal. It is an
// error when the journal is already known to be another log's, or when the key
// is that of a field of the event.
func NewSession(l *Log, j *Journal, o Options) (*Session, error) {
	k, err := newKey(cmp.Or(o.Key, DefaultKey))
	if err != nil {
		return nil, err
	}
	if o.Codec == nil {
		o.Codec = label.New(label.Options{})
	}
	s := &Session{log: l, journal: j, codec: o.Codec, key: k, sure: cmp.Or(o.Sure, DefaultSure), events: map[int]*audit.Event{}}
	s.marks.index = &s.index
	if h := j.header; h != nil {
		if h.Bytes != l.Size() {
			return nil, s.changed(fmt.Sprintf("it had %d bytes then and has %d now", h.Bytes, l.Size()))
		}
		if h.Key != k.Name() {
			return nil, fmt.Errorf("the journal %s has the labels of the key %q, not %q: name another journal", j.name, h.Key, k.Name())
		}
	}
	return s, nil
}

// changed is the error of a journal that is not about the log.
func (s *Session) changed(how string) error {
	return fmt.Errorf("%s has changed since the journal %s was begun: %s. The labels in the journal are those of the old log: "+
		"edit that one, or move the journal away to begin anew", s.log.name, s.journal.name, how)
}

// Scan reads the whole log for Append and Begin: found gets the next entries,
// which it may keep, and the number of bytes read so far. Unlike the other
// methods it may run in another goroutine. Errors come from ctx, from reading
// and from found; what holds no event is counted.
func (s *Session) Scan(ctx context.Context, found func(entries []Entry, read int64) error) (*Scanned, error) {
	return scan(ctx, s.log, s.codec, s.key, found)
}

// Append takes in the next events that Scan found.
func (s *Session) Append(entries []Entry) {
	s.index.append(entries)
	s.marks.grow()
	s.learnt.grow(len(s.index.entries))
}

// Begin goes on with what the journal holds, or begins a new one, once the
// whole log was scanned: decisions can be taken from then on. It is an error
// when the log is not the one that the journal is about.
func (s *Session) Begin(scanned *Scanned) error {
	if h := s.journal.header; h != nil {
		if h.Sum != scanned.Sum || h.Events != scanned.Events {
			return s.changed("its content is another, though its length is the same")
		}
		if err := s.journal.replay(s.replay); err != nil {
			return fmt.Errorf("reading the journal %s: %w", s.journal.name, err)
		}
	} else {
		h := &header{Log: s.log.Base(), Bytes: s.log.Size(), Sum: scanned.Sum, Events: scanned.Events, Key: s.key.Name()}
		if err := s.journal.begin(h); err != nil {
			return err
		}
	}
	s.ready = true
	return nil
}

// Ready tells whether Begin has been called.
func (s *Session) Ready() bool { return s.ready }

// errNotReady is the error of a decision before Begin.
var errNotReady = errors.New("the log is still being read; labels can be given in a moment")

// replay applies a record of the journal.
func (s *Session) replay(r *record) error {
	switch {
	case r.Undo && len(s.steps) == 0:
		return errors.New("there is nothing to undo")
	case r.Undo:
		s.takeBack()
		return nil
	case r.Redo && len(s.undone) == 0:
		return errors.New("there is nothing to redo")
	case r.Redo:
		s.doAgain()
		return nil
	}
	for _, span := range r.Automatic {
		if err := s.inLog(span[0], span[1]); err != nil {
			return err
		}
		for i := span[0]; i <= span[1]; i++ {
			s.marks.automate(int(i - 1))
		}
	}
	st := step{by: Person}
	if r.By == byAccepted {
		st.by = Accepted
	}
	for _, span := range r.Decide {
		if _, err := s.codec.Decode(label.Label(span[2])); err != nil {
			return err
		}
		if err := s.lay(&st, span[0], span[1], int32(span[2])); err != nil {
			return err
		}
	}
	for _, span := range r.Remove {
		if err := s.lay(&st, span[0], span[1], noLabel); err != nil {
			return err
		}
	}
	if len(st.changes) > 0 {
		s.steps = append(s.steps, st)
		s.undone = nil // a new decision is another way on
	}
	return nil
}

// lay decides about a range of events that the journal names.
func (s *Session) lay(st *step, first, last int64, l int32) error {
	if err := s.inLog(first, last); err != nil {
		return err
	}
	for i := first; i <= last; i++ {
		before := s.marks.decide(int(i-1), decision{l, st.by})
		st.changes = append(st.changes, change{int32(i - 1), before})
	}
	return nil
}

func (s *Session) inLog(first, last int64) error {
	if first < 1 || first > last || last > int64(len(s.index.entries)) {
		return fmt.Errorf("the events %d to %d are none of the log's %d", first, last, len(s.index.entries))
	}
	return nil
}

// Decide gives event i a label. It returns when the journal has it.
func (s *Session) Decide(i int, l label.Label) error {
	if _, err := s.codec.Decode(l); err != nil {
		return err
	}
	return s.apply(&record{Decide: [][3]int64{{int64(i + 1), int64(i + 1), int64(l)}}, By: byPerson})
}

// Remove takes the label of event i away, also one that the log gave.
func (s *Session) Remove(i int) error {
	return s.apply(&record{Remove: [][2]int64{{int64(i + 1), int64(i + 1)}}, By: byPerson})
}

// apply writes a record into the journal and then does what it says.
func (s *Session) apply(r *record) error {
	if !s.ready {
		return errNotReady
	}
	if err := s.journal.write(r); err != nil {
		return err
	}
	return s.replay(r)
}

// Undo takes the newest decision back and tells how many events it was about
// and which was the first of them. It is 0 when there is none.
func (s *Session) Undo() (first, events int, err error) {
	if len(s.steps) == 0 {
		return 0, 0, nil
	}
	last := &s.steps[len(s.steps)-1]
	first, events = int(last.changes[0].event), len(last.changes)
	return first, events, s.apply(&record{Undo: true})
}

// Redo takes the newest Undo back, as long as nothing was decided since, and
// tells how many events it was about and which was the first of them. It is 0
// when there is none.
func (s *Session) Redo() (first, events int, err error) {
	if len(s.undone) == 0 {
		return 0, 0, nil
	}
	last := &s.undone[len(s.undone)-1]
	first, events = int(last.changes[0].event), len(last.changes)
	return first, events, s.apply(&record{Redo: true})
}

// takeBack undoes the newest step. The changes of a step are gone through from
// the last to the first, since it may be about an event twice.
func (s *Session) takeBack() {
	st := s.steps[len(s.steps)-1]
	s.steps = slices.Delete(s.steps, len(s.steps)-1, len(s.steps))
	for i := len(st.changes) - 1; i >= 0; i-- {
		c := &st.changes[i]
		c.before = s.marks.decide(int(c.event), c.before)
	}
	s.undone = append(s.undone, st)
}

// doAgain redoes the step that was undone last.
func (s *Session) doAgain() {
	st := s.undone[len(s.undone)-1]
	s.undone = slices.Delete(s.undone, len(s.undone)-1, len(s.undone))
	for i := range st.changes {
		c := &st.changes[i]
		c.before = s.marks.decide(int(c.event), c.before)
	}
	s.steps = append(s.steps, st)
}

// Accept gives the events that have no label the one proposed for them where
// that is at least so sure, and tells how many these are. Where the linker and
// the model propose different labels, the choice stays the reader's.
func (s *Session) Accept(confidence float64) (int, error) {
	r := record{By: byAccepted}
	n := s.eachSure(confidence, func(i int, l int32) { r.Decide = appendRun(r.Decide, i, l) })
	if n == 0 {
		return 0, nil
	}
	return n, s.apply(&r)
}

// CountSure is how many events Accept would label.
func (s *Session) CountSure(confidence float64) int {
	return s.eachSure(confidence, func(int, int32) {})
}

func (s *Session) eachSure(confidence float64, do func(i int, l int32)) (n int) {
	for i := range len(s.index.entries) {
		if s.marks.at(i).By != Nobody {
			continue
		}
		if best, ok := s.learnt.best(i); ok && best.agreed && best.confidence >= confidence {
			do(i, best.label)
			n++
		}
	}
	return n
}

// appendRun adds event i to runs of events with one label.
func appendRun(runs [][3]int64, i int, l int32) [][3]int64 {
	number := int64(i + 1)
	if n := len(runs) - 1; n >= 0 && runs[n][1] == number-1 && runs[n][2] == int64(l) {
		runs[n][1] = number
		return runs
	}
	return append(runs, [3]int64{number, number, int64(l)})
}

// Mark is the label of event i and who gave it.
func (s *Session) Mark(i int) Mark { return s.marks.at(i) }

// Counts are the numbers of events by who labelled them.
func (s *Session) Counts() Counts { return s.marks.counts }

// Len is the number of events known so far.
func (s *Session) Len() int { return len(s.index.entries) }

// Entry is the place of event i in the log.
func (s *Session) Entry(i int) Entry { return s.index.entries[i] }

// ByLine gives the event at a line, or the first one after it, at most the last
// one.
func (s *Session) ByLine(line int) int { return max(0, min(s.index.byLine(line), s.Len()-1)) }

// Log is the log that the session is about.
func (s *Session) Log() *Log { return s.log }

// Journal is the session's journal.
func (s *Session) Journal() *Journal { return s.journal }

// Sure is the confidence from which a proposal counts as sure.
func (s *Session) Sure() float64 { return s.sure }

// Steps is how many decisions can be undone.
func (s *Session) Steps() int { return len(s.steps) }

// maxEvents bounds the events that a session keeps, which are at most the ones
// on a screen and those that their proposals mention.
const maxEvents = 128

// Event reads event i, with its Raw. Events read lately are remembered.
func (s *Session) Event(i int) (*audit.Event, error) {
	if ev := s.events[i]; ev != nil {
		return ev, nil
	}
	ev, err := s.log.Event(s.index.entries[i])
	if err != nil {
		return nil, err
	}
	if len(s.events) >= maxEvents {
		clear(s.events)
	}
	s.events[i] = ev
	return ev, nil
}

// NextUnlabelled gives the next event without a label after i, or before it
// where step is -1. After the last one it goes on with the first. It is false
// where every event has one.
func (s *Session) NextUnlabelled(i, step int) (int, bool) {
	return s.around(i, step, func(i int) bool { return s.marks.at(i).By == Nobody })
}

// NextUnsure gives the next event like NextUnlabelled that somebody should look
// at: nobody decided about it alone, and no proposal for it is sure, or two of
// them contradict each other.
func (s *Session) NextUnsure(i, step int) (int, bool) {
	return s.around(i, step, func(i int) bool {
		switch s.marks.at(i).By {
		case Person, Given, Automatic:
			return false
		}
		best, ok := s.learnt.best(i)
		return !ok || !best.agreed || best.confidence < s.sure
	})
}

func (s *Session) around(from, step int, want func(i int) bool) (int, bool) {
	n := len(s.index.entries)
	for k := 1; k <= n; k++ {
		if i := ((from+k*step)%n + n) % n; want(i) {
			return i, true
		}
	}
	return from, false
}
