package truth

import (
	"fmt"
	"sort"
	"strings"
)

// assemble chooses each command's root, names the contexts in the order of
// their start, and writes the lines.
func (a *attributor) assemble(events []*Event, found []verdict) *Truth {
	roots := a.roots(events, found)
	names := a.nameContexts(roots)
	t := &Truth{Lines: make([]Line, len(events))}
	for i, e := range events {
		t.Lines[i] = line(i+1, e, found[i], roots, names)
	}
	for i, cmd := range a.journal.Commands {
		r, ok := roots[i]
		if !ok {
			t.Rootless = append(t.Rootless, cmd)
			continue
		}
		e := events[r.line]
		t.Contexts = append(t.Contexts, Context{
			Context: names[i], User: cmd.User, Command: cmd.Text, Status: cmd.Status,
			Start: cmd.Start.UTC().Format("2006-01-02T15:04:05.000000Z"), RootLine: r.line + 1, Root: e.AuditID,
			Verb: e.Verb, Resource: e.ObjectRef.Resource, Subresource: orNull(e.ObjectRef.Subresource),
			Principals: r.principals, Scenario: a.journal.Chains[cmd.Chain].Scenario,
			Mode: a.journal.Chains[cmd.Chain].Mode, Chain: cmd.Chain,
		})
	}
	sort.Slice(t.Contexts, func(i, j int) bool { return t.Contexts[i].Context < t.Contexts[j].Context })
	return t
}

// root is the first event of a command's principal request.
type root struct{ line, principals int }

// roots chooses for each command the first request that changes something, by
// when it was received, or the first one for a resource.
func (a *attributor) roots(events []*Event, found []verdict) map[int]root {
	type candidate struct {
		line     int
		changing map[string]bool
	}
	best := map[int]*candidate{}
	for i, v := range found {
		e := events[i]
		if v.role != RoleClient || e.ObjectRef.Resource == "" {
			continue
		}
		c := best[v.command]
		if c == nil {
			c = &candidate{line: i, changing: map[string]bool{}}
			best[v.command] = c
		}
		if e.Changes() {
			c.changing[e.AuditID] = true
		}
		if better(e, events[c.line]) {
			c.line = i
		}
	}
	out := make(map[int]root, len(best))
	for cmd, c := range best {
		out[cmd] = root{c.line, len(c.changing)}
	}
	return out
}

func better(a, b *Event) bool {
	if a.Changes() != b.Changes() {
		return a.Changes()
	}
	return a.Received.Before(b.Received)
}

// nameContexts numbers the commands that have a root by their start.
func (a *attributor) nameContexts(roots map[int]root) map[int]string {
	order := make([]int, 0, len(roots))
	for i := range roots {
		order = append(order, i)
	}
	cmds := a.journal.Commands
	sort.Slice(order, func(x, y int) bool {
		if !cmds[order[x]].Start.Equal(cmds[order[y]].Start) {
			return cmds[order[x]].Start.Before(cmds[order[y]].Start)
		}
		return order[x] < order[y]
	})
	width := max(4, len(fmt.Sprint(len(order))))
	names := make(map[int]string, len(order))
	for n, i := range order {
		names[i] = fmt.Sprintf("c%0*d", width, n)
	}
	return names
}

func line(n int, e *Event, v verdict, roots map[int]root, names map[int]string) Line {
	out := Line{
		Line: n, AuditID: e.AuditID, Stage: e.Stage, Role: v.role, User: e.User.Username, Verb: e.Verb,
		Resource: orNull(e.ObjectRef.Resource), Subresource: orNull(e.ObjectRef.Subresource), Why: v.why,
	}
	if v.clock {
		out.Clock = names[v.command]
		return out
	}
	if v.command < 0 {
		return out
	}
	r, ok := roots[v.command]
	if !ok {
		out.Role, out.Why = RoleUnscored, "its command asked for no resource"
		return out
	}
	name := names[v.command]
	out.Context = &name
	if v.role == RoleClient && n-1 == r.line {
		out.Role = RoleRoot
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	s = strings.Clone(s)
	return &s
}
