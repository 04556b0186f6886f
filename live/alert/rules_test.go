package alert_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/live/alert"
	"github.com/whet-k8s/whet/pipeline"
)

// contexts analyses events in testdata, in which some texts are replaced by
// others.
func contexts(t testing.TB, name string, replace ...string) []pipeline.Context {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(replace...).Replace(string(data))
	var list []pipeline.Context
	sink := pipeline.Sink{Context: func(c *pipeline.Context) error {
		list = append(list, *c)
		return nil
	}}
	if _, err := pipeline.Run(t.Context(), []string{"-"}, strings.NewReader(text), pipeline.Options{}, sink); err != nil {
		t.Fatal(err)
	}
	return list
}

// open makes an Alerter with its state in a folder.
func open(t testing.TB, dir string, c alert.Config, change ...func(*alert.Options)) *alert.Alerter {
	t.Helper()
	o := alert.Options{Config: c, State: filepath.Join(dir, "alerts.json")}
	for _, f := range change {
		f(&o)
	}
	a, err := alert.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// fired lists the rules that told of contexts.
func fired(t testing.TB, a *alert.Alerter, list []pipeline.Context) []string {
	t.Helper()
	before := a.Stats().Fired
	if err := a.Contexts("prod", list); err != nil {
		t.Fatal(err)
	}
	var rules []string
	for rule, n := range a.Stats().Fired {
		if n > before[rule] {
			rules = append(rules, rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// TestDefaultRules gives events of the recordings to the rules that are built
// in: to each some that it is about, and some that it nearly is about.
func TestDefaultRules(t *testing.T) {
	many := func(list []pipeline.Context) []pipeline.Context {
		for i := range list {
			// 34 is what the deletion of a namespace makes; 51 is what the rule asks.
			list[i].Deletes += 17
		}
		return list
	}
	again := func(list []pipeline.Context, times int) (all []pipeline.Context) {
		for n := range times {
			for _, c := range list {
				c.ID = fmt.Sprint(c.ID, n)
				all = append(all, c)
			}
		}
		return all
	}
	covered := map[string]bool{}
	for _, c := range []struct {
		name string
		list []pipeline.Context
		want string
	}{
		{"secret of a namespace", contexts(t, "secret"), ""},
		{"secret of kube-system", contexts(t, "secret", "shop-test", "kube-system"), "secrets-in-kube-system"},
		{"all secrets", contexts(t, "secret", `/namespaces/shop-test/secrets/api`, "/secrets", `"namespace":"shop-test",`, "", `"name":"api",`, "", `"verb":"get"`, `"verb":"list"`), "secrets-in-kube-system"},
		{"secret of kube-system by a component", contexts(t, "secret", "shop-test", "kube-system", `"carol"`, `"system:serviceaccount:kube-system:cilium"`), ""},
		{"secret of kube-system by a service account", contexts(t, "secret", "shop-test", "kube-system", `"carol"`, `"system:serviceaccount:web:frontend"`), "secrets-in-kube-system"},
		{"secret of kube-system, refused", contexts(t, "secret", "shop-test", "kube-system", `"code":200`, `"code":403`), ""},
		{"secrets of kube-system beside pods", contexts(t, "reads"), "secrets-in-kube-system"},
		{"secrets beside pods", contexts(t, "reads", "kube-system", "shop"), ""},
		{"secrets beside pods, refused", contexts(t, "reads", `"code":200`, `"code":403`), ""},
		{"secret of kube-system that is edited", contexts(t, "edit"), "secrets-in-kube-system"},
		{"secret of kube-system that is replaced blindly", contexts(t, "edit", `"verb":"get"`, `"verb":"create"`, `"verb":"patch"`, `"verb":"create"`), ""},
		{"secrets of all namespaces, watched", contexts(t, "secret", `/namespaces/shop-test/secrets/api`, "/secrets", `"namespace":"shop-test",`, "", `"name":"api",`, "", `"verb":"get"`, `"verb":"watch"`, "ResponseComplete", "ResponseStarted"), "secrets-in-kube-system"},
		{"cluster-admin", contexts(t, "binding"), "cluster-admin-granted rbac-changed"},
		{"another role", contexts(t, "binding", "cluster-admin", "view"), "rbac-changed"},
		{"privileged pod", contexts(t, "privileged"), "privileged-pod"},
		{"privileged pod, refused", contexts(t, "privileged", `"code":201`, `"code":403`), ""},
		{"pod with the node's files", contexts(t, "privileged", `"privileged":true`, `"privileged":false`, `"hostPID":true`, `"hostPID":false`), "privileged-pod"},
		{"privileged pod of a deployment that is scaled", contexts(t, "scale"), "privileged-pod"},
		{"privileged pod of a deployment that a component scaled", contexts(t, "scale", `"carol"`, `"system:serviceaccount:kube-system:scaler"`), ""},
		{"privileged pod of a deployment, refused", contexts(t, "scale", `"code":201`, `"code":403`), ""},
		{"pod of a deployment that is scaled", contexts(t, "scale", `"privileged":true`, `"privileged":false`), ""},
		{"pod with the node's network", contexts(t, "privileged", `"privileged":true`, `"privileged":false`, `"hostPID":true`, `"hostPID":false`, `"path":"/"`, `"path":"/var/log"`), ""},
		{"pod", contexts(t, "privileged", `"privileged":true`, `"privileged":false`, `"hostPID":true`, `"hostPID":false`, `"hostNetwork":true`, `"hostNetwork":false`, `"hostPath"`, `"emptyDir"`), ""},
		{"exec", contexts(t, "exec"), "exec-into-pod"},
		{"exec that was refused", contexts(t, "exec", `"code":500`, `"code":403`), ""},
		{"logs", contexts(t, "exec", `"subresource":"exec"`, `"subresource":"log"`, "/exec", "/log"), ""},
		{"deletion of a namespace", contexts(t, "namespace"), ""},
		{"many deletions", many(contexts(t, "namespace")), "many-deletions"},
		{"token", contexts(t, "token"), "token-issued"},
		{"token for a kubelet", contexts(t, "token", `"frank"`, `"system:node:worker1"`), ""},
		{"impersonation", contexts(t, "impersonation"), "impersonation"},
		{"admission webhook", contexts(t, "webhook"), "admission-webhook-changed"},
		{"anonymous", contexts(t, "webhook", "mallory", "system:anonymous"), "admission-webhook-changed anonymous"},
		{"anonymous reading", contexts(t, "secret", `"carol"`, `"system:anonymous"`), ""},
		{"refused a few times", again(contexts(t, "refused"), 2), ""},
		{"refused often", again(contexts(t, "refused"), 3), "refused-often"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := fired(t, open(t, t.TempDir(), alert.Default()), c.list)
			if strings.Join(got, " ") != c.want {
				t.Errorf("told by %q, want %q", got, c.want)
			}
			for _, rule := range got {
				covered[rule] = true
			}
		})
	}
	for _, rule := range alert.Default().Rules {
		if !covered[rule.Name] {
			t.Errorf("no event is for the rule %s", rule.Name)
		}
	}
}

// TestSummaries reads the texts of the alerts of a recording.
func TestSummaries(t *testing.T) {
	var text bytes.Buffer
	a := open(t, t.TempDir(), alert.Default(), func(o *alert.Options) { o.Log = slog.New(slog.NewTextHandler(&text, nil)) })
	for _, name := range []string{"binding", "exec", "token", "impersonation", "webhook"} {
		fired(t, a, contexts(t, name))
	}
	for _, want := range []string{
		"system:serviceaccount:web:frontend gave cluster-admin away: create clusterrolebinding cart (clusterrole cluster-admin to serviceaccount billing/gateway-internal)",
		"carol went into pod billing/mailer: exec into pod billing/mailer",
		"frank had a token issued for service account payments-eu/auth",
		"erin acted as nobody: create configmap in shop-test, impersonating nobody",
		"mallory changed who judges requests: create validatingwebhookconfiguration store",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
}

// TestBurst gives at once many times what a rule that counts asks for: somebody
// must hear of it once.
func TestBurst(t *testing.T) {
	var all []pipeline.Context
	for n := range 20 {
		for _, c := range contexts(t, "refused") {
			c.ID = fmt.Sprint(c.ID, n)
			all = append(all, c)
		}
	}
	a := open(t, t.TempDir(), alert.Default())
	if err := a.Contexts("prod", all); err != nil {
		t.Fatal(err)
	}
	if n := a.Stats().Fired["refused-often"]; n != 1 {
		t.Errorf("%d alerts of %d contexts", n, len(all))
	}
	// The same context twice in one call is one alert, too.
	if err := a.Contexts("prod", append(contexts(t, "exec"), contexts(t, "exec")...)); err != nil {
		t.Fatal(err)
	}
	if n := a.Stats().Fired["exec-into-pod"]; n != 1 {
		t.Errorf("%d alerts of a context that came twice", n)
	}
}

func BenchmarkContexts(b *testing.B) {
	list := contexts(b, "refused")
	a := open(b, b.TempDir(), alert.Default(), func(o *alert.Options) { o.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) })
	for b.Loop() {
		if err := a.Contexts("prod", list); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "contexts/s")
}
