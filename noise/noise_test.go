package noise_test

import (
	"bufio"
	"bytes"
	cmp2 "cmp"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/noise"
)

// decode reads one event's JSON.
func decode(t testing.TB, raw []byte) *audit.Event {
	t.Helper()
	var dec audit.Decoder
	ev := new(audit.Event)
	if err := dec.Decode(raw, audit.Position{Source: "test", Line: 1}, ev); err != nil {
		t.Fatalf("decode %s: %v", raw, err)
	}
	return ev
}

// fixtures returns the events of testdata/rules.jsonl by the rule they are
// for. "recorded" ones are lines of a recording as they are, "made" ones are
// such lines with the names of what the recordings lack.
func fixtures(t testing.TB) map[string]func() *audit.Event {
	t.Helper()
	data, err := os.ReadFile("testdata/rules.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	events := make(map[string]func() *audit.Event)
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f struct {
			Rule  string
			Event json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		events[f.Rule] = func() *audit.Event { return decode(t, f.Event) }
	}
	return events
}

// nearMiss has, for each default rule, a change to the rule's event after
// which another rule or none has to decide.
func nearMiss() map[string]func(ev *audit.Event) {
	user := func(name string, groups ...string) func(ev *audit.Event) {
		return func(ev *audit.Event) { ev.User = audit.User{Username: name, Groups: groups} }
	}
	namespace := func(name string) func(ev *audit.Event) {
		return func(ev *audit.Event) { ev.Object.Namespace = name }
	}
	name := func(name string) func(ev *audit.Event) {
		return func(ev *audit.Event) { ev.Object.Name = name }
	}
	verb := func(verb string) func(ev *audit.Event) {
		return func(ev *audit.Event) { ev.Verb = verb }
	}
	resource := func(resource, group string) func(ev *audit.Event) {
		return func(ev *audit.Event) { ev.Object.Resource, ev.Object.APIGroup = resource, group }
	}
	return map[string]func(ev *audit.Event){
		"1-namespaces": func(ev *audit.Event) { ev.Verb, ev.Object.Resource, ev.Object.Name = "delete", "namespaces", "falco" },
		"1-users":      user("system:serviceaccount:kube-flannel:flannel2"),
		"2": func(ev *audit.Event) {
			ev.RequestURI, ev.HasObject, ev.Object = "/openapi/v3", true, audit.ObjectRef{Resource: "pods"}
		},
		"discovery":              func(ev *audit.Event) { ev.HasObject, ev.Object = true, audit.ObjectRef{Resource: "pods"} },
		"watch-started":          func(ev *audit.Event) { ev.Stage = audit.StageResponseComplete },
		"3":                      resource("pods", "metrics.k8s.io"),
		"3-configmaps":           namespace("payments"),
		"4":                      user("system:serviceaccount:kube-system:kube-controller-manager"),
		"5.1":                    name("generic-garbage-collector-2"),
		"5.2":                    verb("delete"),
		"5.3":                    namespace("payments"),
		"5.4":                    func(ev *audit.Event) { ev.Object.Subresource = "" },
		"6.1":                    namespace("payments"),
		"6.2":                    name("extension-apiserver"),
		"7.1":                    user("system:node:worker1", "system:authenticated"),
		"7.2":                    name("somebody-else"),
		"7.3":                    namespace("payments"),
		"8":                      namespace("payments"),
		"9":                      name("somebody-else"),
		"10":                     name("somebody-else"),
		"11":                     resource("services", ""),
		"12":                     user("system:serviceaccount:kube-proxy:kube-proxy", "system:serviceaccounts"),
		"watch-control-plane":    user("alice", "system:authenticated"),
		"watch-nodes":            namespace("payments"),
		"watch-service-accounts": name("web"),
		"watch-authentication":   user("alice", "system:authenticated"),
		"leases":                 verb("delete"),
		"controller-tokens":      namespace("payments"),
		"apiserver-endpoints":    name("web"),
		"apiserver-services":     namespace("payments"),
		"delegated-auth":         resource("selfsubjectaccessreviews", "authorization.k8s.io"),
		"watch-started-object":   func(ev *audit.Event) { ev.Verb = "get" },
	}
}

func TestDefaultRules(t *testing.T) {
	policy, events, misses := noise.Default(), fixtures(t), nearMiss()
	for _, r := range policy.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			event, miss := events[r.ID], misses[r.ID]
			if event == nil || miss == nil {
				t.Fatal("the rule has no event in testdata/rules.jsonl, or no near miss")
			}
			want := noise.Decision{Action: r.Action, Rule: r.ID, Reason: r.Reason}
			if diff := cmp.Diff(want, policy.Decide(event())); diff != "" {
				t.Errorf("the rule's event (-want +got):\n%s", diff)
			}
			ev := event()
			miss(ev)
			if got := policy.Decide(ev); got.Rule == r.ID {
				t.Errorf("the near miss is taken too: %+v", got)
			}
		})
	}
}

