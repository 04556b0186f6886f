package export

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// Graph is a context as a graph: who sent requests, the objects that these were
// about, and which object made a component send what it sent.
//
// An edge of kind [EdgeRequest] leads from an actor to an object: equal
// requests (same verb, subresource and success) are one edge with their number.
// An edge of kind [EdgeCause] leads from an object to the component that
// answered to a request about it. Objects of a kind in a namespace, of which the
// same actors asked the same, are one node with their number; the object of the
// root has a node of its own.
type Graph struct {
	Context *store.Context
	Nodes   []Node
	Edges   []Edge
}

// NodeKind says what a node is.
type NodeKind string

// The kinds of nodes: a person or a service account, a component of Kubernetes,
// an object or several.
const (
	NodeActor     NodeKind = "actor"
	NodeComponent NodeKind = "component"
	NodeObject    NodeKind = "object"
)

// EdgeKind says what an edge is.
type EdgeKind string

// The kinds of edges.
const (
	EdgeRequest EdgeKind = "request"
	EdgeCause   EdgeKind = "cause"
)

// Node is an actor or an object, or several objects.
type Node struct {
	// ID is n1, n2, … in the order of the first request.
	ID   string
	Kind NodeKind
	// Text names the node for people. It may hold whatever the log holds.
	Text string
	// Username is that of an actor.
	Username string
	// APIGroup, Resource and Namespace are those of objects, Names their names,
	// at most MaxNames, and Objects how many they are.
	APIGroup, Resource, Namespace string
	Names                         []string
	Objects                       int
	// Root marks the actor and the object of the context's root.
	Root bool
}

// MaxNames bounds the names of a Node.
const MaxNames = 20

// Edge is a bundle of equal requests, or what they caused.
type Edge struct {
	// From and To are the IDs of nodes.
	From, To string
	Kind     EdgeKind
	// Verb and Subresource are those of the requests; Failed tells that the API
	// server refused them or failed.
	Verb, Subresource string
	Failed            bool
	// Requests is how many there are; of an edge of kind EdgeCause, how many
	// answered.
	Requests int
	// Rules are the rules that say so, of an edge of kind EdgeCause.
	Rules []string
}

// Text words an edge: "patch status, 3 times".
func (e *Edge) Text() string {
	text := e.Verb
	if e.Kind == EdgeCause {
		text = strings.Join(e.Rules, ", ")
	} else if e.Subresource != "" {
		text += " " + e.Subresource
	}
	if e.Failed {
		text += " (failed)"
	}
	if e.Requests > 1 {
		text += fmt.Sprintf(" ×%d", e.Requests)
	}
	return text
}

// NewGraph draws a context from its events, those whose Context or Autonomous
// is its id, in any order. All of them are held in memory. The error is that of
// the events.
func NewGraph(c *store.Context, events iter.Seq2[*store.Event, error]) (*Graph, error) {
	var list []*store.Event
	for ev, err := range events {
		if err != nil {
			return nil, err
		}
		if cmp.Or(ev.Autonomous, ev.Context) == c.ID {
			list = append(list, ev)
		}
	}
	d := &drawing{actors: map[string]*vertex{}, objects: map[objectKey]*vertex{}, edges: map[edgeKey]*stroke{}}
	for _, r := range requests(list) {
		d.add(r, r.first.AuditID == c.Root.AuditID)
	}
	d.bundle()
	return d.graph(c), nil
}

// drawing is a graph in the making.
type drawing struct {
	actors  map[string]*vertex
	objects map[objectKey]*vertex
	edges   map[edgeKey]*stroke
	order   []*vertex
	strokes []*stroke
}

// vertex is a node in the making. One that a bundle took in points to it.
type vertex struct {
	node   Node
	bundle *vertex
}

// final is the node that stands for the vertex.
func (v *vertex) final() *vertex {
	if v.bundle != nil {
		return v.bundle
	}
	return v
}

type objectKey struct{ group, resource, namespace, name string }

type edgeKey struct {
	from, to          *vertex
	kind              EdgeKind
	verb, subresource string
	failed            bool
}

// stroke is an edge in the making.
type stroke struct {
	key      edgeKey
	requests int
	rules    []string
}

// add draws a request and what caused it.
func (d *drawing) add(r *request, root bool) {
	from, to := d.actor(r), d.object(r)
	from.node.Root, to.node.Root = from.node.Root || root, to.node.Root || root
	ev := r.first
	d.edge(edgeKey{from, to, EdgeRequest, ev.Verb, ev.Object.Subresource, r.last.Status.Code >= 400}, "")
	// Who goes on with its own work needs no arrow to say so.
	if p := r.parent; p != nil && p.first.User.Username != ev.User.Username {
		d.edge(edgeKey{from: d.object(p), to: from, kind: EdgeCause}, ev.Rule)
	}
}

func (d *drawing) actor(r *request) *vertex {
	username := r.first.User.Username
	v := d.actors[username]
	if v == nil {
		v = d.vertex(Node{Kind: NodeActor, Username: username, Text: actor.Short(username)})
		if actor.KindOf(username) == actor.Component {
			v.node.Kind = NodeComponent
		}
		d.actors[username] = v
	}
	return v
}

