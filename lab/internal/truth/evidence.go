package truth

// stepKey names a step of a scenario whoever plays it.
type stepKey struct {
	scenario string
	step     int
}

// signature is what a request looks like without its names.
type signature struct{ user, verb, resource, subresource string }

func signatureOf(e *Event) signature {
	return signature{e.User.Username, e.Verb, e.ObjectRef.Resource, e.ObjectRef.Subresource}
}

// learn notes which requests each step caused where steps waited for silence.
func (a *attributor) learn(events []*Event, found []verdict) {
	a.evidence = map[stepKey]map[signature]bool{}
	for i, v := range found {
		if v.role != RoleEffect || v.command < 0 {
			continue
		}
		cmd := a.journal.Commands[v.command]
		chain := a.journal.Chains[cmd.Chain]
		if chain.Mode == "rapid" {
			continue
		}
		key := stepKey{chain.Scenario, cmd.Step}
		if a.evidence[key] == nil {
			a.evidence[key] = map[signature]bool{}
		}
		a.evidence[key][signatureOf(events[i])] = true
	}
}

// decide gives a rapid chain's line to the one step of several that showed such
// a request when it ran in calm. Without exactly one it stays unscored.
func (a *attributor) decide(e *Event, v verdict) verdict {
	chosen := -1
	for _, i := range v.between {
		cmd := a.journal.Commands[i]
		seen, calm := a.evidence[stepKey{a.journal.Chains[cmd.Chain].Scenario, cmd.Step}]
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
	return verdict{command: chosen, role: RoleEffect}
}
