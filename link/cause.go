package link

import (
	"cmp"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// request is what the rules see of the request to explain.
type request struct {
	event  *audit.Event
	actor  *actor
	object *object // what it is about: of an Event, the involved object
	// subject is the object in the request itself, when object is another.
	subject        *object
	received, done micros
	// saw bounds what the client knew of the object: the resourceVersion its
	// request carries, 0 when unknown.
	saw uint64
}

// cause is a change that explains a request.
type cause struct {
	change *change
	at     relation
	rule   *rule
	// rival is the next best change of another context, nil when there was
	// none.
	rival *change
	// close tells that the rival was hardly worse, guessed that names, not
	// references, tie the object to others.
	close, guessed bool
}

// confidence is the share of right links among those found in the same way
// (docs/linking.md says how it was measured).
func (c *cause) confidence() float64 {
	v := c.rule.confidence
	if c.guessed {
		v = min(v, c.rule.guessed)
	}
	if c.close {
		v *= 0.9
	}
	return v
}

// explain returns the cause of a request, by the first rule that fits it and
// finds one.
func (l *Linker) explain(r *request) (cause, bool) {
	for i := range l.rules {
		rule := &l.rules[i]
		if !rule.fits(r) {
			continue
		}
		p := pick{request: r, within: rule.within}
		for _, look := range rule.looks {
			p.look = look
			l.visit(r, look.at, &p)
		}
		if p.best != nil {
			return p.cause(rule), true
		}
	}
	return cause{}, false
}

// cause sums up what a pick found.
func (p *pick) cause(rule *rule) cause {
	c := cause{change: p.best, at: p.at, rule: rule, rival: p.rival}
	o := p.request.object
	c.guessed = p.at != relSelf && p.at != relNested && p.at != relNamespace && (o == nil || !o.described || o.ownersGuessed)
	if p.rival != nil {
		c.close = p.distance(p.rival) < 3*p.distance(p.best)+closeness
	}
	return c
}

// closeness is how near in time two changes are between which a component's
// answer cannot tell.
const closeness = second / 100

func (r *rule) fits(q *request) bool {
	ev := q.event
	if r.subresource != "*" && r.subresource != ev.Object.Subresource {
		return false
	}
	if len(r.verbs) > 0 && !slices.Contains(r.verbs, ev.Verb) {
		return false
	}
	if len(r.resources) > 0 && !slices.Contains(r.resources, ev.Object.Resource) {
		return false
	}
	if r.about != "" && (q.object == nil || q.object.key.resource != r.about) {
		return false
	}
	if r.ownedBy != "" && (q.object == nil || !q.object.ownedBy(r.ownedBy)) {
		return false
	}
	if r.unnamed && ev.Verb == "create" && !isReview(ev.Object.Resource) {
		return false
	}
	return len(r.classes) == 0 || slices.Contains(r.classes, q.actor.class)
}

// isReview tells the resources that are created only to be answered.
func isReview(resource string) bool {
	return strings.HasSuffix(resource, "reviews")
}

// pick keeps the best of the changes it is shown.
type pick struct {
	request *request
	look    look
	within  micros

	best *change
	at   relation
	// rival is the nearest change of another context than best's.
	rival *change
}

// consider takes c if it can be the cause and is nearer than what was found.
func (p *pick) consider(c *change) {
	q := p.request
	switch {
	case c.context == nil, c.received > q.received:
		return
	case !p.look.own && c.actor == q.actor && c.object == q.object && (c.kind == changeOf(q.event) || q.actor.class == classNode):
		return
	case p.within != 0 && q.received-c.visible() > p.within:
		return
	case q.saw != 0 && c.version > q.saw && c.object == q.object:
		return
	}
	switch {
	case p.best == nil:
		p.best, p.at = c, p.look.at
	case p.newer(c, p.best):
		if c.context != p.best.context {
			p.rival = p.best
		}
		p.best, p.at = c, p.look.at
	case c.context != p.best.context && (p.rival == nil || p.newer(c, p.rival)):
		p.rival = c
	}
}

func (p *pick) newer(a, b *change) bool {
	return cmp.Or(
		cmp.Compare(p.distance(b), p.distance(a)),
		cmp.Compare(a.received, b.received),
		strings.Compare(a.auditID, b.auditID),
	) > 0
}

// distance says how far a change is from the request it may have caused: how
// long it had been visible or, of a change still under way, a multiple of
// what it lacked. A component answers within milliseconds as a rule, so that
// a change under way explains it better than one of seconds ago, and worse
// than one of a moment ago.
func (p *pick) distance(c *change) micros {
	const early = 4
	d := p.request.received - c.visible()
	if d < 0 {
		return -d * early
	}
	return d
}

func (p *pick) history(h *history) { h.each(p.look.kinds, p.consider) }

// visit shows p the changes on one relation of a request.
func (l *Linker) visit(r *request, at relation, p *pick) {
	o := r.object
	switch at {
	case relNested:
		l.visitNested(r, p)
		return
	case relNamespace:
		if ns := l.index.find(objectKey{kindRef{"", "namespaces"}, namespaceOf(r.event), namespaceOf(r.event)}); ns != nil {
			p.history(&ns.own)
		}
		return
	case relWatched:
		for kind := range r.actor.writesStatus {
			for _, o := range l.index.ofKind(r.event.Object.Namespace, kind) {
				p.history(&o.own)
			}
		}
		return
	case relTrain:
		a := r.actor
		if a.train != nil && a.trainNS == r.event.Object.Namespace && r.received-a.trainAt < second/20 {
			p.consider(a.train)
		}
		return
	case relNeighbours:
		if s := l.index.spaces[r.event.Object.Namespace]; s != nil {
			p.history(&s.all)
		}
		return
	case relDefinition:
		for _, crd := range l.index.ofKind("", kindRef{"apiextensions.k8s.io", "customresourcedefinitions"}) {
			if crd.provides == kindOf(r.event) || crd.key.name == r.event.Object.Resource+"."+r.event.Object.APIGroup {
				p.history(&crd.own)
			}
		}
		return
	case relBoundPod, relMountedBy:
		l.visitPodsOnNode(r, at, p)
		return
	}
	if o == nil {
		return
	}
	switch at {
	case relSelf:
		p.history(&o.own)
	case relBelow:
		p.history(&o.below)
	case relOwner:
		for _, w := range o.owners {
			p.history(&w.own)
		}
	case relOwnerOwner:
		for _, w := range o.owners {
			for _, ww := range w.owners {
				p.history(&ww.own)
			}
		}
	case relSiblings:
		for _, w := range o.owners {
			p.history(&w.below)
		}
	case relService:
		l.visitService(o, p)
	case relNamesake:
		l.visitNamesakes(o, p)
	case relTarget:
		l.visitTargets(o, p)
	case relUsers:
		l.visitUsers(o, p)
	case relMakers:
		l.visitMakers(r, p)
	case relBarrier:
		l.visitBarrier(r, p)
	case relClock:
		visitClock(o, p)
	case relRoom:
		l.visitRoom(o, p)
	case relNode:
		if n := l.index.find(objectKey{kindRef{"", "nodes"}, "", o.node}); n != nil {
			p.history(&n.own)
		}
	}
}

// visitRoom shows the changes of nodes to a pod that found no place before,
// and to what a DaemonSet makes for each node.
func (l *Linker) visitRoom(o *object, p *pick) {
	if !o.waits && !o.ownedBy("daemonsets") {
		return
	}
	for _, n := range l.index.ofKind("", kindRef{"", "nodes"}) {
		p.history(&n.own)
	}
}

// visitClock shows what set the schedule of a CronJob, or of the CronJob that
// owns a Job.
func visitClock(o *object, p *pick) {
	for _, c := range append([]*object{o}, o.owners...) {
		if c.key.resource != "cronjobs" {
			continue
		}
		c.own.each(p.look.kinds, func(c *change) {
			if c.setsClock || c.kind == kindCreated {
				p.consider(c)
			}
		})
	}
}

// visitBarrier shows the changes of the namespace's quotas since the owner
// was refused what it makes now.
func (l *Linker) visitBarrier(r *request, p *pick) {
	var since micros
	for _, w := range r.object.owners {
		since = max(since, w.refused)
	}
	if since == 0 {
		return
	}
	for _, quota := range l.index.ofKind(r.object.key.namespace, kindRef{"", "resourcequotas"}) {
		quota.own.each(p.look.kinds, func(c *change) {
			if c.done > since {
				p.consider(c)
			}
		})
	}
}

// namespaceOf is the namespace a request is about; one on a namespace itself
// is about that namespace.
func namespaceOf(ev *audit.Event) string {
	if ev.Object.Resource == "namespaces" && ev.Object.Namespace == "" {
		return ev.Object.Name
	}
	return ev.Object.Namespace
}

// visitNested shows the writes under way, in the same namespace where both
// have one, while which the API server itself made the request.
func (l *Linker) visitNested(r *request, p *pick) {
	if r.actor.username != "system:apiserver" {
		return
	}
	ns, resource := namespaceOf(r.event), r.event.Object.Resource
	for i := len(l.under) - 1; i >= 0; i-- {
		c := l.under[i]
		if c.context == nil || c.received > r.received || c.done < r.done || c.actor == r.actor {
			continue
		}
		if ns != "" && c.namespace != ns || resource == "ipaddresses" && c.resource != "services" {
			continue
		}
		// What was received last is the innermost.
		if p.best == nil || c.received > p.best.received {
			p.best, p.at = c, relNested
		}
	}
}

// visitPodsOnNode shows how the pods came that made a kubelet ask for a token
// or for what a pod mounts.
func (l *Linker) visitPodsOnNode(r *request, at relation, p *pick) {
	if uid := boundPod(r.event); at == relBoundPod && uid != "" {
		if o := l.index.byUID[uid]; o != nil {
			o.tokens++
			p.history(&o.own)
			return
		}
	}
	if at == relBoundPod {
		if o := l.startingPod(r); o != nil {
			o.tokens++
			p.history(&o.own)
		}
		return
	}
	for o := range l.index.nodes[r.actor.node] {
		if o.key.namespace != r.event.Object.Namespace || !o.mayUse(kindOf(r.event).resource, r.event.Object.Name) {
			continue
		}
		p.history(&o.own)
	}
}

// startingPod is the pod on the kubelet's node that has waited longest for its
// token: where the request does not name it, time and place have to do. A pod
// whose name goes with the account's is preferred.
func (l *Linker) startingPod(r *request) *object {
	account := r.event.Object.Name
	var best *object
	better := func(a, b *object) bool {
		ka, kb := account != "default" && affinity(a.root().key.name, account) > 0, account != "default" && affinity(b.root().key.name, account) > 0
		if ka != kb {
			return ka
		}
		if a.tokens != b.tokens {
			return a.tokens < b.tokens
		}
		ca, cb := a.own.last(kindBound|kindCreated), b.own.last(kindBound|kindCreated)
		if ca == nil || cb == nil {
			return cb == nil && ca != nil
		}
		if ca.received != cb.received {
			return ca.received < cb.received
		}
		return a.key.name < b.key.name
	}
	for o := range l.index.nodes[r.actor.node] {
		if o.key.namespace != r.event.Object.Namespace || o.gone || !o.mayUse("serviceaccounts", account) {
			continue
		}
		if best == nil || better(o, best) {
			best = o
		}
	}
	return best
}

func boundPod(ev *audit.Event) string {
	if ev.Request != nil && ev.Request.Target != nil && ev.Request.Target.Kind == "Pod" {
		return ev.Request.Target.UID
	}
	return ""
}

// mayUse tells whether a pod refers to the named object, as far as its spec
// is known; one of which nothing is known may use anything.
func (o *object) mayUse(resource, name string) bool {
	var names []string
	switch resource {
	case "configmaps":
		names = o.pod.ConfigMaps
	case "secrets":
		names = o.pod.Secrets
	case "persistentvolumeclaims":
		names = o.pod.Claims
	case "serviceaccounts":
		return o.pod.ServiceAccount == "" || o.pod.ServiceAccount == name
	default:
		return true
	}
	return o.pod.ServiceAccount == "" || slices.Contains(names, name)
}

var (
	kindPods     = kindRef{"", "pods"}
	kindServices = kindRef{"", "services"}
)

// visitService shows the service that an Endpoints or EndpointSlice object
// stands for, and the pods behind it.
func (l *Linker) visitService(o *object, p *pick) {
	seen := false
	for _, w := range o.owners {
		if w.key.kindRef == kindServices {
			seen = true
			p.history(&w.own)
			p.history(&w.below)
		}
	}
	if seen {
		return
	}
	if s := l.index.find(objectKey{kindServices, o.key.namespace, o.key.name}); s != nil {
		p.history(&s.own)
		p.history(&s.below)
	}
}

// visitNamesakes shows the objects of other kinds with the same name.
func (l *Linker) visitNamesakes(o *object, p *pick) {
	s := l.index.spaces[o.key.namespace]
	if s == nil {
		return
	}
	for kind, byName := range s.byKind {
		if n := byName[o.key.name]; n != nil && kind != o.key.kindRef {
			p.history(&n.own)
		}
	}
}

// visitTargets shows what o points to, and what points to o.
func (l *Linker) visitTargets(o *object, p *pick) {
	if t := l.index.find(o.target); t != nil {
		p.history(&t.own)
	} else if o.key.resource == "persistentvolumes" && !o.described {
		for _, c := range l.claims {
			if c.kind&p.look.kinds != 0 && p.request.received-c.visible() < second {
				p.consider(c)
			}
		}
	}
	for _, t := range l.pointing[o.key] {
		p.history(&t.own)
	}
}

// visitUsers shows the pods that use a claim, a configuration or a secret.
func (l *Linker) visitUsers(o *object, p *pick) {
	if o.key.resource == "persistentvolumes" {
		if claim := l.index.find(o.target); claim != nil {
			l.visitUsers(claim, p)
		}
		for _, claim := range l.pointing[o.key] {
			l.visitUsers(claim, p)
		}
		return
	}
	switch o.key.resource {
	case "persistentvolumeclaims", "configmaps", "secrets", "serviceaccounts":
	default:
		return
	}
	for _, pod := range l.index.ofKind(o.key.namespace, kindPods) {
		if pod.pod.ServiceAccount != "" && pod.mayUse(o.key.resource, o.key.name) {
			p.history(&pod.own)
		}
	}
}
