package replicate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/lab/internal/truth"
)

const (
	root   = `{"level":"RequestResponse","auditID":"11111111-2222-4333-8444-555555555555","stage":"ResponseComplete","requestURI":"/api/v1/pods?resourceVersion=0","verb":"create","user":{"username":"alice"},"objectRef":{"resource":"pods","uid":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","name":"web"},"responseObject":{"metadata":{"resourceVersion":"41","creationTimestamp":"2026-11-23T12:00:00Z"}},"requestReceivedTimestamp":"2026-11-23T12:00:00.000001Z"}`
	effect = `{"level":"RequestResponse","auditID":"66666666-2222-4333-8444-555555555555","stage":"ResponseComplete","requestURI":"/api/v1/pods/web/status","verb":"patch","user":{"username":"system:node:n"},"objectRef":{"resource":"pods","uid":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","name":"web"},"requestReceivedTimestamp":"2026-11-23T12:00:55.500000Z"}`
)

func recording() *Recording {
	name, pods := "c0000", "pods"
	return &Recording{
		Audit:    [][]byte{[]byte(root), []byte(effect)},
		Metadata: [][]byte{[]byte(root), []byte(effect)},
		Lines: []truth.Line{
			{Line: 1, AuditID: "11111111-2222-4333-8444-555555555555", Stage: "ResponseComplete", Context: &name, Role: truth.RoleRoot, User: "alice", Verb: "create", Resource: &pods},
			{Line: 2, AuditID: "66666666-2222-4333-8444-555555555555", Stage: "ResponseComplete", Context: &name, Role: truth.RoleEffect, User: "system:node:n", Verb: "patch", Resource: &pods},
		},
		Contexts: []truth.Context{{Context: name, User: "alice", Root: "11111111-2222-4333-8444-555555555555", RootLine: 1, Verb: "create", Resource: pods, Principals: 1, Start: "2026-11-23T12:00:00.000000Z"}},
	}
}

func TestCopiesAreSoundTogether(t *testing.T) {
	c, err := New(recording())
	if err != nil {
		t.Fatal(err)
	}
	var audit, metadata, lines, contexts bytes.Buffer
	copies, err := c.Write(t.Context(), Sink{&audit, &metadata, &lines, &contexts}, 3000, json.Marshal)
	if err != nil {
		t.Fatal(err)
	}
	if audit.Len() < 3000 || copies < 3 {
		t.Fatalf("%d copies of %d bytes", copies, audit.Len())
	}
	r := &truth.Recording{Log: bytes.Split(bytes.TrimSpace(audit.Bytes()), []byte("\n"))}
	for _, l := range bytes.Split(bytes.TrimSpace(lines.Bytes()), []byte("\n")) {
		var x truth.Line
		if err := json.Unmarshal(l, &x); err != nil {
			t.Fatal(err)
		}
		r.Lines = append(r.Lines, x)
	}
	for _, l := range bytes.Split(bytes.TrimSpace(contexts.Bytes()), []byte("\n")) {
		var x truth.Context
		if err := json.Unmarshal(l, &x); err != nil {
			t.Fatal(err)
		}
		r.Contexts = append(r.Contexts, x)
	}
	if err := truth.Check(r); err != nil {
		t.Error(err)
	}
}

func TestLine(t *testing.T) {
	c, err := New(recording())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Line([]byte(root), 0)); got != root {
		t.Errorf("the copy 0 differs: %s", got)
	}
	got := string(c.Line([]byte(root), 2))
	// The recording takes 55.499999 seconds, at least 5 lie between two copies, and
	// a copy takes whole minutes.
	for _, want := range []string{`"creationTimestamp":"2026-11-23T12:04:00Z"`, `"requestReceivedTimestamp":"2026-11-23T12:04:00.000001Z"`, "resourceVersion=0\"", `"resourceVersion":"125"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the second copy lacks %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "11111111") || strings.Contains(got, "aaaaaaaa-bbbb") {
		t.Errorf("the second copy keeps ids: %s", got)
	}
	id := func(line string, n int) string {
		var e struct{ ObjectRef struct{ UID string } }
		if err := json.Unmarshal(c.Line([]byte(line), n), &e); err != nil {
			t.Fatal(err)
		}
		return e.ObjectRef.UID
	}
	if id(root, 2) != id(effect, 2) || id(root, 2) == id(root, 1) {
		t.Error("an id must be one in a copy and differ between copies")
	}
}

// What names hold of a time is shifted as the times are, so that a linker that
// reads them finds the copies as it finds the recording.
func TestTimesInNames(t *testing.T) {
	c, err := New(recording())
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	nanos := func(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 16) }
	minutes := func(t time.Time) string { return strconv.FormatInt(t.Unix()/60, 10) }
	for _, tt := range []struct{ in, want string }{
		{"web." + nanos(begin), "web." + nanos(begin.Add(4*time.Minute))},
		{`"name":"web-x7k2p.` + nanos(begin) + `","involved`, `"name":"web-x7k2p.` + nanos(begin.Add(4*time.Minute)) + `","involved`},
		{"report-" + minutes(begin) + "-x7k2p", "report-" + minutes(begin.Add(4*time.Minute)) + "-x7k2p"},
		{"report-" + minutes(begin), "report-" + minutes(begin.Add(4*time.Minute))},
		{"web.0000000000000001", "web.0000000000000001"},
		{"aks-nodepool1-12345678-vmss000000", "aks-nodepool1-12345678-vmss000000"},
		{"web.ffffffffffffffff", "web.ffffffffffffffff"},
		{`{\"resourceVersion\":\"41\"}`, `{\"resourceVersion\":\"125\"}`},
	} {
		if got := string(c.Line([]byte(tt.in), 2)); got != tt.want {
			t.Errorf("%s becomes %s; want %s", tt.in, got, tt.want)
		}
	}
}

func TestWriteIsInterrupted(t *testing.T) {
	c, err := New(recording())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b bytes.Buffer
	if _, err := c.Write(ctx, Sink{&b, &b, &b, &b}, 1, json.Marshal); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt gives %v", err)
	}
}

func TestTimesKeepTheirOrder(t *testing.T) {
	c, err := New(recording())
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for n := range 4 {
		for _, line := range []string{root, effect} {
			e, err := truth.ReadEvent(c.Line([]byte(line), n))
			if err != nil {
				t.Fatal(err)
			}
			if !e.Received.After(last) {
				t.Errorf("copy %d: %v is not after %v", n, e.Received, last)
			}
			last = e.Received
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestErrors(t *testing.T) {
	if _, err := New(&Recording{}); err == nil {
		t.Error("an empty recording is replicated")
	}
	c, err := New(recording())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := c.Write(t.Context(), Sink{full{}, &b, &b, &b}, 1, json.Marshal); err == nil || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("a full disk gives %v", err)
	}
}
