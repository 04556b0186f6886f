package export

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/goccy/go-json"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// Labelled reads the actions of a log whose events carry labels already, a
// model's or a person's, under a key at the top of each event.
//
// What belongs together the linker says, and the log how it is called: the
// events of one context with one label are a group. A group is an action when
// one of its events is itself the request that the label names; of events
// without a context, those with the same label, user and object are a group.
type Labelled struct {
	key    string
	codec  *label.Codec
	groups map[groupKey]*labelledGroup
	events int64 // with a label
}

type groupKey struct {
	context, username, namespace, name string
	label                              label.Label
}

// labelledGroup counts before it is known who the actor is.
type labelledGroup struct {
	context store.Context
	action  bool
	// requests and failed count requests that ended, by username.
	requests, failed map[string]int
}

// NewLabelled reads labels under the key.
func NewLabelled(key string) *Labelled {
	return &Labelled{key: key, codec: label.New(label.Options{}), groups: map[groupKey]*labelledGroup{}}
}

// Events is how many events with a label Add has seen; 0 means that the key is
// not that of the log.
func (l *Labelled) Events() int64 { return l.events }

// Add takes an event of the log, with its Raw. The error names the place of a
// label that is no number.
func (l *Labelled) Add(a *pipeline.Annotation) error {
	n, ok, err := l.label(a)
	if err != nil || !ok {
		return err
	}
	l.events++
	if n == label.Unknown || n == label.Ignored {
		return nil
	}
	ev := a.Event
	key := groupKey{context: cmp.Or(a.Autonomous, a.Context), label: n}
	if key.context == "" {
		key.username, key.namespace, key.name = ev.User.Username, ev.Object.Namespace, pipeline.NameOf(ev)
	}
	g := l.groups[key]
	if g == nil {
		g = &labelledGroup{requests: map[string]int{}, failed: map[string]int{}}
		g.context = store.Context{Context: pipeline.Context{ID: key.context, Operation: a.Operation, Label: n, Part: 1}}
		l.groups[key] = g
	}
	if !g.action && l.codec.EncodeEvent(ev) == n {
		g.action = true
		begin(&g.context, ev)
	}
	g.count(ev)
	return nil
}

// Unclassified tells whether the log leaves an event without an action: it has
// no label, or the label unknown, or one that names neither its own request nor
// the root of its context. Ignored events are not unclassified.
func (l *Labelled) Unclassified(a *pipeline.Annotation) (bool, error) {
	n, ok, err := l.label(a)
	switch {
	case err != nil:
		return false, err
	case !ok:
		return true, nil
	}
	l.events++
	switch n {
	case label.Unknown:
		return true, nil
	case label.Ignored:
		return false, nil
	}
	return n != l.codec.EncodeEvent(a.Event) && (a.Context == "" || n != a.Label), nil
}

// Actions gives what Add put together, in order of start. The numbers of a
// context count what has its label: Clients and Effects the requests that ended,
// of the actor and of others.
func (l *Labelled) Actions() []*store.Context {
	var list []*store.Context
	for _, g := range l.groups {
		if g.action {
			list = append(list, g.sum())
		}
	}
	slices.SortFunc(list, func(a, b *store.Context) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Root.AuditID, b.Root.AuditID), cmp.Compare(a.Label, b.Label))
	})
	return list
}

// begin fills in what the root of a context says.
func begin(c *store.Context, root *audit.Event) {
	c.Actor, c.Action = pipeline.ActorOf(root), label.Sentence(root)
	c.Verb, c.APIGroup, c.Resource, c.Subresource = root.Verb, root.Object.APIGroup, root.Object.Resource, root.Object.Subresource
	c.Namespace, c.Name = root.Object.Namespace, pipeline.NameOf(root)
	c.Outcome = pipeline.Outcome{Code: root.Status.Code, Reason: root.Status.Reason, Message: root.Status.Message}
	c.Root = pipeline.Root{
		AuditID: root.AuditID, File: root.Position.Source, Line: root.Position.Line, Item: root.Position.Item,
		Received: root.RequestReceived, Staged: root.StageTime,
	}
	switch root.Verb {
	case "get", "list", "watch":
		c.ReadOnly = true
	}
}

// count adds an event to the numbers.
func (g *labelledGroup) count(ev *audit.Event) {
	c := &g.context
	c.Events++
	if c.Start.IsZero() || ev.RequestReceived.Before(c.Start) {
		c.Start = ev.RequestReceived
	}
	if ev.StageTime.After(c.End) && ev.Verb != "watch" {
		c.End = ev.StageTime
	}
	if ev.Stage != audit.StageResponseComplete && ev.Stage != audit.StagePanic {
		return
	}
	g.requests[ev.User.Username]++
	if ev.Status.Code >= 400 {
		g.failed[ev.User.Username]++
	}
	if ev.Object.Resource != "" {
		if c.Touched == nil {
			c.Touched = map[string]int{}
		}
		c.Touched[pipeline.ResourceName(audit.GroupResource{Group: ev.Object.APIGroup, Resource: ev.Object.Resource})]++
	}
	if (ev.Verb == "delete" || ev.Verb == "deletecollection") && ev.Status.Code < 400 {
		c.Deletes++
	}
}

// sum gives the context with what was counted by username as clients and
// effects.
func (g *labelledGroup) sum() *store.Context {
	c := g.context
	for user, n := range g.requests {
		if user == c.Actor.Username {
			c.Clients = n - 1
			continue
		}
		if c.EffectsBy == nil {
			c.EffectsBy = map[string]int{}
		}
		c.EffectsBy[user] = n
		c.Effects += n
		c.Failed += g.failed[user]
	}
	return &c
}

// label reads the label of an event; ok is false where it has none.
func (l *Labelled) label(a *pipeline.Annotation) (n label.Label, ok bool, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(a.Raw, &members); err != nil {
		return 0, false, fmt.Errorf("%s line %d: %w", a.Position.Source, a.Position.Line, err)
	}
	text := string(members[l.key])
	if text == "" || text == "null" {
		return 0, false, nil
	}
	if text[0] == '"' {
		if err := json.Unmarshal(members[l.key], &text); err != nil {
			return 0, false, fmt.Errorf("%s line %d: %w", a.Position.Source, a.Position.Line, err)
		}
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%s line %d: the label %q under %q is no whole number", a.Position.Source, a.Position.Line, text, l.key)
	}
	return label.Label(value), true, nil
}
