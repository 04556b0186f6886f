package why

import (
	"cmp"
	"slices"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
)

// MaxChanges is how many changes of an object are remembered, the last ones of
// each weight.
const MaxChanges = 2000

// weight says how much a request tells about an object's fate.
type weight uint8

const (
	noChange  weight = iota
	report           // a write of its status, or beside it
	placement        // the binding of a pod to its node
	change           // a change of what it is meant to be
	creation
	deletion
)

// weigh tells what a request does to the object that it names. A refused or
// failed one does nothing.
func weigh(ev *audit.Event) weight {
	if ev.Status.Code >= 400 || ev.DryRun() {
		return noChange
	}
	sub := ev.Object.Subresource
	switch ev.Verb {
	case "delete", "deletecollection":
		return deletion
	case "create":
		switch sub {
		case "":
			return creation
		case "eviction":
			return deletion
		case "binding":
			return placement
		}
		return noChange
	case "update", "patch":
		if sub == "" && ev.Status.Code == 201 {
			return creation // a server-side apply of what was not there
		}
		switch sub {
		case "", "scale", "ephemeralcontainers", "resize", "approval":
			return change
		}
		return report
	}
	return noChange
}

// found is an event of the target, as the first reading keeps it.
type found struct {
	weight weight
	// named tells that the event names the object, as the deletion of a
	// collection need not.
	named     bool
	namespace string
	facts     Step
	context   string
}

// collection are the changes of the target that the first reading found.
type collection struct {
	target  Target
	changes []found
	cut     bool
	reads   int
	near    nearest
	// blind tells that the answers to deletions of collections, which name
	// what was deleted, are not there.
	blind bool
}

// add takes an event of the log.
func (c *collection) add(ev *audit.Event, facts func() Step, context string) {
	namespace, ok := c.target.fits(ev)
	if !ok {
		if c.target.AuditID == "" && c.target.sameKind(ev) {
			c.near.add(ev.Object.Namespace, pipeline.NameOf(ev))
		}
		return
	}
	w := change
	if c.target.AuditID == "" {
		w = weigh(ev)
	}
	if w == noChange {
		c.reads++
		return
	}
	c.changes = append(c.changes, found{w, c.target.AuditID != "" || pipeline.NameOf(ev) == c.target.Name, namespace, facts(), context})
	if len(c.changes) > 2*MaxChanges {
		c.shrink()
	}
}

// shrink forgets what tells least and longest ago.
func (c *collection) shrink() {
	c.cut = true
	slices.SortStableFunc(c.changes, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), b.facts.Time.Compare(a.facts.Time))
	})
	c.changes = slices.Clone(c.changes[:MaxChanges])
}

// namespaces lists those in which an object of the target's name was changed.
func (c *collection) namespaces() []string {
	var list []string
	for i := range c.changes {
		if c.changes[i].named {
			list = append(list, c.changes[i].namespace)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// settle puts the changes in order of time and takes out the deletions of
// collections that cannot have been this object's: in namespaces where nobody
// ever named it, when it was gone already, and, where nothing tells what they
// deleted, before anybody named it.
func (c *collection) settle() {
	slices.SortStableFunc(c.changes, func(a, b found) int { return a.facts.Time.Compare(b.facts.Time) })
	spaces := c.namespaces()
	gone, known := c.blind, false
	c.changes = slices.DeleteFunc(c.changes, func(f found) bool {
		if f.named && !known {
			known, gone = true, false
		}
		if !f.named && (gone || !slices.Contains(spaces, f.namespace)) {
			return true
		}
		switch f.weight {
		case deletion:
			gone = true
		case creation:
			gone = false
		}
		return false
	})
}

// telling gives the changes worth an answer: those of what the object is meant
// to be, and where there are none, the others.
func (c *collection) telling() []found {
	for _, least := range []weight{change, placement, report} {
		var list []found
		for _, f := range c.changes {
			if f.weight >= least && !repeats(list, &f) {
				list = append(list, f)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// repeats tells a further stage of a request already listed.
func repeats(list []found, f *found) bool {
	return slices.ContainsFunc(list, func(g found) bool {
		return g.facts.AuditID == f.facts.AuditID && g.facts.Time.Equal(f.facts.Time) && g.facts.User == f.facts.User
	})
}

// mainChange picks the change that a question without more words is about: of
// an object that is gone its last deletion, else its last change.
func mainChange(list []found) found {
	for i := len(list) - 1; i >= 0; i-- {
		switch list[i].weight {
		case deletion:
			return list[i]
		case creation:
			return list[len(list)-1]
		}
	}
	return list[len(list)-1]
}

func linkedOf(as *link.Assignment) *Linked {
	return &Linked{as.Event, as.Context, as.Role, as.Cause, as.Rule, as.Evidence, as.Confidence}
}

// stepOf keeps what an answer shows of an event.
func stepOf(l *Linked) Step {
	s := factsOf(l.Event)
	s.Role, s.Cause, s.Rule, s.Evidence, s.Confidence = l.Role, l.Cause, l.Rule, l.Evidence, l.Confidence
	s.context = l.Context
	return s
}

func factsOf(ev *audit.Event) Step {
	actor := pipeline.ActorOf(ev)
	return Step{
		AuditID: ev.AuditID, Time: ev.RequestReceived, User: actor.Username, Impersonated: actor.Impersonated,
		Groups: actor.Groups, UserAgent: actor.UserAgent, SourceIP: actor.SourceIP,
		Action: label.Sentence(ev), Verb: ev.Verb, Resource: ev.Object.Resource, Subresource: ev.Object.Subresource,
		APIGroup: ev.Object.APIGroup, Namespace: ev.Object.Namespace, Name: pipeline.NameOf(ev),
		Code: ev.Status.Code, File: ev.Position.Source, Line: ev.Position.Line, Item: ev.Position.Item,
	}
}
