package noise_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/noise"
)

const header = "apiVersion: whet/v1\nkind: NoisePolicy\n"

// oneRule is a policy with one rule that matches what the block says.
func oneRule(match string) string {
	return header + "rules:\n- id: a\n  reason: Because.\n  decision: drop\n  match: " + match + "\n"
}

func TestParseErrors(t *testing.T) {
	rule := func(fields string) string { return header + "rules:\n- " + fields + "\n" }
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "p.yaml: the file holds no policy"},
		{"only a comment", "# nothing\n", "p.yaml: the file holds no policy"},
		{"not YAML", header + "rules: [", "p.yaml:3: not valid YAML"},
		{"not a mapping", "- 1\n", "p.yaml:1: : want a mapping"},
		{"two documents", header + "---\n" + header, "p.yaml:4: document: a second document"},
		{"no header", "rules: []\n", "p.yaml:1: rules: the list is empty"},
		{"other version", "apiVersion: whet/v9\nkind: NoisePolicy\n", `p.yaml:1: apiVersion: want whet/v1, have "whet/v9"`},
		{"other kind", "apiVersion: whet/v1\nkind: Policy\n", `kind: want NoisePolicy, have "Policy"`},
		{"unknown field", header + "rule: []\n", `p.yaml:3: "rule": unknown field (is rules meant?); known here: apiVersion, kind, extends, disable, protect, rules`},
		{"unknown field in a rule", rule("{id: a, reson: x}"), `p.yaml:4: "rules[0].reson": unknown field`},
		{"unknown field in match", oneRule("{verb: [get]}"), `p.yaml:7: "rules[0].match.verb": unknown field (is verbs meant?); known here: verbs,`},
		{"unknown field in protect", header + "protect: {secrets: false}\n", `"protect.secrets": unknown field; known here: refused, secretReads, impersonation`},
		{"field twice", header + "kind: NoisePolicy\n", "p.yaml:3: "},
		{"unknown policy", header + "extends: strict\n", `extends: unknown policy "strict"; there is default`},
		{"disable without extends", header + "disable: ['2']\n", "p.yaml:3: disable: there is nothing to switch off"},
		{"disable what is not there", header + "extends: default\ndisable:\n- '2'\n- '13'\n", `p.yaml:6: disable[1]: the default policy has no rule "13"`},
		{"no id", rule("{reason: x, decision: drop, match: {verbs: get}}"), "p.yaml:4: rules[0].id: a rule needs an id"},
		{"bad id", rule("{id: a b, reason: x, decision: drop, match: {verbs: get}}"), `rules[0].id: bad id "a b"`},
		{"reserved id", rule("{id: protect.x, reason: x, decision: drop, match: {verbs: get}}"), `"protect." starts the names of protections`},
		{"same id twice", oneRule("{verbs: get}") + "- {id: a, reason: x, decision: drop, match: {verbs: get}}\n", `p.yaml:8: id: "a" is already the id of the rule on line 4`},
		{"the id of a default rule", header + "extends: default\nrules:\n- {id: '8', reason: x, decision: drop, match: {verbs: get}}\n", `p.yaml:5: id: "8" is the id of a default rule; disable that one to replace it`},
		{"no reason", rule("{id: a, decision: drop, match: {verbs: get}}"), "rules[0].reason: rule a needs a reason"},
		{"reason with a control character", rule(`{id: a, reason: "x\e[2J", decision: drop, match: {verbs: get}}`), "rules[0].reason: rule a needs a reason"},
		{"no decision", rule("{id: a, reason: x, match: {verbs: get}}"), "rules[0].decision: rule a needs a decision"},
		{"unknown decision", rule("{id: a, reason: x, decision: hide, match: {verbs: get}}"), `p.yaml:4: rules[0].decision: unknown decision "hide"; there are drop, setAside and keep`},
		{"no match", rule("{id: a, reason: x, decision: drop}"), "rules[0].match: rule a says nothing to match"},
		{"empty match", oneRule("{}"), "p.yaml:7: rules[0].match: the block is empty"},
		{"empty list", oneRule("{verbs: []}"), "rules[0].match.verbs: the list is empty"},
		{"empty pattern", oneRule("{verbs: ['']}"), "rules[0].match.verbs[0]: empty pattern; write $none"},
		{"null", oneRule("{verbs: [null]}"), "rules[0].match.verbs[0]: want text"},
		{"text with a colon, unquoted", oneRule("{groups: [system:nodes]}"), "rules[0].match.groups[0]: want text, not a mapping; put text that has a colon in quotes"},
		{"list in a list", oneRule("{verbs: [[get]]}"), "rules[0].match.verbs[0]: want text"},
		{"bad regexp", oneRule("\n    users: [x, '/a(/']"), "p.yaml:8: rules[0].match.users[1]: bad regular expression \"/a(/\""},
		{"regexp that leaves its group", oneRule("{users: '/a)|(b/'}"), "bad regular expression"},
		{"bad regexp for a resource", oneRule("{resources: '/a(/'}"), "rules[0].match.resources: bad regular expression"},
		{"bad regexp for a URI", oneRule("{uris: '/a(/'}"), "rules[0].match.uris: bad regular expression"},
		{"unknown reference", oneRule("{names: [$user.name]}"), `rules[0].match.names[0]: unknown reference "$user.name"; there are $none and $user.node`},
		{"node of the user in another field", oneRule("{users: [$user.node]}"), "$user.node can stand in names alone"},
		{"unknown reference to a resource", oneRule("{resources: [$user.node]}"), `unknown reference "$user.node"`},
		{"bad resource", oneRule("{resources: [a/b/c]}"), `bad resource "a/b/c"`},
		{"resource with an empty group", oneRule("{resources: ['pods.']}"), `bad resource "pods."`},
		{"unknown stage", oneRule("{stages: [Done]}"), `rules[0].match.stages[0]: unknown stage "Done"; there are`},
		{"unknown level", oneRule("{levels: [metadata]}"), `unknown level "metadata"; there are`},
		{"bad code", oneRule("{codes: [9000]}"), `bad code "9000"; write 404, 4xx or 500-504`},
		{"bad class of codes", oneRule("{codes: [9xx]}"), `bad code "900"`},
		{"range that ends before it starts", oneRule("{codes: [504-500]}"), `it ends before it starts`},
		{"enabled is a word", rule("{id: a, enabled: maybe}"), "rules[0].enabled: want true or false"},
		{"unknown anchor", oneRule("*nowhere"), "nowhere"},
		{"too large", "#" + strings.Repeat("x", 1<<20), "p.yaml: the policy has 1048577 bytes"},
		{"too deep", header + "rules: " + strings.Repeat("[", 200_000), "p.yaml:3: nested more than 100 levels deep"},
		{"too deep with dashes", header + "rules:\n" + strings.Repeat("- ", 200_000), "p.yaml:4: nested more than 100 levels deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy, err := noise.Parse("p.yaml", []byte(tt.text))
			if err == nil {
				t.Fatalf("no error, but %+v", policy.Rules())
			}
			if !strings.HasPrefix(err.Error(), "p.yaml:") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q\nwant     %q", err, tt.want)
			}
		})
	}
}

