package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/audit"
)

// hidden is a secret value that stands nowhere else, of any length and with any
// letters.
func hidden(random *rand.Rand) string {
	letters := []rune("abcXYZ019 -._:;&=?@/\\\"'<>\n\t\u0000éж😀\u202e")
	out := []rune(fmt.Sprintf("s%016x", random.Uint64()))
	for range random.IntN(40) {
		out = append(out, letters[random.IntN(len(letters))])
	}
	return string(out)
}

// write writes JSON in one of the many ways in which it can be written: names
// and strings with some letters escaped, and spaces here and there.
func write(random *rand.Rand, out *bytes.Buffer, v any) {
	space := func() {
		if random.IntN(8) == 0 {
			out.WriteString([]string{" ", "\n", "\t", " \r\n"}[random.IntN(4)])
		}
	}
	space()
	switch v := v.(type) {
	case map[string]any:
		out.WriteByte('{')
		first := true
		// The order of a map is another one each time, which suits.
		for name, value := range v {
			if !first {
				out.WriteByte(',')
			}
			first = false
			space()
			writeString(random, out, name)
			space()
			out.WriteByte(':')
			write(random, out, value)
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			write(random, out, item)
		}
		out.WriteByte(']')
	case string:
		writeString(random, out, v)
	default:
		text, _ := json.Marshal(v)
		out.Write(text)
	}
	space()
}

func writeString(random *rand.Rand, out *bytes.Buffer, s string) {
	escapes := random.IntN(3) == 0
	out.WriteByte('"')
	for _, r := range s {
		if escapes && r < 0x10000 && random.IntN(4) == 0 {
			fmt.Fprintf(out, []string{`\u%04x`, `\u%04X`}[random.IntN(2)], r)
			continue
		}
		text, _ := json.Marshal(string(r))
		out.Write(text[1 : len(text)-1])
	}
	out.WriteByte('"')
}

// carrier makes an event that carries a secret value in one of the ways in which
// events do.
func carrier(random *rand.Rand, value string) map[string]any {
	b64 := base64.StdEncoding.EncodeToString([]byte(value))
	secrets := map[string]any{"resource": "secrets", "name": "a"}
	secret := map[string]any{"kind": "Secret", "apiVersion": "v1", "data": map[string]any{"k": b64}}
	manifest, _ := json.Marshal(secret)
	encoded := strings.NewReplacer("%", "%25", "&", "%26", ";", "%3B", "#", "%23", "\"", "%22", "'", "%27", "<", "%3C", ">", "%3E",
		"\\", "%5C", " ", "+", "\t", "%09", "\n", "%0A").Replace(value)
	events := []map[string]any{
		{"requestObject": secret},
		{"requestObject": map[string]any{"kind": "SecretList", "items": []any{map[string]any{"stringData": map[string]any{"k": value}}}}},
		{"objectRef": secrets, "requestObject": map[string]any{"stringData": map[string]any{"k": value, "gone": nil}}},
		{"objectRef": secrets, "requestObject": map[string]any{"data": []any{map[string]any{"x": []any{b64, 5}}}}},
		{"objectRef": secrets, "requestObject": []any{map[string]any{"op": "add", "path": "/data/k", "value": b64}}},
		{"objectRef": secrets, "requestObject": []any{map[string]any{"op": "add", "path": "/stringData", "value": map[string]any{"k": value}}}},
		{"objectRef": secrets, "responseObject": map[string]any{"metadata": map[string]any{"annotations": map[string]any{"a/last": string(manifest)}}}},
		{"objectRef": secrets, "responseObject": string(manifest)},
		{"objectRef": secrets, "annotations": map[string]any{"patch.webhook.admission.k8s.io/round_0_index_0": string(manifest)}},
		{"requestObject": map[string]any{"kind": "ConfigMap", "data": map[string]any{"all.json": string(manifest)}}},
		{"requestObject": map[string]any{"kind": "Template", "objects": []any{secret}}},
		{"responseObject": map[string]any{"kind": "TokenRequest", "status": map[string]any{"token": value}}},
		{"objectRef": map[string]any{"resource": "tokenreviews"}, "requestObject": map[string]any{"spec": map[string]any{"token": value}}},
		{"requestURI": "/api/v1/namespaces/a/services/b/proxy/?x=1&access_token=" + encoded + "&y=2"},
		{"responseStatus": map[string]any{"message": "no: " + webTokenStart + base64.RawURLEncoding.EncodeToString([]byte("header of "+value)) + "." +
			base64.RawURLEncoding.EncodeToString([]byte("claims of "+value)) + ".c2lnbmF0dXJlLW9mLWl0"}},
		{"requestObject": map[string]any{"data": map[string]any{"key": "-----BEGIN PRIVATE KEY-----\n" + b64 + "\n-----END PRIVATE KEY-----\n"}}},
		{"requestObject": map[string]any{"data": map[string]any{"config": "kind: Config\nusers:\n- user: {token: " + value + "}\n"}}},
	}
	ev := events[random.IntN(len(events))]
	for k, v := range map[string]any{
		"kind": "Event", "apiVersion": audit.APIVersionV1, "auditID": "a", "level": "RequestResponse", "stage": "ResponseComplete",
		"verb": "get", "requestReceivedTimestamp": "2026-11-23T18:00:00.000000Z",
	} {
		ev[k] = v
	}
	return ev
}

