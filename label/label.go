package label

import (
	"fmt"
	"slices"
	"strings"
)

// Label is the number of an action, Unknown or Ignored.
type Label int64

const (
	// Unknown is the label of a request that no number describes: a verb that
	// its resource does not have, or a resource that no table knows.
	Unknown Label = -1
	// Ignored is the label of a request outside /api and /apis, of a
	// discovery request, and of one in an ignored namespace.
	Ignored Label = -2
)

// String writes the number.
func (l Label) String() string { return fmt.Sprintf("%d", int64(l)) }

// verbID is a verb's number in a label.
type verbID uint8

const (
	verbCreate verbID = 1
	verbDelete verbID = 2
	verbGet    verbID = 3
	verbPatch  verbID = 4
	verbWatch  verbID = 5
)

// verbOf gives the number of a request's verb, false for a verb that labels
// lack.
func verbOf(verb string) (verbID, bool) {
	switch verb {
	case "create":
		return verbCreate, true
	case "delete", "deletecollection":
		return verbDelete, true
	case "get", "list":
		return verbGet, true
	case "patch", "update":
		return verbPatch, true
	case "watch":
		return verbWatch, true
	}
	return 0, false
}

// String is the verb a label with this number is written with.
func (v verbID) String() string {
	switch v {
	case verbCreate:
		return "create"
	case verbDelete:
		return "delete"
	case verbGet:
		return "get"
	case verbPatch:
		return "patch"
	case verbWatch:
		return "watch"
	}
	return "unknown"
}

// The places of a label's parts.
const (
	verbShift        = 4
	nameShift        = 7
	namespaceShift   = 8
	subresourceShift = 9
	resourceShift    = 12

	upperMask    = 1<<verbShift - 1
	verbMask     = 1<<(nameShift-verbShift) - 1
	lowerBits    = resourceShift - subresourceShift
	lowerMask    = 1<<lowerBits - 1
	resourceMask = 1<<10 - 1
	maxLabel     = 1<<22 - 1
)

// Request is what of a request goes into its label. The fields are those of an
// event and its objectRef; the group of the core resources is "" or "core".
type Request struct {
	Verb        string
	Group       string
	Resource    string
	Subresource string
	Namespace   string
	Name        string
}

// Action is what a label means.
type Action struct {
	Label Label
	// Verb is the first of the verbs that share the label's verb number:
	// create, delete, get, patch or watch.
	Verb string
	// Group and Version are those of the table, "core" for the core group; of
	// a custom resource they are the table's stand-ins.
	Group, Version string
	Resource       string
	Subresource    string
	// Namespaced and Named tell whether the request had a namespace and
	// named one object.
	Namespaced, Named bool
	// New marks an action that the published table lacks.
	New bool
	// ID and SubresourceID are the numbers in the label.
	ID, SubresourceID int
}