// Each rule decides nothing any more once it is switched off.
func TestDisable(t *testing.T) {
	for id, event := range fixtures(t) {
		if id[0] == '(' {
			continue
		}
		text := "apiVersion: whet/v1\nkind: NoisePolicy\nextends: default\ndisable: ['" + id + "']\n"
		policy, err := noise.Parse("off.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := policy.Decide(event()); got.Rule == id {
			t.Errorf("%s is disabled and decides: %+v", id, got)
		}
	}
}

func TestProtect(t *testing.T) {
	// A rule that hides everything, and what it hides all the same.
	hideAll := "apiVersion: whet/v1\nkind: NoisePolicy\nrules:\n- {id: all, reason: Everything goes., decision: drop, match: {users: ['*']}}\n"
	events := fixtures(t)
	code := func(code int32, message string) func() *audit.Event {
		return func() *audit.Event {
			ev := events["apiserver-services"]()
			ev.Status.Code, ev.Status.Message = code, message
			return ev
		}
	}
	secrets := func(user, verb, namespace, name string) func() *audit.Event {
		return func() *audit.Event {
			ev := events["apiserver-services"]()
			ev.User.Username, ev.Verb = user, verb
			ev.Object = audit.ObjectRef{Resource: "secrets", APIVersion: "v1", Namespace: namespace, Name: name}
			return ev
		}
	}
	for _, tt := range []struct {
		name  string
		event func() *audit.Event
		want  string // the protection, "" when the rule may hide the event
	}{
		{"unauthorized", code(401, ""), "refused"},
		{"forbidden", code(403, ""), "refused"},
		{"webhook", code(400, `admission webhook "a.example.org" denied the request: no`), "refused"},
		{"policy", code(422, `ValidatingAdmissionPolicy 'a' with binding 'b' denied request: no`), "refused"},
		{"forbidden by the node authorizer", events["(forbid)"], "refused"},
		{"not found", code(404, ""), ""},
		{"conflict", code(409, ""), ""},
		{"fine", code(200, ""), ""},
		{"a message that only sounds so", code(200, "denied the request"), ""},
		{"impersonation", events["(impersonation)"], "impersonation"},
		{"get a secret", secrets("alice", "get", "shop", "db"), "secretReads"},
		{"list secrets", secrets("alice", "list", "", ""), "secretReads"},
		{"watch secrets", secrets("alice", "watch", "shop", ""), "secretReads"},
		{"an operator watches all secrets", secrets("system:serviceaccount:ops:op", "watch", "", ""), "secretReads"},
		{"a node watches a secret", events["(secret-node)"], "secretReads"},
		{"the controller manager gets a secret", events["(secret-kcm)"], "secretReads"},
		{"the API server watches one namespace", secrets("system:apiserver", "watch", "shop", ""), "secretReads"},
		{"the API server fills its cache", secrets("system:apiserver", "watch", "", ""), ""},
		{"the controller manager fills its cache", secrets("system:kube-controller-manager", "list", "", ""), ""},
		{"delete a secret", secrets("alice", "delete", "shop", "db"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on, err := noise.Parse("hide.yaml", []byte(hideAll))
			if err != nil {
				t.Fatal(err)
			}
			want := noise.Decision{Action: noise.Drop, Rule: "all", Reason: "Everything goes."}
			hidden := want
			if tt.want != "" {
				want = noise.Decision{Action: noise.Keep, Rule: "protect." + tt.want, Overruled: "all"}
			}
			got := on.Decide(tt.event())
			if got.Action == noise.Keep {
				got.Reason = "" // worded freely
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("protected (-want +got):\n%s", diff)
			}
			off, err := noise.Parse("hide.yaml", []byte(hideAll+"protect: {"+cmp2.Or(tt.want, "refused")+": false}\n"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(hidden, off.Decide(tt.event())); diff != "" {
				t.Errorf("with the protection off (-want +got):\n%s", diff)
			}
		})
	}
}

// Whoever deletes the namespace of a detector is seen doing it.
func TestIgnoredNamespaceItselfIsKept(t *testing.T) {
	ev := fixtures(t)["1-namespaces"]()
	ev.Verb = "delete"
	ev.Object = audit.ObjectRef{Resource: "namespaces", Namespace: "falco", Name: "falco", APIVersion: "v1"}
	if got := noise.Default().Decide(ev); got != (noise.Decision{}) {
		t.Errorf("Decide = %+v, want to keep it", got)
	}
}

// Deciding changes nothing: not the event, and not the next decision.
func TestDecideIsPure(t *testing.T) {
	policy, again := noise.Default(), noise.Default()
	var events []*audit.Event
	for _, event := range fixtures(t) {
		events = append(events, event())
	}
	first := make([]noise.Decision, len(events))
	for i, ev := range events {
		before := *ev
		first[i] = policy.Decide(ev)
		if diff := cmp.Diff(before, *ev); diff != "" {
			t.Fatalf("Decide changed the event (-before +after):\n%s", diff)
		}
	}
	for i, ev := range slices.Backward(events) {
		if got := policy.Decide(ev); got != first[i] {
			t.Errorf("the second time: %+v, the first time: %+v", got, first[i])
		}
		if got := again.Decide(ev); got != first[i] {
			t.Errorf("another copy of the policy: %+v, the first: %+v", got, first[i])
		}
	}
}

func TestCounts(t *testing.T) {
	var one, other, none noise.Counts
	one.Add(noise.Decision{Action: noise.Drop, Rule: "a"}, 10)
	one.Add(noise.Decision{}, 1)
	other.Add(noise.Decision{Action: noise.Drop, Rule: "a"}, 5)
	other.Add(noise.Decision{Action: noise.SetAside, Rule: "b"}, 100)
	other.Add(noise.Decision{Action: noise.Keep, Rule: "protect.refused"}, 7)
	one.Merge(&other)
	one.Merge(&none)
	want := []noise.Row{
		{Action: noise.Drop, Rule: "a", Tally: noise.Tally{Events: 2, Bytes: 15}},
		{Action: noise.SetAside, Rule: "b", Tally: noise.Tally{Events: 1, Bytes: 100}},
		{Action: noise.Keep, Rule: "protect.refused", Tally: noise.Tally{Events: 1, Bytes: 7}},
		{Action: noise.Keep, Tally: noise.Tally{Events: 1, Bytes: 1}},
	}
	if diff := cmp.Diff(want, one.Rows()); diff != "" {
		t.Errorf("Rows (-want +got):\n%s", diff)
	}
	if got := one.Total(); got != (noise.Tally{Events: 5, Bytes: 123}) {
		t.Errorf("Total = %+v", got)
	}
	if got := one.Of(noise.Keep); got != (noise.Tally{Events: 2, Bytes: 8}) {
		t.Errorf("Of(Keep) = %+v", got)
	}
	if rows := none.Rows(); len(rows) != 0 {
		t.Errorf("Rows of nothing = %v", rows)
	}
}

func BenchmarkDecide(b *testing.B) {
	policy := noise.Default()
	var events []*audit.Event
	for _, event := range fixtures(b) {
		events = append(events, event())
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		policy.Decide(events[i%len(events)])
	}
}
