package link

import (
	"time"

	"github.com/whet-k8s/whet/audit"
)

// Role says what a request was to its context.
type Role string

// The roles of the annotations format. Of an operation with several contexts
// only the first principal request is RoleRoot; the principal requests of its
// other contexts are RoleClient there, as they are requests of the same
// command.
const (
	RoleRoot       Role = "root"
	RoleClient     Role = "client"
	RoleEffect     Role = "effect"
	RoleBackground Role = "background"
	RoleDropped    Role = "dropped"
)

// RuleUnknown is the rule of an event whose cause should be somewhere and was
// not found. It belongs to no context.
const RuleUnknown = "unknown"

// Assignment is what the linker says of one event. Every event that was added
// gets exactly one.
type Assignment struct {
	// Event is the event as it was added, and Tag what the caller added it
	// with.
	Event *audit.Event
	Tag   uint64

	// Context is the id of the context, "" for background; Operation that of
	// the invocation it is a part of.
	Context   string
	Operation string
	Role      Role

	// Cause is the auditID of the event that caused this one: "" for the
	// root of an operation and for background.
	Cause string
	// Rule names the rule that found the cause, or said that there is none.
	Rule string
	// Evidence says in a few words what ties event and cause together.
	Evidence string
	// Rival is the auditID of the next best cause that belongs to another
	// context, "" when there was none.
	Rival string
	// Confidence is how sure the linker is, held against recordings
	// (docs/linking.md); 0 for what is unknown.
	Confidence float64

	// Autonomous is the id of the context of its own in which the clock
	// started this effect, "" for all others. Context is then the one that
	// set the clock.
	Autonomous string

	// Root is the principal request of the context, nil for background.
	Root *audit.Event
}

// ContextRecord is a context as it is known when it closes: after a while
// without events. Should more follow, it is reported again with the next Part
// and the numbers of that part alone.
type ContextRecord struct {
	ID        string
	Operation string
	Part      int

	// Root is the principal request; of a context that the clock started, the
	// component's first request.
	Root *audit.Event
	// Origin is, for an autonomous context, the id of the context that set
	// the clock; "" for a person's.
	Origin string
	// OriginRoot is the principal request of that context, nil without one.
	OriginRoot *audit.Event
	// ReadOnly tells that the command changed nothing and caused nothing.
	ReadOnly bool

	// First is the earliest requestReceivedTimestamp of the part's requests
	// and Last the latest stageTimestamp.
	First, Last time.Time

	// Clients and Effects count requests, not events; Effects leaves out
	// the principal request itself. EffectsBy counts them by username.
	Clients   int
	Effects   int
	EffectsBy map[string]int
	// Failed counts the effects that ended with a code of 400 or above.
	Failed int
	// Touched counts all requests, the principal one too, by the resource
	// that they are about, and Deletes those of them that deleted something:
	// verb delete or deletecollection, with a code below 400.
	Touched map[audit.GroupResource]int
	Deletes int
	// Reads counts the answers that showed the command itself objects, by what
	// and where, up to a number of places.
	Reads map[Place]int
	// Power counts the pods that were created, by whatever power over their node
	// they were given (audit.PodRefs.Host), up to a number of paths.
	Power map[string]int
	// Events counts events (stages), whichever the role.
	Events int
}

// Place is where objects of a kind are: a namespace, or "" for those of all
// namespaces together, or of none.
type Place struct {
	audit.GroupResource
	Namespace string
}

// Stats counts what the linker had to give up, for the accounting.
type Stats struct {
	// Late counts the events that came after the window had closed over
	// their time; they were linked with what was known then.
	Late int
	// Forced counts the events released early because the window was full.
	Forced int
	// Forgotten counts the objects dropped from a full index.
	Forgotten int
}

// Options bound the linker. The zero value means the defaults.
type Options struct {
	// Window is how long, in log time, an event waits for one received
	// before it. Default 5 s.
	Window time.Duration
	// MaxWaiting bounds the number of events in the window. Default 50,000.
	MaxWaiting int
	// MaxWaitingBytes bounds the bytes of JSON (Position.Size) of the events in
	// the window.
	// Default 64 MiB.
	MaxWaitingBytes int
	// CommandGap is the longest pause, from the end of a request to the next
	// one, within one command of a person. Default 600 ms.
	CommandGap time.Duration
	// ContextIdle is how long a context stays open without an event.
	// Default 5 min.
	ContextIdle time.Duration
	// ObjectIdle is how long an object that nobody touches is remembered.
	// Default 1 h.
	ObjectIdle time.Duration
	// MaxObjects bounds the index. Default 200,000.
	MaxObjects int
	// Rank, where it is not nil, chooses among the contexts that may have caused
	// a request where no body tells; nil leaves that to the rules.
	Rank Ranker
	// Totals has a context that goes on after it closed reported with the
	// numbers of all its parts together, as Part 1, for whoever keeps only
	// the newest record of a context.
	Totals bool
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Window, 5*time.Second)
	def(&o.CommandGap, 600*time.Millisecond)
	def(&o.ContextIdle, 5*time.Minute)
	def(&o.ObjectIdle, time.Hour)
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 50_000
	}
	if o.MaxWaitingBytes == 0 {
		o.MaxWaitingBytes = 64 << 20
	}
	if o.MaxObjects == 0 {
		o.MaxObjects = 200_000
	}
	return o
}
