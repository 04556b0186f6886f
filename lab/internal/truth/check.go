package truth

import (
	"errors"
	"fmt"
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

// Check proves a recording sound, or returns an error with all that is wrong
// (the first twenty): every line is accounted for, in order and under its
// auditID; every context has one root, which is its own line and its own user's;
// every line of a context names one that exists; the number of principals is
// right; no token is left; every event's level is what the policy says.
func Check(r *Recording) error {
	c := checker{recording: r, roots: map[string]int{}, contexts: map[string]*Context{}}
	if len(r.Log) != len(r.Lines) {
		c.fail("the log has %d lines and the truth %d", len(r.Log), len(r.Lines))
		return errors.Join(c.wrong...)
	}
	for i := range r.Contexts {
		x := &r.Contexts[i]
		if c.contexts[x.Context] != nil {
			c.fail("context %s is listed twice", x.Context)
		}
		c.contexts[x.Context] = x
	}
	changing := map[string]map[string]bool{}
	for i := range r.Lines {
		c.line(i, changing)
	}
	for i := range r.Contexts {
		x := &r.Contexts[i]
		if c.roots[x.Context] != 1 {
			c.fail("context %s (%s) has %d roots", x.Context, x.Command, c.roots[x.Context])
		}
		if got := len(changing[x.Context]); got != x.Principals {
			c.fail("context %s (%s) says %d principals and has %d", x.Context, x.Command, x.Principals, got)
		}
		if left := leftover([]byte(x.Command)); len(left) > 0 {
			c.fail("context %s: the command holds the token %s", x.Context, left[0])
		}
	}
	return errors.Join(c.wrong...)
}

type checker struct {
	recording *Recording
	contexts  map[string]*Context
	roots     map[string]int
	wrong     []error
}

func (c *checker) fail(format string, args ...any) {
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Errorf(format, args...))
	}
}

func (c *checker) line(i int, changing map[string]map[string]bool) {
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
	if left := leftover(c.recording.Log[i]); len(left) > 0 {
		c.fail("line %d holds the token %s", n, left[0])
	}
	if c.recording.Level != nil {
		want, err := c.recording.Level(c.recording.Log[i])
		if err != nil {
			c.fail("line %d: %w", n, err)
		} else if e.Level != want {
			c.fail("line %d has level %s where the policy says %s", n, e.Level, want)
		}
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
		return
	}
	if l.User != x.User {
		c.fail("line %d of %s is sent by %s and the command run by %s", n, x.Context, l.User, x.User)
	}
	if e.Changes() && e.ObjectRef.Resource != "" {
		if changing[x.Context] == nil {
			changing[x.Context] = map[string]bool{}
		}
		changing[x.Context][e.AuditID] = true
	}
	if l.Role == RoleRoot {
		c.roots[x.Context]++
		if x.RootLine != n || x.Root != e.AuditID || x.Verb != e.Verb || x.Resource != e.ObjectRef.Resource {
			c.fail("line %d is the root of %s, whose list names line %d, %s %s %s", n, x.Context, x.RootLine, x.Root, x.Verb, x.Resource)
		}
	}
}

// leftover returns the tokens in a text, also those in base64.
func leftover(text []byte) []string { return append(FindTokens(text), findHidden(text, deepest)...) }
