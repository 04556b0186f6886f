package link

import (
	"cmp"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// request is what the rules see of the request to explain.
type request struct {
	event          *audit.Event
	actor          *actor
	object         *object // what it is about: of an Event, the involved object
	received, done micros
	// saw bounds what the client knew of the object: the resourceVersion its
	// request carries, 0 when unknown.
	saw uint64
	// unnamed tells that the request makes a pod whose name it does not tell.
	unnamed bool
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

// confidence is how sure the link is; TestCalibration holds it against
// recordings.
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
	// all, where it is not nil, collects every change that can be the cause
	// instead.
	all *gathering

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
	case p.all != nil:
		p.all.add(c, p.look.at)
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
