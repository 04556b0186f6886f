package link

import (
	"slices"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// lookAhead is how far beyond an event the Linker has looked when it links
// it: long enough for a pod's name to turn up after its creation, and for a
// component to show what it is.
const lookAhead = 2 * second

// Linker links the events of one log. It is not safe for concurrent use.
type Linker struct {
	options Options
	emit    func(Assignment)
	report  func(ContextRecord)

	window window
	ahead  []*entry // in the order of linking
	rules  []rule
	gap    micros
	now    micros // the received time of the event being linked

	actors   map[actorKey]*actor
	classes  map[string]class // by username
	index    *index
	pointing map[objectKey][]*object
	under    []*change // the latest writes, for requests that are a part of one
	claims   ring      // the latest changes of claims, wherever they are
	requests map[requestKey]*settled
	order    []requestKey // of requests, oldest first
	commands []*actor
	contexts []*contextState // open ones
	names    podNames
	// choice and found are filled anew for each decision.
	choice Choice
	found  []tied
	// swept and sweptObjects are when sweep last went round.
	swept, sweptObjects micros
	// quiet is the time up to which no command ends by silence, and none of
	// commands has ended otherwise.
	quiet micros
}

// entry is an event that has been put in order.
type entry struct {
	*item
	actor *actor
}

// requestKey tells requests apart. The auditID alone does not, since a client
// may choose it.
type requestKey struct {
	auditID, username, uri string
	received               micros
}

func keyOfEntry(e *entry) requestKey {
	return requestKey{e.event.AuditID, e.event.User.Username, e.event.RequestURI, e.received}
}

// settled is the assignment of a request, for its further events.
type settled struct {
	assignment Assignment
	context    *contextState
	waiting    []*entry // events that came while the request's place was open
	decided    bool
	complete   bool // its last stage was seen
	// first is the stage of the request's first event in the log, as far as
	// the look ahead shows it.
	first audit.Stage
	at    micros
}

// New returns a Linker. It calls emit once for every event added, in no
// particular order, and report for every part of a context that closes; both
// from within Add and Close. Report may be nil.
func New(options Options, emit func(Assignment), report func(ContextRecord)) *Linker {
	options = options.withDefaults()
	if report == nil {
		report = func(ContextRecord) {}
	}
	return &Linker{
		options:  options,
		emit:     emit,
		report:   report,
		window:   window{wait: options.Window.Microseconds(), maxItems: options.MaxWaiting, maxBytes: options.MaxWaitingBytes},
		rules:    rules(),
		gap:      options.CommandGap.Microseconds(),
		actors:   map[actorKey]*actor{},
		classes:  map[string]class{},
		index:    newIndex(options.MaxObjects),
		pointing: map[objectKey][]*object{},
		requests: map[requestKey]*settled{},
		names:    newPodNames(),
	}
}

// Add takes the next event of the log. The tag comes back in its Assignment.
func (l *Linker) Add(ev *audit.Event, tag uint64) {
	it := &item{event: ev, tag: tag, received: toMicros(ev.RequestReceived), done: toMicros(ev.StageTime)}
	if it.done == 0 {
		it.done = it.received
	}
	if l.window.push(it) {
		// What its own time releases comes first: after a pause that may be
		// all that happened before it.
		l.advance(false)
		l.linkLate(l.enter(it))
		return
	}
	l.advance(false)
}

// Close links what still waits and closes every context. The Linker can not
// be used afterwards.
func (l *Linker) Close() {
	l.advance(true)
	for len(l.ahead) > 0 {
		l.next()
	}
	l.closeCommands(0, true)
	for _, c := range l.contexts {
		l.report(c.close())
	}
	l.contexts = nil
}

// Advance says that no event received before a time is to be expected any
// more: what waited for one is linked, and what has been silent since is
// closed, as if the log had gone on to that time. An event from before that
// comes after all is linked as one that is late. A log that is read as it is
// written needs it when nothing more comes; going back does nothing.
func (l *Linker) Advance(to time.Time) {
	now := toMicros(to)
	l.window.clock = max(l.window.clock, now+l.window.wait)
	l.advance(false)
	for len(l.ahead) > 0 && l.ahead[0].received+lookAhead < now {
		l.next()
	}
	if now > l.now {
		l.now = now
		l.closeCommands(now, false)
		l.sweep()
	}
}

// Grown calls report for every open context that events have come to since it
// was last reported, with what is known of it by now.
func (l *Linker) Grown(report func(ContextRecord)) {
	for _, c := range l.contexts {
		if c.grown {
			report(c.soFar())
		}
	}
}

// Idle tells that nothing waits: no event, no command, no open context, so
// that Advance has nothing to do.
func (l *Linker) Idle() bool {
	return len(l.window.heap)+len(l.ahead)+len(l.commands)+len(l.contexts) == 0
}

// Stats returns what had to be given up so far.
func (l *Linker) Stats() Stats {
	return Stats{Late: l.window.late, Forced: l.window.forcedCount, Forgotten: l.index.forgotten}
}

// linkLate links an event that the window could not put in order: in its
// place among those looked ahead at, or at once when that has passed.
func (l *Linker) linkLate(e *entry) {
	at, _ := slices.BinarySearchFunc(l.ahead, e, func(a, b *entry) int { return compareItems(a.item, b.item) })
	if at == 0 {
		l.link(e)
		return
	}
	e.late = false
	l.ahead = slices.Insert(l.ahead, at, e)
}

func (l *Linker) advance(all bool) {
	for it := l.window.pop(all); it != nil; it = l.window.pop(all) {
		e := l.enter(it)
		l.ahead = append(l.ahead, e)
		for l.ahead[0].received+lookAhead < e.received {
			l.next()
		}
	}
}

// next links the first of the events looked ahead at.
func (l *Linker) next() {
	e := l.ahead[0]
	l.ahead[0] = nil
	l.ahead = l.ahead[1:]
	l.link(e)
}

// enter finds the actor of an event and learns from it.
func (l *Linker) enter(it *item) *entry {
	key := keyOf(it.event)
	a := l.actors[key]
	if a == nil {
		a = newActor(it.event)
		l.actors[key] = a
	}
	a.touched = it.received
	a.observe(it.event)
	if !interactive(it.event.UserAgent) {
		// What one program of an account shows, holds for all of it.
		if known := l.classes[a.username]; known > a.class {
			a.class, a.learned = known, true
		}
		if a.class > classPerson {
			l.classes[a.username] = a.class
		}
	}
	l.names.observe(it, a)
	return &entry{item: it, actor: a}
}

// link decides about one event.
func (l *Linker) link(e *entry) {
	if !e.late {
		l.now = e.received
		l.closeCommands(l.now, false)
		l.sweep()
	}
	key := keyOfEntry(e)
	if s := l.requests[key]; s != nil {
		l.again(s, e)
		return
	}
	s := &settled{at: e.received, complete: ends(e.event), first: l.firstStage(e)}
	l.remember(key, s)

	r := &request{event: e.event, actor: e.actor, received: e.received, done: e.done}
	r.saw = sawVersion(e.event)
	l.resolve(r)
	c, found := l.decide(e, r)
	if !found {
		l.person(e)
	}
	l.learn(e, r, c)
}

// newContext opens a context with the given root.
func (l *Linker) newContext(root *audit.Event, readOnly bool) *contextState {
	return &contextState{id: contextID(root), root: root, readOnly: readOnly}
}

// assign settles a request and emits its events.
func (l *Linker) assign(e *entry, ctx *contextState, role Role, c cause, rule, why string, confidence float64) {
	blamed := ctx.blamed()
	as := Assignment{
		Context: blamed.id, Role: role, Rule: rule, Evidence: why, Confidence: confidence, Root: blamed.root,
	}
	if blamed.operation != nil {
		as.Operation = blamed.operation.id
	}
	if ctx.autonomous {
		as.Autonomous = ctx.id
	}
	switch {
	case c.change != nil:
		as.Cause = c.change.auditID
	case role == RoleClient:
		as.Cause = ctx.root.AuditID
	}
	if c.rival != nil {
		as.Rival = c.rival.auditID
	}
	if as.Cause == e.event.AuditID {
		as.Cause = ""
	}
	l.settle(e, ctx, as)
}

func (l *Linker) background(e *entry, rule, why string) {
	l.settle(e, nil, Assignment{Role: RoleBackground, Rule: rule, Evidence: why})
}

// settle records what was decided about a request and emits its events.
func (l *Linker) settle(e *entry, ctx *contextState, as Assignment) {
	s := l.requests[keyOfEntry(e)]
	s.assignment, s.context, s.decided = as, ctx, true
	l.send(s, e, true)
	for _, w := range s.waiting {
		l.send(s, w, false)
	}
	s.waiting = nil
}

// firstStage finds the stage of the first event that the log has of the
// request of e. Its further events follow in the look ahead.
func (l *Linker) firstStage(e *entry) audit.Stage {
	first := e.event.Stage
	for _, next := range l.ahead {
		if next.received > e.received {
			break
		}
		if next.event.AuditID == e.event.AuditID && next.event.RequestURI == e.event.RequestURI && stageRank(next.event.Stage) > stageRank(first) {
			first = next.event.Stage
		}
	}
	return first
}

func (l *Linker) send(s *settled, e *entry, first bool) {
	as := s.assignment
	as.Event, as.Tag = e.event, e.tag
	if as.Role == RoleRoot && e.event.Stage != s.first {
		// A command has one root: the first event of its first principal
		// request.
		as.Role, as.Rule, as.Evidence = RoleClient, "same-request", "a further stage of the principal request"
	}
	if c := s.context; c != nil {
		if !c.open {
			c.begin(e.event, l.options.Totals)
			l.contexts = append(l.contexts, c)
		}
		c.count(e.event, as.Role, first, max(l.now, e.received))
	}
	l.emit(as)
}

// again handles a further event of a request that was seen before.
func (l *Linker) again(s *settled, e *entry) {
	s.complete = s.complete || ends(e.event)
	if !s.decided {
		s.waiting = append(s.waiting, e)
		return
	}
	l.send(s, e, false)
}

// ends tells the stages after which a request has no further event.
func ends(ev *audit.Event) bool {
	return ev.Stage == audit.StageResponseComplete || ev.Stage == audit.StagePanic
}

// maxRequests bounds the requests that are remembered for their further
// events.
const maxRequests = 100_000

// remember keeps a request for its further events, at the cost of the oldest
// when there are too many.
func (l *Linker) remember(key requestKey, s *settled) {
	l.requests[key] = s
	l.order = append(l.order, key)
	for len(l.requests) > maxRequests && len(l.order) > 0 {
		oldest := l.order[0]
		if o := l.requests[oldest]; o != nil && !o.decided {
			break
		}
		delete(l.requests, oldest)
		l.order = l.order[1:]
	}
}
