package link

import (
	"cmp"
	"slices"
	"strings"
)

// tied are the changes of one context that a Choice found.
type tied struct {
	context *contextState
	nearest *change
	changes [Ties]*change
	at      [Ties]relation
}

// gathering collects the contexts for a Choice, in the order found.
type gathering struct {
	request *request
	// nearby admits contexts that did no more than change something in the
	// namespace. Of others it is known, but makes no candidate of them.
	nearby bool
	found  []tied
}

// ties tells on which tie the changes of a relation are.
var ties = [...]Tie{
	relSelf: TieSelf, relOwner: TieOwner, relSiblings: TieSibling, relBelow: TieBelow, relService: TieService,
	relTarget: TieReference, relUsers: TieReference, relNamesake: TieReference,
	relNode: TieNode, relRoom: TieNode, relBoundPod: TieMount, relMountedBy: TieMount,
	relNamespace: TieNamespace, relBarrier: TieQuota, relMakers: TieMaker, relNeighbours: TieNear,
}

// add notes a change on a relation.
func (g *gathering) add(c *change, at relation) {
	context, p := c.context.blamed(), pick{request: g.request}
	i := slices.IndexFunc(g.found, func(t tied) bool { return t.context == context })
	if i < 0 {
		if at == relNeighbours && !g.nearby {
			return
		}
		i = len(g.found)
		g.found = append(g.found, tied{context: context})
	}
	t, tie := &g.found[i], ties[at]
	if t.nearest == nil || p.nearer(c, t.nearest) {
		t.nearest = c
	}
	if t.changes[tie] == nil || p.nearer(c, t.changes[tie]) {
		t.changes[tie], t.at[tie] = c, at
	}
}

// nearer is newer, but also tells the changes apart that one request made to
// several objects.
func (p *pick) nearer(a, b *change) bool {
	if p.newer(a, b) || p.newer(b, a) {
		return p.newer(a, b)
	}
	return aheadOf(a, b)
}

// later orders changes by when they were received, the last one first.
func later(a, b *change) bool {
	if a.received != b.received {
		return a.received > b.received
	}
	if a.auditID != b.auditID {
		return a.auditID > b.auditID
	}
	return aheadOf(a, b)
}

// aheadOf orders the changes of one request by their objects.
func aheadOf(a, b *change) bool {
	if a.object == nil || b.object == nil {
		return a.object != nil
	}
	return cmp.Or(compareKeys(a.object.key, b.object.key), cmp.Compare(a.kind, b.kind), strings.Compare(a.object.uid, b.object.uid)) < 0
}

// gather collects what may have caused a request, on every relation and sign.
func (l *Linker) gather(r *request, g *gathering) {
	p := pick{request: r, all: g}
	look := func(at relation, own bool) {
		p.look = look{at, kindsAll, own}
		l.visit(r, at, &p)
	}
	for _, at := range []relation{relSelf, relOwner, relSiblings, relBelow, relTarget, relUsers, relNamesake, relNode, relRoom, relNamespace} {
		look(at, false)
	}
	switch r.event.Object.Resource {
	case "endpoints", "endpointslices":
		// A service may select any pod.
		g.nearby = true
		look(relService, false)
	case "serviceaccounts", "configmaps", "secrets", "persistentvolumeclaims", "persistentvolumes":
		if r.actor.class == classNode {
			// What admission adds to a pod stands in no request.
			g.nearby = true
			look(relMountedBy, false)
		}
	}
	l.gatherMakers(r, &p)
	look(relNeighbours, true)
}

// mayOwn are the kinds whose objects own those of another kind, which their
// names need not tell.
var mayOwn = map[kindRef][]kindRef{
	kindPods:                               {kindReplicaSets, kindStatefulSets, kindDaemonSets, kindJobs, kindControllers},
	kindReplicaSets:                        {kindDeployments},
	kindJobs:                               {kindCronJobs},
	{"discovery.k8s.io", "endpointslices"}: {kindServices},
}

// maxScanned bounds how many objects of a kind are looked at for a Choice.
const maxScanned = 256

// gatherMakers shows the changes of what may have made the object, by its kind
// alone, and of the quotas that may have been in its way.
func (l *Linker) gatherMakers(r *request, p *pick) {
	if r.object == nil {
		return
	}
	scan := func(at relation, kind kindRef, kinds changeKind) {
		objects := l.index.ofKind(r.object.key.namespace, kind)
		if len(objects) > maxScanned {
			return
		}
		p.look = look{at, kinds, false}
		for _, o := range objects {
			p.history(&o.own)
		}
	}
	if len(r.object.owners) == 0 {
		for _, kind := range mayOwn[r.object.key.kindRef] {
			scan(relMakers, kind, kindsNotSeen)
		}
	}
	if r.event.Verb == "create" {
		scan(relBarrier, kindRef{"", "resourcequotas"}, kindsNotSeen)
	}
}

// order sorts what was found, the context with the nearest change first, and
// keeps the nearest, and picked, which the rules chose.
func (g *gathering) order(picked *contextState) {
	p := pick{request: g.request}
	slices.SortFunc(g.found, func(a, b tied) int {
		switch {
		case a.context == b.context:
			return 0
		case p.nearer(a.nearest, b.nearest):
			return -1
		case p.nearer(b.nearest, a.nearest):
			return 1
		}
		// One change can belong to one context alone, but two requests may
		// have one auditID.
		return cmp.Compare(a.context.id, b.context.id)
	})
	if len(g.found) <= maxCandidates {
		return
	}
	at := slices.IndexFunc(g.found, func(t tied) bool { return t.context == picked })
	if at >= maxCandidates {
		g.found[maxCandidates-1] = g.found[at]
	}
	g.found = g.found[:maxCandidates]
}

// cause is the change of a candidate that explains the request best: one on a
// relation, else one of what may own it or was in its way.
func (t *tied) cause() (*change, relation) {
	for _, among := range [][2]Tie{{TieSelf, TieMount}, {TieNamespace, TieMaker}} {
		var best *change
		at := relSelf
		for tie := among[0]; tie <= among[1]; tie++ {
			c := t.changes[tie]
			if c != nil && (best == nil || later(c, best)) {
				best, at = c, t.at[tie]
			}
		}
		if best != nil {
			return best, at
		}
	}
	return t.changes[TieNear], relNeighbours
}
