package link

import (
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// resolve finds the object that a request is about.
func (l *Linker) resolve(r *request) {
	ev := r.event
	key := keyOfRequest(ev)
	if ev.Object.Resource == "events" {
		r.object = l.involved(ev, r.actor)
		return
	}
	if key.name == "" && ev.Verb == "create" && ev.Status.Code < 400 && kindOf(ev) == kindPods {
		r.unnamed = true
		key.name = l.names.claim(l.index, r)
	}
	uid := objectUID(ev)
	if uid != "" {
		r.object = l.index.byUID[uid]
	}
	if r.object == nil && key.name != "" {
		if o := l.index.find(key); o != nil && (uid == "" || o.uid == "" || o.uid == uid) && (ev.Verb != "create" || ev.Object.Subresource != "" || ev.Status.Code >= 400) {
			r.object = o
		}
	}
	if r.object == nil && key.resource != "" && (key.name != "" || ev.Verb == "create") {
		r.object = l.index.add(key, uid, r.received)
	}
	if r.object != nil {
		l.describe(r.object, r)
		if uid != "" && r.object.uid == "" {
			r.object.uid = uid
			l.index.byUID[uid] = r.object
		}
		if r.received > r.object.touched {
			r.object.touched = r.received
		}
	}
}

// objectUID is the UID of the object a request is about, "" when unknown.
func objectUID(ev *audit.Event) string {
	if ev.Object.Subresource == "token" || ev.Object.Subresource == "eviction" {
		return ""
	}
	if b := ev.Response; b != nil && b.UID != "" && ev.Object.Subresource != "binding" {
		return b.UID
	}
	return ev.Object.UID
}

// involved finds the object that an Event is about.
func (l *Linker) involved(ev *audit.Event, a *actor) *object {
	b := ev.Request
	if b == nil || b.Involved == nil {
		b = ev.Response
	}
	if b != nil && b.Involved != nil {
		if o := l.index.byUID[b.Involved.UID]; o != nil {
			return o
		}
		return l.named(b.Involved.Namespace, b.Involved.Name, strings.ToLower(b.Involved.Kind), a)
	}
	name := ev.Object.Name
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		return l.named(ev.Object.Namespace, name[:dot], "", a)
	}
	return nil
}

// named finds an object by name in a namespace: of the given kind, or, when
// the kind is unknown, one of a kind that the client controls, or the one
// touched last.
func (l *Linker) named(namespace, name, kind string, a *actor) *object {
	var best *object
	controls := func(o *object) bool { return a != nil && a.writesStatus[o.key.kindRef] }
	better := func(x, y *object) bool {
		if cx, cy := controls(x), controls(y); cx != cy {
			return cx
		}
		if x.touched != y.touched {
			return x.touched > y.touched
		}
		return x.key.resource < y.key.resource
	}
	for _, ns := range []string{namespace, ""} {
		s := l.index.spaces[ns]
		if s == nil {
			continue
		}
		for ref, byName := range s.byKind {
			o := byName[name]
			if o == nil || (kind != "" && !isPlural(ref.resource, kind)) {
				continue
			}
			if best == nil || better(o, best) {
				best = o
			}
		}
		if best != nil {
			break
		}
	}
	return best
}

// isPlural tells whether resource is the plural of a kind in lower case.
func isPlural(resource, kind string) bool {
	return resource == kind+"s" || resource == kind+"es" || resource == kind ||
		(strings.HasSuffix(kind, "y") && resource == strings.TrimSuffix(kind, "y")+"ies")
}

// describe notes what the bodies and the name of an object tell about its
// relations.
func (l *Linker) describe(o *object, r *request) {
	for _, b := range []*audit.Body{r.event.Request, r.event.Response} {
		if b == nil || b.Patch != "" || b.Kind == "Status" || b.Kind == "DeleteOptions" || r.event.Object.Subresource == "binding" || r.event.Object.Subresource == "token" || r.event.Object.Subresource == "eviction" {
			continue
		}
		l.describeFrom(o, b)
	}
	if len(o.owners) == 0 && o.named {
		l.guessOwner(o)
	}
}

