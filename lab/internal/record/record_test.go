package record

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/scenario"
	"github.com/whet-k8s/whet/lab/internal/truth"
)

const goodPlan = "nodes: 1\npeople: 4\nsettle: 2s\nphases:\n- mode: together\n  workers: 2\n  spaces: 1\n  pairs: true\n"

func TestLoadPlan(t *testing.T) {
	p, err := LoadPlan("good", strings.NewReader(goodPlan))
	if err != nil {
		t.Fatal(err)
	}
	if p.Phases[0].Mode != Together || time.Duration(p.Settle) != 2*time.Second {
		t.Errorf("got %+v", p)
	}
}

func TestLoadPlanRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"no nodes", "nodes: 1", "nodes: 0", "nodes is 0"},
		{"too many people", "people: 4", "people: 400", "people is 400"},
		{"no settle", "settle: 2s\n", "", "settle is missing"},
		{"an unknown field", "nodes: 1", "nodes: 1\nhosts: 2", "line 2: field hosts not found"},
		{"an unknown mode", "together", "mixed", `the mode "mixed"`},
		{"no spaces", "spaces: 1", "spaces: 0", "needs spaces"},
		{"more people than there are", "workers: 2", "workers: 3", "3 workers with 2 people each do not fit 4 people"},
		{"no phases", "phases:\n- mode: together\n  workers: 2\n  spaces: 1\n  pairs: true\n", "", "at least one phase"},
	}
	for _, tt := range tests {
		_, err := LoadPlan("plan", strings.NewReader(strings.Replace(goodPlan, tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: LoadPlan says %v; want %q", tt.name, err, tt.want)
		}
	}
}

func TestScenariosRunWhereTheyFit(t *testing.T) {
	tests := []struct {
		scope scenario.Scope
		fits  map[Mode]bool
	}{
		{scenario.Shared, map[Mode]bool{OneByOne: true, Apart: true, Together: true, Rapid: true}},
		{scenario.Own, map[Mode]bool{OneByOne: true, Apart: true}},
		{scenario.Alone, map[Mode]bool{OneByOne: true}},
		{scenario.Cluster, map[Mode]bool{OneByOne: true, Apart: true, Together: true, Rapid: true}},
	}
	for _, tt := range tests {
		for _, m := range []Mode{OneByOne, Apart, Together, Rapid} {
			f := Phase{Mode: m}
			if got := f.fits(&scenario.Scenario{Scope: tt.scope}, false); got != tt.fits[m] {
				t.Errorf("a scenario of scope %q in mode %s: %v", tt.scope, m, got)
			}
		}
	}
	f := Phase{Mode: Apart}
	needs := &scenario.Scenario{Needs: []string{"operator"}}
	if f.fits(needs, false) || !f.fits(needs, true) {
		t.Error("a scenario that needs the operator must run only beside it")
	}
}

func TestARecordingThatCannotBeIsRefusedAtOnce(t *testing.T) {
	scene := func(name string, scope scenario.Scope) scenario.Scenario {
		return scenario.Scenario{Name: name, Scope: scope}
	}
	alone, together := Phase{Mode: OneByOne}, Phase{Mode: Together}
	tests := []struct {
		name     string
		options  Options
		plan     Plan
		want     string
		fittings []int
	}{
		{"all fit", Options{Scenarios: []scenario.Scenario{scene("a", ""), scene("b", scenario.Alone)}}, Plan{Phases: []Phase{alone, together}}, "", []int{2, 1}},
		{"a phase that fits none", Options{Scenarios: []scenario.Scenario{scene("b", scenario.Alone)}}, Plan{Phases: []Phase{alone, together}}, "phase 2: no scenario fits the mode together", nil},
		{"one that fits none of those chosen", Options{Arguments: []string{"b"}, Scenarios: []scenario.Scenario{scene("b", scenario.Alone)}}, Plan{Phases: []Phase{alone, together}}, "", []int{1, 0}},
		{"none fits", Options{Arguments: []string{"b.yaml"}, Scenarios: []scenario.Scenario{scene("b", scenario.Own)}}, Plan{Phases: []Phase{together}}, "none of the scenarios that b.yaml names fits any phase of the plan mine", nil},
		{"an unknown name", Options{Scenarios: []scenario.Scenario{scene("a", "")}}, Plan{Phases: []Phase{{Mode: Together, Only: []string{"no-such"}}}}, "phase 1: only names no-such", nil},
		{"a known name that was not chosen", Options{Arguments: []string{"a"}, Scenarios: []scenario.Scenario{scene("a", "")}}, Plan{Phases: []Phase{{Mode: Together, Only: []string{"b"}}, together}}, "", []int{0, 1}},
		{"no operator", Options{Lab: "/bin/lab", Scenarios: []scenario.Scenario{scene("a", "")}}, Plan{Operator: true, Phases: []Phase{together}}, "not beside /bin/lab", nil},
	}
	for _, tt := range tests {
		o := tt.options
		o.Plan, o.PlanName, o.Known, o.Out = &tt.plan, "mine", []string{"a", "b"}, filepath.Join(t.TempDir(), "out")
		fitting, err := o.check()
		var got []int
		for _, f := range fitting {
			got = append(got, len(f))
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || !slices.Equal(got, tt.fittings) {
			t.Errorf("%s: %v, %v; want %v, %q", tt.name, got, err, tt.fittings, tt.want)
		}
		if tt.want == "" {
			continue
		}
		if err := Record(context.Background(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Record says %v; want %q", tt.name, err, tt.want)
		}
		if _, err := os.Stat(o.Out); err == nil {
			t.Errorf("%s: the folder for the recording was made", tt.name)
		}
	}
}

func TestDiskSpaceIsLookedAt(t *testing.T) {
	dir := t.TempDir()
	if err := checkDisk(dir, 1, ""); err != nil {
		t.Error(err)
	}
	if err := checkDisk(dir, 1<<62, "free some"); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "free some") {
		t.Errorf("a disk that is too small gives %v", err)
	}
}

// rawLog is a log with tokens as the API server writes it, and its journal.
func rawLog() ([][]byte, *truth.Journal) {
	const token, space = "zqaaaaaaaa1suw", "zqssssssss1ksd"
	at := func(s int) time.Time { return time.Date(2026, 11, 23, 12, 0, s, 0, time.UTC) }
	line := func(second int, user, verb, uri, resource, name string) []byte {
		return fmt.Appendf(nil, `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"id-%d","stage":"ResponseComplete","requestURI":%q,"verb":%q,`+
			`"user":{"username":%q,"groups":["system:authenticated"]},"objectRef":{"resource":%q,"namespace":%q,"name":%q,"apiVersion":"v1"},`+
			`"requestObject":{"metadata":{"name":%q}},"responseObject":{"kind":"Status"},"requestReceivedTimestamp":"2026-11-23T12:00:%02d.000000Z"}`,
			second, uri, verb, user, resource, space, name, name, second)
	}
	raw := [][]byte{
		line(1, "alice", "get", "/api/v1/namespaces/"+space+"/pods/"+token, "pods", token),
		line(2, "alice", "create", "/api/v1/namespaces/"+space+"/pods", "pods", token),
		line(4, "system:node:n", "patch", "/api/v1/namespaces/"+space+"/pods/"+token+"/status", "pods", token),
		line(5, "system:kube-scheduler", "create", "/api/v1/namespaces/"+space+"/events", "events", token+".17f"),
	}
	return raw, &truth.Journal{
		Lab:      "kubernetes-admin",
		Spaces:   []truth.Token{{Text: space, Namespace: true}},
		Chains:   []truth.Chain{{Scenario: "pod", Mode: "together", Tokens: []truth.Token{{Text: token, Space: space}}, Start: at(0), End: at(9)}},
		Commands: []truth.Command{{User: "alice", Text: "kubectl run " + token, Start: at(0), End: at(3), Settled: at(8)}},
	}
}

func TestBuild(t *testing.T) {
	tests := []struct {
		policy string
		roles  string
	}{
		{"request-response", "client root effect effect"},
		{"metadata", "client root effect effect"},
		{"gke", "client root effect"},
		{"aks-audit-admin", "root effect effect"},
	}
	for _, tt := range tests {
		raw, journal := rawLog()
		b, err := Build(raw, journal, tt.policy, 1)
		if err != nil {
			t.Errorf("%s: %v", tt.policy, err)
			continue
		}
		var roles []string
		for _, l := range b.Lines {
			roles = append(roles, l.Role)
		}
		if got := strings.Join(roles, " "); got != tt.roles {
			t.Errorf("%s: the roles are %s; want %s", tt.policy, got, tt.roles)
		}
		if len(b.Audit) != len(b.Lines) || len(b.Metadata) != len(b.Lines) {
			t.Errorf("%s: %d, %d and %d lines", tt.policy, len(b.Audit), len(b.Metadata), len(b.Lines))
		}
		if strings.Contains(string(b.Metadata[0]), "requestObject") {
			t.Errorf("%s: the metadata log has bodies", tt.policy)
		}
	}
}

// The commands of a log that has lost some of its lines cannot all be told.
func TestBuildRefusesALogWithoutACommand(t *testing.T) {
	raw, journal := rawLog()
	journal.Commands = append(journal.Commands, truth.Command{User: "bob", Text: "kubectl get pods", Start: journal.Chains[0].Start, End: journal.Chains[0].End, Settled: journal.Chains[0].End})
	if _, err := Build(raw, journal, "metadata", 1); err == nil || !strings.Contains(err.Error(), `"kubectl get pods" of bob`) {
		t.Errorf("Build says %v; want the command and its user", err)
	}
}

func TestRecordingsAreReadBack(t *testing.T) {
	raw, journal := rawLog()
	b, err := Build(raw, journal, "request-response", 1)
	if err != nil {
		t.Fatal(err)
	}
	files, err := b.encode()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeFiles(dir, "rec", files); err != nil {
		t.Fatal(err)
	}
	if err := Check(filepath.Join(dir, "rec")); err != nil {
		t.Error(err)
	}
	log, lines, contexts, err := Read(filepath.Join(dir, "rec"), "audit")
	if err != nil || len(log) != 4 || len(lines) != 4 || len(contexts) != 1 {
		t.Errorf("read %d, %d, %d, %v", len(log), len(lines), len(contexts), err)
	}
	if strings.Contains(contexts[0].Command, "zq") {
		t.Errorf("the command is %q", contexts[0].Command)
	}
}

func TestNothingHalfWrittenIsLeft(t *testing.T) {
	dir := t.TempDir()
	// A folder stands where a file must go, so that placing it fails.
	if err := os.MkdirAll(filepath.Join(dir, "rec.truth.jsonl.zst", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := writeFiles(dir, "rec", map[string][]byte{fileAudit: []byte("a"), fileTruth: []byte("b"), fileContexts: []byte("c")})
	if err == nil {
		t.Fatal("no error")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "rec.truth.jsonl.zst" {
			t.Errorf("%s is left", e.Name())
		}
	}
}

func TestTailKnowsWhenSilenceComes(t *testing.T) {
	raw, _ := rawLog()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tail := newTail(path)
	go tail.follow(ctx)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := func(data []byte) {
		if _, err := f.Write(data); err != nil {
			t.Error(err)
		}
	}
	// A line may come in two pieces.
	write(raw[0][:50])
	write(append(raw[0][50:], '\n'))
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for range 6 {
			time.Sleep(50 * time.Millisecond)
			write(append(append([]byte{}, raw[2]...), '\n'))
		}
	}()
	if calm, err := tail.quiet(ctx, []string{"zqaaaaaaaa1suw"}, 10*time.Second, 150*time.Millisecond); calm || err != nil {
		t.Errorf("calm %v, %v while lines come", calm, err)
	}
	<-stop
	if calm, err := tail.quiet(ctx, []string{"zqaaaaaaaa1suw"}, 100*time.Millisecond, 10*time.Second); !calm || err != nil {
		t.Errorf("calm %v, %v after the last line", calm, err)
	}
	if calm, err := tail.quiet(ctx, []string{"zqnobody000agv"}, 50*time.Millisecond, 10*time.Second); !calm || err != nil {
		t.Errorf("calm %v, %v for a token that never came", calm, err)
	}
	write([]byte("no JSON\n"))
	deadline := time.Now().Add(10 * time.Second)
	for err == nil && time.Now().Before(deadline) {
		_, err = tail.since(nil)
		time.Sleep(10 * time.Millisecond)
	}
	if err == nil {
		t.Error("a broken line gives no error")
	}
}

func TestCall(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("User-Agent") != "pipeline/1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodDelete {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","message":"not now","code":409}`)
		}
	}))
	defer server.Close()
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(`{"apiVersion":"v1","kind":"Config","current-context":"a","contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}],
		"clusters":[{"name":"a","cluster":{"server":"`+server.URL+`","insecure-skip-tls-verify":true}}],"users":[{"name":"a","user":{"token":"secret"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	access := &cluster.Access{Kubeconfig: config}
	tests := []struct {
		method string
		status int
		why    string
	}{{"POST", 0, ""}, {"DELETE", 1, "not now"}}
	for _, tt := range tests {
		text, status, why, err := call(context.Background(), access, &scenario.Call{Method: tt.method, Path: "/api/v1/pods", Body: "{}", UserAgent: "pipeline/1"})
		if err != nil || status != tt.status || !strings.Contains(why, tt.why) || text != tt.method+" /api/v1/pods" {
			t.Errorf("%s: %q, %d, %q, %v", tt.method, text, status, why, err)
		}
	}
}

// Clients take their user agent from the name that their program runs under.
func TestAccountsRunProgramsOfTheirOwn(t *testing.T) {
	r := &recorder{options: Options{Lab: "/bin/lab"}}
	for _, tt := range []struct{ agent, want string }{{"", "kubectl"}, {"fleetagent", "fleetagent"}} {
		a := r.newActor("x", &cluster.Access{})
		a.agent = tt.agent
		cmd := r.kubectl(a, "get", "pods")
		if got := cmp.Or(cmd.Program, cmd.Name); got != tt.want || cmd.Path != "/bin/lab" {
			t.Errorf("an actor with the program %q runs %s of %s; want %s", tt.agent, got, cmd.Path, tt.want)
		}
	}
}

func TestPrintedNames(t *testing.T) {
	const token, other = "zqaaaaaaaa1suw", "zqssssssss1ksd"
	for _, tt := range []struct{ out, want string }{
		{token + "-5d4f-x7k2p\n", token + "-5d4f-x7k2p"},
		{"", token},
		{"web-5d4f-x7k2p", token},
		{other + "-5d4f-x7k2p", token},
		{token + "-a " + token + "-b", token},
	} {
		c := &chain{
			r: &recorder{options: Options{Progress: func(string) {}}}, phase: &Phase{}, scene: &scenario.Scenario{},
			tokens: []string{token}, values: map[string]string{"pod": token},
		}
		if c.printed("pod", tt.out); c.values["pod"] != tt.want {
			t.Errorf("after %q was printed, the pod is %s; want %s", tt.out, c.values["pod"], tt.want)
		}
	}
}

func TestRebuild(t *testing.T) {
	raw, journal := rawLog()
	journal.Commands[0].Restless = true
	dir, out := t.TempDir(), t.TempDir()
	r := &recorder{work: dir, plan: &Plan{Nodes: 1, People: 2, Phases: []Phase{{Mode: Together}}}, journal: *journal,
		options: Options{Version: "v1.37.2", Commit: "0123abc-dirty", Arguments: []string{"pod", "my scenarios"}, PlanName: "short", Seed: 3, Progress: func(string) {}, Scenarios: []scenario.Scenario{{Name: "pod", About: "A pod."}}}}
	if err := r.keepRaw(raw, r.notes()); err != nil {
		t.Fatal(err)
	}
	if err := Rebuild(dir, "gke", out, "again", func(string) {}); err != nil {
		t.Fatal(err)
	}
	if err := Check(filepath.Join(out, "again")); err != nil {
		t.Error(err)
	}
	card, err := os.ReadFile(filepath.Join(out, "again.card.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"v1.37.2", "make lab KUBERNETES=v1.37.2", "git checkout 0123abc    # and what was changed", "lab/bin/v1.37.2/lab record pod 'my scenarios' --plan short --seed 3 --policy gke --out DIR --prefix again", "- pod (1): A pod.", "- alice: 1 commands", "| lines | 3 |", "| steps after which silence did not come | 1 |"} {
		if !strings.Contains(string(card), want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	// The check holds the log against the policy that the card names.
	for _, tt := range []struct{ old, new, want string }{
		{"| audit policy | gke |", "| audit policy | request-response |", "where the policy says RequestResponse"},
		{"| audit policy | gke |", "| audit policy | none |", "none"},
		{"| audit policy | gke |", "", "does not say which audit policy"},
	} {
		other := strings.Replace(string(card), tt.old, tt.new, 1)
		if err := os.WriteFile(filepath.Join(out, "again.card.md"), []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Check(filepath.Join(out, "again")); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("with %q on the card the check says %v; want %q", tt.new, err, tt.want)
		}
	}
	if err := Rebuild(t.TempDir(), "gke", out, "none", nil); err == nil {
		t.Error("an empty folder gives no error")
	}
}
