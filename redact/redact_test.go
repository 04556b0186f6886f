package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func redactor(t testing.TB) *Redactor {
	t.Helper()
	r, err := New([]byte("a key that only the tests have"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fixtures are the events of testdata/events.jsonl, cut from the recordings:
// one for each verb, resource and kinds of the bodies that carry a credential
// or might, and some ordinary ones.
func fixtures(t testing.TB) [][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(data), []byte("\n"))
}

// raw redacts a line and checks what holds for every line: JSON stays JSON, and
// redacting again changes nothing.
func raw(t testing.TB, r *Redactor, line []byte) string {
	t.Helper()
	before := string(line)
	out := r.Raw([]byte("before "), line)
	if string(line) != before {
		t.Fatalf("the line was changed: %q", before)
	}
	out, ok := bytes.CutPrefix(out, []byte("before "))
	if !ok {
		t.Fatalf("what stood before is gone: %q", out)
	}
	if json.Valid(line) && !json.Valid(out) {
		t.Fatalf("%q becomes %q, which is no JSON", line, out)
	}
	if again := r.Raw(nil, out); !bytes.Equal(again, out) {
		t.Fatalf("redacted twice, %q becomes %q", out, again)
	}
	return string(out)
}

func TestGolden(t *testing.T) {
	r := redactor(t)
	var got bytes.Buffer
	for _, line := range fixtures(t) {
		got.WriteString(raw(t, r, line) + "\n")
	}
	path := filepath.Join("testdata", "events.golden")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// about is an event about a resource with further members.
func about(resource, members string) string {
	return `{"kind":"Event","objectRef":{"resource":"` + resource + `"},` + members + `}`
}

const (
	// A token of 3 parts, made up.
	token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtaWEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
	pem   = `-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA==\n-----END EC PRIVATE KEY-----\n`
)

// in base64.
func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestRaw: «x» in a row stands for a value that must go: the row before has x,
// the row after has x's hash.
func TestRaw(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"a Secret's values", about("secrets", `"requestObject":{"kind":"Secret","data":{"a b":"«/w==»"},"stringData":{"k":"«hunter2»","empty":""},"type":"Opaque","immutable":true}`)},
		{"before its kind, in another object", `{"spec":{"data":{"k":"«x»"},"kind":"Secret"}}`},
		{"a list without kinds of the items", `{"responseObject":{"items":[{"metadata":{"name":"a"},"data":{"k":"«x»"}}],"kind":"SecretList"}}`},
		{"a table with objects", about("secrets", `"responseObject":{"kind":"Table","rows":[{"cells":["a",1],"object":{"data":{"k":"«x»"}}}]}`)},
		{"a review of a Secret", `{"requestObject":{"kind":"AdmissionReview","request":{"oldObject":{"data":{"k":"«x»"},"kind":"Secret"}}}}`},
		{"a merge patch", about("secrets", `"requestObject":{"data":{"k":"«x»","gone":null},"metadata":{"labels":{"app":"web"}}}`)},
		{"an EventList", `{"kind":"EventList","items":[` + about("secrets", `"requestObject":{"stringData":{"k":"«x»"}}`) + `,` + about("configmaps", `"requestObject":{"data":{"k":"x"}}`) + `]}`},
		{"what is no map", about("secrets", `"requestObject":{"data":"«x»","stringData":["«y»",{"deep":["«z»",«5»,«true»,«-1e3»,null]}]}`)},
		{"a body that is a string", about("secrets", `"requestObject":"«kind: Secret»"`)},
		{"a JSON patch", about("secrets", `"requestObject":[{"op":"replace","path":"/data/k","value":"«x»"},{"value":{"k":"«y»"},"op":"add","path":"/stringData"},{"op":"test","path":"/metadata/name","value":"a"},{"op":"add","path":"","value":{"data":{"k":"«z»"}}},{"op":"add","path":"data/k","value":"«w»"},{"op":"remove","path":"/data/k"}]`)},
		{"another object's path", about("configmaps", `"requestObject":[{"op":"replace","path":"/data/k","value":"x"}]`)},
		{"annotations that repeat it", about("secrets", `"requestObject":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"«{\"data\":{\"k\":\"eA==\"}}\n»","example.com/packed":"«H4sIAAAA»","openshift.io/token-secret.value":"«x»","note":"for {web}"}}}`)},
		{"audit annotations", about("secrets", `"annotations":{"patch.webhook.admission.k8s.io/round_0_index_1":"«{\"patch\":[{\"op\":\"add\",\"path\":\"/data/k\",\"value\":\"eA==\"}]}»","mutation.webhook.admission.k8s.io/round_0_index_1":"{\"mutated\":true}","authorization.k8s.io/reason":""}`)},
		{"a token that was issued", `{"responseObject":{"kind":"TokenRequest","spec":{"audiences":["a"]},"status":{"token":"«opaque»","expirationTimestamp":"2026-11-23T18:00:00Z"}}}`},
		{"by the event alone", `{"objectRef":{"subresource":"token","resource":"serviceaccounts"},"responseObject":{"status":{"token":"«opaque»"}}}`},
		{"an account, not its token", about("serviceaccounts", `"requestObject":{"spec":{"token":"x"}}`)},
		{"a token that is looked at", about("tokenreviews", `"requestObject":{"spec":{"token":"«opaque»"},"status":{"user":{}}}`)},
		{"a web token anywhere", `{"requestObject":{"kind":"ConfigMap","data":{"k":"a «` + token + `», and ` + token[:30] + `"}}}`},
		{"a public signature", `{"requestObject":{"kind":"ConfigMap","data":{"jws-kubeconfig-abcdef":"eyJhbGciOiJIUzI1NiJ9..c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"}}}`},
		{"a page's token", `{"responseObject":{"metadata":{"continue":"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0"}}}`},
		{"a private key", `{"requestObject":{"kind":"ConfigMap","data":{"tls.key":"«` + pem + `»","tls.crt":"-----BEGIN CERTIFICATE-----\n"}}}`},
		{"a private key in base64", `{"requestObject":{"spec":{"ca":"` + b64("-----BEGIN CERTIFICATE-----\n") + `","pair":"«` + b64("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"+strings.ReplaceAll(pem, `\n`, "\n")) + `»"}}}`},
		{"a client's configuration", `{"requestObject":{"data":{"config":"«apiVersion: v1\nkind: Config\nusers:\n- name: mia\n  user: {token: abc}\n»","other":"kind: ConfigMap\ndata:\n  token: x\n"}}}`},
		{"a manifest", `{"requestObject":{"data":{"all.yaml":"«kind: \"Secret\"\nstringData: {a: b}\n»","role.yaml":"resources: [secrets]"}}}`},
		{"a header", `{"requestObject":{"spec":{"httpHeaders":[{"name":"Authorization","value":"Bearer «0123456789abcdef»"},{"value":"Basic «bWlhOnB3»"}]}},"responseStatus":{"message":"Bearer authentication_is_not_available, Basic aGVsbG8="}}`},
		{"a header with a web token and more", `{"x":"Bearer «` + token + `~x» https://a:«b&token=c@d»"}`},
		{"a URI", `{"requestURI":"/api/v1/namespaces/a/services/b/proxy/c?x=1\u0026access_token=«abc»&limit=5;%74oken=«d?e»","userAgent":"a?TOKEN=«b»"}`},
		{"escaped separators", `{"requestURI":"\/a\u003ftoken=«\u0061bc»\u0026b=1"}`},
		{"a URL in a message", `{"responseStatus":{"message":"Get \"https://mia:«pa:ss»@host:10250/x?sig=«y%20z»\": refused by mia@host"}}`},
		{"what is quoted as invalid", about("secrets", `"responseStatus":{"code":422,"message":"Secret \"a\" is invalid: [data[k 1]: Invalid value: \"«hunter»\": no, type: Unsupported value: \"«x»\": supported values: \"y\", b: Invalid value: «12345»: too long]"},"responseObject":{"kind":"Status","details":{"causes":[{"reason":"FieldValueInvalid","message":"Invalid value: \"«hunter2»\": no","field":"data[k]"}]}}`)},
		{"the same of another object", about("configmaps", `"responseStatus":{"code":422,"message":"data[k]: Invalid value: \"hunter2\": no"}`)},
		{"an old server's error", about("secrets", `"responseStatus":{"message":"Secret.data: error found in #«10 byte of ...|\"k\":\"pw\"|...»"}`)},
		{"duplicate keys", `{"kind":"ConfigMap","kind":"Secret","kind":"ConfigMap","data":{"k":"«x»"},"data":{"k":"«y»"}}`},
		{"two objectRefs", `{"objectRef":{"resource":"secrets","resource":"pods"},"objectRef":{},"requestObject":{"data":{"k":"«x»"}}}`},
		{"escaped keys", `{"\u006bind":"\u0053ecret","d\u0061ta":{"k":"«x»"},"String\u0044ata":{"k":"«\ud83d\ude00 \ud83d »"}}`},
		{"other cases", `{"OBJECTREF":{"Resource":"secrets"},"requestobject":{"Data":{"k":"«x»"}}}`},
		{"spaces", "{ \"objectRef\" : {\n\"resource\"\t:\r\n\"secrets\" } , \"requestObject\" :{ \"data\":[ «1» , \"«x»\" , { } , [ ] ] } }"},
		{"part of a text with escapes", `{"x":"\ud83d\ude00\ud83d\n\"é\u00e9\\ «` + token + `» \u003e\t"}`},
		{"what was redacted before", about("secrets", `"requestObject":{"data":{"k":"redacted:hmac-sha256:0123456789abcdef"}}`)},
		{"what only looks so", about("secrets", `"requestObject":{"data":{"k":"«redacted:hmac-sha256:0123456789abcdeg»","l":"«redacted:hmac-sha256:0123456789abcdef0»"}}`)},
	} {
		before, after := strip(t, c.text), hashed(t, c.text)
		if got := raw(t, redactor(t), []byte(before)); got != after {
			t.Errorf("%s: %s", c.name, cmp.Diff(after, got))
		}
	}
}

// strip takes the marks away.
func strip(t testing.TB, text string) string {
	t.Helper()
	text = strings.NewReplacer("«", "", "»", "").Replace(text)
	if !json.Valid([]byte(text)) {
		t.Fatalf("the row is no JSON: %s", text)
	}
	return text
}

// hashed puts hashes in place of what is between the marks: of the text that a
// string says, or that it stands for in base64 or percent-encoded.
func hashed(t testing.TB, text string) string {
	t.Helper()
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "«")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		value, after, _ := strings.Cut(rest, "»")
		var plain string
		if err := json.Unmarshal([]byte(`"`+value+`"`), &plain); err != nil {
			t.Fatal(err)
		}
		switch plain {
		case "/w==":
			plain = "\xff"
		case "y%20z":
			plain = "y z"
		}
		hash := redactor(t).Hash(plain)
		if !inString(out.String()) {
			hash = `"` + hash + `"`
		}
		out.WriteString(hash)
		text = after
	}
}