// TestNoValueIsLeft: however an event that carries a secret value is written, no
// string of what Raw gives holds the value, nor its base64, and what is no
// string holds it neither.
func TestNoValueIsLeft(t *testing.T) {
	r := redactor(t)
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // The same values at each run.
	for range 2000 {
		value := hidden(random)
		var line bytes.Buffer
		write(random, &line, carrier(random, value))
		out := raw(t, r, line.Bytes())
		var tree any
		if err := json.Unmarshal([]byte(out), &tree); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, form := range []string{value, base64.StdEncoding.EncodeToString([]byte(value)), value[:17]} {
			if holds(tree, form) || strings.Contains(out, form) {
				t.Fatalf("%q of %s is still in %s", form, line.Bytes(), out)
			}
		}
		decoded(t, []byte(out))
		if ev := r.Event(decoded(t, line.Bytes())); holds(toTree(t, ev), value[:17]) {
			t.Fatalf("%q of %s is still in the event", value, line.Bytes())
		}
	}
}

func toTree(t testing.TB, ev *audit.Event) any {
	t.Helper()
	c := *ev
	c.Raw = nil
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// holds tells whether a text stands in a string of a tree.
func holds(v any, text string) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if strings.Contains(name, text) || holds(value, text) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if holds(item, text) {
				return true
			}
		}
	case string:
		return strings.Contains(v, text)
	}
	return false
}

// sameRest tells whether only values changed: the trees are the same but for
// strings with a hash in them.
func sameRest(before, after any) bool {
	if text, ok := after.(string); ok && strings.Contains(text, Prefix) {
		_, object := before.(map[string]any)
		_, list := before.([]any)
		return !object && !list && before != nil
	}
	switch after := after.(type) {
	case map[string]any:
		before, ok := before.(map[string]any)
		if !ok || len(before) != len(after) {
			return false
		}
		for name, value := range after {
			if b, ok := before[name]; !ok || !sameRest(b, value) {
				return false
			}
		}
		return true
	case []any:
		before, ok := before.([]any)
		if !ok || len(before) != len(after) {
			return false
		}
		for i := range after {
			if !sameRest(before[i], after[i]) {
				return false
			}
		}
		return true
	}
	return before == after
}

// FuzzRaw checks on any line what raw checks; that nothing but values changes;
// and that the quick look misses nothing that the long one finds.
func FuzzRaw(f *testing.F) {
	for _, line := range fixtures(f) {
		if len(line) < 3000 {
			f.Add(line)
		}
	}
	random := rand.New(rand.NewPCG(7, 8)) //nolint:gosec // The same seeds at each run.
	for range 60 {
		var line bytes.Buffer
		write(random, &line, carrier(random, hidden(random)))
		f.Add(line.Bytes())
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r := redactor(t)
		out := raw(t, r, line)
		if !json.Valid(line) || line[0] != '{' {
			return
		}
		if n := len(edits(r, line)); n > 0 && !suspiciousLine(string(line)) {
			t.Fatalf("nothing is suspicious in %q", line)
		}
		var before, after any
		if json.Unmarshal(line, &before) != nil || json.Unmarshal([]byte(out), &after) != nil {
			t.Fatalf("no JSON any more: %q becomes %q", line, out)
		}
		if !sameRest(before, after) {
			t.Fatalf("more than values changed: %q becomes %q", line, out)
		}
		var d audit.Decoder
		var ev audit.Event
		if d.Decode(line, audit.Position{}, &ev) == nil {
			got := r.Event(&ev)
			if again := r.Event(got); again != got {
				t.Fatalf("redacted twice, the event changes: %q", line)
			}
		}
	})
}
