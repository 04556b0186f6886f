package record

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/whet-k8s/whet/lab/internal/truth"
)

// cardPolicy begins the line of a card that names the policy; [Check] reads it.
const cardPolicy = "| audit policy |"

// card describes the recording for its readers: what made it, what happens in
// it, and how to make it again.
func (n *Notes) card(b *Built, policyName, prefix string) []byte {
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
	p("# %s", prefix)
	p("")
	p("Recorded by the lab from a control plane of Kubernetes %s with %d kubelets (fake container runtime).", n.Version, n.Plan.Nodes)
	p("")
	p("Repeat it with")
	p("")
	for _, line := range n.commands(policyName, prefix) {
		p("    %s", line)
	}
	p("")
	p("Times, uids, the order of what happens at once, and so who meets whom will differ.")
	p("")
	p("| | |")
	p("| --- | --- |")
	p("| lines | %d |", len(b.Lines))
	for _, role := range []string{truth.RoleRoot, truth.RoleClient, truth.RoleEffect, truth.RoleBackground, truth.RoleUnscored} {
		p("| of these %s | %d |", role, roles[role])
	}
	p("| commands | %d |", len(b.Contexts))
	p("| scenario chains | %d |", len(n.Journal.Chains))
	p(cardPolicy+" %s |", policyName)
	p("| operator | %v |", n.Plan.Operator)
	p("| silence before the next step | %v |", time.Duration(n.Plan.Settle))
	p("| steps after which silence did not come | %d |", n.restless())
	p("")
	p("## Phases")
	for i, f := range n.Plan.Phases {
		p("%d. %s: %d chains at once, %d shared namespaces, pairs: %v", i+1, f.Mode, f.Workers, f.Spaces, f.Pairs)
	}
	p("")
	p("## Scenarios")
	for _, line := range n.scenarioCounts() {
		p("- %s", line)
	}
	p("")
	p("## Actors")
	for _, u := range sortedKeys(users) {
		p("- %s: %d commands", u, users[u])
	}
	return []byte(out.String())
}

// commands are what makes the recording again.
func (n *Notes) commands(policyName, prefix string) []string {
	var out []string
	if commit, changed := strings.CutSuffix(n.Commit, modified); commit != "" {
		line := "git checkout " + commit
		if changed {
			line += "    # and what was changed after it"
		}
		out = append(out, line)
	}
	out = append(out, "make lab KUBERNETES="+n.Version)
	record := fmt.Sprintf("lab/bin/%s/lab record", n.Version)
	for _, a := range n.Arguments {
		record += " " + quoted(a)
	}
	return append(out, fmt.Sprintf("%s --plan %s --seed %d --policy %s --out DIR --prefix %s", record, quoted(n.PlanName), n.Seed, policyName, quoted(prefix)))
}

// modified ends the name of a commit after which something was changed.
const modified = "-dirty"

// quoted returns a word as a shell reads it.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+=:@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// scenarioCounts says what each scenario is about and how often it was played.
func (n *Notes) scenarioCounts() []string {
	played := map[string]int{}
	for _, c := range n.Journal.Chains {
		played[c.Scenario]++
	}
	var out []string
	for _, name := range sortedKeys(played) {
		out = append(out, fmt.Sprintf("%s (%d): %s", name, played[name], n.About[name]))
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
