package model

import (
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
)

// The bounds of what an Extractor remembers.
const (
	maxEvents  = 1 << 17
	maxObjects = 1 << 17
	maxClients = 1 << 14
	maxRoots   = 1 << 15
	maxNames   = 1 << 14
)

// Extractor turns the events of one log, and what the linker says of them, into
// lines for the network. It needs each event twice: when it is linked and when
// its turn in the input comes, as a cause may stand after its effect there. What
// it remembers is bounded.
type Extractor struct {
	codec *label.Codec

	roots      recent[string, *root]   // by the id of an operation or a context
	events     recent[string, *place]  // by auditID
	objects    recent[object, *place]  // the newest event on an object
	clients    recent[client, *place]  // the newest event of a client
	namespaces recent[string, *events] // what happened in a namespace
	nodes      recent[string, *place]  // the newest event about a kubelet's work
	before     *place                  // the line before
	actions    map[action]string
	next       int64
}

// root is the principal request of an operation or a context.
type root struct {
	label  label.Label
	action string
	at     time.Time
	number int64 // of its line, -1 before its turn
}

// place is an event as others look back at it.
type place struct {
	operation string
	label     label.Label // of the operation's root
	action    string
	component string
	at        time.Time
	number    int64 // of its line, -1 before its turn
}

// object names what a request is about.
type object struct{ group, resource, namespace, name string }

// client tells the senders of requests apart.
type client struct{ username, agent string }

// action is what a request asks for, but for names.
type action struct{ verb, resource, subresource string }

// events are the operations of the newest events in a namespace.
type events struct {
	newest *place
	last   [8]string
	at     int
}

// NewExtractor gives an Extractor for one log.
func NewExtractor(codec *label.Codec) *Extractor {
	return &Extractor{
		codec:      codec,
		roots:      newRecent[string, *root](maxRoots),
		events:     newRecent[string, *place](maxEvents),
		objects:    newRecent[object, *place](maxObjects),
		clients:    newRecent[client, *place](maxClients),
		namespaces: newRecent[string, *events](maxNames),
		nodes:      newRecent[string, *place](maxNames),
		actions:    map[action]string{},
	}
}

// Assigned takes what the linker says of an event when it is linked.
func (x *Extractor) Assigned(as *link.Assignment) {
	if as.Root != nil {
		x.learnRoot(as.Context, as.Root)
		// The first event of an operation that is linked belongs to its first
		// context, whose root is the operation's.
		x.learnRoot(as.Operation, as.Root)
	}
	p := &place{
		operation: as.Operation, label: NoLabel, action: x.action(as.Event),
		component: component(as.Event), at: as.Event.RequestReceived, number: -1,
	}
	if r, ok := x.roots.get(as.Operation); ok && as.Operation != "" {
		p.label = r.label
	}
	if _, known := x.events.get(as.Event.AuditID); !known {
		x.events.put(as.Event.AuditID, p)
	}
}

func (x *Extractor) learnRoot(id string, ev *audit.Event) {
	if _, known := x.roots.get(id); known || id == "" {
		return
	}
	x.roots.put(id, &root{label: x.codec.EncodeEvent(ev), action: x.action(ev), at: ev.RequestReceived, number: -1})
}

// Wants tells whether an event is one for the network: it is when the linker
// gave it a context, or looked for one in vain. What the clock does and what is
// dropped has no cause to be found.
func Wants(as *link.Assignment) bool {
	return as.Context != "" || as.Rule == link.RuleUnknown
}

// Line gives the line of an event that the network wants, in the order of the
// input. Its assignment needs no Root, and must have been given to Assigned
// before. The line is filled in place.
func (x *Extractor) Line(as *link.Assignment, l *Line) {
	*l = Line{number: x.next, Target: NoLabel}
	x.next++
	for i := range l.edges {
		l.edges[i] = -1
	}
	for i := range l.candidates {
		l.candidates[i] = NoLabel
	}
	ev := as.Event
	x.eventFeatures(ev, &l.values)
	l.candidates[ofOwn] = x.codec.EncodeEvent(ev)
	here, known := x.events.get(ev.AuditID)
	if !known {
		here = &place{label: NoLabel, at: ev.RequestReceived}
	}
	x.fromLinker(as, l, here)
	x.fromNeighbours(as, l)
	here.number = l.number
	x.remember(as, here)
}

