package record

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/whet-k8s/whet/lab/internal/truth"
)

// card describes the recording for its readers: what made it, what happens in
// it, and how to make it again.
func (r *recorder) card(b *Built) []byte {
	roles := map[string]int{}
	for _, l := range b.Lines {
		roles[l.Role]++
	}
	users := map[string]int{}
	for _, x := range b.Contexts {
		users[x.User]++
	}
	var out strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	p("# %s", r.options.Prefix)
	p("")
	p("Recorded by the lab from a control plane of Kubernetes %s with %d kubelets (fake container runtime).", r.options.Version, r.plan.Nodes)
	p("Repeat it with `lab record --plan %s --seed %d --policy %s --out DIR --prefix %s`; times, uids and the order of what happens at once will differ.",
		r.options.PlanName, r.options.Seed, r.options.Policy, r.options.Prefix)
	p("")
	p("| | |")
	p("| --- | --- |")
	p("| lines | %d |", len(b.Lines))
	for _, role := range []string{truth.RoleRoot, truth.RoleClient, truth.RoleEffect, truth.RoleBackground, truth.RoleUnscored} {
		p("| of these %s | %d |", role, roles[role])
	}
	p("| commands | %d |", len(b.Contexts))
	p("| scenario chains | %d |", len(r.journal.Chains))
	p("| audit policy | %s |", r.options.Policy)
	p("| operator | %v |", r.plan.Operator)
	p("| silence before the next step | %v |", time.Duration(r.plan.Settle))
	p("")
	p("## Phases")
	for i, f := range r.plan.Phases {
		p("%d. %s: %d at once, %d shared namespaces, pairs: %v", i+1, f.Mode, f.Workers, f.Spaces, f.Pairs)
	}
	p("")
	p("## Scenarios")
	for _, line := range r.scenarioCounts() {
		p("- %s", line)
	}
	p("")
	p("## Actors")
	for _, u := range sortedKeys(users) {
		p("- %s: %d commands", u, users[u])
	}
	return []byte(out.String())
}

// scenarioCounts says what each scenario is about and how often it was played.
func (r *recorder) scenarioCounts() []string {
	played := map[string]int{}
	for _, c := range r.journal.Chains {
		played[c.Scenario]++
	}
	about := map[string]string{}
	for _, s := range r.options.Scenarios {
		about[s.Name] = s.About
	}
	var out []string
	for _, name := range sortedKeys(played) {
		out = append(out, fmt.Sprintf("%s (%d): %s", name, played[name], about[name]))
	}
	return out
}

func sortedKeys(m map[string]int) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
