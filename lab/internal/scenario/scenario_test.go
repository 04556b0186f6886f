package scenario

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const good = `
scenarios:
- name: pod-life
  about: A pod.
  scope: own
  steps:
  - run: kubectl -n {{ns}} run {{name}} --image=nginx
    settle: 3s
    clock: 1m
  - call: {method: POST, path: "/api/v1/namespaces/{{ns}}/pods", body: '{"name":"{{name2}}"}', userAgent: x}
    by: ci
    fails: true
`

func TestLoad(t *testing.T) {
	list, err := Load("good.yaml", strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	s := list[0]
	if s.Name != "pod-life" || s.Scope != Own || len(s.Steps) != 2 || !s.UsesNamespace() {
		t.Errorf("got %+v", s)
	}
	if time.Duration(s.Steps[0].Settle) != 3*time.Second || time.Duration(s.Steps[0].Clock) != time.Minute || !s.Steps[1].Fails {
		t.Errorf("got %+v", s.Steps)
	}
	e := s.Steps[1].Expand(map[string]string{"ns": "shop", "name2": "web"})
	if e.Call.Path != "/api/v1/namespaces/shop/pods" || e.Call.Body != `{"name":"web"}` {
		t.Errorf("expanded to %+v", e.Call)
	}
	if !strings.Contains(s.Steps[1].Call.Path, "{{ns}}") {
		t.Error("Expand changes the scenario itself")
	}
	if got, want := s.Steps[1].Variables(), []string{"name2", "ns"}; !reflect.DeepEqual(got, want) {
		t.Errorf("variables %q; want %q", got, want)
	}
}

func TestSuffixes(t *testing.T) {
	list, err := Load("x", strings.NewReader("scenarios:\n- name: x\n  steps:\n  - run: kubectl -n {{ns}} get pod {{name}}-api-0 {{name2}}s {{ns}}-x\n    stdin: '{{name3}}-db {{name}}-api-0'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Suffixes(list), []string{"-api-0", "-db"}; !reflect.DeepEqual(got, want) {
		t.Errorf("the suffixes are %q; want %q", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	step := func(s string) string { return "scenarios:\n- name: x\n  steps:\n  - " + s + "\n" }
	tests := []struct{ name, text, want string }{
		{"an empty file", "", "the file is empty"},
		{"no scenarios", "scenarios: []", "no scenarios"},
		{"an unknown field", step("run: kubectl get pods\n    wait: 3s"), "line 5: field wait not found"},
		{"an unknown field above", "scenes: []", "field scenes not found"},
		{"an unknown variable", step("run: kubectl get pod {{title}}"), "no variable is called {{title}}"},
		{"a step that does nothing", step("by: first"), "either run or call"},
		{"a step that does two things", step("{run: kubectl get pods, call: {method: GET, path: /api}}"), "either run or call"},
		{"another program", step("run: rm -rf /"), `only kubectl runs, not "rm"`},
		{"an open quote", step(`run: "kubectl get 'pods"`), "is not closed"},
		{"an unknown actor", step("run: kubectl get pods\n    by: nobody"), `by "nobody" is none of`},
		{"a bad duration", step("run: kubectl get pods\n    settle: soon"), `line 5: "soon" is not a duration`},
		{"a negative duration", step("run: kubectl get pods\n    settle: -1s"), "is not a duration"},
		{"a bad scope", "scenarios:\n- name: x\n  scope: world\n  steps: [{run: kubectl get pods}]", `the scope "world"`},
		{"a bad name", "scenarios:\n- name: ../x\n  steps: [{run: kubectl get pods}]", `the name "../x"`},
		{"no steps", "scenarios:\n- name: x", "no steps"},
		{"a namespace in the cluster", "scenarios:\n- name: x\n  scope: cluster\n  steps: [{run: 'kubectl -n {{ns}} get pods'}]", "has no {{ns}}"},
		{"a newcomer without a certificate", step("run: kubectl get pods\n    by: newcomer"), "no certificate before a step that certifies"},
		{"a call that certifies", step("{call: {method: GET, path: /api}, certifies: true}"), "only a command certifies"},
		{"a call that prints", step("{call: {method: GET, path: /api}, prints: pod}"), "only a command certifies or prints"},
		{"nothing to start together with", step("{run: kubectl get pods, meanwhile: true}"), "cannot start together"},
		{"two that print", step("{run: kubectl get pods, prints: pod}\n  - {run: kubectl get pods, meanwhile: true}"), "cannot start together"},
		{"an unknown variable to print", step("{run: kubectl get pods, prints: name}"), `prints "name"`},
		{"a pod that nobody printed", step("run: kubectl get pod {{pod}}"), "{{pod}} has no value before"},
		{"a command's own name", step("run: kubectl -n {{ns}} run web --image=nginx"), "comes from no variable"},
		{"a manifest's own name", step("run: kubectl apply -f -\n    stdin: |\n      kind: Pod\n      metadata: {name: \"{{name}}\"}\n      ---\n      kind: Pod\n      metadata: {name: web}"), "the name web of a Pod comes from no variable"},
		{"a body's own name", step(`call: {method: POST, path: /api, body: '{"kind":"Pod","metadata":{"name":"web"}}'}`), "the name web of a Pod"},
		{"a name in a namespace for the cluster", step("run: kubectl apply -f -\n    stdin: |\n      kind: StorageClass\n      metadata: {name: \"{{name}}\"}"), "a StorageClass belongs to no namespace"},
		{"a command that does so", step("run: kubectl create clusterrole {{name}} --verb=get --resource=nodes"), "a clusterrole belongs to no namespace"},
		{"a relative path", step("call: {method: GET, path: api}"), "a path that starts with a slash"},
	}
	for _, tt := range tests {
		_, err := Load("bad.yaml", strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "bad.yaml") {
			t.Errorf("%s: Load says %v; want an error with bad.yaml and %q", tt.name, err, tt.want)
		}
	}
}

func TestCommandsThatMakeNothingNeedNoName(t *testing.T) {
	for _, run := range []string{
		"kubectl -n {{ns}} auth can-i create pods", "kubectl get pods", "kubectl -n", "kubectl", "kubectl --context=x create -f -\n    stdin: x",
		"kubectl -n {{ns}} create token {{name}}", "kubectl create namespace {{name3}}",
	} {
		if _, err := Load("x", strings.NewReader("scenarios:\n- name: x\n  steps:\n  - run: "+run+"\n")); err != nil {
			t.Errorf("%s: %v", run, err)
		}
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{"kubectl get pods", []string{"kubectl", "get", "pods"}},
		{"  a\t b \n", []string{"a", "b"}},
		{`a -p '{"x": "y z"}' b`, []string{"a", "-p", `{"x": "y z"}`, "b"}},
		{`a "it's" ''`, []string{"a", "it's", ""}},
		{`--schedule='0 0 1 1 *'`, []string{"--schedule=0 0 1 1 *"}},
	}
	for _, tt := range tests {
		got, err := Split(tt.in)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Split(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "  ", "a 'b", `a "b`} {
		if got, err := Split(bad); err == nil {
			t.Errorf("Split(%q) = %q; want an error", bad, got)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(good)
	f.Add("scenarios:\n- name: x\n  steps: [{run: kubectl}]")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Load("fuzz", strings.NewReader(text))
		if err == nil && len(list) == 0 {
			t.Error("no error and no scenarios")
		}
		for _, s := range list {
			for i := range s.Steps {
				s.Steps[i].Expand(map[string]string{"name": "x"})
			}
		}
	})
}