// fromLinker fills in what the linker says of the line and of its causes.
func (x *Extractor) fromLinker(as *link.Assignment, l *Line, here *place) {
	v := &l.values
	v[fRole], v[fRule] = string(as.Role), as.Rule
	v[fConfidence] = confidenceBand(as.Confidence)
	v[fAutonomous] = yesNo(as.Autonomous != "")
	operation, context := x.root(as.Operation), x.root(as.Context)
	if operation != nil {
		l.candidates[ofOperation] = operation.label
		v[fOperationAction] = operation.action
		v[fSinceRoot] = ago(as.Event.RequestReceived, operation.at)
		if operation.number >= 0 {
			l.edges[edgeRoot] = operation.number
		} else if as.Role == link.RoleRoot {
			operation.number = l.number
		}
		v[fOwnAgrees] = agree(operation.label, l.candidates[ofOwn])
	}
	if context != nil {
		l.candidates[ofContext] = context.label
		v[fContextAction] = context.action
		v[fOwnContext] = yesNo(operation != nil && operation.at.Equal(context.at) && operation.label == context.label)
	}
	if cause, ok := x.events.get(as.Cause); ok && as.Cause != "" {
		l.edges[edgeCause] = cause.number
		v[fCauseAction], v[fCauseComponent] = cause.action, cause.component
		v[fSinceCause] = ago(here.at, cause.at)
	}
	if rival, ok := x.events.get(as.Rival); ok && as.Rival != "" {
		l.edges[edgeRival] = rival.number
		l.candidates[ofRival] = rival.label
		v[fRivalAction] = rival.action
		v[fRivalAgrees] = agree(rival.label, l.candidates[ofOperation])
		v[fSinceRival] = ago(here.at, rival.at)
	}
}

func (x *Extractor) root(id string) *root {
	if id == "" {
		return nil
	}
	r, _ := x.roots.get(id)
	return r
}

// fromNeighbours fills in how the line relates to those before it.
func (x *Extractor) fromNeighbours(as *link.Assignment, l *Line) {
	ev, v := as.Event, &l.values
	if p, ok := x.objects.get(objectOf(ev)); ok && ev.Object.Name != "" {
		l.edges[edgeObject] = p.number
		l.candidates[ofObject] = p.label
		v[fObjectAction] = p.action
		v[fObjectAgrees] = same(p.operation, as.Operation)
		v[fSinceObject] = ago(ev.RequestReceived, p.at)
	}
	if p, ok := x.clients.get(client{ev.User.Username, ev.UserAgent}); ok {
		l.edges[edgeClient] = p.number
		v[fClientAgrees] = same(p.operation, as.Operation)
		v[fSinceClient] = ago(ev.RequestReceived, p.at)
	}
	if node, ok := strings.CutPrefix(ev.User.Username, nodePrefix); ok {
		if p, ok := x.nodes.get(node); ok {
			v[fNodeAgrees] = same(p.operation, as.Operation)
		}
	}
	if n, ok := x.namespaces.get(ev.Object.Namespace); ok && ev.Object.Namespace != "" {
		v[fNamespaceMix] = n.mix()
		if n.newest != nil {
			l.candidates[ofNamespace] = n.newest.label
			v[fNamespaceAgrees] = same(n.newest.operation, as.Operation)
			v[fSinceNamespace] = ago(ev.RequestReceived, n.newest.at)
		}
	}
	if x.before != nil {
		v[fLineAgrees] = same(x.before.operation, as.Operation)
	}
}

// remember makes the line known to those after it.
func (x *Extractor) remember(as *link.Assignment, here *place) {
	ev := as.Event
	x.before = here
	if ev.Object.Name != "" {
		x.objects.put(objectOf(ev), here)
	}
	x.clients.put(client{ev.User.Username, ev.UserAgent}, here)
	if node, ok := strings.CutPrefix(ev.User.Username, nodePrefix); ok {
		x.nodes.put(node, here)
	}
	if ev.Object.Namespace == "" {
		return
	}
	n, ok := x.namespaces.get(ev.Object.Namespace)
	if !ok {
		n = &events{}
		x.namespaces.put(ev.Object.Namespace, n)
	}
	n.last[n.at%len(n.last)] = as.Operation
	n.at++
	if as.Role == link.RoleRoot {
		n.newest = here
	}
}

// mix says how many operations the newest events of a namespace belong to.
func (n *events) mix() string {
	count := 0
	for i, id := range n.last[:min(n.at, len(n.last))] {
		first := true
		for _, other := range n.last[:i] {
			first = first && other != id
		}
		if first {
			count++
		}
	}
	return number(count)
}

func objectOf(ev *audit.Event) object {
	return object{ev.Object.APIGroup, ev.Object.Resource, ev.Object.Namespace, ev.Object.Name}
}

// action writes what a request asks for in one word, the same string for the
// same action.
func (x *Extractor) action(ev *audit.Event) string {
	a := action{ev.Verb, ev.Object.Resource, ev.Object.Subresource}
	if s, ok := x.actions[a]; ok {
		return s
	}
	if len(x.actions) >= maxNames {
		clear(x.actions)
	}
	s := a.verb + " " + a.resource
	if a.subresource != "" {
		s += "/" + a.subresource
	}
	x.actions[a] = s
	return s
}
