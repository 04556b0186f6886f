package truth

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The journal of these tests: two chains in one shared namespace, alice's with
// two calm steps and bob's with one, and a rapid chain of carol's.
var (
	tokenA, tokenA2, tokenB = sealToken("aaaaaaaa1"), sealToken("aaaaaaaa2"), sealToken("bbbbbbbb1")
	tokenR, tokenR2, space  = sealToken("rrrrrrrr1"), sealToken("rrrrrrrr2"), sealToken("ssssssss1")
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second)))
}

func testJournal() *Journal {
	return &Journal{
		Lab:    "kubernetes-admin",
		Spaces: []Token{{Text: space, Namespace: true}},
		Chains: []Chain{
			{Scenario: "one", Mode: "together", Tokens: []Token{{Text: tokenA, Space: space}, {Text: tokenA2, Space: space}}, Start: at(0), End: at(20)},
			{Scenario: "two", Mode: "together", Tokens: []Token{{Text: tokenB, Space: space}}, Start: at(0), End: at(20)},
			{Scenario: "one", Mode: "rapid", Tokens: []Token{{Text: tokenR, Space: space}, {Text: tokenR2, Space: space}}, Start: at(30), End: at(50)},
		},
		Commands: []Command{
			{Chain: 0, Step: 0, User: "alice", Text: "kubectl create deployment", Start: at(1), End: at(2), Settled: at(5)},
			{Chain: 0, Step: 1, User: "alice", Text: "kubectl scale", Start: at(6), End: at(7), Settled: at(10), Clock: true},
			{Chain: 1, Step: 0, User: "bob", Text: "kubectl run", Start: at(1), End: at(2), Settled: at(5)},
			{Chain: 2, Step: 0, User: "carol", Text: "kubectl create deployment", Start: at(31), End: at(32), Settled: at(32), Rapid: true},
			{Chain: 2, Step: 1, User: "carol", Text: "kubectl scale", Start: at(33), End: at(34), Settled: at(38)},
		},
	}
}

type eventOption func(*Event)

func event(second float64, user, verb, resource, name string, options ...eventOption) *Event {
	e := &Event{Level: "RequestResponse", AuditID: fmt.Sprintf("%s-%v", user, second), Stage: "ResponseComplete", Verb: verb, Received: at(second)}
	e.User.Username = user
	e.ObjectRef.Resource, e.ObjectRef.Name, e.ObjectRef.Namespace = resource, name, space
	for _, o := range options {
		o(e)
	}
	return e
}

func body(text string) eventOption {
	return func(e *Event) { e.RequestObject = json.RawMessage(text) }
}

const controller = "system:serviceaccount:kube-system:replicaset-controller"

