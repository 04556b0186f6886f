package truth

import (
	"errors"
	"fmt"
	"time"
)

// Recording is a recording as its files hold it.
type Recording struct {
	Log      [][]byte
	Lines    []Line
	Contexts []Context
	// Level returns the level at which the policy logs a line; nil where the
	// policy is not known.
	Level func(line []byte) (string, error)
}

// early is how long before its root an effect may have been received. One process
// stamps all requests and a cause is stamped before it is served, so only a clock
// that is set back a little can put an effect first.
const early = 50 * time.Millisecond

// Check proves a recording sound, or returns an error with all that is wrong
// (the first twenty): every line is accounted for, in order, under its auditID
// and as what it is; every context has one root, which is its own line, its own
// user's, and the first that asks to change something; every line of a context
// names one that exists, and comes after its root where it is an effect; the
// number of principals is right; no token is left, not even in base64; every
// event has the level that the policy says and the bodies of that level; no two
// objects have one name at one time; and there are commands with effects.
func Check(r *Recording) error {
	c := newChecker(r)
	if len(r.Log) != len(r.Lines) {
		c.fail("the log has %d lines and the truth %d", len(r.Log), len(r.Lines))
		return errors.Join(c.wrong...)
	}
	for i := range r.Lines {
		c.line(i)
	}
	for i := range r.Contexts {
		c.context(&r.Contexts[i])
	}
	c.order()
	c.lives.check(c.fail)
	c.whole()
	return errors.Join(c.wrong...)
}

// checker holds what the lines have shown. Events are kept without their bodies.
type checker struct {
	recording *Recording
	contexts  map[string]*Context
	roots     map[string][]*Event
	clients   map[string][]numberedEvent
	effects   map[string][]numberedEvent
	changing  map[string]map[string]bool // auditIDs
	roles     map[string]int
	lives     lives
	wrong     []error
}

// numberedEvent is an event with its line's number.
type numberedEvent struct {
	line  int
	event *Event
}

func newChecker(r *Recording) *checker {
	c := &checker{
		recording: r, contexts: map[string]*Context{}, roots: map[string][]*Event{}, clients: map[string][]numberedEvent{},
		effects: map[string][]numberedEvent{}, changing: map[string]map[string]bool{}, roles: map[string]int{}, lives: lives{},
	}
	for i := range r.Contexts {
		x := &r.Contexts[i]
		if c.contexts[x.Context] != nil {
			c.fail("context %s is listed twice", x.Context)
		}
		c.contexts[x.Context] = x
	}
	return c
}

func (c *checker) fail(format string, args ...any) {
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Errorf(format, args...))
	}
}

func (c *checker) line(i int) {
	l, n := c.recording.Lines[i], i+1
	e, err := ReadEvent(c.recording.Log[i])
	if err != nil {
		c.fail("line %d: %w", n, err)
		return
	}
	if l.Line != n || l.AuditID != e.AuditID || l.Stage != e.Stage || l.User != e.User.Username || l.Verb != e.Verb {
		c.fail("line %d: the truth speaks of line %d, %s %s of %s, and the log of %s %s of %s",
			n, l.Line, l.Verb, l.AuditID, l.User, e.Verb, e.AuditID, e.User.Username)
	}
	if text(l.Resource) != e.ObjectRef.Resource || text(l.Subresource) != e.ObjectRef.Subresource {
		c.fail("line %d: the truth speaks of %s/%s and the log of %s/%s", n, text(l.Resource), text(l.Subresource), e.ObjectRef.Resource, e.ObjectRef.Subresource)
	}
	if left := leftover(c.recording.Log[i]); len(left) > 0 {
		c.fail("line %d holds the token %s", n, left[0])
	}
	c.level(n, e, c.recording.Log[i])
	c.lives.see(n, e)
	e.RequestObject, e.ResponseObject = nil, nil
	c.role(n, &l, e)
}

