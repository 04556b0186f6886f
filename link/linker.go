package link

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

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
	swept    micros
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

// settled is the assignment of a request, for its further events.
type settled struct {
	assignment Assignment
	context    *contextState
	waiting    []*entry // events that came while the request's place was open
	decided    bool
	complete   bool // its last stage was seen
	at         micros
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
		l.linkLate(l.enter(it))
		return
	}
	l.advance(false)
}

// Close links what still waits and closes every context. The Linker can not
// be used afterwards.
func (l *Linker) Close() {
	l.advance(true)
	for _, e := range l.ahead {
		l.link(e)
	}
	l.ahead = nil
	l.closeCommands(0, true)
	for _, c := range l.contexts {
		l.report(c.close())
	}
	l.contexts = nil
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
		n := 0
		for n < len(l.ahead) && l.ahead[n].received+lookAhead < e.received {
			l.link(l.ahead[n])
			l.ahead[n] = nil
			n++
		}
		l.ahead = l.ahead[n:]
	}
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
		a.class = max(a.class, l.classes[a.username])
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
	key := requestKey{e.event.AuditID, e.event.User.Username, e.event.RequestURI, e.received}
	if s := l.requests[key]; s != nil {
		l.again(s, e)
		return
	}
	s := &settled{at: e.received, complete: ends(e.event)}
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

// decide finds the cause of a component's request. It reports false for one
// that starts something.
func (l *Linker) decide(e *entry, r *request) (*contextState, bool) {
	if e.actor.class == classPerson && !l.collects(e, r) {
		return nil, false
	}
	if ownTimer(e.event) {
		l.background(e, "clock", "done on a timer")
		return nil, true
	}
	c, ok := l.explain(r)
	if ok && e.actor.class == classOperator && !plausible(r, c) {
		ok = false
	}
	if rule, ticks := l.tick(r, ok); ticks {
		return l.startTick(e, c, ok, rule), true
	}
	if ok {
		if c.at == relWatched && r.object != nil && len(r.object.owners) == 0 {
			r.object.owners, r.object.ownersGuessed = []*object{c.change.object}, true
		}
		e.actor.train, e.actor.trainAt, e.actor.trainNS = c.change, e.received, e.event.Object.Namespace
		l.assign(e, c.change.context, RoleEffect, c, c.rule.id, evidence[c.at], c.confidence())
		return c.change.context, true
	}
	if e.actor.class == classOperator && starts(e.event) {
		return nil, false
	}
	rule, why := RuleUnknown, "no change that explains it"
	if byClock(e.event) {
		rule, why = "clock", "done on a timer"
	}
	l.background(e, rule, why)
	return nil, true
}

// starts tells whether what an operator did without a visible cause counts as
// begun by itself. What it reads, reports or renews does not.
func starts(ev *audit.Event) bool {
	switch ev.Object.Resource {
	case "leases", "events":
		return false
	}
	return changes(ev) && ev.Object.Subresource != "status"
}

// startTick settles a component's request that the clock started.
func (l *Linker) startTick(e *entry, c cause, explained bool, rule string) *contextState {
	if !explained {
		ctx := newTick(e.event, nil)
		l.assign(e, ctx, RoleRoot, cause{}, rule, "started by the clock or a measure", 0.9)
		return ctx
	}
	ctx := newTick(e.event, c.change.context)
	l.assign(e, ctx, RoleEffect, c, rule, evidence[c.at], c.confidence())
	return ctx
}

// collects tells whether a client that passed for a person does what a garbage
// collector does: look at an object and delete it right after somebody else
// deleted its owner. From then on it counts as a component.
func (l *Linker) collects(e *entry, r *request) bool {
	if r.object == nil || r.object.key.resource == "secrets" || (e.event.Verb != "get" && e.event.Verb != "delete") || interactive(e.event.UserAgent) {
		return false
	}
	for _, w := range r.object.owners {
		c := w.own.last(kindsGone)
		if c != nil && c.actor != e.actor && c.received <= e.received && e.received-c.visible() < second && r.object.own.last(kindsGone) == nil {
			e.actor.class = classControlPlane
			l.classes[e.actor.username] = classControlPlane
			return true
		}
	}
	return false
}

// operatorMemory is how long after a change an operator's answer to it is
// believed.
const operatorMemory = 30 * second

// plausible tells whether what an operator did answers the cause found.
func plausible(r *request, c cause) bool {
	return r.received-c.change.visible() < operatorMemory
}

// ownTimer tells what components do for themselves alone, whatever happens
// around them: leader election, heartbeats, the API server's own endpoints.
func ownTimer(ev *audit.Event) bool {
	switch ev.Object.Resource {
	case "leases":
		return ev.Verb == "update" || ev.Verb == "get" || ev.Object.Namespace == "kube-system" || ev.Object.Namespace == "kube-node-lease"
	case "endpoints", "endpointslices":
		return ev.Object.Namespace == "default" && ev.Object.Name == "kubernetes"
	case "nodes":
		return strings.HasPrefix(ev.User.Username, "system:node:")
	}
	return false
}

// byClock tells the requests that components make on a timer.
func byClock(ev *audit.Event) bool {
	switch ev.Object.Resource {
	case "leases", "nodes", "":
		return true
	}
	return ev.Verb == "watch" || ev.Verb == "list"
}

// sawVersion is the resourceVersion that the client had read of the object.
func sawVersion(ev *audit.Event) uint64 {
	v := ev.Object.ResourceVersion
	if ev.Object.Resource == "events" {
		v = ""
		if b := ev.Request; b != nil && b.Involved != nil {
			v = b.Involved.ResourceVersion
		}
	}
	return version(v)
}

func version(s string) uint64 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
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
	key := requestKey{e.event.AuditID, e.event.User.Username, e.event.RequestURI, e.received}
	s := l.requests[key]
	s.assignment, s.context, s.decided = as, ctx, true
	l.send(s, e, true)
	for _, w := range s.waiting {
		l.send(s, w, false)
	}
	s.waiting = nil
}

func (l *Linker) send(s *settled, e *entry, first bool) {
	as := s.assignment
	as.Event, as.Tag = e.event, e.tag
	if c := s.context; c != nil {
		if !c.open {
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
	l.sweepObjects()
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