// event makes the event that TestMatch changes.
func event(change func(ev *audit.Event)) *audit.Event {
	ev := &audit.Event{
		Level: audit.LevelMetadata, Stage: audit.StageResponseComplete,
		RequestURI: "/apis/apps/v1/namespaces/shop/deployments/web/scale?timeout=5s",
		Verb:       "patch",
		User:       audit.User{Username: "system:node:worker1", Groups: []string{"system:nodes", "system:authenticated"}},
		UserAgent:  "kubelet/v1.37.2 (linux/amd64)",
		HasObject:  true,
		Object: audit.ObjectRef{Resource: "deployments", Subresource: "scale", APIGroup: "apps", APIVersion: "v1",
			Namespace: "shop", Name: "worker1"},
		Status: audit.Status{Code: 404},
	}
	if change != nil {
		change(ev)
	}
	return ev
}

func TestMatch(t *testing.T) {
	nameless := func(ev *audit.Event) { ev.Object = audit.ObjectRef{}; ev.HasObject = false }
	for _, tt := range []struct {
		match  string
		change func(ev *audit.Event)
		want   bool
	}{
		{"{verbs: [get, patch]}", nil, true},
		{"{verbs: get}", nil, false},
		{"{verbs: p*}", nil, true},
		{"{verbs: ['/p.*h/']}", nil, true},
		{"{verbs: ['/p/']}", nil, false},
		{"{verbs: [PATCH]}", nil, false},
		{"{users: ['system:node:*']}", nil, true},
		{"{users: ['system:nod*:worker1']}", nil, true},
		{"{users: ['*:worker1']}", nil, true},
		{"{users: ['*node*1*']}", nil, true},
		{"{users: ['*1*node*']}", nil, false},
		{"{users: ['system:node:worker1*worker1']}", nil, false},
		{"{users: ['system:node']}", nil, false},
		{"{users: ['/system:node:worker[0-9]+/']}", nil, true},
		{"{users: ['/system:node:/']}", nil, false},
		{"{users: ['/x|system:node:worker1/']}", nil, true},
		{"{users: ['*']}", func(ev *audit.Event) { ev.User.Username = "" }, false},
		{"{groups: ['system:nodes']}", nil, true},
		{"{groups: ['system:masters']}", nil, false},
		{"{groups: [$none]}", nil, false},
		{"{groups: [$none]}", func(ev *audit.Event) { ev.User.Groups = nil }, true},
		{"{userAgents: ['kubelet/*']}", nil, true},
		{"{userAgents: ['kubectl/*']}", nil, false},
		{"{resources: [deployments.apps/scale]}", nil, true},
		{"{resources: [deployments.apps]}", nil, false},
		{"{resources: [deployments/scale]}", nil, false},
		{"{resources: [deployments.apps/*]}", nil, true},
		{"{resources: [deployments.apps/*]}", func(ev *audit.Event) { ev.Object.Subresource = "" }, false},
		{"{resources: ['*.apps/scale']}", nil, true},
		{"{resources: ['*']}", nil, true},
		{"{resources: ['*']}", nameless, false},
		{"{resources: ['/(deployments|statefulsets)\\.apps\\/scale/']}", nil, true},
		{"{resources: ['/deployments/']}", nil, false},
		{"{resources: [$none]}", nil, false},
		{"{resources: [$none]}", nameless, true},
		{"{resources: [leases.coordination.k8s.io]}", func(ev *audit.Event) {
			ev.Object = audit.ObjectRef{Resource: "leases", APIGroup: "coordination.k8s.io"}
		}, true},
		{"{resources: [deployments.apps], subresources: [scale, status]}", nil, true},
		{"{resources: [deployments.apps], subresources: [status]}", nil, false},
		{"{subresources: [$none]}", nil, false},
		{"{namespaces: [shop]}", nil, true},
		{"{namespaces: [$none]}", nil, false},
		{"{namespaces: [$none]}", func(ev *audit.Event) { ev.Object.Namespace = "" }, true},
		{"{namespaces: ['*']}", func(ev *audit.Event) { ev.Object.Namespace = "" }, false},
		{"{names: [$user.node]}", nil, true},
		{"{names: [$user.node]}", func(ev *audit.Event) { ev.Object.Name = "worker2" }, false},
		{"{names: [$user.node]}", func(ev *audit.Event) { ev.User.Username = "worker1" }, false},
		{"{names: [$user.node]}", func(ev *audit.Event) { ev.User.Username, ev.Object.Name = "system:node:", "" }, false},
		{"{uris: ['/apis/apps/*/scale']}", nil, true},
		{"{uris: ['/apis/apps/*/scale?timeout=*']}", nil, true},
		{"{uris: ['/apis/apps/*?watch=*']}", nil, false},
		{"{uris: ['/\\/apis\\/.*timeout=5s/']}", nil, true},
		{"{uris: ['/api/*', '/apis?x']}", nil, false},
		{"{stages: [ResponseComplete]}", nil, true},
		{"{stages: [Panic]}", nil, false},
		{"{levels: [Metadata]}", nil, true},
		{"{levels: [RequestResponse]}", nil, false},
		{"{codes: [404]}", nil, true},
		{"{codes: [200, 4xx]}", nil, true},
		{"{codes: [400-403]}", nil, false},
		{"{codes: [$none]}", func(ev *audit.Event) { ev.Status.Code = 0 }, true},
		{"{verbs: patch, users: nobody}", nil, false},
		{"{verbs: patch}\n  unless: {codes: 4xx}", nil, false},
		{"{verbs: patch}\n  unless: {codes: 4xx, users: nobody}", nil, true},
		{"{verbs: patch}\n  enabled: false", nil, false},
		{"&m {verbs: &v [patch]}\n  unless: {users: *v}", nil, true},
	} {
		policy, err := noise.Parse("p.yaml", []byte(oneRule(tt.match)))
		if err != nil {
			t.Errorf("%s: %v", tt.match, err)
			continue
		}
		ev := event(tt.change)
		if got := policy.Decide(ev).Action == noise.Drop; got != tt.want {
			t.Errorf("%s matches %+v: %v, want %v", tt.match, ev, got, tt.want)
		}
	}
}

