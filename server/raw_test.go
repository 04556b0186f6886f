package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/store"
)

// logLines reads the lines of a recording by auditID.
func logLines(t *testing.T, name string) map[string][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lines := map[string][]string{}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 8<<20)
	for s.Scan() {
		var ev struct {
			AuditID string `json:"auditID"`
		}
		if err := json.Unmarshal(s.Bytes(), &ev); err != nil {
			t.Fatal(err)
		}
		lines[ev.AuditID] = append(lines[ev.AuditID], s.Text())
	}
	return lines
}

type rawAnswer struct {
	Items []rawText `json:"items"`
}

// TestRawIsTheLine compares raw events with the lines of the log.
func TestRawIsTheLine(t *testing.T) {
	handler := dayServer(t)
	lines := logLines(t, "../recordings/day.audit.jsonl.zst")
	asked := 0
	for i, ev := range pages(t, handler, "/events?", 1000) {
		want := lines[ev.AuditID]
		if i%1000 != 0 {
			continue
		}
		got := get[rawAnswer](t, handler, "/events/"+ev.AuditID+"/raw").Items
		if len(got) > 0 && strings.Contains(got[0].Text, "redacted:") {
			continue // a Secret or a token, which tests of package redact look at
		}
		asked++
		if len(got) != len(want) {
			t.Errorf("%s: %d events, want %d", ev.AuditID, len(got), len(want))
			continue
		}
		for i := range got {
			if got[i].Text != want[i] {
				t.Errorf("%s: got\n%.300s\nwant\n%.300s", ev.AuditID, got[i].Text, want[i])
			}
		}
	}
	if asked < 5 {
		t.Errorf("only %d events asked for", asked)
	}
}

func TestRawMustBeKept(t *testing.T) {
	dir := t.TempDir()
	if err := build(t.Context(), dir, store.KeepEvents, "testdata/onetime.jsonl"); err != nil {
		t.Fatal(err)
	}
	handler, err := New(t.Context(), open(t, dir), Options{Listen: "127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	id := get[rows](t, handler, "/events?limit=1").Items[0].AuditID
	for _, target := range []string{"/events/" + id + "/raw", "/objects/revision?auditID=" + id} {
		w := ask(handler, http.MethodGet, "/api/v1"+target, "")
		if p := problemIn(t, w); w.Code != http.StatusNotFound || !strings.Contains(p.Hint, "--keep all") {
			t.Errorf("GET %s: status %d, %+v", target, w.Code, p)
		}
	}
	if info := get[infoAnswer](t, handler, "/info"); info.Keep != store.KeepEvents || info.Raw {
		t.Errorf("info: keep %s, raw %t", info.Keep, info.Raw)
	}
}

// TestRevisionsOfAnObject asks for every revision of the context's objects.
func TestRevisionsOfAnObject(t *testing.T) {
	handler := dayServer(t)
	patches := 0
	objects := get[objectsAnswer](t, handler, "/contexts/"+theContext+"/objects")
	for _, o := range objects.Items[:6] {
		for _, r := range o.Revisions[:min(3, len(o.Revisions))] {
			if !r.Body {
				continue
			}
			got := get[revisionAnswer](t, handler, "/objects/revision?auditID="+r.AuditID)
			var body struct {
				Metadata map[string]any `json:"metadata"`
			}
			if err := json.Unmarshal([]byte(got.Text), &body); err != nil {
				t.Errorf("%s: %v", r.AuditID, err)
			}
			if body.Metadata["name"] != o.Object.Name && got.From == "responseObject" && r.Subresource == "" || body.Metadata["managedFields"] != nil {
				t.Errorf("%s is not a revision of %s: %.300s", r.AuditID, o.Object.Name, got.Text)
			}
			if got.Object.Name != o.Object.Name || got.Verb != r.Verb {
				t.Errorf("%s: %+v, want one of %+v", r.AuditID, got.Object, o.Object)
			}
			if got.Patch != "" {
				patches++
			}
		}
	}
	if patches == 0 {
		t.Error("no patch was shown")
	}
}

func TestIndented(t *testing.T) {
	for in, want := range map[string]string{
		``: "", `null`: "", `[1,2]`: "[\n  1,\n  2\n]", `"x"`: `"x"`, `{}`: "{}",
		`{"z":1,"a":{"metadata":{"managedFields":[1]}}}`:                                     "{\n  \"z\": 1,\n  \"a\": {\n    \"metadata\": {\n      \"managedFields\": [\n        1\n      ]\n    }\n  }\n}",
		`{"metadata":{"managedFields":[{"a":{"b":1}}],"name":"x"},"n":12345678901234567890}`: "{\n  \"metadata\": {\n    \"name\": \"x\"\n  },\n  \"n\": 12345678901234567890\n}",
		`{"metadata":5}`: "{\n  \"metadata\": 5\n}",
	} {
		if got := indented([]byte(in)); got != want {
			t.Errorf("indented(%s) = %s, want %s", in, got, want)
		}
	}
}

// FuzzIndented wants JSON of every JSON, with the same meaning but for what is
// left out.
func FuzzIndented(f *testing.F) {
	f.Add([]byte(`{"metadata":{"managedFields":[1],"a":1,"a":2},"metadata":{}}`))
	f.Add([]byte(`[{"metadata":{"managedFields":1}}]`))
	f.Add([]byte(`{"\u006detadata":{"managed\u0046ields":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		got := indented(body)
		if got == "" && string(bytes.TrimSpace(body)) == "null" {
			return
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s became %s", body, got)
		}
	})
}