func (d *drawing) object(r *request) *vertex {
	ev := r.last.Event
	o := &ev.Object
	key := objectKey{o.APIGroup, o.Resource, o.Namespace, pipeline.NameOf(ev)}
	if !ev.HasObject || o.Resource == "" {
		path, _, _ := strings.Cut(ev.RequestURI, "?")
		key = objectKey{name: path}
	} else if o.Resource == "namespaces" && o.APIGroup == "" {
		key.namespace = ""
	}
	v := d.objects[key]
	if v == nil {
		v = d.vertex(Node{
			Kind: NodeObject, APIGroup: key.group, Resource: key.resource, Namespace: key.namespace, Objects: 1,
		})
		if key.name != "" {
			v.node.Names = []string{key.name}
		}
		v.node.Text = objectText(&v.node)
		d.objects[key] = v
	}
	return v
}

// objectText names an object as sentences do; without a name the collection, and
// of several objects how many they are.
func objectText(n *Node) string {
	resource := pipeline.ResourceName(audit.GroupResource{Group: n.APIGroup, Resource: n.Resource})
	switch {
	case n.Objects > 1:
		return fmt.Sprintf("%d %s", n.Objects, inNamespace(n.Resource, n.Namespace))
	case n.Resource == "":
		return strings.Join(n.Names, "")
	case len(n.Names) == 0:
		return inNamespace(resource, n.Namespace)
	case n.Namespace == "":
		return label.Kind(n.Resource) + " " + n.Names[0]
	}
	return label.Kind(n.Resource) + " " + n.Namespace + "/" + n.Names[0]
}

func inNamespace(what, namespace string) string {
	if namespace == "" {
		return what
	}
	return what + " in " + namespace
}

func (d *drawing) vertex(n Node) *vertex {
	v := &vertex{node: n}
	d.order = append(d.order, v)
	return v
}

func (d *drawing) edge(key edgeKey, rule string) {
	s := d.edges[key]
	if s == nil {
		s = &stroke{key: key}
		d.edges[key] = s
		d.strokes = append(d.strokes, s)
	}
	s.requests++
	if rule != "" && !slices.Contains(s.rules, rule) {
		s.rules = append(s.rules, rule)
	}
}

// bundle brings the objects together that have the same edges.
func (d *drawing) bundle() {
	number := make(map[*vertex]int, len(d.order))
	for i, v := range d.order {
		number[v] = i
	}
	marks := make(map[*vertex][]string, len(d.order))
	for _, s := range d.strokes {
		k := s.key
		marks[k.to] = append(marks[k.to], fmt.Sprintf("%d %s %q %q %t", number[k.from], k.kind, k.verb, k.subresource, k.failed))
		marks[k.from] = append(marks[k.from], fmt.Sprintf("to %d %s", number[k.to], k.kind))
	}
	bundles := map[string]*vertex{}
	for _, v := range d.order {
		n := &v.node
		if n.Kind != NodeObject || n.Root || n.Resource == "" || len(n.Names) == 0 {
			continue
		}
		slices.Sort(marks[v])
		signature := fmt.Sprintf("%q %q %q %q", n.APIGroup, n.Resource, n.Namespace, marks[v])
		first := bundles[signature]
		if first == nil {
			bundles[signature] = v
			continue
		}
		v.bundle = first
		first.node.Objects++
		if len(first.node.Names) < MaxNames {
			first.node.Names = append(first.node.Names, n.Names[0])
		}
		first.node.Text = objectText(&first.node)
	}
}

// graph numbers the nodes that are left and brings their edges together.
func (d *drawing) graph(c *store.Context) *Graph {
	g := &Graph{Context: c}
	for _, v := range d.order {
		if v.bundle == nil {
			v.node.ID = fmt.Sprintf("n%d", len(g.Nodes)+1)
			g.Nodes = append(g.Nodes, v.node)
		}
	}
	at := map[edgeKey]int{}
	for _, s := range d.strokes {
		key := s.key
		key.from, key.to = key.from.final(), key.to.final()
		i, ok := at[key]
		if !ok {
			i = len(g.Edges)
			at[key] = i
			g.Edges = append(g.Edges, Edge{
				From: key.from.node.ID, To: key.to.node.ID, Kind: key.kind,
				Verb: key.verb, Subresource: key.subresource, Failed: key.failed,
			})
		}
		e := &g.Edges[i]
		e.Requests += s.requests
		for _, rule := range s.rules {
			if !slices.Contains(e.Rules, rule) {
				e.Rules = append(e.Rules, rule)
			}
		}
	}
	return g
}

// title is a line about the context.
func (g *Graph) title() string {
	c := g.Context
	who := actor.Short(c.Actor.Username)
	if c.Actor.Impersonated != "" {
		who += " as " + actor.Short(c.Actor.Impersonated)
	}
	return term.Sanitize(fmt.Sprintf("%s: %s (%s), %s", who, c.Action, c.Outcome.Word(), timeCell(c.Start)))
}