func TestOwnRulesComeFirst(t *testing.T) {
	text := header + `extends: default
disable: [2, leases]
protect: {impersonation: false}
rules:
- {id: see-discovery, reason: We look at it., decision: keep, match: {uris: [/apis]}}
- {id: leases, reason: Another sentence., decision: drop, match: {resources: [leases.coordination.k8s.io]}}
`
	policy, err := noise.Parse("own.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	events := fixtures(t)
	for id, want := range map[string]noise.Decision{
		"discovery": {Action: noise.Keep, Rule: "see-discovery", Reason: "We look at it."},
		"leases":    {Action: noise.Drop, Rule: "leases", Reason: "Another sentence."},
		"2":         {},
	} {
		if diff := cmp.Diff(want, policy.Decide(events[id]())); diff != "" {
			t.Errorf("the event of %s (-want +got):\n%s", id, diff)
		}
	}
	if got, want := policy.Protect(), (noise.Protect{Refused: true, SecretReads: true}); got != want {
		t.Errorf("Protect = %+v, want %+v", got, want)
	}
	seen := make(map[string]bool)
	for _, r := range policy.Rules() {
		if seen[r.ID] {
			t.Errorf("two rules with the id %s", r.ID)
		}
		seen[r.ID] = true
		if r.ID == "2" && (r.Enabled || r.Source != "default.yaml" || r.Line == 0) {
			t.Errorf("rule 2 = %+v, want it switched off and from default.yaml", r)
		}
	}
	if first := policy.Rules()[0]; first.ID != "see-discovery" || first.Source != "own.yaml" || first.Line != 7 {
		t.Errorf("the first rule is %+v", first)
	}
}

// The zero Policy keeps everything.
func TestZeroPolicy(t *testing.T) {
	var policy noise.Policy
	for _, event := range fixtures(t) {
		if got := policy.Decide(event()); got != (noise.Decision{}) {
			t.Errorf("Decide = %+v", got)
		}
	}
}

// FuzzParse: whatever a file holds, Parse gives a policy that can decide or
// an error that names the file.
func FuzzParse(f *testing.F) {
	f.Add(noise.DefaultYAML())
	f.Add(oneRule("&m {users: ['/a+/', 'b*', $none], names: [$user.node]}") + "  unless: *m\n")
	f.Add(header + "extends: default\ndisable: [2, '5.1']\nprotect: {refused: false}\n")
	f.Add("- - - [{\n? :\n")
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := noise.Parse("p.yaml", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "p.yaml") {
				t.Fatalf("the error %q does not name the file", err)
			}
			return
		}
		ev := event(nil)
		if a, b := policy.Decide(ev), policy.Decide(ev); a != b {
			t.Fatalf("two decisions on one event: %+v, %+v", a, b)
		}
	})
}
