package link

import (
	"slices"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// decide finds the cause of a component's request. It reports false for one
// that starts something.
func (l *Linker) decide(e *entry, r *request) (*contextState, bool) {
	if e.event.Impersonated != nil || (e.actor.class == classPerson && !l.collects(e, r)) {
		return nil, false
	}
	if ownTimer(e.event) {
		l.background(e, "clock", "done on a timer")
		return nil, true
	}
	c, ok := l.explain(r)
	if ok && e.actor.learned && !plausible(r, c) {
		ok = false
	}
	if rule, ticks := l.tick(r, ok); ticks {
		return l.startTick(e, c, ok, rule), true
	}
	if ok {
		c, confidence := l.rank(r, c)
		if c.at == relWatched && r.object != nil && len(r.object.owners) == 0 {
			r.object.owners, r.object.ownersGuessed = []*object{c.change.object}, true
		}
		noteClaim(c, e.event)
		e.actor.train, e.actor.trainAt, e.actor.trainNS = c.change, e.received, e.event.Object.Namespace
		l.assign(e, c.change.context, RoleEffect, c, c.rule.id, evidence[c.at], confidence)
		return c.change.context, true
	}
	if accountable(e, r) {
		return nil, false
	}
	rule, why := RuleUnknown, "no change that explains it"
	if byClock(e.event) {
		rule, why = "clock", "done on a timer"
	}
	l.background(e, rule, why)
	return nil, true
}

// noteClaim notes that a pod of which no body was seen uses a claim, when its
// kubelet asks for the claim on its behalf.
func noteClaim(c cause, ev *audit.Event) {
	pod := c.change.object
	if c.at != relMountedBy || pod.pod.ServiceAccount != "" || ev.Object.Resource != "persistentvolumeclaims" || slices.Contains(pod.pod.Claims, ev.Object.Name) {
		return
	}
	pod.pod.Claims = append(pod.pod.Claims, ev.Object.Name)
}

// accountable tells whether a component answers itself for a request that
// nothing explains. One that is a component only by what it did does so for
// all that people want to see; an account of kube-system for what it changes
// that belongs to nothing. Otherwise a stolen token could hide in the
// background.
func accountable(e *entry, r *request) bool {
	switch {
	case e.actor.learned:
		return starts(e.event) || tells(e.event)
	case strings.HasPrefix(e.actor.username, "system:serviceaccount:"):
		return starts(e.event) && e.event.Object.Subresource == "" && (r.object == nil || len(r.object.owners) == 0)
	}
	return false
}

// tells tells the requests that security people never want hidden, even if
// they change nothing.
func tells(ev *audit.Event) bool {
	notable := ev.Notable()
	return notable.Has(audit.NotableDenied) || notable.Has(audit.NotableSecrets) && ev.Verb != "watch"
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
			e.actor.class, e.actor.learned = classControlPlane, true
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

// sawVersion is the resourceVersion that the client had read of the object it
// writes. What an Event carries of its involved object does not count: a
// kubelet reports with the version it knew when it last made a copy.
func sawVersion(ev *audit.Event) uint64 {
	if ev.Object.Resource == "events" {
		return 0
	}
	return version(ev.Object.ResourceVersion)
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
