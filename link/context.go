package link

import (
	"maps"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// operation is one invocation of a program by a person.
type operation struct {
	id string
}

// contextState is a context as the linker keeps it.
type contextState struct {
	id        string
	operation *operation
	origin    *contextState // of an autonomous context: who set the clock
	root      *audit.Event
	readOnly  bool
	// autonomous tells that the clock started the context.
	autonomous bool

	part int
	open bool
	// grown tells that events came since the context was last reported.
	grown  bool
	last   micros // the newest event's time in the order of linking
	record ContextRecord
}

// blamed is the context that answers for c: for one that the clock started,
// the context that set the clock, where that is known.
func (c *contextState) blamed() *contextState {
	for c.origin != nil {
		c = c.origin
	}
	return c
}

// begin opens the context for another part. With totals the record goes on
// where it was.
func (c *contextState) begin(ev *audit.Event, totals bool) {
	c.open = true
	c.part++
	if !totals || c.part == 1 {
		c.record = ContextRecord{
			ID: c.id, Part: c.part, Root: c.root, ReadOnly: c.readOnly,
			First: ev.RequestReceived, EffectsBy: map[string]int{}, Touched: map[audit.GroupResource]int{},
		}
		if op := c.blamed().operation; op != nil {
			c.record.Operation = op.id
		}
		if c.origin != nil {
			c.record.Origin, c.record.OriginRoot = c.origin.id, c.origin.root
		}
	}
}

// count adds an event to the context's record. first says that its request
// has not been counted yet.
func (c *contextState) count(ev *audit.Event, role Role, first bool, now micros) {
	r := &c.record
	c.grown = true
	c.last = max(c.last, now)
	r.Events++
	if ev.RequestReceived.Before(r.First) {
		r.First = ev.RequestReceived
	}
	if ev.StageTime.After(r.Last) && ev.Verb != "watch" {
		r.Last = ev.StageTime
	}
	r.touch(ev, first)
	r.note(ev, role, first)
	if !first || ev == c.root {
		return
	}
	if role == RoleEffect {
		r.Effects++
		r.EffectsBy[ev.User.Username]++
		if ev.Status.Code >= 400 {
			r.Failed++
		}
		return
	}
	r.Clients++
}

// touch counts what a request is about. Whether a deletion went through stands
// in the event of its end.
func (r *ContextRecord) touch(ev *audit.Event, first bool) {
	if first && ev.HasObject {
		r.Touched[audit.GroupResource{Group: ev.Object.APIGroup, Resource: ev.Object.Resource}]++
	}
	if ev.Stage == audit.StageResponseComplete && ev.Status.Code < 400 && (ev.Verb == "delete" || ev.Verb == "deletecollection") {
		r.Deletes++
	}
}

// The bounds of what a record notes, for a command that reads every namespace.
// Nobody is to hide what matters most behind something else.
const (
	maxPlaces       = 64
	maxSecretPlaces = 1000 // of secrets, besides
	maxPower        = 16   // of paths other than /
	maxPowerWord    = 256  // bytes: a hostPath can be as long as a request
)

// note counts what the command was shown, and what power pods were given.
func (r *ContextRecord) note(ev *audit.Event, role Role, first bool) {
	code := ev.Status.Code
	if !ev.HasObject || ev.Stage == audit.StageRequestReceived || code >= 400 {
		return
	}
	kind := audit.GroupResource{Group: ev.Object.APIGroup, Resource: ev.Object.Resource}
	if role != RoleEffect && ev.Object.Subresource == "" && shows(ev) {
		place, most := Place{kind, ev.Object.Namespace}, maxPlaces
		if kind == (audit.GroupResource{Resource: "secrets"}) {
			most += maxSecretPlaces
		}
		// A watch shows objects long before it ends, and its end may come first.
		if known := r.Reads[place] > 0; (ev.Verb != "watch" || first || !known) && (known || len(r.Reads) < most) {
			add(&r.Reads, place)
		}
	}
	if kind != (audit.GroupResource{Resource: "pods"}) || ev.Verb != "create" || ev.Object.Subresource != "" || ev.Request == nil ||
		ev.Stage != audit.StageResponseComplete || strings.Contains(ev.RequestURI, "dryRun=") {
		return
	}
	for _, word := range ev.Request.Pod.Host {
		path, isPath := strings.CutPrefix(word, "hostPath ")
		if !isPath || path == "/" || len(word) <= maxPowerWord && (r.Power[word] > 0 || len(r.Power) < maxPower) {
			add(&r.Power, word)
		}
	}
}

// add counts in a map that most records do without.
func add[K comparable](counts *map[K]int, key K) {
	if *counts == nil {
		*counts = map[K]int{}
	}
	(*counts)[key]++
}

// shows tells whether the answer of a request has objects that the client did
// not send itself: those of changes in part do, and those of a deletion of many.
func shows(ev *audit.Event) bool {
	switch ev.Verb {
	case "watch":
		return true
	case "get", "list", "patch", "update", "deletecollection":
		return ev.Stage == audit.StageResponseComplete
	}
	return false
}

// close ends the current part and returns its record.
func (c *contextState) close() ContextRecord {
	r := c.soFar()
	c.open = false
	if c.root != nil && c.root.Raw != nil {
		// The root is kept as long as something remembers the context; its
		// bytes are not needed for that.
		slim := *c.root
		slim.Raw = nil
		c.root = &slim
	}
	return r
}

// soFar is the record as it is now.
func (c *contextState) soFar() ContextRecord {
	c.grown = false
	r := c.record
	r.EffectsBy, r.Touched = maps.Clone(r.EffectsBy), maps.Clone(r.Touched)
	r.Reads, r.Power = maps.Clone(r.Reads), maps.Clone(r.Power)
	return r
}