// level checks an event's level and that it has no more bodies than that.
func (c *checker) level(n int, e *Event, line []byte) {
	request, response := hasBody(e.RequestObject), hasBody(e.ResponseObject)
	if e.Level == "Metadata" && (request || response) || e.Level == "Request" && response {
		c.fail("line %d has level %s and a body that this level leaves out", n, e.Level)
	}
	if c.recording.Level == nil {
		return
	}
	want, err := c.recording.Level(line)
	if err != nil {
		c.fail("line %d: %w", n, err)
	} else if e.Level != want {
		c.fail("line %d has level %s where the policy says %s", n, e.Level, want)
	}
}

func hasBody(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }

// role checks what the truth says of a line and files the line under its context.
func (c *checker) role(n int, l *Line, e *Event) {
	c.roles[l.Role]++
	if l.Clock != "" && c.contexts[l.Clock] == nil {
		c.fail("line %d: its clock was set by %s, which is not listed", n, l.Clock)
	}
	switch l.Role {
	case RoleBackground, RoleUnscored:
		if l.Context != nil && l.Role == RoleBackground {
			c.fail("line %d is background and belongs to %s", n, *l.Context)
		}
		return
	case RoleRoot, RoleClient, RoleEffect:
	default:
		c.fail("line %d has the role %q", n, l.Role)
		return
	}
	if l.Context == nil || c.contexts[*l.Context] == nil {
		c.fail("line %d is %s of no context that is listed", n, l.Role)
		return
	}
	x := c.contexts[*l.Context]
	if l.Role == RoleEffect {
		c.effects[x.Context] = append(c.effects[x.Context], numberedEvent{n, e})
		return
	}
	if l.User != x.User {
		c.fail("line %d of %s is sent by %s and the command run by %s", n, x.Context, l.User, x.User)
	}
	c.clients[x.Context] = append(c.clients[x.Context], numberedEvent{n, e})
	if e.Changes() && e.ObjectRef.Resource != "" {
		if c.changing[x.Context] == nil {
			c.changing[x.Context] = map[string]bool{}
		}
		c.changing[x.Context][e.AuditID] = true
	}
	if l.Role == RoleRoot {
		c.roots[x.Context] = append(c.roots[x.Context], e)
		if x.RootLine != n || x.Root != e.AuditID || x.Verb != e.Verb || x.Resource != e.ObjectRef.Resource || text(x.Subresource) != e.ObjectRef.Subresource {
			c.fail("line %d is the root of %s, whose list names line %d, %s %s %s/%s", n, x.Context, x.RootLine, x.Root, x.Verb, x.Resource, text(x.Subresource))
		}
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (c *checker) context(x *Context) {
	if n := len(c.roots[x.Context]); n != 1 {
		c.fail("context %s (%s) has %d roots", x.Context, x.Command, n)
	}
	if got := len(c.changing[x.Context]); got != x.Principals {
		c.fail("context %s (%s) says %d principals and has %d", x.Context, x.Command, x.Principals, got)
	}
	if left := leftover([]byte(x.Command)); len(left) > 0 {
		c.fail("context %s: the command holds the token %s", x.Context, left[0])
	}
}

// order checks when the root of each context was received: before all that it
// caused, and before all other requests of its command that could be the root.
func (c *checker) order() {
	for i := range c.recording.Contexts {
		name := c.recording.Contexts[i].Context
		if len(c.roots[name]) != 1 {
			continue
		}
		root := c.roots[name][0]
		for _, other := range c.clients[name] {
			if other.event.ObjectRef.Resource != "" && better(other.event, root) {
				c.fail("line %d of %s should be its root: it came before line %d, or changes something where that does not", other.line, name, c.contexts[name].RootLine)
			}
		}
		for _, effect := range c.effects[name] {
			if before := root.Received.Sub(effect.event.Received); before > early {
				c.fail("line %d is an effect of %s and was received %v before its root", effect.line, name, before)
			}
		}
	}
}

// whole checks that the recording holds anything to measure with.
func (c *checker) whole() {
	if len(c.recording.Contexts) == 0 {
		c.fail("the recording has no command")
	}
	if c.roles[RoleEffect] == 0 && c.roles[RoleUnscored] > 0 && len(c.changing) > 0 {
		c.fail("no line is an effect, and %d are unscored", c.roles[RoleUnscored])
	}
}

// leftover returns the tokens in a text, also those in base64.
func leftover(text []byte) []string { return append(FindTokens(text), findHidden(text, deepest)...) }
