package link

import (
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// relation names a way from the object of a request to objects whose changes
// can be its cause.
type relation uint8

const (
	relSelf       relation = iota // the object itself
	relOwner                      // what owns it
	relSiblings                   // what else its owner owns
	relBelow                      // what it owns, or the pods it selects
	relNamespace                  // the namespace it is in
	relNested                     // a request in progress that this one is a part of
	relBoundPod                   // the pod that a token is for
	relMountedBy                  // the pods on the client's node that use it
	relService                    // the service an endpoints object belongs to, and its pods
	relNamesake                   // an object of another kind with the same name
	relTarget                     // the object it points to (a scale target, a claim), or that points to it
	relUsers                      // the pods that use it
	relDefinition                 // the definition that brought the resource
	relNeighbours                 // whatever else happened in the namespace
	relNode                       // the node a pod runs on
	relRoom                       // a node that made room for what was waiting
	relWatched                    // what the client keeps the status of
	relTrain                      // why the client made its request before this one
	relMakers                     // what may have made an object whose name the log does not tell
	relBarrier                    // the quota that refused what is now made
	relClock                      // what set the clock of a CronJob
)

// evidence says what the relation is, in the words that a person reads.
var evidence = [...]string{
	relSelf:       "an earlier change of the same object",
	relOwner:      "a change of its owner",
	relSiblings:   "a change of another object of its owner",
	relBelow:      "a change of an object it owns or selects",
	relNamespace:  "a change of its namespace",
	relNested:     "part of handling this request",
	relBoundPod:   "the start of the pod that the token is for",
	relMountedBy:  "the start of a pod on the node that uses it",
	relService:    "a change of the service or of a pod behind it",
	relNamesake:   "a change of an object of the same name",
	relTarget:     "a change of the object it refers to, or that refers to it",
	relUsers:      "a change of a pod that uses it",
	relDefinition: "a change of the definition of the resource",
	relNeighbours: "a change a moment before in the same namespace",
	relNode:       "a change of the node it runs on",
	relRoom:       "a change of a node, which made room",
	relWatched:    "a change of an object whose status the client keeps",
	relTrain:      "the reason of the same client for its request just before",
	relMakers:     "a change of what makes such objects in the namespace",
	relBarrier:    "a change of the quota that was in the way",
	relClock:      "what set the schedule",
}

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
	if r.event.Object.Resource == "persistentvolumes" && r.object != nil {
		l.visitVolume(r, p)
		return
	}
	for o := range l.index.nodes[r.actor.node] {
		if o.key.namespace != r.event.Object.Namespace || !o.mayUse(kindOf(r.event).resource, r.event.Object.Name) {
			continue
		}
		p.history(&o.own)
	}
}

// visitVolume shows how the pods came, on the kubelet's node, that use the
// claim which a volume is bound to.
func (l *Linker) visitVolume(r *request, p *pick) {
	for _, claim := range append(l.pointing[r.object.key], l.index.find(r.object.target)) {
		if claim == nil {
			continue
		}
		for o := range l.index.nodes[r.actor.node] {
			if o.key.namespace == claim.key.namespace && o.uses(claim) {
				p.history(&o.own)
			}
		}
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
	service := l.index.find(objectKey{kindServices, o.key.namespace, o.key.name})
	for _, w := range o.owners {
		if w.key.kindRef == kindServices {
			service = w
		}
	}
	if service == nil {
		return
	}
	if !service.described && removes(p.request) && recent(service, p.request) {
		// Nothing tells which pods it selects, and what is removed goes with
		// the service.
		p.history(&service.own)
		return
	}
	p.history(&service.own)
	p.history(&service.below)
	if service.described {
		return
	}
	// Nothing tells which pods it selects. Where none goes by its name, it
	// may be any that changed a moment before.
	now := p.request.received
	soon := func(c *change) bool { return now-c.visible() < second/2 }
	known := false
	service.below.each(kindsAll, func(c *change) { known = known || soon(c) })
	if s := l.index.spaces[o.key.namespace]; s != nil && !known {
		s.all.each(p.look.kinds, func(c *change) {
			if c.object.key.kindRef == kindPods && soon(c) {
				p.consider(c)
			}
		})
	}
}

// removes tells a request to remove an object, or the look at it that a
// collector of garbage takes first.
func removes(r *request) bool { return r.event.Verb == "delete" || r.event.Verb == "get" }

// recent tells whether an object was deleted a moment before a request.
func recent(o *object, r *request) bool {
	gone := o.own.last(kindsGone)
	return gone != nil && r.received-gone.visible() < second
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

// uses tells whether a pod is known to use an object: by its spec or, without
// one, because a kubelet asked for it on the pod's behalf, or because a claim
// is called as the pod or as a StatefulSet calls its pods' claims.
func (o *object) uses(what *object) bool {
	if o.pod.ServiceAccount != "" {
		return o.mayUse(what.key.resource, what.key.name)
	}
	if what.key.resource != "persistentvolumeclaims" {
		return false
	}
	return slices.Contains(o.pod.Claims, what.key.name) || what.key.name == o.key.name || strings.HasSuffix(what.key.name, "-"+o.key.name)
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
		if pod.uses(o) {
			p.history(&pod.own)
		}
	}
}