// inString tells whether a piece of JSON ends within a string.
func inString(text string) bool {
	open := false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			open = !open
		}
	}
	return open
}

// TestOrdinaryLinesStay: what holds no credential is not changed by a byte.
func TestOrdinaryLinesStay(t *testing.T) {
	for _, text := range []string{
		"", "  \r", "{}", ` {"a" : [ 1 , null , true ] }` + "\r",
		about("pods", `"requestObject":{"spec":{"volumes":[{"secret":{"secretName":"a"}},{"projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}}],"serviceAccountToken":"x"}}`),
		about("secrets", `"responseStatus":{"code":403,"message":"secrets is forbidden: User \"mia\" cannot list resource \"secrets\""}`),
		about("secrets", `"responseObject":{"metadata":{"managedFields":[{"fieldsV1":{"f:data":{".":{},"f:k":{}},"f:type":{}}}],"name":"a"},"type":"Opaque"}`),
		about("secrets", `"x":{"path":"/data/k","value":"y"}`),
		`{"involvedObject":{"kind":"Secret","name":"data"},"requestURI":"/api/v1/pods?labelSelector=a%3Db\u0026limit=5","message":"error found in #5"}`,
		`{"user":{"extra":{"authentication.kubernetes.io/credential-id":["JTI=2b145ad7-b98e-4abe-a3f8-08cd7de9d44c"]}}}`,
		`{"requestObject":{"spec":{"request":"` + b64("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n") + `"}}}`,
		`{"requestURI":"/a/exec?command=sh\u0026command=--password%3Dx","userAgent":"a&b","x":"https://host/@a https://mia@host"}`,
	} {
		if got := raw(t, redactor(t), []byte(text)); got != text {
			t.Errorf("%s\nbecomes %s", text, got)
		}
	}
}

