package label

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/whet-k8s/whet/audit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// decode reads one event, which the test made or cut from a recording.
func decode(t testing.TB, raw string) *audit.Event {
	t.Helper()
	var d audit.Decoder
	var ev audit.Event
	if err := d.Decode([]byte(raw), audit.Position{Source: "test", Line: 1}, &ev); err != nil {
		t.Fatal(err)
	}
	return &ev
}

// recorded gives the events of testdata/events.jsonl, cut from the recordings
// at both levels.
func recorded(t testing.TB) []*audit.Event {
	t.Helper()
	data, err := os.ReadFile("testdata/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var events []*audit.Event
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		events = append(events, decode(t, lines.Text()))
	}
	if len(events) < 100 {
		t.Fatalf("only %d events", len(events))
	}
	return events
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update to accept):\n%s", path, diff)
	}
}

func TestSentencesOfRecordings(t *testing.T) {
	var b strings.Builder
	for _, ev := range recorded(t) {
		fmt.Fprintf(&b, "%-15s %-7s %s\n", ev.Level, ev.Verb, Sentence(ev))
	}
	golden(t, "sentences.golden", b.String())
}

// made builds an event that the recordings lack.
func made(verb, uri, objectRef, requestObject string) string {
	body := ""
	if requestObject != "" {
		body = `,"requestObject":` + requestObject
	}
	return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete",` +
		`"requestURI":"` + uri + `","verb":"` + verb + `","user":{"username":"erin"},"objectRef":` + objectRef + body +
		`,"requestReceivedTimestamp":"2026-11-23T18:22:46.000000Z","stageTimestamp":"2026-11-23T18:22:46.000000Z"}`
}

