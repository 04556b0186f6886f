package link

import (
	"math"

	"github.com/whet-k8s/whet/audit"
)

// A Ranker chooses among the contexts that may have caused a request, where no
// body tells. It gives the index of a candidate and how likely that one is, and
// an index below 0 to leave the choice to the rules. It must depend on the
// Choice alone, which is valid during the call.
type Ranker func(*Choice) (index int, confidence float64)

// Choice is what a Ranker decides about: a component's request whose object no
// body describes, and the contexts with changes that it may answer.
type Choice struct {
	Event *audit.Event
	// Object is what the request is about; of an Event the involved object.
	// Its Name is "" where the log does not tell it.
	Object ObjectRef
	// Rule is the id of the rule that found the cause Picked.
	Rule string
	// Confidence is what the rules would promise for it.
	Confidence float64
	// Kubelet and ControlPlane say what the client is; with both false it is
	// an operator.
	Kubelet, ControlPlane bool
	// Controls tells that the client has written the status of objects of the
	// Object's kind, Controller of any kind.
	Controls, Controller bool
	// Owned tells that an owner is known, if only by its name.
	Owned bool
	// Gone tells that the object has been deleted.
	Gone bool
	// Refused is how long ago a component was last forbidden to create
	// something in the namespace, in microseconds, NoAge for never.
	Refused int64
	// Picked is the index of the candidate that the rules chose.
	Picked int
	// Candidates are the contexts, the one with the nearest change first. There
	// are two at least, and 12 at most.
	Candidates []Candidate
}

// ObjectRef names an object.
type ObjectRef struct{ Resource, Name string }

// Tie is a way on which a Choice finds candidates.
type Tie uint8

// The ties of a candidate's changes to the request. Those from TieNamespace on
// are no relations to the object, but signs.
const (
	TieSelf      Tie = iota // a change of the object itself
	TieOwner                // of its owner
	TieSibling              // of what else its owner owns
	TieBelow                // of what it owns or selects
	TieService              // of the service it belongs to, and of the pods behind that
	TieReference            // of what it refers to, is used by, or shares its name with
	TieNode                 // of its node, or of one that made room
	TieMount                // of a pod on the client's node that may use it
	TieNamespace            // of its namespace
	TieQuota                // of a quota in its namespace
	TieMaker                // of what may own it, by the kinds alone
	TieNear                 // of anything in its namespace
	Ties                    // how many there are
)

// NoAge is the age of what is not there.
const NoAge = math.MaxInt64

// Candidate is a context that may have caused a request.
type Candidate struct {
	// Root is the principal request of the context that answers for it, and
	// Age how long ago that was received, in microseconds.
	Root *audit.Event
	Age  int64
	// Ages are how long the context's nearest change on each tie had been
	// visible, in microseconds: negative for one still under way, NoAge where
	// there is none.
	Ages [Ties]int64
	// Related is the nearest change on a relation, Near that on a sign.
	Related, Near Change
}

// Change is a change as a Ranker sees it.
type Change struct {
	// There is false where there is none.
	There  bool
	Object ObjectRef
	// Created … Bound say what it did: with all of them false it is another
	// write.
	Created, Spec, Status, Deleted, Bound bool
	// Own tells that the client of the request made it, Person that a person
	// did.
	Own, Person bool
	// Took is how long its request took, in microseconds.
	Took int64
}

// maxCandidates bounds a Choice.
const maxCandidates = 12

// rank lets the Ranker choose among all contexts that may have caused what the
// rules found the cause c for.
func (l *Linker) rank(r *request, c cause) (cause, float64) {
	if l.options.Rank == nil || !ranked(r, c) {
		return c, c.confidence()
	}
	g := gathering{request: r, found: l.found[:0]}
	g.add(c.change, c.at)
	l.gather(r, &g)
	l.found = g.found
	defer func() { clear(l.found[:cap(l.found)]) }()
	if len(g.found) < 2 {
		return c, c.confidence()
	}
	g.order(c.change.context.blamed())
	l.describeChoice(r, c, &g)
	at, confidence := l.options.Rank(&l.choice)
	picked := l.choice.Picked
	clear(l.choice.Candidates)
	l.choice = Choice{Candidates: l.choice.Candidates[:0]}
	switch {
	case at < 0 || at >= len(g.found):
		return c, c.confidence()
	case at == picked:
		return c, confidence
	}
	chosen := cause{rule: c.rule, guessed: true, rival: c.change}
	chosen.change, chosen.at = g.found[at].cause()
	return chosen, confidence
}

// ranked tells the requests whose cause is open to doubt: no body describes
// their object, and the cause is no part of the request's own handling.
func ranked(r *request, c cause) bool {
	switch c.at {
	case relNested, relClock, relTrain, relDefinition, relWatched:
		return false
	}
	return r.object == nil || !r.object.described
}

// describeChoice fills the Choice in.
func (l *Linker) describeChoice(r *request, c cause, g *gathering) {
	ch := &l.choice
	ch.Event, ch.Rule, ch.Confidence = r.event, c.rule.id, c.confidence()
	ch.Kubelet, ch.ControlPlane = r.actor.class == classNode, r.actor.class == classControlPlane
	ch.Controller = len(r.actor.writesStatus) > 0
	if o := r.object; o != nil {
		ch.Object = ObjectRef{o.key.resource, o.key.name}
		ch.Controls = r.actor.writesStatus[o.key.kindRef]
		ch.Owned, ch.Gone = len(o.owners) > 0, o.own.last(kindsGone) != nil
	}
	ch.Refused = NoAge
	if s := l.index.spaces[r.event.Object.Namespace]; s != nil && s.refused != 0 {
		ch.Refused = r.received - s.refused
	}
	picked := c.change.context.blamed()
	for i := range g.found {
		t := &g.found[i]
		if t.context == picked {
			ch.Picked = i
		}
		ch.Candidates = append(ch.Candidates, r.candidate(t))
	}
}

// candidate describes a context to the Ranker.
func (r *request) candidate(t *tied) Candidate {
	d := Candidate{Root: t.context.root, Age: r.received - toMicros(t.context.root.RequestReceived)}
	var related, near *change
	for tie, c := range t.changes {
		if c == nil {
			d.Ages[tie] = NoAge
			continue
		}
		d.Ages[tie] = r.received - c.visible()
		best := &related
		if Tie(tie) >= TieNamespace {
			best = &near
		}
		if *best == nil || later(c, *best) {
			*best = c
		}
	}
	d.Related, d.Near = r.describeChange(related), r.describeChange(near)
	return d
}

func (r *request) describeChange(c *change) Change {
	if c == nil {
		return Change{}
	}
	d := Change{
		There: true, Took: c.done - c.received, Own: c.actor == r.actor, Person: c.actor.class == classPerson,
		Created: c.kind == kindCreated, Spec: c.kind == kindSpec, Status: c.kind == kindStatus,
		Deleted: c.kind&kindsGone != 0, Bound: c.kind == kindBound,
	}
	if c.object != nil {
		d.Object = ObjectRef{c.object.key.resource, c.object.key.name}
	}
	return d
}
