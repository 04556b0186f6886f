package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whet-k8s/whet/store"
)

// hostileNames are what somebody may call themselves.
func hostileNames() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title>&lt;`, `'; DROP TABLE contexts; --`, `" or 1 == 1 or "`,
		"\u202egnp.exe", "\u2066isolate\u2069", "zero\u200bwidth", "line\nfeed", "\x1b[31mred", "null\x01", "a*b?c", `back\slash`, `\*`,
		"node:*", "=cmd|' /C calc'!A0", strings.Repeat("x", 1<<20), "\u2028", "%00", "ａ", "${jndi:ldap://x}", "𝕏\U000e0001",
	}
}

// hostileServer is a server of a log in which every name is hostile.
func hostileServer(t testing.TB) http.Handler {
	t.Helper()
	line, err := os.ReadFile("testdata/onetime.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	var log bytes.Buffer
	for i, name := range hostileNames() {
		var ev map[string]any
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatal(err)
		}
		ev["auditID"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		ev["verb"] = "delete"
		ev["user"] = map[string]any{"username": name, "groups": []string{name}}
		ev["userAgent"] = name
		ev["objectRef"] = map[string]any{"resource": "pods", "namespace": name, "name": name, "apiVersion": "v1"}
		ev["responseStatus"] = map[string]any{"code": 403, "reason": name, "message": name}
		ev["requestReceivedTimestamp"] = fmt.Sprintf("2026-11-23T18:%02d:00.000000Z", i)
		ev["stageTimestamp"] = fmt.Sprintf("2026-11-23T18:%02d:00.001000Z", i)
		if err := json.NewEncoder(&log).Encode(ev); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "hostile.jsonl")
	if err := os.WriteFile(file, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	set := filepath.Join(dir, "set")
	if err := build(t.Context(), set, store.KeepAll, file); err != nil {
		t.Fatal(err)
	}
	handler, err := New(t.Context(), open(t, set), Options{Listen: "127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// TestHostileNamesComeOutHarmless looks at the bytes of every kind of answer.
func TestHostileNamesComeOutHarmless(t *testing.T) {
	handler, c := hostileServer(t), newContract(t)
	found := get[rows](t, handler, "/contexts?limit=1000")
	if len(found.Items) != len(hostileNames()) {
		t.Fatalf("%d contexts for %d names", len(found.Items), len(hostileNames()))
	}
	targets := []string{"/contexts", "/timeline", "/facets", "/events", "/values?field=username", "/info", "/noise"}
	for i, r := range found.Items {
		of := []string{"", "/events", "/graph", "/objects"}[i%4]
		targets = append(targets, "/contexts/"+r.ID+of)
	}
	for i, name := range hostileNames() {
		targets = append(targets, fmt.Sprintf("/why?target=00000000-0000-4000-8000-%012d", i))
		if len(name) < 1000 {
			q := url.QueryEscape(name)
			of := []string{"/object?resource=pods&namespace=" + q + "&name=" + q, "/values?field=username&prefix=" + q, "/timeline?actor=" + q}[i%3]
			targets = append(targets, of)
		}
	}
	for _, target := range []string{"/contexts.jsonl", "/events.jsonl"} {
		harmless(t, target, ask(handler, http.MethodGet, "/api/v1"+target, "").Body.Bytes())
	}
	for _, target := range targets {
		harmless(t, target, c.check(t, handler, "/api/v1"+target, http.StatusOK))
	}
	for _, name := range hostileNames() {
		q := url.QueryEscape(name[:min(len(name), 5000)])
		for _, target := range []string{"/contexts?query=" + q, "/contexts?" + q + "=1", "/contexts/" + url.PathEscape(name[:min(len(name), 500)]), "/values?field=" + q, "/why?target=" + q} {
			w := ask(handler, http.MethodGet, "/api/v1"+target, "")
			if w.Code >= 500 {
				t.Errorf("GET %.100q: status %d: %.200s", target, w.Code, w.Body)
			}
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
				harmless(t, target, w.Body.Bytes())
			} else if w.Code != http.StatusTemporaryRedirect {
				t.Errorf("GET %.100q: %s", target, w.Header().Get("Content-Type"))
			}
		}
	}
}

// harmless wants no character that HTML or a terminal gives a meaning, nor one
// that directs text or cannot be seen.
func harmless(t testing.TB, target string, body []byte) {
	t.Helper()
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		if strings.ContainsRune("<>&", r) || r != '\n' && !strconv.IsPrint(r) || r == utf8.RuneError && n == 1 {
			t.Errorf("GET %.100q: the answer has %q bare", target, r)
			return
		}
		body = body[n:]
	}
}

// TestFacetsSelectHostileValues asks for every hostile value by the query that
// its facet gives.
func TestFacetsSelectHostileValues(t *testing.T) {
	handler := hostileServer(t)
	values := 0
	for _, f := range get[facetsAnswer](t, handler, "/facets").Facets {
		if f.Field != "actor" && f.Field != "component" {
			continue // the others are written the same way
		}
		for _, v := range f.Values {
			if len(v.Query) > maxQuery {
				continue // a name of a megabyte cannot be asked for
			}
			values++
			if got := get[rows](t, handler, "/contexts?limit=1&query="+url.QueryEscape(v.Query)).Total; got != v.Count {
				t.Errorf("%s %q: %s selects %d, want %d", f.Field, v.Value, v.Query, got, v.Count)
			}
		}
	}
	if values < len(hostileNames())-1 {
		t.Errorf("only %d values", values)
	}
}

// TestComponentFacetSelects holds the queries for who sent effects to names
// with the signs of globs.
func TestComponentFacetSelects(t *testing.T) {
	a := &api{}
	for value, want := range map[string]string{
		"system:kube-scheduler": `by("system:kube-scheduler")`, "system:node:*": `by("system:node:*")`, `a*b`: `by("a\*b")`, `q"?\`: `by("q\"\?\\")`,
	} {
		if got := a.facetValue("component", value, 1).Query; got != want {
			t.Errorf("component %q: %s, want %s", value, got, want)
		}
	}
}
