package why

import (
	"fmt"
	"strings"

	"github.com/whet-k8s/whet/internal/actor"
)

// Report is an Answer as JSON shows it, with a sentence for each chain.
type Report struct {
	Target  string        `json:"target"`
	Changes int           `json:"changes"`
	Cut     bool          `json:"cut,omitempty"`
	Chains  []ReportChain `json:"chains"`
}

// ReportChain is a Chain with its Sentence.
type ReportChain struct {
	Answer string `json:"answer"`
	Chain
}

// Report words the answer. Its texts may hold whatever the log holds.
func (a *Answer) Report() Report {
	r := Report{Target: a.Target.String(), Changes: a.Changes, Cut: a.Cut}
	for i := range a.Chains {
		r.Chains = append(r.Chains, ReportChain{a.Chains[i].Sentence(&a.Target), a.Chains[i]})
	}
	return r
}

// Sentence is the answer for one chain in one line: what became of the target,
// and who did what to that end.
func (c *Chain) Sentence(t *Target) string {
	first, last := &c.Steps[0], &c.Steps[len(c.Steps)-1]
	what := fmt.Sprintf("%q by %s", first.Action, first.Actor())
	verb := "happened"
	if t.AuditID == "" {
		object := *t
		object.Namespace = first.Namespace
		if t.Kind == "namespace" {
			object.Namespace = ""
		}
		what, verb = strings.Replace(object.String(), "/", " ", 1), "was "+first.fate()
	}
	switch {
	case c.Broken != "":
		return fmt.Sprintf("%s %s; %s", what, verb, c.Broken)
	case len(c.Steps) == 1 && t.AuditID == "":
		return fmt.Sprintf("%s %s by %s: %s", what, verb, last.Actor(), last.Action)
	case len(c.Steps) == 1:
		return what + " began its command"
	}
	did := "ran"
	if strings.HasPrefix(last.User, "system:") {
		did = "did"
	}
	return fmt.Sprintf("%s %s because %s %s: %s", what, verb, last.Actor(), did, last.Action)
}

// Actor is who sent the request, made short, and behind "as" whom it
// impersonates.
func (s *Step) Actor() string {
	if s.Impersonated != "" {
		return actor.Short(s.User) + " as " + actor.Short(s.Impersonated)
	}
	return actor.Short(s.User)
}

// fate says what a request did to its object.
func (s *Step) fate() string {
	switch {
	case s.Verb == "delete", s.Verb == "deletecollection":
		return "deleted"
	case s.Subresource == "eviction":
		return "evicted"
	case s.Subresource == "binding":
		return "bound to a node"
	case s.Verb == "create", s.Code == 201:
		return "created"
	}
	return "changed"
}
