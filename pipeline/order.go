package pipeline

import (
	"github.com/whet-k8s/whet/audit"
)

// order holds annotations until all before them are decided, and delivers them
// in the order of the input. It is a queue in a ring.
type order struct {
	deliver func(*Annotation) error
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
}

// add takes the next event of the input in.
func (o *order) add(ev *audit.Event, line int) error {
	if o.count == len(o.ring) {
		o.grow()
	}
	w := o.slot(o.first + uint64(o.count))
	*w = waiting{Annotation: Annotation{Line: line, Position: ev.Position, AuditID: ev.AuditID, Stage: ev.Stage, Event: ev}}
	o.count++
	if o.keepRaw {
		return o.raw.push(ev.Raw)
	}
	return nil
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
	for o.count > 0 {
		w := o.slot(o.first)
		if !w.decided {
			return nil
		}
		if err := o.next(w); err != nil {
			return err
		}
		*w = waiting{}
		o.first++
		o.count--
	}
	return nil
}

// next delivers the oldest annotation.
func (o *order) next(w *waiting) error {
	if o.keepRaw {
		raw, err := o.raw.pop()
		if err != nil {
			return err
		}
		w.Raw = raw
	}
	if !w.wanted {
		return nil
	}
	return o.deliver(&w.Annotation)
}

func (o *order) close() { o.raw.close() }
