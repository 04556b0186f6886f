package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// decodeOne decodes a single event that must be fine.
func decodeOne(t testing.TB, raw []byte) *Event {
	t.Helper()
	var d Decoder
	var ev Event
	if err := d.Decode(raw, Position{Source: "log", Line: 1}, &ev); err != nil {
		t.Fatal(err)
	}
	return &ev
}

// dropEmpty takes empty values out of a JSON tree, so that a golden file shows
// only what was read.
func dropEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			if item = dropEmpty(item); item == nil {
				delete(v, k)
			} else {
				v[k] = item
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = dropEmpty(v[i])
		}
	case string:
		if v == "" || v == "0001-01-01T00:00:00Z" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	}
	return v
}

// TestGolden shows all that is read of the constructed events, which hold
// every field of a Body.
func TestGolden(t *testing.T) {
	var got bytes.Buffer
	for _, raw := range fixtureLines(t, "constructed.jsonl") {
		ev := decodeOne(t, raw)
		ev.Raw = nil
		data, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		enc := json.NewEncoder(&got)
		enc.SetIndent("", " ")
		if err := enc.Encode(dropEmpty(v)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join("testdata", "constructed.golden")
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
		t.Errorf("decoded events (-golden +now):\n%s", diff)
	}
}

// TestJSONPatch tests what the operations of a JSON patch set, which the
// comparison with the official types leaves out.
func TestJSONPatch(t *testing.T) {
	four := int32(4)
	tests := []struct {
		name, patch string
		want        Body
	}{
		{"replace", `[{"op":"replace","path":"/spec/replicas","value":4}]`,
			Body{Replicas: &four, PatchPaths: []string{"/spec/replicas"}}},
		{"escaped key", `[{"op":"add","path":"/metadata/labels/a~1b~0c","value":"x"}]`,
			Body{Labels: map[string]string{"a/b~c": "x"}, PatchPaths: []string{"/metadata/labels/a~1b~0c"}}},
		{"list end", `[{"op":"add","path":"/metadata/finalizers/-","value":"f"},{"op":"add","path":"/metadata/finalizers/0","value":"g"}]`,
			Body{Finalizers: []string{"f", "g"}, PatchPaths: []string{"/metadata/finalizers/-", "/metadata/finalizers/0"}}},
		{"into an item", `[{"op":"add","path":"/spec/containers/0/image","value":"x"}]`,
			Body{PatchPaths: []string{"/spec/containers/0/image"}}},
		{"remove", `[{"op":"remove","path":"/metadata/name","value":"x"},{"op":"test","path":"/kind","value":"x"}]`,
			Body{PatchPaths: []string{"/metadata/name", "/kind"}}},
		{"wrong types", `[7,{"op":"add"},{"op":"add","path":"/spec/replicas","value":"x"},{"op":"add","path":"nonsense","value":{}}]`,
			Body{PatchPaths: []string{"/spec/replicas", "nonsense"}}},
		{"through a value", `[{"op":"add","path":"/spec","value":"x"},{"op":"add","path":"/spec/replicas","value":4}]`,
			Body{PatchPaths: []string{"/spec", "/spec/replicas"}}},
		{"the whole object", `[{"op":"replace","path":"","value":{}}]`, Body{}},
		{"empty", `[]`, Body{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			raw := strings.Replace(minimalEvent, `"verb":"get"`, `"verb":"patch","requestObject":`+test.patch, 1)
			test.want.Patch = "json"
			if diff := cmp.Diff(&test.want, decodeOne(t, []byte(raw)).Request); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// minimalEvent has what an event needs and no more.
const minimalEvent = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a1","stage":"ResponseComplete",` +
	`"verb":"get","user":{"username":"mia"},"requestReceivedTimestamp":"2026-11-23T18:00:00.000001Z"}`

// TestMalformed goes through what can be wrong with an event, and the words
// for it.
func TestMalformed(t *testing.T) {
	with := func(old, new string) string {
		if !strings.Contains(minimalEvent, old) {
			t.Fatalf("minimalEvent has no %s", old)
		}
		return strings.Replace(minimalEvent, old, new, 1)
	}
	tests := []struct{ name, raw, want string }{
		{"cut", minimalEvent[:100], "truncated: the JSON ends at byte 100"},
		{"cut in a string", minimalEvent[:12], "truncated: the JSON ends at byte 12"},
		{"text", "I1123 18:00:00 server.go:1] Starting", "invalid JSON at byte 1: invalid character 'I'"},
		{"array", `[1,2]`, "not an audit event: an array where an object belongs"},
		{"number", `7`, "not an audit event: a number where an object belongs"},
		{"null", `null`, "not an audit event: kind is missing"},
		{"other kind", with(`"Event"`, `"Policy"`), `not an audit event: kind is "Policy"`},
		{"hostile kind", with(`"Event"`, `"\u001b[2J`+strings.Repeat("é", 99)+`"`), `kind is "\x1b[2J\u00e9`},
		{"a list to Decode", with(`"Event"`, `"EventList"`), "an EventList where a single Event is wanted"},
		{"unknown version", with("audit.k8s.io/v1", "audit.k8s.io/v3"), `unknown apiVersion "audit.k8s.io/v3": want audit.k8s.io/v1 or`},
		{"a core Event", with("audit.k8s.io/v1", "v1"), `unknown apiVersion "v1"`},
		{"no version", with(`"apiVersion":"audit.k8s.io/v1",`, ""), "apiVersion is missing"},
		{"no auditID", with(`"auditID":"a1",`, ""), "auditID is missing"},
		{"no stage", with(`"ResponseComplete"`, `""`), "stage is missing"},
		{"no time", with(`,"requestReceivedTimestamp":"2026-11-23T18:00:00.000001Z"`, ""), "requestReceivedTimestamp is missing"},
		{"bad time", with("2026-11-23T18", "yesterday"), `requestReceivedTimestamp: "yesterday:00:00.000001Z" is not an RFC 3339 time`},
		{"number for verb", with(`"get"`, `7`), "verb: a number where a string belongs"},
		{"number for username", with(`"mia"`, `7`), "user.username: a number where a string belongs"},
		{"string for user", with(`{"username":"mia"}`, `"mia"`), "user: a string where an object belongs"},
		{"string for groups", with(`{"username":"mia"}`, `{"groups":"dev"}`), "user.groups: a string where an array belongs"},
		{"string for code", with(`"verb"`, `"responseStatus":{"code":"200"},"verb"`), "responseStatus.code: a string where an integer of 32 bits belongs"},
		{"invalid UTF-8", with("mia", "m\xffa"), "invalid UTF-8 at byte "},
		{"two values", minimalEvent + minimalEvent, "invalid JSON at byte "},
		{"deep", with(`"get"`, `"get","x":`+strings.Repeat(`[`, 10000)+strings.Repeat(`]`, 10000)), "exceeded max depth"},
		{"deep body", with(`"get"`, `"get","requestObject":`+strings.Repeat(`{"spec":`, 10000)+"1"+strings.Repeat(`}`, 10000)), "exceeded max depth"},
		{"deep patch", with(`"get"`, `"patch","requestObject":`+strings.Repeat(`[`, 10000)+strings.Repeat(`]`, 10000)), "exceeded max depth"},
		{"deep and cut", strings.Repeat(`{"a":`, 200000), "invalid JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			var ev Event
			err := d.Decode([]byte(test.raw), Position{Source: "audit.log", Line: 7}, &ev)
			var bad *Malformed
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a *Malformed", err)
			}
			if !strings.HasPrefix(err.Error(), "audit.log:7: ") || !strings.Contains(bad.Reason, test.want) {
				t.Errorf("got %q, want %q", err, test.want)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) || len(err.Error()) > 500 {
				t.Errorf("not fit for a terminal: %q", err)
			}
		})
	}
}

func TestMinimalEvent(t *testing.T) {
	ev := decodeOne(t, []byte(minimalEvent))
	if ev.HasObject || ev.Impersonated != nil || ev.Request != nil || ev.Response != nil || !ev.StageTime.IsZero() {
		t.Errorf("what is not in the event is set: %+v", ev)
	}
	if got := ev.RequestReceived.Nanosecond(); got != 1000 {
		t.Errorf("the time has %d nanoseconds, want 1000", got)
	}
}

func TestSpacesAround(t *testing.T) {
	raw := " \t\r\n" + strings.ReplaceAll(minimalEvent, `":"`, "\" :\n\t\"") + " \r\n"
	if diff := cmp.Diff(decodeOne(t, []byte(minimalEvent)), decodeOne(t, []byte(raw)),
		cmpopts.IgnoreFields(Event{}, "Raw", "Position")); diff != "" {
		t.Error(diff)
	}
}

// TestVerbFarBehind: the order of an event's fields says nothing, so that the
// verb that makes a body a patch may stand behind it.
func TestVerbFarBehind(t *testing.T) {
	raw := strings.Replace(minimalEvent, `"verb":"get"`,
		`"requestURI":"/`+strings.Repeat("x", 2048)+`","requestObject":{"spec":{"replicas":1}},"verb":"patch"`, 1)
	b := decodeOne(t, []byte(raw)).Request
	if b.Patch != "merge" || len(b.PatchPaths) != 1 || b.PatchPaths[0] != "spec.replicas" {
		t.Errorf("got %+v", b)
	}
}

// TestStringsAreCopies: what an event says must outlive the bytes it came
// from, and not keep them in memory.
func TestStringsAreCopies(t *testing.T) {
	for _, raw := range fixtures(t) {
		bytesOf := bytes.Clone(raw)
		var d Decoder
		var ev Event
		if err := d.Decode(bytesOf, Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		ev.Raw = nil
		before, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		for i := range bytesOf {
			bytesOf[i] = '#'
		}
		after, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Fatalf("the event changed with its bytes: %s", raw)
		}
	}
}

func TestInternerIsBounded(t *testing.T) {
	var in interner
	for i := range 3 * internEntries {
		in.intern(strings.Repeat("n", i%internLength) + string(rune('a'+i%26)) + strings.Repeat("m", i/internLength))
	}
	if len(in.table) > internEntries {
		t.Errorf("the table has %d entries, want at most %d", len(in.table), internEntries)
	}
}

// BenchmarkDecode decodes the recordings that the repository ships, in memory
// and on one core.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"day.audit", "day.metadata", "crowd.audit"} {
		b.Run(name, func(b *testing.B) {
			r, err := Open([]string{filepath.Join("..", "recordings", name+".jsonl.zst")}, Options{})
			if err != nil {
				b.Fatal(err)
			}
			var chunks []*Chunk
			size := 0
			for {
				c, err := r.Next(b.Context())
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				chunks = append(chunks, c)
				size += c.Bytes
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var d Decoder
			for b.Loop() {
				for _, c := range chunks {
					d.DecodeChunk(c)
				}
			}
		})
	}
}
