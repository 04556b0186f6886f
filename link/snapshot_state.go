package link

import (
	"cmp"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// This file names, type by type, what a snapshot holds. TestSnapshotCoversAll
// fails when a field is missing here.

func (s *stateCoder) linker(l *Linker) {
	s.window(&l.window)
	list(s.coder, &l.ahead, s.needEntry)
	s.micros(&l.now)
	mapping(s.coder, &l.actors, compareActorKeys, s.actorKey, s.needActor)
	mapping(s.coder, &l.classes, strings.Compare, s.word, func(c *class) { small(s.coder, c) })
	s.index(l.index)
	mapping(s.coder, &l.pointing, compareKeys, s.key, func(v *[]*object) { list(s.coder, v, s.needObject) })
	list(s.coder, &l.under, s.needChange)
	s.ring(&l.claims)
	mapping(s.coder, &l.requests, compareRequestKeys, s.requestKey, s.settled)
	list(s.coder, &l.order, s.requestKey)
	list(s.coder, &l.commands, s.needActor)
	list(s.coder, &l.contexts, s.needContext)
	s.podNames(&l.names)
	s.micros(&l.swept)
	s.micros(&l.sweptObjects)
}

func (s *stateCoder) window(w *window) {
	list(s.coder, (*[]*item)(&w.heap), func(v **item) {
		if s.reading() {
			*v = new(item)
		}
		s.item(*v)
	})
	whole(s.coder, &w.bytes)
	s.micros(&w.clock)
	s.micros(&w.released)
	whole(s.coder, &w.late)
	whole(s.coder, &w.forcedCount)
}

func (s *stateCoder) item(it *item) {
	need(s.coder, &s.events, &it.event)
	s.number(&it.tag)
	s.micros(&it.received)
	s.micros(&it.done)
	s.flag(&it.late)
}

func (s *stateCoder) entry(e *entry) {
	if s.reading() {
		e.item = new(item)
	}
	s.item(e.item)
	need(s.coder, &s.actors, &e.actor)
}

func (s *stateCoder) actor(a *actor) {
	s.word(&a.username)
	small(s.coder, &a.class)
	s.flag(&a.learned)
	s.word(&a.node)
	mapping(s.coder, &a.writesStatus, compareKinds, s.kind, s.flag)
	s.micros(&a.touched)
	ref(s.coder, &s.changes, &a.train)
	s.micros(&a.trainAt)
	s.word(&a.trainNS)
	ref(s.coder, &s.objects, &a.volume)
	ref(s.coder, &s.commands, &a.command)
	list(s.coder, &a.recent, func(v **command) { need(s.coder, &s.commands, v) })
}

func (s *stateCoder) command(c *command) {
	ref(s.coder, &s.operations, &c.operation)
	list(s.coder, &c.contexts, s.needContext)
	mapping(s.coder, &c.objects, compareKeys, s.key, s.needContext)
	list(s.coder, &c.reads, s.needEntry)
	s.micros(&c.begun)
	s.micros(&c.last)
	s.signed(&c.spent)
	whole(s.coder, &c.requests)
	s.word(&c.manager)
	s.flag(&c.deletes)
	s.key(&c.retries.key)
	s.word(&c.retries.verb)
	s.word(&c.retries.subresource)
	s.flag(&c.evicts)
}

// index leaves out byKey, which holds what the namespaces hold.
func (s *stateCoder) index(x *index) {
	mapping(s.coder, &x.byUID, strings.Compare, s.id, s.needObject)
	mapping(s.coder, &x.spaces, strings.Compare, s.word, func(v **namespaceIndex) {
		if s.reading() {
			*v = new(namespaceIndex)
		}
		s.space(*v)
	})
	mapping(s.coder, &x.nodes, strings.Compare, s.word, s.objectSet)
	whole(s.coder, &x.forgotten)
	if !s.reading() {
		return
	}
	for namespace, n := range x.spaces {
		for kind, byName := range n.byKind {
			for name, o := range byName {
				x.byKey[objectKey{kind, namespace, name}] = o
			}
		}
	}
}

func (s *stateCoder) space(n *namespaceIndex) {
	mapping(s.coder, &n.byKind, compareKinds, s.kind, func(v *map[string]*object) {
		mapping(s.coder, v, strings.Compare, s.word, s.needObject)
	})
	s.history(&n.all)
	s.micros(&n.touched)
	s.micros(&n.refused)
}

// objectSet codes a set of objects. Of two that have the same name the one
// touched first comes first.
func (s *stateCoder) objectSet(v *map[*object]struct{}) {
	var members []*object
	for o := range *v {
		members = append(members, o)
	}
	slices.SortFunc(members, func(a, b *object) int {
		return cmp.Or(compareKeys(a.key, b.key), cmp.Compare(a.touched, b.touched), strings.Compare(a.uid, b.uid))
	})
	list(s.coder, &members, s.needObject)
	if !s.reading() {
		return
	}
	*v = make(map[*object]struct{}, len(members))
	for _, o := range members {
		(*v)[o] = struct{}{}
	}
}

func (s *stateCoder) object(o *object) {
	s.key(&o.key)
	s.id(&o.uid)
	s.micros(&o.touched)
	s.flag(&o.gone)
	s.history(&o.own)
	s.history(&o.below)
	s.flag(&o.described)
	list(s.coder, &o.owners, s.needObject)
	labels(s.coder, &o.labels)
	labels(s.coder, &o.selector)
	s.pod(&o.pod)
	s.key(&o.target)
	s.kind(&o.provides)
	s.word(&o.node)
	s.flag(&o.waits)
	whole(s.coder, &o.tokens)
	s.micros(&o.refused)
	s.flag(&o.named)
	s.flag(&o.ownersGuessed)
}

func (s *stateCoder) history(h *history) {
	s.ring(&h.writes)
	s.ring(&h.statuses)
}

func (s *stateCoder) ring(r *ring) {
	list(s.coder, (*[]*change)(r), s.needChange)
	if len(*r) > ringSize {
		s.fail("a history in it has %d changes", len(*r))
	}
}

func (s *stateCoder) change(c *change) {
	small(s.coder, &c.kind)
	ref(s.coder, &s.objects, &c.object)
	need(s.coder, &s.actors, &c.actor)
	ref(s.coder, &s.contexts, &c.context)
	s.id(&c.auditID)
	s.word(&c.namespace)
	s.word(&c.resource)
	s.flag(&c.setsClock)
	s.micros(&c.received)
	s.micros(&c.done)
	s.number(&c.version)
}

func (s *stateCoder) context(c *contextState) {
	s.id(&c.id)
	ref(s.coder, &s.operations, &c.operation)
	ref(s.coder, &s.contexts, &c.origin)
	need(s.coder, &s.events, &c.root)
	s.flag(&c.readOnly)
	s.flag(&c.autonomous)
	whole(s.coder, &c.part)
	s.flag(&c.open)
	s.flag(&c.grown)
	s.micros(&c.last)
	s.record(&c.record)
}

func (s *stateCoder) record(r *ContextRecord) {
	s.id(&r.ID)
	s.id(&r.Operation)
	whole(s.coder, &r.Part)
	ref(s.coder, &s.events, &r.Root)
	s.id(&r.Origin)
	ref(s.coder, &s.events, &r.OriginRoot)
	s.flag(&r.ReadOnly)
	s.clock(&r.First)
	s.clock(&r.Last)
	whole(s.coder, &r.Clients)
	whole(s.coder, &r.Effects)
	mapping(s.coder, &r.EffectsBy, strings.Compare, s.word, func(n *int) { whole(s.coder, n) })
	whole(s.coder, &r.Failed)
	mapping(s.coder, &r.Touched, compareResources, s.resource, func(n *int) { whole(s.coder, n) })
	whole(s.coder, &r.Deletes)
	mapping(s.coder, &r.Reads, comparePlaces, s.place, func(n *int) { whole(s.coder, n) })
	mapping(s.coder, &r.Power, strings.Compare, s.word, func(n *int) { whole(s.coder, n) })
	// Both are nil until something is counted.
	if len(r.Reads) == 0 {
		r.Reads = nil
	}
	if len(r.Power) == 0 {
		r.Power = nil
	}
	whole(s.coder, &r.Events)
}

func (s *stateCoder) settled(v **settled) {
	if s.reading() {
		*v = new(settled)
	}
	r := *v
	s.assignment(&r.assignment)
	ref(s.coder, &s.contexts, &r.context)
	list(s.coder, &r.waiting, s.needEntry)
	s.flag(&r.decided)
	s.flag(&r.complete)
	text(s.coder, &r.first)
	s.micros(&r.at)
}

func (s *stateCoder) assignment(a *Assignment) {
	ref(s.coder, &s.events, &a.Event)
	s.number(&a.Tag)
	s.id(&a.Context)
	s.id(&a.Operation)
	text(s.coder, &a.Role)
	s.id(&a.Cause)
	s.word(&a.Rule)
	s.word(&a.Evidence)
	s.id(&a.Rival)
	s.float(&a.Confidence)
	s.id(&a.Autonomous)
	ref(s.coder, &s.events, &a.Root)
}

func (s *stateCoder) podNames(n *podNames) {
	mapping(s.coder, &n.seen, compareKeys, s.key, s.micros)
	mapping(s.coder, &n.fresh, strings.Compare, s.word, func(v *[]freshName) {
		list(s.coder, v, func(f *freshName) {
			s.key(&f.key)
			s.micros(&f.at)
		})
	})
	mapping(s.coder, &n.nodes, compareKeys, s.key, s.word)
	mapping(s.coder, &n.reports, strings.Compare, s.word, func(v *[]eventReport) {
		list(s.coder, v, func(r *eventReport) {
			s.word(&r.username)
			s.word(&r.name)
			s.micros(&r.at)
			s.micros(&r.received)
		})
	})
}

func (s *stateCoder) word(v *string) { text(s.coder, v) }

func (s *stateCoder) kind(k *kindRef) {
	s.word(&k.group)
	s.word(&k.resource)
}

func (s *stateCoder) key(k *objectKey) {
	s.kind(&k.kindRef)
	s.word(&k.namespace)
	s.word(&k.name)
}

func (s *stateCoder) actorKey(k *actorKey) {
	s.word(&k.username)
	s.word(&k.impersonated)
	s.word(&k.agent)
	s.word(&k.address)
}

func (s *stateCoder) requestKey(k *requestKey) {
	s.id(&k.auditID)
	s.word(&k.username)
	s.word(&k.uri)
	s.micros(&k.received)
}

func (s *stateCoder) resource(r *audit.GroupResource) {
	s.word(&r.Group)
	s.word(&r.Resource)
}

func (s *stateCoder) place(p *Place) {
	s.resource(&p.GroupResource)
	s.word(&p.Namespace)
}

func (s *stateCoder) needObject(v **object)        { need(s.coder, &s.objects, v) }
func (s *stateCoder) needActor(v **actor)          { need(s.coder, &s.actors, v) }
func (s *stateCoder) needChange(v **change)        { need(s.coder, &s.changes, v) }
func (s *stateCoder) needContext(v **contextState) { need(s.coder, &s.contexts, v) }
func (s *stateCoder) needEntry(v **entry)          { need(s.coder, &s.entries, v) }

func compareKinds(a, b kindRef) int {
	return cmp.Or(strings.Compare(a.group, b.group), strings.Compare(a.resource, b.resource))
}

func compareKeys(a, b objectKey) int {
	return cmp.Or(compareKinds(a.kindRef, b.kindRef), strings.Compare(a.namespace, b.namespace), strings.Compare(a.name, b.name))
}

func compareActorKeys(a, b actorKey) int {
	return cmp.Or(
		strings.Compare(a.username, b.username), strings.Compare(a.impersonated, b.impersonated),
		strings.Compare(a.agent, b.agent), strings.Compare(a.address, b.address),
	)
}

func compareRequestKeys(a, b requestKey) int {
	return cmp.Or(
		cmp.Compare(a.received, b.received), strings.Compare(a.auditID, b.auditID),
		strings.Compare(a.username, b.username), strings.Compare(a.uri, b.uri),
	)
}

func comparePlaces(a, b Place) int {
	return cmp.Or(compareResources(a.GroupResource, b.GroupResource), strings.Compare(a.Namespace, b.Namespace))
}

func compareResources(a, b audit.GroupResource) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Resource, b.Resource))
}
