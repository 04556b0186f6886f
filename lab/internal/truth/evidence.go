package truth

import (
	"strings"
	"time"
)

// stepKey names a step of a scenario whoever plays it.
type stepKey struct {
	scenario string
	step     int
}

// signature is what a request looks like without its names.
type signature struct{ user, verb, resource, subresource string }

// signatureOf returns a request's signature, in which all nodes are one: a pod may
// run on any.
func signatureOf(e *Event) signature {
	user := e.User.Username
	if strings.HasPrefix(user, "system:node:") {
		user = "system:node"
	}
	return signature{user, e.Verb, e.ObjectRef.Resource, e.ObjectRef.Subresource}
}

// learn notes which requests each step caused where steps waited for silence, and
// it came. A step that ran in calm and caused nothing is known to cause nothing.
// It also notes when each command first deleted something.
func (a *attributor) learn(events []*Event, found []verdict) {
	calm := a.calm()
	a.evidence = map[stepKey]map[signature]bool{}
	for i, cmd := range a.journal.Commands {
		if key := a.stepOf(cmd); calm[i] && a.evidence[key] == nil {
			a.evidence[key] = map[signature]bool{}
		}
	}
	a.deletions = map[int]time.Time{}
	for i, v := range found {
		e := events[i]
		if v.role == RoleClient && strings.HasPrefix(e.Verb, "delete") && e.Changes() && e.ResponseStatus.Code < 400 {
			if at, known := a.deletions[v.command]; !known || e.Received.Before(at) {
				a.deletions[v.command] = e.Received
			}
		}
		if v.role == RoleEffect && v.command >= 0 && calm[v.command] {
			a.evidence[a.stepOf(a.journal.Commands[v.command])][signatureOf(e)] = true
		}
	}
}

func (a *attributor) stepOf(cmd Command) stepKey {
	return stepKey{a.journal.Chains[cmd.Chain].Scenario, cmd.Step}
}

// calm says of each command whether silence went before it and followed it, so
// that all that it caused is known to be its own.
func (a *attributor) calm() []bool {
	out := make([]bool, len(a.journal.Commands))
	for chain, list := range a.byChain {
		rest := a.journal.Chains[chain].Mode != modeRapid
		for _, i := range list {
			settled := !a.journal.Commands[i].unsettled()
			out[i] = rest && settled
			rest = settled && a.journal.Chains[chain].Mode != modeRapid
		}
	}
	return out
}

// modeRapid is the mode of chains that do not wait for silence.
const modeRapid = "rapid"

// decide gives a line of steps without silence between them to the one step of several that showed such a
// request when it ran in calm. Without exactly one, or where a step has never
// run in calm, it stays unscored; and so does what follows a deletion that did
// not wait: it meets objects in the middle of what calm lets them finish, so
// calm does not show all that it causes.
func (a *attributor) decide(e *Event, v verdict) verdict {
	chosen := -1
	for _, i := range v.between {
		seen, calm := a.evidence[a.stepOf(a.journal.Commands[i])]
		if !calm {
			return v
		}
		if !seen[signatureOf(e)] {
			continue
		}
		if chosen >= 0 {
			return v
		}
		chosen = i
	}
	if chosen < 0 {
		return v
	}
	for _, i := range v.between {
		if i == chosen {
			break
		}
		if at, deletes := a.deletions[i]; deletes && e.Received.After(at) {
			v.why = "a rapid deletion may have cut short what an earlier step began"
			return v
		}
	}
	return verdict{command: chosen, role: RoleEffect}
}