func (l *Linker) describeFrom(o *object, b *audit.Body) {
	o.described = o.described || b.UID != ""
	if len(b.Owners) > 0 && (len(o.owners) == 0 || o.ownersGuessed) {
		var owners []*object
		for _, w := range b.Owners {
			if ow := l.index.byUID[w.UID]; ow != nil {
				owners = append(owners, ow)
			} else if ow := l.named(o.key.namespace, w.Name, strings.ToLower(w.Kind), nil); ow != nil {
				owners = append(owners, ow)
			}
		}
		if len(owners) > 0 {
			o.owners, o.ownersGuessed = owners, false
		}
	}
	if b.Labels != nil {
		o.labels = b.Labels
	}
	if b.Selector != nil {
		o.selector = b.Selector
	}
	if b.Pod.ServiceAccount != "" {
		o.pod = b.Pod
	}
	if name := b.Annotations["kubernetes.io/service-account.name"]; name != "" && o.key.resource == "secrets" {
		if account := l.index.find(objectKey{kindAccounts, o.key.namespace, name}); account != nil {
			o.owners, o.ownersGuessed = []*object{account}, false
		}
	}
	if b.Pod.NodeName != "" && o.key.kindRef == kindPods {
		l.index.setNode(o, b.Pod.NodeName)
	}
	if b.Provides.Resource != "" {
		o.provides = kindRef{b.Provides.Group, b.Provides.Resource}
	}
	if b.Target != nil && o.key.resource == "horizontalpodautoscalers" {
		l.point(o, objectKey{kindRef{groupOf(b.Target.APIVersion), strings.ToLower(b.Target.Kind) + "s"}, o.key.namespace, b.Target.Name})
	}
	if b.ClaimRef != nil {
		l.point(o, objectKey{kindRef{"", "persistentvolumeclaims"}, b.ClaimRef.Namespace, b.ClaimRef.Name})
	}
	if b.VolumeName != "" && o.key.resource == "persistentvolumeclaims" {
		l.point(o, objectKey{kindRef{"", "persistentvolumes"}, "", b.VolumeName})
	}
}

