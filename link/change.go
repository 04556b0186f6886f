package link

// micros counts microseconds since the Unix epoch: the resolution of an audit
// event's times.
type micros = int64

// changeKind says what a request did to an object. Kinds are bits, so that a
// rule can name several.
type changeKind uint16

const (
	kindCreated changeKind = 1 << iota
	kindSpec               // update or patch of the object itself, or of its scale
	kindStatus             // update or patch of its status
	kindDeleted            // asked to go: a delete, an eviction, a deletecollection
	kindRemoved            // gone for good
	kindBound              // a pod got its node
	kindOther              // another subresource: approval, finalize, exec …

	kindsAll     = kindCreated | kindSpec | kindStatus | kindDeleted | kindRemoved | kindBound | kindOther
	kindsMade    = kindCreated | kindSpec | kindOther
	kindsGone    = kindDeleted | kindRemoved
	kindsNotSeen = kindsAll &^ kindStatus
)

// change is one successful write.
type change struct {
	kind    changeKind
	object  *object
	actor   *actor
	context *contextState
	auditID string
	// namespace and resource are the request's.
	namespace, resource string
	// setsClock tells that the change set a CronJob's schedule, or let it
	// run again.
	setsClock bool
	// received and done are when the API server received the request and
	// when it had answered.
	received, done micros
	// version is the object's resourceVersion afterwards, 0 when unknown.
	version uint64
}

// visible estimates when watchers could see the change: after admission and
// the write to etcd, before the response is out. Halfway through the request
// is where recordings put it.
func (c *change) visible() micros { return c.received + (c.done-c.received)/2 }

// history remembers the newest changes of an object, or of what lies below
// it. Status changes have a ring of their own, since they outnumber all
// others and would push them out.
type history struct {
	writes   ring
	statuses ring
}

const ringSize = 12

// ring is a list of the newest changes, oldest first.
type ring []*change

func (r *ring) add(c *change) {
	if len(*r) == ringSize {
		copy(*r, (*r)[1:])
		(*r)[ringSize-1] = c
		return
	}
	*r = append(*r, c)
}

func (h *history) add(c *change) {
	if c.kind == kindStatus {
		h.statuses.add(c)
		return
	}
	h.writes.add(c)
}

// each calls f with the changes of the given kinds, newest first by position.
func (h *history) each(kinds changeKind, f func(*change)) {
	if kinds&kindStatus != 0 {
		for i := len(h.statuses) - 1; i >= 0; i-- {
			f(h.statuses[i])
		}
	}
	for i := len(h.writes) - 1; i >= 0; i-- {
		if c := h.writes[i]; c.kind&kinds != 0 {
			f(c)
		}
	}
}

// last returns the newest change of the given kinds, nil if there is none.
func (h *history) last(kinds changeKind) *change {
	var best *change
	h.each(kinds, func(c *change) {
		if best == nil || c.received > best.received {
			best = c
		}
	})
	return best
}
