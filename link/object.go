package link

import (
	"slices"

	"github.com/whet-k8s/whet/audit"
)

// kindRef names a resource without its version.
type kindRef struct{ group, resource string }

// objectKey names an object the way a request does.
type objectKey struct {
	kindRef
	namespace, name string
}

// object is what the linker knows of one object: one incarnation of a name.
type object struct {
	key objectKey
	uid string
	// touched is when a request last named the object; it decides what a
	// full index forgets.
	touched micros
	gone    bool

	own   history // changes of the object itself
	below history // changes of its dependents, and of the pods it selects

	// described tells that a body of the object was seen, so that what is
	// not known of it is not there.
	described bool
	owners    []*object
	labels    map[string]string
	selector  map[string]string
	pod       audit.PodRefs
	target    objectKey // an HPA's scale target, a volume's claim
	// provides is the resource that a CustomResourceDefinition defines.
	provides kindRef
	// node is the node that a pod runs on.
	node string
	// waits tells that the scheduler found no node for a pod.
	waits bool
	// tokens counts the token requests made for a pod.
	tokens int
	// refused is when the API server last forbade the object's controller to
	// make a dependent.
	refused micros
	// named is false for an object made with generateName of which the log
	// has not told the name yet.
	named bool
	// versionless owners: ownersGuessed tells that owners come from the name.
	ownersGuessed bool
}

// index holds the objects that a log has spoken of.
type index struct {
	max       int
	byKey     map[objectKey]*object
	byUID     map[string]*object
	spaces    map[string]*namespaceIndex
	nodes     map[string]map[*object]struct{} // pods by node name
	forgotten int
}

// namespaceIndex is what an index knows of one namespace ("" holds what has
// none).
type namespaceIndex struct {
	// byKind holds the living and the lately deleted objects by name.
	byKind map[kindRef]map[string]*object
	// all holds the newest changes in the namespace, of any object.
	all     history
	touched micros
	// refused is when a component was last forbidden to create something here.
	refused micros
}

func newIndex(max int) *index {
	return &index{
		max:    max,
		byKey:  map[objectKey]*object{},
		byUID:  map[string]*object{},
		spaces: map[string]*namespaceIndex{},
		nodes:  map[string]map[*object]struct{}{},
	}
}

func (x *index) space(namespace string) *namespaceIndex {
	s := x.spaces[namespace]
	if s == nil {
		s = &namespaceIndex{byKind: map[kindRef]map[string]*object{}}
		x.spaces[namespace] = s
	}
	return s
}

// find returns the newest object of that name, nil if there is none.
func (x *index) find(key objectKey) *object { return x.byKey[key] }

// add makes a new incarnation of key and lets it answer to the name.
func (x *index) add(key objectKey, uid string, at micros) *object {
	o := &object{key: key, uid: uid, touched: at, named: key.name != ""}
	if o.named {
		x.name(o)
	}
	if uid != "" {
		x.byUID[uid] = o
	}
	return o
}

// name lets o answer to the name in its key.
func (x *index) name(o *object) {
	o.named = true
	x.byKey[o.key] = o
	kinds := x.space(o.key.namespace).byKind
	byName := kinds[o.key.kindRef]
	if byName == nil {
		byName = map[string]*object{}
		kinds[o.key.kindRef] = byName
	}
	byName[o.key.name] = o
}

// ofKind returns the objects of one kind in a namespace by name.
func (x *index) ofKind(namespace string, kind kindRef) map[string]*object {
	if s := x.spaces[namespace]; s != nil {
		return s.byKind[kind]
	}
	return nil
}

// setNode puts a pod on a node.
func (x *index) setNode(o *object, node string) {
	if node == "" || o.node == node {
		return
	}
	x.leaveNode(o)
	o.node = node
	pods := x.nodes[node]
	if pods == nil {
		pods = map[*object]struct{}{}
		x.nodes[node] = pods
	}
	pods[o] = struct{}{}
}

func (x *index) leaveNode(o *object) {
	if o.node == "" {
		return
	}
	delete(x.nodes[o.node], o)
	if len(x.nodes[o.node]) == 0 {
		delete(x.nodes, o.node)
	}
}

// full tells that the index has grown well beyond its bound.
func (x *index) full() bool {
	return len(x.byKey) > x.max+x.max/4 || len(x.byUID) > 2*x.max
}

// forget drops the objects that nobody has touched since before, and, should
// more than max be left, the longest untouched quarter of them.
func (x *index) forget(before micros) {
	x.dropOlder(before)
	if len(x.byKey) <= x.max && len(x.byUID) <= x.max {
		return
	}
	times := make([]micros, 0, len(x.byKey)+len(x.byUID))
	for _, o := range x.byKey {
		times = append(times, o.touched)
	}
	for _, o := range x.byUID {
		times = append(times, o.touched)
	}
	slices.Sort(times)
	size := len(x.byKey)
	x.dropOlder(times[len(times)/4] + 1)
	x.forgotten += size - len(x.byKey)
}

func (x *index) dropOlder(limit micros) {
	for _, o := range x.byKey {
		if o.touched < limit {
			x.drop(o)
		}
	}
	for _, o := range x.byUID {
		if o.touched < limit {
			x.drop(o)
		}
	}
	for name, s := range x.spaces {
		for kind, byName := range s.byKind {
			if len(byName) == 0 {
				delete(s.byKind, kind)
			}
		}
		if len(s.byKind) == 0 && s.touched < limit {
			delete(x.spaces, name)
		}
	}
}

func (x *index) drop(o *object) {
	if x.byKey[o.key] == o {
		delete(x.byKey, o.key)
	}
	if byName := x.ofKind(o.key.namespace, o.key.kindRef); byName[o.key.name] == o {
		delete(byName, o.key.name)
	}
	if x.byUID[o.uid] == o {
		delete(x.byUID, o.uid)
	}
	x.leaveNode(o)
}

// matches tells whether selector selects labels. An empty selector selects
// nothing here: it ties nothing to anything in particular.
func matches(selector, labels map[string]string) bool {
	if len(selector) == 0 {
		return false
	}
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}
