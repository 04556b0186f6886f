package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// event returns a line at level RequestResponse.
func event(user, groups, verb, uri, ref string) string {
	if ref != "" {
		ref = `"objectRef":` + ref + `,`
	}
	return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a","stage":"ResponseComplete","requestURI":"` + uri +
		`","verb":"` + verb + `","user":{"username":"` + user + `","groups":[` + groups + `]},` + ref +
		`"requestObject":{"metadata":{"name":"x","managedFields":[{"manager":"k"}]}},"responseObject":{"items":[{"metadata":{"managedFields":[]}}]},"annotations":{"a":"b"}}`
}

func get(t *testing.T, name string) *Policy {
	t.Helper()
	data, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryPolicyLoads(t *testing.T) {
	names := Names()
	if len(names) < 7 {
		t.Errorf("only the policies %q", names)
	}
	for _, n := range names {
		get(t, n)
	}
}

func TestLevels(t *testing.T) {
	pod := event("alice", `"system:authenticated"`, "create", "/api/v1/namespaces/shop/pods", `{"resource":"pods","namespace":"shop","name":"web","apiVersion":"v1"}`)
	podGet := event("alice", `"system:authenticated"`, "get", "/api/v1/namespaces/shop/pods/web", `{"resource":"pods","namespace":"shop","name":"web","apiVersion":"v1"}`)
	secret := event("alice", `"system:authenticated"`, "get", "/api/v1/namespaces/shop/secrets/s", `{"resource":"secrets","namespace":"shop","name":"s","apiVersion":"v1"}`)
	events := event("system:kube-scheduler", `"system:authenticated"`, "create", "/api/v1/namespaces/shop/events", `{"resource":"events","namespace":"shop","apiVersion":"v1"}`)
	status := event("system:node:n", `"system:nodes"`, "patch", "/api/v1/namespaces/shop/pods/web/status", `{"resource":"pods","subresource":"status","namespace":"shop","name":"web","apiVersion":"v1"}`)
	deploy := event("alice", `"system:authenticated"`, "patch", "/apis/apps/v1/namespaces/shop/deployments/d?fieldManager=x", `{"resource":"deployments","namespace":"shop","name":"d","apiGroup":"apps","apiVersion":"v1"}`)
	version := event("alice", `"system:authenticated"`, "get", "/version?timeout=5s", "")
	custom := event("alice", `"system:authenticated"`, "create", "/apis/example.org/v1/namespaces/shop/things", `{"resource":"things","namespace":"shop","apiGroup":"example.org","apiVersion":"v1"}`)
	tests := []struct{ policy, what, line, want string }{
		{Everything, "a pod", pod, "RequestResponse"},
		{Metadata, "a pod", pod, "Metadata"},
		{"request", "a pod", pod, "Request"},
		{"kubeadm-guide", "a pod", pod, "RequestResponse"},
		{"kubeadm-guide", "a pod's status", status, "Metadata"},
		{"kubeadm-guide", "a secret", secret, "Metadata"},
		{"kubeadm-guide", "a deployment", deploy, "Metadata"},
		{"kubeadm-guide", "the version", version, "None"},
		{"gke", "a pod", pod, "RequestResponse"},
		{"gke", "reading a pod", podGet, "Request"},
		{"gke", "a secret", secret, "Metadata"},
		{"gke", "an Event", events, "None"},
		{"gke", "a node's status of a pod", status, "Request"},
		{"gke", "a deployment", deploy, "RequestResponse"},
		{"gke", "a custom resource", custom, "Metadata"},
		{"eks", "a deployment", deploy, "RequestResponse"},
		{"eks", "an Event", events, "None"},
		{"aks-audit-admin", "reading a pod", podGet, "None"},
		{"aks-audit-admin", "a pod", pod, "RequestResponse"},
	}
	for _, tt := range tests {
		got, err := get(t, tt.policy).Level([]byte(tt.line))
		if err != nil || got != tt.want {
			t.Errorf("%s: %s is logged at %s (%v); want %s", tt.policy, tt.what, got, err, tt.want)
		}
	}
}

func TestApply(t *testing.T) {
	line := event("alice", "", "create", "/api/v1/namespaces/shop/pods", `{"resource":"pods","namespace":"shop"}`)
	tests := []struct {
		policy            string
		request, response bool
	}{{Everything, true, true}, {"request", true, false}, {Metadata, false, false}}
	for _, tt := range tests {
		got, logged, err := get(t, tt.policy).Apply([]byte(line))
		if err != nil || !logged {
			t.Fatalf("%s: logged %v, %v", tt.policy, logged, err)
		}
		if !json.Valid(got) {
			t.Fatalf("%s: no JSON: %s", tt.policy, got)
		}
		if strings.Contains(string(got), `"requestObject"`) != tt.request || strings.Contains(string(got), `"responseObject"`) != tt.response {
			t.Errorf("%s gives %s", tt.policy, got)
		}
		if !strings.Contains(string(got), `"annotations":{"a":"b"}`) {
			t.Errorf("%s loses annotations: %s", tt.policy, got)
		}
		level, err := get(t, tt.policy).Level(got)
		if err != nil || !strings.Contains(string(got), `"level":"`+level+`"`) {
			t.Errorf("%s: the line's level is not %s: %s", tt.policy, level, got)
		}
	}
	if got, _, err := get(t, Everything).Apply([]byte(line)); err != nil || string(got) != line {
		t.Errorf("the policy for everything changes a line to %s (%v)", got, err)
	}
}

func TestOmittedStagesAndManagedFields(t *testing.T) {
	p, err := New("test", []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nomitManagedFields: true\nomitStages: [ResponseStarted]\nrules: [{level: RequestResponse}]"))
	if err != nil {
		t.Fatal(err)
	}
	line := event("alice", "", "create", "/api/v1/pods", `{"resource":"pods"}`)
	got, logged, err := p.Apply([]byte(line))
	if err != nil || !logged || strings.Contains(string(got), "managedFields") || !strings.Contains(string(got), `"name":"x"`) {
		t.Errorf("got %s, %v, %v", got, logged, err)
	}
	if _, logged, err := p.Apply([]byte(strings.Replace(line, "ResponseComplete", "ResponseStarted", 1))); logged || err != nil {
		t.Errorf("an omitted stage is logged: %v, %v", logged, err)
	}
}

func TestBadInput(t *testing.T) {
	if _, err := Named("none"); err == nil || !strings.Contains(err.Error(), "gke") {
		t.Errorf("an unknown policy gives %v; want the known ones", err)
	}
	if _, err := New("mine", []byte("rules: {")); err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("a broken policy gives %v", err)
	}
	for _, bad := range []string{"", "[]", "{", `{"level":1`, `{"verb":3}`} {
		if _, _, err := get(t, Metadata).Apply([]byte(bad)); err == nil {
			t.Errorf("the line %q gives no error", bad)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte(event("alice", `"g"`, "get", "/api/v1/pods?x=%zz", `{"resource":"pods"}`)))
	f.Add([]byte(`{"level":"RequestResponse","responseObject":{"metadata":[],"items":{"managedFields":1}}}`))
	data, err := Named("gke")
	if err != nil {
		f.Fatal(err)
	}
	p, err := New("gke", data)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, logged, err := p.Apply(line)
		if err == nil && logged && !json.Valid(got) {
			t.Errorf("%s becomes %s", line, got)
		}
	})
}

func TestRead(t *testing.T) {
	if _, err := Read("../../../deploy/audit-policy.yaml"); err != nil {
		t.Error(err)
	}
	named, err := Read(Everything)
	if err != nil || len(named) == 0 {
		t.Errorf("by name it gives %d bytes (%v)", len(named), err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Everything}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nobody", "no/such/file", wrong} {
		if _, err := Read(name); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