func TestAttribute(t *testing.T) {
	tests := []struct {
		name    string
		event   *Event
		role    string
		command string // its text and its user's name
	}{
		{"a client's request by its time", event(1.5, "alice", "create", "deployments", tokenA), RoleRoot, "kubectl create deployment of alice"},
		{"a client's second command", event(6.5, "alice", "patch", "deployments", tokenA), RoleRoot, "kubectl scale of alice"},
		{"a client between its commands", event(5.5, "alice", "get", "deployments", tokenA), RoleUnscored, ""},
		{"another client", event(1.6, "bob", "create", "pods", tokenB), RoleRoot, "kubectl run of bob"},
		{"carol's commands have roots", event(31.5, "carol", "create", "deployments", tokenR), RoleRoot, "kubectl create deployment of carol"},
		{"carol's second", event(33.5, "carol", "patch", "deployments", tokenR), RoleRoot, "kubectl scale of carol"},
		{"an effect by the token in its name", event(3, controller, "create", "pods", tokenA+"-x7k2p"), RoleEffect, "kubectl create deployment of alice"},
		{"an effect after the next step", event(8, controller, "create", "pods", tokenA+"-abcde"), RoleEffect, "kubectl scale of alice"},
		{"an effect after silence where the clock was set", event(12, controller, "delete", "pods", tokenA+"-abcde"), RoleUnscored, ""},
		{"a generated name, known by the body", event(3, controller, "create", "pods", "", body(`{"metadata":{"generateName":"`+tokenB+`-"}}`)), RoleEffect, "kubectl run of bob"},
		{"the name counts before the body", event(3, controller, "create", "events", tokenB+".17f", body(`{"message":"beside `+tokenA+`"}`)), RoleEffect, "kubectl run of bob"},
		{"two chains in one body", event(3, controller, "create", "endpoints", "", body(`["`+tokenA+`","`+tokenB+`"]`)), RoleUnscored, ""},
		{"a shared namespace alone", event(3, "system:apiserver", "list", "limitranges", ""), RoleUnscored, ""},
		{"a lease", event(3, "system:kube-scheduler", "update", "leases", "kube-scheduler", func(e *Event) { e.ObjectRef.Namespace = "kube-system" }), RoleBackground, ""},
		{"the API server watches all endpoint slices again", event(3, "system:apiserver", "watch", "endpointslices", "", func(e *Event) { e.ObjectRef.Namespace = "" }), RoleBackground, ""},
		{"the API server's own endpoints", event(3, "system:apiserver", "get", "endpointslices", "kubernetes", func(e *Event) { e.ObjectRef.Namespace = "default" }), RoleBackground, ""},
		{"discovery of a component", event(3, "system:apiserver", "get", "", "", func(e *Event) { e.ObjectRef.Namespace = "" }), RoleBackground, ""},
		{"the autoscaler", event(8, "system:serviceaccount:kube-system:horizontal-pod-autoscaler", "get", "deployments", tokenA), RoleUnscored, ""},
		{"a cron job's tick", event(3, controller, "create", "pods", tokenA+"-29384756-x7k2p"), RoleUnscored, ""},
		{"the lab itself", event(3, "kubernetes-admin", "create", "namespaces", space), RoleUnscored, ""},
		{"a rapid step before the second", event(32.5, controller, "create", "pods", tokenR+"-abcde"), RoleEffect, "kubectl create deployment of carol"},
		{"a rapid line that only the second step shows in calm", event(35, controller, "delete", "pods", tokenR+"-abcde"), RoleUnscored, ""},
		{"a rapid line that both steps show in calm", event(36, controller, "create", "pods", tokenR+"-fghij"), RoleUnscored, ""},
	}
	var events []*Event
	for _, tt := range tests {
		events = append(events, tt.event)
	}
	found, err := Attribute(events, testJournal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, c := range found.Contexts {
		texts[c.Context] = c.Command + " of " + c.User
	}
	for i, tt := range tests {
		l := found.Lines[i]
		command := ""
		if l.Context != nil {
			command = texts[*l.Context]
		}
		if l.Role != tt.role || command != tt.command {
			t.Errorf("%s: %s of %q; want %s of %q (%s)", tt.name, l.Role, command, tt.role, tt.command, l.Why)
		}
	}
}

func TestRapidLinesGoWhereCalmShowedThem(t *testing.T) {
	events := []*Event{
		event(1.5, "alice", "create", "deployments", tokenA),
		event(3, controller, "create", "pods", tokenA+"-abcde"),
		event(6.5, "alice", "patch", "deployments", tokenA),
		event(8, controller, "delete", "pods", tokenA+"-abcde"),
		event(31.5, "carol", "create", "deployments", tokenR),
		event(33.5, "carol", "patch", "deployments", tokenR),
		event(35, controller, "delete", "pods", tokenR+"-abcde"),
		event(35.1, controller, "create", "pods", tokenR+"-fghij"),
		event(35.2, controller, "update", "replicasets", tokenR+"-fghij"),
	}
	found, err := Attribute(events, testJournal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"c0000 root", "c0000 effect", "c0001 root", "c0001 effect", "c0002 root", "c0003 root", "c0003 effect", "c0002 effect", " unscored"}
	for i, l := range found.Lines {
		if got := place(l); got != want[i] {
			t.Errorf("line %d is %s; want %s (%s)", i+1, got, want[i], l.Why)
		}
	}
}

// What follows a deletion that did not wait stays unscored, but for what calm
// showed of the deletion itself.
func TestARapidDeletionCutsShort(t *testing.T) {
	events := []*Event{
		event(1.5, "alice", "create", "deployments", tokenA),
		event(3, controller, "create", "pods", tokenA+"-abcde"),
		event(6.5, "alice", "delete", "deployments", tokenA),
		event(8, controller, "delete", "pods", tokenA+"-abcde"),
		event(31.5, "carol", "create", "deployments", tokenR),
		event(32.5, controller, "create", "pods", tokenR+"-abcde"),
		event(33.5, "carol", "delete", "deployments", tokenR),
		event(35, controller, "delete", "pods", tokenR+"-abcde"),
		event(35.1, controller, "create", "pods", tokenR+"-fghij"),
	}
	found, err := Attribute(events, testJournal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c0000 root", "c0000 effect", "c0001 root", "c0001 effect", "c0002 root", "c0002 effect", "c0003 root", "c0003 effect", " unscored"} {
		if got := place(found.Lines[i]); got != want {
			t.Errorf("line %d is %s; want %s (%s)", i+1, got, want, found.Lines[i].Why)
		}
	}
}

// A step after which silence did not come is like a rapid one: what follows the
// next step may still be its own.
func TestWithoutSilenceNothingIsCertain(t *testing.T) {
	journal := testJournal()
	journal.Commands[0].Restless = true
	journal.Commands[1].Clock = false
	events := []*Event{
		event(1.5, "alice", "create", "deployments", tokenA),
		event(3, controller, "create", "pods", tokenA+"-abcde"),
		event(6.5, "alice", "patch", "deployments", tokenA),
		event(8, controller, "create", "pods", tokenA+"-fghij"),
		// The same steps, rapid: the first chain did not show in calm what they cause.
		event(31.5, "carol", "create", "deployments", tokenR),
		event(33.5, "carol", "patch", "deployments", tokenR),
		event(35, controller, "create", "pods", tokenR+"-abcde"),
	}
	found, err := Attribute(events, journal, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c0000 root", "c0000 effect", "c0001 root", " unscored", "c0002 root", "c0003 root", " unscored"} {
		if got := place(found.Lines[i]); got != want {
			t.Errorf("line %d is %s; want %s (%s)", i+1, got, want, found.Lines[i].Why)
		}
	}
}

// Two people's steps that start together are told apart only until the second
// has changed something.
func TestStepsThatStartTogether(t *testing.T) {
	journal := testJournal()
	journal.Chains = append(journal.Chains, Chain{Scenario: "both", Mode: "together", Tokens: []Token{{Text: sealToken("tttttttt1"), Space: space}}, Start: at(60), End: at(80)})
	journal.Commands = append(journal.Commands,
		Command{Chain: 3, Step: 0, User: "alice", Text: "kubectl scale", Start: at(61), End: at(62.5), Settled: at(65), Rapid: true},
		Command{Chain: 3, Step: 1, User: "bob", Text: "kubectl set image", Start: at(61.1), End: at(62.4), Settled: at(65)},
		Command{Chain: 3, Step: 2, User: "bob", Text: "kubectl delete", Start: at(66), End: at(67), Settled: at(70)})
	name := sealToken("tttttttt1")
	events := []*Event{
		event(61.5, "alice", "patch", "deployments", name),
		event(61.6, controller, "create", "pods", name+"-abcde"),
		event(62.2, "bob", "patch", "deployments", name),
		event(62.3, controller, "create", "pods", name+"-fghij"),
		event(66.5, "bob", "delete", "deployments", name),
		event(67, controller, "delete", "pods", name+"-abcde"),
	}
	found, err := Attribute(events, journal, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"c0000 root", "c0000 effect", "c0001 root", " unscored", "c0002 root", "c0002 effect"} {
		if got := place(found.Lines[i]); got != want {
			t.Errorf("line %d is %s; want %s (%s)", i+1, got, want, found.Lines[i].Why)
		}
	}
}

// Nothing is caused before the request that causes it has been received: a late
// effect that meets the next command's first look is of the change before.
func TestEffectsComeAfterTheirRoot(t *testing.T) {
	events := []*Event{
		event(1.4, controller, "create", "pods", tokenA+"-abcde"),
		event(1.5, "alice", "create", "deployments", tokenA),
		event(3, controller, "create", "pods", tokenA+"-fghij"),
		event(6.1, "alice", "get", "deployments", tokenA),
		event(6.2, controller, "update", "replicasets", tokenA+"-5d4f"),
		event(6.5, "alice", "patch", "deployments", tokenA),
		event(6.6, controller, "update", "replicasets", tokenA+"-5d4f"),
	}
	found, err := Attribute(events, testJournal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{" unscored", "c0000 root", "c0000 effect", "c0001 client", "c0000 effect", "c0001 root", "c0001 effect"} {
		if got := place(found.Lines[i]); got != want {
			t.Errorf("line %d is %s; want %s (%s)", i+1, got, want, found.Lines[i].Why)
		}
	}
}

// place is a line's context and role.
func place(l Line) string {
	if l.Context == nil {
		return " " + l.Role
	}
	return *l.Context + " " + l.Role
}

func TestReadingCausesNothing(t *testing.T) {
	journal := testJournal()
	journal.Commands[1].Clock = false
	events := []*Event{
		event(1.5, "alice", "create", "deployments", tokenA),
		event(6.5, "alice", "get", "deployments", tokenA),
		event(8, controller, "create", "pods", tokenA+"-abcde"),
	}
	found, err := Attribute(events, journal, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := found.Lines[2]; l.Role != RoleEffect || *l.Context != found.Contexts[0].Context {
		t.Errorf("what follows a command that only reads is %s of %v; want it of the change before", l.Role, l.Context)
	}
}

func TestRoots(t *testing.T) {
	dry := func(e *Event) { e.RequestURI = "/apis?dryRun=All" }
	tests := []struct {
		name       string
		events     []*Event
		root       int
		principals int
	}{
		{"the first that changes something", []*Event{event(1.1, "alice", "get", "deployments", tokenA), event(1.2, "alice", "patch", "deployments", tokenA), event(1.3, "alice", "create", "services", tokenA)}, 2, 2},
		{"by when it was received, not where it stands", []*Event{event(1.4, "alice", "create", "services", tokenA), event(1.2, "alice", "create", "configmaps", tokenA)}, 2, 2},
		{"a command that only reads", []*Event{event(1.1, "alice", "get", "", ""), event(1.2, "alice", "get", "pods", tokenA), event(1.3, "alice", "list", "events", "")}, 2, 0},
		{"a dry run changes nothing", []*Event{event(1.1, "alice", "get", "pods", tokenA), event(1.2, "alice", "patch", "pods", tokenA, dry)}, 1, 0},
		{"a connection into a container", []*Event{event(1.1, "alice", "get", "pods", tokenA), event(1.2, "alice", "get", "pods", tokenA, func(e *Event) { e.ObjectRef.Subresource = "exec" })}, 2, 1},
	}
	for _, tt := range tests {
		found, err := Attribute(tt.events, testJournal(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Contexts) != 1 {
			t.Errorf("%s: %d contexts; want 1", tt.name, len(found.Contexts))
			continue
		}
		if c := found.Contexts[0]; c.RootLine != tt.root || c.Principals != tt.principals {
			t.Errorf("%s: the root is line %d with %d principals; want line %d with %d", tt.name, c.RootLine, c.Principals, tt.root, tt.principals)
		}
	}
}

func TestCommandsWithoutARoot(t *testing.T) {
	events := []*Event{
		event(1.2, "alice", "get", "", ""),             // discovery
		event(31.5, "carol", "create", "pods", tokenR), // which the policy leaves out
		event(33.5, "carol", "patch", "pods", tokenR),
	}
	journal := testJournal()
	journal.Commands[0].Text = "kubectl api-resources"
	journal.Commands[2].Status = 1
	found, err := Attribute(events, journal, []bool{true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	texts := func(list []Command) string {
		var out []string
		for _, c := range list {
			out = append(out, c.User+" "+c.Text)
		}
		return strings.Join(out, ", ")
	}
	if got, want := texts(found.Lost), "alice kubectl scale"; got != want {
		t.Errorf("lost: %s; want %s", got, want)
	}
	if got, want := texts(found.Rootless), "alice kubectl api-resources, alice kubectl scale, bob kubectl run, carol kubectl create deployment"; got != want {
		t.Errorf("without a root: %s; want %s", got, want)
	}
}

func TestAsksNoResource(t *testing.T) {
	for _, tt := range []struct {
		text string
		want bool
	}{
		{"kubectl api-resources", true},
		{"kubectl -n shop --context=x version", true},
		{"kubectl get pods", false},
		{"kubectl -n shop describe pod version", false},
		{"kubectl create deployment web --image=x --dry-run=client -o yaml", true},
		{"kubectl create deployment web --image=x --dry-run=server", false},
		{"GET /api/v1/pods?limit=5", false},
		{"POST /apis/apps/v1/namespaces/shop/deployments", false},
		{"GET /apis/apps/v1", true},
		{"GET /readyz", true},
	} {
		if got := asksNoResource(tt.text); got != tt.want {
			t.Errorf("%s asks for no resource: %v; want %v", tt.text, got, tt.want)
		}
	}
}

func TestAttributeRefusesAJournalThatCannotBe(t *testing.T) {
	twice := testJournal()
	twice.Chains[1].Tokens = twice.Chains[0].Tokens
	if _, err := Attribute(nil, twice, nil); err == nil || !strings.Contains(err.Error(), tokenA) {
		t.Errorf("a token of two chains gives %v", err)
	}
	both := testJournal()
	both.Commands[2].User = "alice"
	if _, err := Attribute(nil, both, nil); err == nil || !strings.Contains(err.Error(), "alice runs two commands at once") {
		t.Errorf("two commands at once give %v", err)
	}
}

func TestKeepLeavesOutWhatThePolicyDrops(t *testing.T) {
	events := []*Event{
		event(1.1, "alice", "get", "deployments", tokenA),
		event(1.2, "alice", "create", "deployments", tokenA),
		event(3, controller, "create", "pods", tokenA+"-abcde"),
	}
	found, err := Attribute(events, testJournal(), []bool{false, true, true})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Lines) != 2 || found.Contexts[0].RootLine != 1 || found.Lines[1].Line != 2 || found.Lines[1].Role != RoleEffect {
		t.Errorf("lines %+v, contexts %+v", found.Lines, found.Contexts)
	}
}