func TestMalformed(t *testing.T) {
	r := redactor(t)
	half := `"data":{"password":"aHVudGVyMg=="},"type":"Opaque"}}`
	want := `"` + r.Hash(half) + `, malformed, 52 bytes"`
	for name, line := range map[string]string{
		"half an event":      half,
		"the other half":     `{"kind":"Secret","data":{"k":"aHVu`,
		"no object":          `"hunter2"`,
		"more than one":      `{"kind":"Secret"}{"kind":"Secret"}`,
		"too deep":           strings.Repeat(`{"kind":"Secret","data":`, 10001) + "1" + strings.Repeat("}", 10001),
		"no text":            "\xff\x00\x1b[2J",
		"something appended": want + "hunter2",
		"something inserted": strings.Replace(want, "5", "hunter2 5", 1),
	} {
		got := raw(t, r, []byte(line))
		if got != string(r.Malformed(nil, []byte(line))) || !placeholder(got) {
			t.Errorf("%s: got %s", name, got)
		}
		if strings.Contains(got, "hunter2") || strings.Contains(got, "aHVu") {
			t.Errorf("%s: the value is still there: %s", name, got)
		}
	}
	if got := raw(t, r, []byte(half)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(r.Malformed(nil, []byte(" \t\r"))); got != " \t\r" {
		t.Errorf("a blank line becomes %q", got)
	}
}

// TestHash: equal values under one key are seen to be equal, under another key
// or in another length nothing is.
func TestHash(t *testing.T) {
	r := redactor(t)
	if got, want := r.Hash("hunter2"), r.Hash("hunter2"); got != want || !redacted(got) {
		t.Errorf("got %s and %s", got, want)
	}
	if r.Hash("hunter2") == r.Hash("hunter3") {
		t.Error("two values have one hash")
	}
	if len(r.Hash("")) != len(r.Hash(strings.Repeat("x", 5000))) {
		t.Error("the length shows")
	}
	other, err := New([]byte("another key, of 26 bytes.."))
	if err != nil {
		t.Fatal(err)
	}
	if other.Hash("hunter2") == r.Hash("hunter2") {
		t.Error("the key does not matter")
	}
	patch := raw(t, r, []byte(about("secrets", `"requestObject":{"stringData":{"k":"hunter2"}},"responseObject":{"data":{"k":"`+b64("hunter2")+`"}}`)))
	if n := strings.Count(patch, r.Hash("hunter2")); n != 2 {
		t.Errorf("the plain and the encoded value do not show that they are one: %s", patch)
	}
}

func TestNewWantsAKey(t *testing.T) {
	for _, key := range [][]byte{nil, []byte("fifteen bytes..")} {
		if _, err := New(key); err == nil || !strings.Contains(err.Error(), "at least 16 random bytes") {
			t.Errorf("%q: got %v", key, err)
		}
	}
	key := []byte("sixteen bytes...")
	r, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	want := r.Hash("a")
	clear(key)
	if r.Hash("a") != want {
		t.Error("the key is the caller's, who may change it")
	}
}

// TestWorkIsBounded: a line made to be slow takes no longer than others of its
// length. A search that begins again at each place would take minutes.
func TestWorkIsBounded(t *testing.T) {
	r := redactor(t)
	for _, piece := range []string{
		"eyJ", "eyJhbGciOiJSUzI1NiJ9.", "://", "a://b:c@", "@", "token=", "?", "&token=x", "Bearer ", "Secret", "kind: Secret ",
		pemInBase64, pemInBase64 + "=", "::::", `\u0041`, "&%=",
	} {
		text := strings.Repeat(piece, (1<<19)/len(piece))
		raw(t, r, []byte(about("secrets", `"x":"`+text+`","requestObject":{"data":{"k":"`+text+`"}}`)))
	}
	deep := strings.Repeat(`{"kind":"Secret","data":`, 9990) + "1" + strings.Repeat("}", 9990)
	raw(t, r, []byte(deep))
}