// String writes the action as "patch apps/v1/deployments/scale, one object in
// a namespace".
func (a Action) String() string {
	switch a.Label {
	case Unknown:
		return "unknown"
	case Ignored:
		return "ignored"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s/%s/%s", a.Verb, a.Group, a.Version, a.Resource)
	if a.Subresource != "" {
		b.WriteString("/" + a.Subresource)
	}
	if a.Named {
		b.WriteString(", one object")
	} else {
		b.WriteString(", no name")
	}
	if a.Namespaced {
		b.WriteString(" in a namespace")
	} else {
		b.WriteString(" without a namespace")
	}
	return b.String()
}

// Options choose how a Codec reads events and custom resources. The zero value
// ignores no namespace and writes 666 for every custom resource.
type Options struct {
	// IgnoredNamespaces are the namespaces whose requests have the label
	// Ignored.
	IgnoredNamespaces []string
	// NamespacedCustom writes 667 for a custom resource in a namespace. The
	// published data has 666 for both; either is read.
	NamespacedCustom bool
}

// Codec turns requests into labels and labels into actions. It never changes
// after New, so goroutines may share it.
type Codec struct {
	byName           map[groupResource]*resource
	byID             map[int]*resource
	groups           map[string]bool
	published        []resource
	ignored          map[string]bool
	namespacedCustom bool
}

// New builds a Codec from the tables.
func New(options Options) *Codec {
	c := &Codec{
		byName:           make(map[groupResource]*resource),
		byID:             make(map[int]*resource),
		groups:           make(map[string]bool),
		published:        publishedResources(),
		ignored:          make(map[string]bool, len(options.IgnoredNamespaces)),
		namespacedCustom: options.NamespacedCustom,
	}
	gained := newSubresources()
	for _, r := range slices.Concat(c.published, newResources()) {
		r.subresources = slices.Concat(r.subresources, gained[groupResource{r.group, r.name}])
		c.byID[r.id] = &r
		if r.isCustom() {
			continue
		}
		c.byName[groupResource{r.group, r.name}] = &r
		c.groups[r.group] = true
		if r.group == coreGroup {
			c.byName[groupResource{"", r.name}] = &r
			c.groups[""] = true
		}
	}
	for _, namespace := range options.IgnoredNamespaces {
		c.ignored[namespace] = true
	}
	return c
}

// find gives the row of a resource: nil where a known group lacks it.
func (c *Codec) find(request Request) *resource {
	if r, ok := c.byName[groupResource{request.Group, request.Resource}]; ok {
		return r
	}
	if c.groups[request.Group] || request.Resource == "" {
		return nil
	}
	if c.namespacedCustom && request.Namespace != "" {
		return c.byID[customNamespacedID]
	}
	return c.byID[customID]
}

// Encode gives the label of a request, Unknown where the tables have none: a
// known group without the resource or subresource, or a verb that they do not
// allow. The subresource of a custom resource leaves no trace in its label.
func (c *Codec) Encode(request Request) Label {
	verb, ok := verbOf(request.Verb)
	if !ok {
		return Unknown
	}
	r := c.find(request)
	if r == nil {
		return Unknown
	}
	if r.isCustom() {
		request.Subresource = ""
	}
	sub, ok := r.bySubresource(request.Subresource)
	if !ok || !sub.verbs.has(verb) {
		return Unknown
	}
	return pack(r.id, sub.id, verb, request.Namespace != "", request.Name != "")
}

func pack(id, sub int, verb verbID, hasNamespace, hasName bool) Label {
	l := Label(id)<<resourceShift |
		Label(sub&lowerMask)<<subresourceShift |
		Label(sub>>lowerBits) |
		Label(verb)<<verbShift
	if hasNamespace {
		l |= 1 << namespaceShift
	}
	if hasName {
		l |= 1 << nameShift
	}
	return l
}

// Decode gives the action of a label; of Unknown and Ignored an Action with
// nothing but the Label. It fails on a number that no request can have, and
// says which part of it is wrong.
func (c *Codec) Decode(l Label) (Action, error) {
	if l == Unknown || l == Ignored {
		return Action{Label: l}, nil
	}
	if l < 0 || l > maxLabel {
		return Action{}, fmt.Errorf("label %d: not between 0 and %d, and neither %d (unknown) nor %d (ignored)",
			l, maxLabel, Unknown, Ignored)
	}
	id := int(l>>resourceShift) & resourceMask
	r, ok := c.byID[id]
	if !ok {
		return Action{}, fmt.Errorf("label %d: no resource has the id %d", l, id)
	}
	subID := int(l&upperMask)<<lowerBits | int(l>>subresourceShift)&lowerMask
	sub, ok := r.bySubresourceID(subID)
	if !ok {
		return Action{}, fmt.Errorf("label %d: %s has no subresource with the id %d", l, r.name, subID)
	}
	verb := verbID(l>>verbShift) & verbMask
	if !sub.verbs.has(verb) {
		return Action{}, fmt.Errorf("label %d: the verb with the id %d (%s) is not one of %s", l, verb, verb, joinSub(r.name, sub.name))
	}
	return Action{
		Label: l, Verb: verb.String(),
		Group: r.group, Version: r.version, Resource: r.name, Subresource: sub.name,
		Namespaced: l>>namespaceShift&1 == 1, Named: l>>nameShift&1 == 1,
		New: r.isNew() || subID > 0 && !c.isPublished(r, subID),
		ID:  id, SubresourceID: subID,
	}, nil
}

func (c *Codec) isPublished(r *resource, subID int) bool {
	i := slices.IndexFunc(c.published, func(p resource) bool { return p.id == r.id })
	if i < 0 {
		return false
	}
	_, ok := c.published[i].bySubresourceID(subID)
	return ok
}

// Space gives the published labels in ascending order: 1,356, without Unknown
// and without the resources of whet's own table.
func (c *Codec) Space() []Label { return labelsOf(c.published) }

// NewSpace gives the labels that whet adds to the published ones, in ascending
// order.
func (c *Codec) NewSpace() []Label {
	rows := newResources()
	for key, subs := range newSubresources() {
		rows = append(rows, resource{id: c.byName[key].id, subresources: subs})
	}
	return labelsOf(rows)
}

func labelsOf(rows []resource) []Label {
	var labels []Label
	add := func(id, sub int, verbs verbSet) {
		for verb := verbCreate; verb <= verbWatch; verb++ {
			if !verbs.has(verb) {
				continue
			}
			for _, hasNamespace := range []bool{false, true} {
				labels = append(labels, pack(id, sub, verb, hasNamespace, false), pack(id, sub, verb, hasNamespace, true))
			}
		}
	}
	for _, r := range rows {
		add(r.id, 0, r.verbs)
		for _, s := range r.subresources {
			add(r.id, s.id, s.verbs)
		}
	}
	slices.Sort(labels)
	return labels
}

func joinSub(resource, subresource string) string {
	if subresource == "" {
		return resource
	}
	return resource + "/" + subresource
}
