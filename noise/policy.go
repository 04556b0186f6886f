package noise

import (
	_ "embed"
	"fmt"

	"github.com/whet-k8s/whet/audit"
)

// Action is what a policy says should become of an event.
type Action uint8

const (
	// Keep leaves the event among those that people read.
	Keep Action = iota
	// SetAside takes the event for background, unless something that
	// happened caused it: the linker still sees it.
	SetAside
	// Drop takes the event out: the linker never sees it.
	Drop
)

// String returns the action as a policy writes it: keep, setAside or drop.
func (a Action) String() string {
	switch a {
	case SetAside:
		return "setAside"
	case Drop:
		return "drop"
	}
	return "keep"
}

// Rule is what a policy's reader wants to know of one of its rules.
type Rule struct {
	// ID names the rule in reports and annotations, and to switch it off.
	ID string
	// Reason says in a sentence why the rule is there.
	Reason string
	// Action is the rule's decision.
	Action Action
	// Enabled is false for a rule that is switched off.
	Enabled bool
	// Source and Line are where the rule is written.
	Source string
	Line   int
}

// rule is a Rule with what it matches.
type rule struct {
	Rule
	match  matcher
	unless *matcher
}

// Policy is a list of rules, of which the first that matches an event
// decides, and the protections above them. It is made by Parse or Default,
// does not change, and may be used by many goroutines at once. The zero
// Policy keeps every event.
type Policy struct {
	rules   []*rule
	protect Protect
	// byVerb holds, for each verb that a rule spells out, the enabled rules
	// that can match it, in order; otherVerbs is the list for the rest.
	byVerb     map[string][]*rule
	otherVerbs []*rule
}

// Decision is what a policy says about one event.
type Decision struct {
	Action Action
	// Rule is the id of the rule that decided, "protect.refused",
	// "protect.secretReads" or "protect.impersonation" where a protection
	// overruled one, and "" where no rule matched.
	Rule string
	// Reason says why in a sentence, "" where no rule matched.
	Reason string
	// Overruled is the id of the rule that a protection overruled.
	Overruled string
}

//go:embed default.yaml
var defaultYAML string

// DefaultYAML returns the text of the default policy, to read or to start
// one's own from.
func DefaultYAML() string { return defaultYAML }

// Default returns the default policy: the rules that the seed's Notes list,
// those that a cluster of today needs besides, and every protection.
// docs/noise.md lists them.
func Default() *Policy {
	p, err := Parse("default.yaml", []byte(defaultYAML))
	if err != nil {
		// The text is part of the program and the tests parse it.
		panic(fmt.Sprintf("noise: the default policy is broken: %v", err))
	}
	return p
}

// Decide returns what the policy says about the event. It looks at nothing
// but the event, and changes nothing.
func (p *Policy) Decide(ev *audit.Event) Decision {
	rules, ok := p.byVerb[ev.Verb]
	if !ok {
		rules = p.otherVerbs
	}
	for _, r := range rules {
		if !r.match.match(ev) || (r.unless != nil && r.unless.match(ev)) {
			continue
		}
		if r.Action != Keep {
			if id, reason := p.protect.of(ev); id != "" {
				return Decision{Action: Keep, Rule: id, Reason: reason, Overruled: r.ID}
			}
		}
		return Decision{Action: r.Action, Rule: r.ID, Reason: r.Reason}
	}
	return Decision{}
}

// Rules returns the policy's rules in the order in which they are tried,
// those that are switched off too.
func (p *Policy) Rules() []Rule {
	rules := make([]Rule, len(p.rules))
	for i, r := range p.rules {
		rules[i] = r.Rule
	}
	return rules
}

// Protect returns the policy's protections.
func (p *Policy) Protect() Protect { return p.protect }

// index sorts the enabled rules by the verbs they can match.
func (p *Policy) index() {
	p.byVerb = make(map[string][]*rule)
	for _, r := range p.rules {
		if r.Enabled {
			for _, verb := range r.match.verbs.exact {
				p.byVerb[verb] = nil
			}
		}
	}
	for _, r := range p.rules {
		if !r.Enabled {
			continue
		}
		for verb := range p.byVerb {
			if r.match.verbs.match(verb, &audit.User{}) {
				p.byVerb[verb] = append(p.byVerb[verb], r)
			}
		}
		v := &r.match.verbs
		if !v.set || v.none || len(v.globs)+len(v.regexps) > 0 {
			p.otherVerbs = append(p.otherVerbs, r)
		}
	}
}
