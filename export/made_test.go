package export

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/store"
)

// made makes an event of the context c; the auditID is a number, the second at
// which it was received.
func made(id, user, verb, resource, name, cause string) *store.Event {
	at := time.Date(2026, 11, 23, 18, 0, len(id), int(id[len(id)-1]), time.UTC)
	ev := &audit.Event{
		AuditID: id, Stage: audit.StageResponseComplete, Verb: verb, User: audit.User{Username: user}, HasObject: true,
		RequestURI:      "/api/v1/namespaces/shop/" + resource + "/" + name,
		Object:          audit.ObjectRef{Resource: resource, Namespace: "shop", Name: name, APIVersion: "v1"},
		Status:          audit.Status{Code: 200},
		RequestReceived: at, StageTime: at.Add(time.Millisecond),
	}
	e := &store.Event{Event: ev, Context: "c", Role: link.RoleEffect, Cause: cause, Rule: "r"}
	if cause == "" {
		e.Role = link.RoleRoot
	}
	return e
}

// TestLoops wants chains of causes without an end to be cut, as only auditIDs
// that a client chose make them, and a tree to be left whole.
func TestLoops(t *testing.T) {
	events := []*store.Event{
		made("1", "u", "get", "pods", "a", "3"),
		made("2", "u", "get", "pods", "b", "1"),
		made("3", "u", "get", "pods", "c", "2"),
		made("4", "u", "get", "pods", "d", "4"),
		made("5", "u", "get", "pods", "e", "2"),
		made("6", "u", "get", "pods", "f", "9"),
	}
	list := requests(events)
	roots := 0
	for _, r := range list {
		n := 0
		for p := r; p != nil; p = p.parent {
			if n++; n > len(list) {
				t.Fatalf("the chain of %s has no end", r.first.AuditID)
			}
		}
		if r.parent == nil {
			roots++
		}
	}
	if roots != 3 {
		t.Errorf("%d requests without a parent, not one of the loop, the one that caused itself, and the one whose cause is missing", roots)
	}
}

// TestSameAuditID wants of several requests with the cause's auditID the newest
// one before the effect, and a span of its own for each.
func TestSameAuditID(t *testing.T) {
	events := []*store.Event{
		made("1", "u", "create", "pods", "a", ""),
		made("5", "v", "create", "pods", "b", "1"),
		made("1", "mallory", "create", "pods", "x", ""),
		made("1", "mallory", "create", "pods", "y", ""),
	}
	events[2].RequestReceived = events[0].RequestReceived.Add(2)
	events[3].RequestReceived = events[1].RequestReceived.Add(time.Hour)
	list := requests(events)
	for _, r := range list {
		if r.first.AuditID == "5" && r.parent.first.Object.Name != "x" {
			t.Errorf("the effect hangs below %s", r.parent.first.Object.Name)
		}
	}
	c := &store.Context{}
	c.Root.AuditID = "1"
	tr, seen := newTrace(c, list), map[string]bool{}
	for _, id := range tr.spanIDs {
		seen[string(id)] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d span ids for 4 requests", len(seen))
	}
}

// FuzzHostile puts a text of the log's choosing wherever it may stand, and wants
// every format to stay whole.
func FuzzHostile(f *testing.F) {
	for _, s := range []string{
		"a", `"];n1->n2;x[label="`, "\\", "\\\"", "&amp;<b>", "</data></node>]]>", "\x00\x1b[2J\u202e", "\xff\xfe", "=1;=1", "\r\n", "\ufffe\uffff",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, user string) {
		events := []*store.Event{
			made("1", user, "create", "pods", name, ""), made("2", name, user, "things", name+"2", "1"), made("3", name, name, name, user, "2"),
		}
		events[2].Object.Subresource, events[2].Object.APIGroup, events[2].Rule, events[2].Status.Reason = name, user, name, user
		events[2].Status.Code = 500
		c := &store.Context{Cluster: name}
		c.ID, c.Root.AuditID, c.Actor.Username, c.Action = "c", "1", user, name
		g, err := NewGraph(c, all(events))
		if err != nil {
			t.Fatal(err)
		}
		var dot, graphml bytes.Buffer
		if err := errors.Join(g.WriteDOT(&dot), g.WriteGraphML(&graphml)); err != nil {
			t.Fatal(err)
		}
		checkGraphML(t, g, graphml.Bytes())
		checkDOTStrings(t, dot.String())
		data := traces(t, &log{contexts: []*store.Context{c}, events: events})
		for _, d := range data {
			if _, err := proto.Marshal(d); err != nil {
				t.Errorf("protobuf refuses the trace: %v", err)
			}
			checkJSON(t, d)
		}
	})
}

// checkDOTStrings wants every line of a DOT file to be whole when its quoted
// strings are taken out by Graphviz's rules.
func checkDOTStrings(t *testing.T, dot string) {
	t.Helper()
	for line := range strings.Lines(dot) {
		quoted, escaped := false, false
		var bare strings.Builder
		for _, r := range strings.TrimSuffix(line, "\n") {
			switch {
			case escaped:
				escaped = false
			case quoted && r == '\\':
				escaped = true
			case r == '"':
				quoted = !quoted
			case !quoted:
				bare.WriteRune(r)
			}
		}
		if quoted || escaped {
			t.Errorf("the string does not end in %q", line)
		}
		if strings.Trim(bare.String(), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 =,;[]{}->#") != "" {
			t.Errorf("%q stands outside of strings in %q", bare.String(), line)
		}
	}
}

// traces gives all batches of a log.
func traces(t testing.TB, l *log) []*tracepb.TracesData {
	t.Helper()
	var list []*tracepb.TracesData
	for data, err := range Traces(t.Context(), all(l.contexts), l.eventsOf, TraceOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, data)
	}
	return list
}
