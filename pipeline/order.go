package pipeline

import (
	"github.com/whet-k8s/whet/audit"
)

// order holds annotations until all before them are decided, and delivers them
// in the order of the input. It is a queue in a ring.
type order struct {
	deliver func(*Annotation) error
	gap     func(source string, bytes []byte) error
	keepRaw bool
	raw     spill

	ring  []waiting // its length is a power of two, or 0
	first uint64    // the place in the input of the oldest one
	count int
}

// waiting is an annotation whose turn has not come.
type waiting struct {
	Annotation
	decided, wanted bool
	// before is how many bytes of the raw ones stand before the event; isGap
	// says that there is no event.
	before int
	isGap  bool
}

// add takes the next event of the input in, with its bytes, so many of which
// stand before it.
func (o *order) add(ev *audit.Event, line int, raw []byte, before int) error {
	w := o.next()
	w.Annotation = Annotation{Line: line, Position: ev.Position, AuditID: ev.AuditID, Stage: ev.Stage, Event: ev}
	w.before = before
	if o.keepRaw {
		return o.raw.push(raw)
	}
	return nil
}

// addGap takes bytes in that belong to no event.
func (o *order) addGap(source string, b []byte) error {
	w := o.next()
	w.isGap, w.decided, w.wanted = true, true, true
	w.Position.Source = source
	if err := o.raw.push(b); err != nil {
		return err
	}
	return o.drain()
}

// next gives the place of what comes next.
func (o *order) next() *waiting {
	if o.count == len(o.ring) {
		o.grow()
	}
	w := o.slot(o.first + uint64(o.count))
	*w = waiting{}
	o.count++
	return w
}

func (o *order) grow() {
	ring := make([]waiting, max(1024, 2*len(o.ring)))
	for i := range o.count {
		seq := o.first + uint64(i)
		ring[seq&uint64(len(ring)-1)] = *o.slot(seq)
	}
	o.ring = ring
}

func (o *order) slot(seq uint64) *waiting { return &o.ring[seq&uint64(len(o.ring)-1)] }

// at gives the annotation of the event at a place in the input, to fill in.
func (o *order) at(seq uint64) *Annotation { return &o.slot(seq).Annotation }

// decide says that an annotation is filled in, and delivers what can be. One
// that is not wanted is left out when its turn comes.
func (o *order) decide(seq uint64, wanted bool) error {
	w := o.slot(seq)
	w.decided, w.wanted = true, wanted
	return o.drain()
}

// drain delivers what is decided, up to the first that is not.
func (o *order) drain() error {
	for o.count > 0 {
		w := o.slot(o.first)
		if !w.decided {
			return nil
		}
		if err := o.pass(w); err != nil {
			return err
		}
		*w = waiting{}
		o.first++
		o.count--
	}
	return nil
}

// pass delivers the oldest annotation.
func (o *order) pass(w *waiting) error {
	if o.keepRaw {
		raw, err := o.raw.pop()
		if err != nil {
			return err
		}
		if w.isGap {
			return o.gap(w.Position.Source, raw)
		}
		w.Before, w.Raw = raw[:w.before], raw[w.before:]
	}
	if !w.wanted {
		return nil
	}
	return o.deliver(&w.Annotation)
}

func (o *order) close() { o.raw.close() }
