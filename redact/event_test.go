package redact

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
)

// decoded is an event as package audit reads it.
func decoded(t testing.TB, line []byte) *audit.Event {
	t.Helper()
	var d audit.Decoder
	var ev audit.Event
	if err := d.Decode(line, audit.Position{}, &ev); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return &ev
}

// sameEvent compares what Event makes of a decoded line with what is decoded of
// the line that Raw makes.
func sameEvent(t testing.TB, r *Redactor, line []byte) {
	t.Helper()
	ev := decoded(t, line)
	before, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	got := *r.Event(ev)
	if after, err := json.Marshal(ev); err != nil || string(after) != string(before) {
		t.Fatalf("the event was changed: %s", cmp.Diff(string(before), string(after)))
	}
	want := *decoded(t, r.Raw(nil, line))
	got.Raw, got.Position, want.Raw, want.Position = nil, audit.Position{}, nil, audit.Position{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Event (+) and Raw (-) differ: %s\n%s", diff, line)
	}
	if again := r.Event(&got); again != &got {
		t.Fatalf("redacted twice, the event changes: %s", cmp.Diff(&got, again))
	}
}

// event is a whole event with some members.
func event(members string) []byte {
	return []byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a","stage":"ResponseComplete",` +
		`"requestReceivedTimestamp":"2026-11-23T18:00:00.000000Z",` + members + `}`)
}

func TestEventAgreesWithRaw(t *testing.T) {
	r := redactor(t)
	for _, line := range fixtures(t) {
		sameEvent(t, r, line)
	}
	for _, members := range []string{
		`"requestURI":"/a?token=x","userAgent":"a/` + token + `"`,
		`"responseStatus":{"code":500,"message":"Bearer 0123456789abcdef is unknown"},"annotations":{"a":"` + token + `","b":"c"}`,
		`"user":{"username":"mia","extra":{"a":["b","` + token + `","` + token + `x"],"c":["d"],"e":["` + token + `"]}},"impersonatedUser":{"username":"zoe","extra":{"a":["` + token + `"]}}`,
		`"objectRef":{"resource":"secrets"},"annotations":{"patch.webhook.admission.k8s.io/round_0_index_1":"{}","mutation.webhook.admission.k8s.io/round_0_index_1":"{}"}`,
		`"objectRef":{"resource":"secrets"},"requestObject":{"metadata":{"annotations":{"a":"{}","data":"eA==","stringData":"eA==","openshift.io/token-secret.value":"x"},"labels":{"app":"web"}}}`,
		`"objectRef":{"resource":"secrets"},"responseStatus":{"message":"data[k]: Invalid value: \"hunter2\": no, x: Duplicate value: 5"}`,
		`"objectRef":{"resource":"secrets"},"responseStatus":{"message":"error found in #10 byte of ...|pw|..."}`,
		`"verb":"patch","objectRef":{"resource":"secrets"},"requestObject":[{"op":"add","path":"/metadata/annotations/a","value":"{}"},{"op":"add","path":"/data/k","value":"eA=="}]`,
		`"requestObject":{"kind":"Secret","metadata":{"annotations":{"a":"{}"}}},"responseObject":{"kind":"ConfigMap","metadata":{"annotations":{"a":"{}"}}}`,
		`"responseObject":{"kind":"TokenReview","metadata":{"annotations":{"token":"x"}},"message":"error found in #1 y"}`,
		`"objectRef":{"resource":"serviceaccounts","subresource":"token"},"responseStatus":{"message":"error found in #1 y"}`,
		`"objectRef":{"resource":"serviceaccounts"},"responseStatus":{"message":"error found in #1 y"}`,
		`"responseObject":{"kind":"Event","message":"a ` + pem + `","spec":{"selector":{"a":"` + token + `"},"template":{"metadata":{"labels":{"a":"` + token + `"}}}}}`,
	} {
		sameEvent(t, r, event(members))
	}
}

// TestEventWithoutSecretIsItself: nothing is copied for nothing.
func TestEventWithoutSecretIsItself(t *testing.T) {
	r := redactor(t)
	for _, members := range []string{
		`"verb":"get"`,
		`"objectRef":{"resource":"secrets","name":"a"},"requestURI":"/api/v1/namespaces/a/secrets/a","responseObject":{"kind":"Secret","metadata":{"labels":{"a":"b"}}}`,
		`"objectRef":{"resource":"secrets"},"impersonatedUser":{"username":"zoe","extra":{"a":["b"]}}`,
	} {
		ev := decoded(t, event(members))
		if got := r.Event(ev); got != ev {
			t.Errorf("%s: a copy: %s", members, cmp.Diff(ev, got))
		}
	}
}

func TestText(t *testing.T) {
	r := redactor(t)
	for text, want := range map[string]string{
		"":                       "",
		"pods \"a\" not found":   "pods \"a\" not found",
		"no: " + token + ", no":  "no: " + r.Hash(token) + ", no",
		"kind: Config\ntoken: x": r.Hash("kind: Config\ntoken: x"),
		"error found in #5 pw":   "error found in #" + r.Hash("5 pw"),
		r.Hash("x"):              r.Hash("x"),
	} {
		if got := r.Text(text); got != want || r.Text(got) != want {
			t.Errorf("%q becomes %q and %q, want %q", text, got, r.Text(got), want)
		}
	}
}

// TestMessage wants the values that are quoted as invalid replaced in messages
// about secrets and tokens alone.
func TestMessage(t *testing.T) {
	r := redactor(t)
	const quoted = `data[k]: Invalid value: "a\"b": no`
	hidden := "data[k]: Invalid value: \"" + r.Hash(`a"b`) + `": no`
	for _, test := range []struct{ resource, subresource, want string }{
		{"secrets", "", hidden},
		{"tokenreviews", "", hidden},
		{"serviceaccounts", "token", hidden},
		{"serviceaccounts", "", quoted},
		{"deployments", "", quoted},
	} {
		if got := r.Message(quoted, test.resource, test.subresource); got != test.want {
			t.Errorf("of %s/%s the message is %s, want %s", test.resource, test.subresource, got, test.want)
		}
	}
}