func groupOf(apiVersion string) string {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// point notes that o points to the object of that key.
func (l *Linker) point(o *object, to objectKey) {
	if o.target == to {
		return
	}
	o.target = to
	l.pointing[to] = append(l.pointing[to], o)
}

// learn updates the index with what a request did.
func (l *Linker) learn(e *entry, r *request, ctx *contextState) {
	ev := e.event
	if ev.Status.Code == 403 && ev.Verb == "create" && r.object != nil {
		for _, w := range r.object.owners {
			w.refused = e.done
		}
		if e.actor.class != classPerson && ev.Object.Namespace != "" {
			l.index.space(ev.Object.Namespace).refused = e.done
		}
	}
	if ev.DryRun() || ev.Object.Resource == "" {
		return
	}
	if ctx == nil && e.actor.command != nil && isWrite(ev.Verb) {
		if c := e.actor.command.objects[keyOfRequest(ev)]; c != nil {
			ctx = c
		}
	}
	if ev.Status.Code >= 400 {
		if isWrite(ev.Verb) && ev.Status.Code != 401 && ev.Status.Code != 403 {
			// What fails late has had the API server do things for it.
			l.noteUnder(newChange(e, r.object, ctx))
		}
		return
	}
	o := r.object
	if o != nil && ev.Object.Resource != "events" {
		if e.actor.node != "" && o.key.kindRef == kindPods {
			l.index.setNode(o, e.actor.node)
		}
	}
	if !isWrite(ev.Verb) {
		return
	}
	if o != nil && o.key.resource == "persistentvolumeclaims" {
		l.matchVolume(e, o)
	}
	if r.unnamed && o != nil {
		l.names.used(r)
	}
	c := newChange(e, o, ctx)
	l.noteUnder(c)
	if ev.Object.Resource == "events" {
		return
	}
	if ev.Verb == "deletecollection" {
		l.learnCollection(c, ev)
		return
	}
	if o == nil {
		return
	}
	if ev.Object.Subresource == "status" && o.key.kindRef == kindPods && o.node == "" && e.actor.class == classControlPlane {
		o.waits = true
	}
	if ev.Object.Subresource == "binding" {
		if b := ev.Request; b != nil && b.Target != nil {
			l.index.setNode(o, b.Target.Name)
		} else {
			l.index.setNode(o, l.names.nodes[o.key])
		}
	}
	l.apply(o, c)
	switch o.key.resource {
	case "persistentvolumes":
		e.actor.volume = o
	case "persistentvolumeclaims":
		l.claims.add(c)
	}
}

// newChange describes what a request wrote.
func newChange(e *entry, o *object, ctx *contextState) *change {
	ev := e.event
	c := &change{
		kind: changeOf(ev), object: o, actor: e.actor, context: ctx,
		auditID: ev.AuditID, received: e.received, done: e.done,
		namespace: namespaceOf(ev), resource: ev.Object.Resource,
		setsClock: ev.Object.Resource == "cronjobs" && setsClock(ev),
	}
	if b := ev.Response; b != nil {
		c.version = version(b.ResourceVersion)
	}
	return c
}

// matchVolume ties a claim to the volume that the same client wrote a moment
// before: below the level Request nothing else tells which claim a volume is
// bound to.
func (l *Linker) matchVolume(e *entry, claim *object) {
	v := e.actor.volume
	if v == nil || v.described || v.target != (objectKey{}) || e.received-v.touched > second/10 {
		return
	}
	l.point(v, claim.key)
}

// setsClock tells whether a request sets a CronJob's schedule, as far as its
// body tells.
func setsClock(ev *audit.Event) bool {
	b := ev.Request
	if b == nil || b.Suspend != nil && *b.Suspend {
		return false
	}
	return b.Suspend != nil || slices.Contains(b.PatchPaths, "spec.schedule") || slices.Contains(b.PatchPaths, "/spec/schedule") || slices.Contains(b.PatchPaths, "spec.timeZone")
}

// changeOf says what a successful write did.
func changeOf(ev *audit.Event) changeKind {
	switch ev.Object.Subresource {
	case "":
	case "status":
		return kindStatus
	case "scale", "ephemeralcontainers", "resize":
		return kindSpec
	case "binding":
		return kindBound
	case "eviction":
		return kindDeleted
	default:
		return kindOther
	}
	switch ev.Verb {
	case "create":
		return kindCreated
	case "delete", "deletecollection":
		return kindDeleted
	}
	return kindSpec
}

// apply adds a change to its object and to what is above it.
func (l *Linker) apply(o *object, c *change) {
	if c.kind == kindDeleted {
		if o.gone || o.own.last(kindDeleted) != nil {
			c.kind = kindRemoved
		}
		o.gone = c.kind == kindRemoved || o.key.kindRef != kindPods
		if o.gone {
			delete(l.index.nodes[o.node], o)
		}
	}
	o.own.add(c)
	for _, w := range o.owners {
		w.below.add(c)
	}
	if o.key.kindRef == kindPods {
		for _, s := range l.selecting(o) {
			s.below.add(c)
		}
	}
	s := l.index.space(o.key.namespace)
	s.touched = max(s.touched, c.received)
	s.all.add(c)
}

// selectors are the kinds whose selectors tie them to pods that they do not
// own.
var selectors = []kindRef{kindServices, {"policy", "poddisruptionbudgets"}}

// learnCollection marks every object of a kind in a namespace as deleted.
func (l *Linker) learnCollection(c *change, ev *audit.Event) {
	for _, o := range l.index.ofKind(ev.Object.Namespace, kindOf(ev)) {
		if o.gone {
			continue
		}
		mine := *c
		mine.object = o
		l.apply(o, &mine)
	}
}

// noteUnder remembers a write for the requests that are a part of it.
func (l *Linker) noteUnder(c *change) {
	n := 0
	for n < len(l.under) && (len(l.under)-n > 512 || l.under[n].done < c.received-10*second) {
		n++
	}
	l.under = append(l.under[n:], c)
}
