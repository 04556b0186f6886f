package link

import (
	"cmp"
	"slices"
)

const (
	sweepEvery = 30 * second
	// readIdle is how long a context that only reads stays open: nothing
	// follows from it.
	readIdle = 60 * second
	// maxContexts and maxActors bound what is open at once, however many
	// clients there are or pretend to be.
	maxContexts = 50_000
	maxActors   = 50_000
)

// sweep closes what has been silent and forgets what nobody touches.
func (l *Linker) sweep() {
	full := l.index.full() || len(l.contexts) > maxContexts || len(l.actors) > maxActors
	if l.now-l.swept < sweepEvery && !full {
		return
	}
	l.swept = l.now
	l.sweepContexts()
	for key, s := range l.requests {
		keep := l.options.ObjectIdle.Microseconds()
		if s.complete {
			keep = l.options.Window.Microseconds() + lookAhead
		}
		if s.decided && l.now-s.at > keep {
			delete(l.requests, key)
		}
	}
	l.order = slices.DeleteFunc(l.order, func(k requestKey) bool { return l.requests[k] == nil })
	// Objects are many and stay long, so that looking through them all is
	// worth it only now and then.
	if full || l.now-l.sweptObjects > l.options.ObjectIdle.Microseconds()/12 {
		l.sweptObjects = l.now
		l.sweepObjects()
	}
}

// sweepContexts closes the contexts that have been silent for long, and of
// too many the ones that have been silent longest.
func (l *Linker) sweepContexts() {
	limit := func(c *contextState) micros {
		if c.readOnly {
			return min(readIdle, l.options.ContextIdle.Microseconds())
		}
		return l.options.ContextIdle.Microseconds()
	}
	excess := len(l.contexts) - maxContexts*3/4
	if excess > maxContexts/4 {
		slices.SortStableFunc(l.contexts, func(a, b *contextState) int {
			return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.id, b.id))
		})
	} else {
		excess = 0
	}
	kept := l.contexts[:0]
	for i, c := range l.contexts {
		if i < excess || l.now-c.last > limit(c) {
			l.report(c.close())
			continue
		}
		kept = append(kept, c)
	}
	clear(l.contexts[len(kept):])
	l.contexts = kept
}

// sweepObjects forgets objects, names and clients that nobody has touched.
func (l *Linker) sweepObjects() {
	limit := l.now - l.options.ObjectIdle.Microseconds()
	l.index.forget(limit)
	for key, list := range l.pointing {
		list = slices.DeleteFunc(list, func(o *object) bool { return o.touched < limit })
		if l.pointing[key] = list; len(list) == 0 {
			delete(l.pointing, key)
		}
	}
	idle := limit
	if len(l.actors) > maxActors {
		idle = l.now - readIdle
	}
	for key, a := range l.actors {
		if a.touched < idle && a.command == nil {
			delete(l.actors, key)
		}
	}
	l.names.forget(l.now-10*second, limit)
}