func TestSentence(t *testing.T) {
	pod := func(sub string) string {
		return `{"resource":"pods","namespace":"shop","name":"cache","apiVersion":"v1","subresource":"` + sub + `"}`
	}
	node := `{"resource":"nodes","name":"n1","apiVersion":"v1"}`
	csr := `{"resource":"certificatesigningrequests","name":"c","apiGroup":"certificates.k8s.io","apiVersion":"v1","subresource":"approval"}`
	review := `{"resource":"selfsubjectaccessreviews","apiGroup":"authorization.k8s.io","apiVersion":"v1"}`
	tests := map[string]struct{ raw, want string }{
		"exec":         {made("create", "/x", pod("exec"), ""), "exec into pod shop/cache"},
		"exec by get":  {made("get", "/x", pod("exec"), ""), "exec into pod shop/cache"},
		"attach":       {made("create", "/x", pod("attach"), ""), "attach to pod shop/cache"},
		"port-forward": {made("create", "/x", pod("portforward"), ""), "port-forward to pod shop/cache"},
		"log":          {made("get", "/x", pod("log"), ""), "read log of pod shop/cache"},
		"proxy":        {made("get", "/x", pod("proxy"), ""), "proxy to pod shop/cache"},
		"evict":        {made("create", "/x", pod("eviction"), `{"kind":"Eviction","apiVersion":"policy/v1"}`), "evict pod shop/cache"},
		"debug":        {made("patch", "/x", pod("ephemeralcontainers"), `{}`), "debug pod shop/cache with an ephemeral container"},
		"bind at Metadata": {
			made("create", "/x", pod("binding"), ""), "bind pod shop/cache to a node",
		},
		"cordon":    {made("patch", "/x", node, `{"spec":{"unschedulable":true}}`), "cordon node n1"},
		"uncordon":  {made("patch", "/x", node, `{"spec":{"unschedulable":null}}`), "uncordon node n1"},
		"taint":     {made("patch", "/x", node, `{"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]}}`), "taint node n1"},
		"approve":   {made("update", "/x", csr, `{"kind":"CertificateSigningRequest","status":{"conditions":[{"type":"Approved"}]}}`), "approve certificatesigningrequest c"},
		"deny":      {made("update", "/x", csr, `{"kind":"CertificateSigningRequest","status":{"conditions":[{"type":"Denied"}]}}`), "deny certificatesigningrequest c"},
		"undecided": {made("update", "/x", csr, ""), "approve or deny certificatesigningrequest c"},
		"can-i on a URL": {
			made("create", "/x", review, `{"kind":"SelfSubjectAccessReview","spec":{"nonResourceAttributes":{"path":"/metrics","verb":"get"}}}`),
			"ask whether one may get /metrics",
		},
		"can-i at Metadata": {made("create", "/x", review, ""), "ask whether one may do something"},
		"set env": {
			made("patch", "/x?fieldManager=kubectl-set", `{"resource":"deployments","namespace":"shop","name":"web","apiGroup":"apps"}`,
				`{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"TOKEN","value":"hunter2"}]}]}}}}`),
			"set env of deployment shop/web (TOKEN)",
		},
		"generated name": {
			made("create", "/x", `{"resource":"pods","namespace":"shop","apiVersion":"v1"}`, `{"kind":"Pod","metadata":{"generateName":"web-"}}`),
			"create pod shop/web-*",
		},
		"privileged workload": {
			made("create", "/x", `{"resource":"daemonsets","namespace":"shop","name":"web","apiGroup":"apps"}`,
				`{"kind":"DaemonSet","spec":{"template":{"spec":{"initContainers":[{"securityContext":{"privileged":true}}],"volumes":[{"hostPath":{"path":"/\u001b[2J"}}],"hostIPC":true}}}}`),
			"create daemonset shop/web (privileged, hostIPC, hostPath /\uFFFD[2J)",
		},
		"privileged cron job": {
			made("patch", "/x?dryRun=All", `{"resource":"cronjobs","namespace":"shop","name":"web","apiGroup":"batch"}`,
				`{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"hostPID":true}}}}}}`),
			"change cronjob shop/web (spec.jobTemplate) (hostPID) (dry run)",
		},
		"privileged debugging": {
			made("patch", "/x", pod("ephemeralcontainers"), `{"spec":{"ephemeralContainers":[{"securityContext":{"privileged":true}}]}}`),
			"debug pod shop/cache with an ephemeral container (privileged)",
		},
		"status of a privileged pod": {
			made("patch", "/x", pod("status"), `{"spec":{"hostPID":true}}`), "patch status of pod shop/cache",
		},
		"another kind with a field of the name": {
			made("create", "/x", `{"resource":"hosts","namespace":"shop","name":"web","apiGroup":"example.org"}`, `{"kind":"Host","spec":{"hostNetwork":true}}`),
			"create host shop/web",
		},
		"delete some": {
			made("deletecollection", "/api/v1/namespaces/team-ab/pods?labelSelector=app%3Dweb", `{"resource":"pods","namespace":"team-ab","apiVersion":"v1"}`, ""),
			"delete pods in team-ab where app=web",
		},
		"delete everywhere": {made("deletecollection", "/x", `{"resource":"pods","apiVersion":"v1"}`, ""), "delete pods in all namespaces"},
		"hostile name": {
			made("get", "/x", `{"resource":"pods","namespace":"shop","name":"\u001b[31mred\u202e\n"}`, ""),
			"get pod shop/\ufffd[31mred\ufffd\ufffd",
		},
		"dry run": {
			made("delete", "/x?dryRun=All", `{"resource":"pods","namespace":"shop","name":"cache"}`, ""),
			"delete pod shop/cache (dry run)",
		},
		"details of another shape": {made("patch", "/x", node, `{"spec":"all","metadata":7}`), "change node n1 (metadata, spec)"},
		"secret": {
			made("patch", "/x", `{"resource":"secrets","namespace":"shop","name":"s"}`, `{"data":{"password":"aHVudGVyMg=="}}`),
			"change secret shop/s (data.password)",
		},
		"no object": {made("get", "/healthz?verbose", `null`, ""), "get /healthz"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Sentence(decode(t, test.raw))
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if strings.Contains(got, "hunter2") || strings.Contains(got, "aHVudGVyMg") {
				t.Errorf("a secret value stands in %q", got)
			}
		})
	}
}

func TestKind(t *testing.T) {
	want := map[string]string{
		"pods": "pod", "ingresses": "ingress", "endpoints": "endpoints", "networkpolicies": "networkpolicy",
		"storageclasses": "storageclass", "leases": "lease", "componentstatuses": "componentstatus",
		"data-lakes": "data-lake", "ipaddresses": "ipaddress", "priorityclasses": "priorityclass",
		"statefulsets": "statefulset", "services": "service", "Widgets": "widget", "boxes": "box", "": "",
	}
	for resource, kind := range want {
		if got := Kind(resource); got != kind {
			t.Errorf("Kind(%q) = %q, want %q", resource, got, kind)
		}
	}
}

// FuzzSentence holds that whatever an event says, its sentence is one bounded
// line without control characters.
func FuzzSentence(f *testing.F) {
	for _, ev := range recorded(f) {
		if len(ev.Raw) < 2000 {
			f.Add(ev.Raw)
		}
	}
	f.Add([]byte(made("get", "/x?labelSelector=%1b%5b", `{"resource":"\u001b","namespace":"s","subresource":"\u0007"}`, "")))
	c := New(Options{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d audit.Decoder
		var ev audit.Event
		if d.Decode(raw, audit.Position{}, &ev) != nil {
			return
		}
		words := Sentence(&ev)
		for _, r := range words {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("%q holds %q", words, r)
			}
		}
		if n := len([]rune(words)); n > 20*maxWords {
			t.Fatalf("a sentence of %d characters", n)
		}
		if len(c.ProposeEvent(&ev)) == 0 {
			t.Fatal("no proposal")
		}
	})
}
