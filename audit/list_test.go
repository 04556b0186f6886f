package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// aList makes an EventList of items as a webhook sends it.
func aList(items ...string) []byte {
	return []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(items, ",") + `]}`)
}

func TestReadListRefuses(t *testing.T) {
	tests := []struct{ body, want string }{
		{``, "truncated: the JSON ends at byte 0"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"a"`, "truncated: the JSON ends"},
		{`[]`, "not an EventList: it must have one member kind"},
		{`null`, "not an EventList: it must have one member kind"},
		{`{}`, "not an EventList: it must have one member kind"},
		{`{"kind":"Event","apiVersion":"audit.k8s.io/v1"}`, `not an EventList: kind is "Event"`},
		{`{"kind":"EventList","items":[]}`, "one member apiVersion"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1"}`, "one member items"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":{}}`, "one member items"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[],"items":[]}`, "one member items"},
		{`{"kind":"EventList","kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}`, "one member kind"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v2","items":[]}`, `unknown apiVersion "audit.k8s.io/v2"`},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]} {}`, "invalid"},
		{`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{]}`, "invalid JSON"},
		{"kind: EventList\n", "invalid"},
	}
	for _, test := range tests {
		if _, err := ReadList([]byte(test.body)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.body, err, test.want)
		}
	}
}

func TestListLines(t *testing.T) {
	tests := []struct{ item, want string }{
		{`{}`, `{"kind":"Event","apiVersion":"audit.k8s.io/v1"}`},
		{`{ "a":1 }`, `{"kind":"Event","apiVersion":"audit.k8s.io/v1", "a":1 }`},
		{`{"kind":"Event","a":"\n"}`, `{"apiVersion":"audit.k8s.io/v1","kind":"Event","a":"\n"}`},
		{`{"apiVersion":"audit.k8s.io/v1beta1"}`, `{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1"}`},
		{`{"kind":"Event","apiVersion":"x"}`, `{"kind":"Event","apiVersion":"x"}`},
		{"{\n\t\"a\":\r\n1}", "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\", \t\"a\":  1}"},
		{`5`, `5`},
		{`null`, `null`},
		{`"}{"`, `"}{"`},
	}
	for _, test := range tests {
		l, err := ReadList(aList(test.item, `{"kind":"Event"}`))
		if err != nil {
			t.Errorf("%s: %v", test.item, err)
			continue
		}
		if got := string(l.AppendLine(nil, &l.Items[0])); len(l.Items) != 2 || got != test.want+"\n" {
			t.Errorf("%s:\n got %q\nwant %q", test.item, got, test.want+"\n")
		}
	}
}

// TestListIsTheLog makes lists of real events, with and without the members that
// a webhook leaves out, and wants the same events of their lines.
func TestListIsTheLog(t *testing.T) {
	log, err := os.ReadFile(filepath.Join("testdata", "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"", `"kind":"Event",`, `"kind":"Event","apiVersion":"audit.k8s.io/v1",`} {
		var items []string
		for line := range strings.Lines(string(log)) {
			items = append(items, strings.Replace(strings.TrimSpace(line), left, "", 1))
		}
		l, err := ReadList(aList(items...))
		if err != nil {
			t.Fatal(err)
		}
		var lines []byte
		for i := range l.Items {
			lines = l.AppendLine(lines, &l.Items[i])
		}
		want, got := eventsOf(t, log), eventsOf(t, lines)
		if len(want) == 0 || !cmp.Equal(want, got) {
			t.Errorf("without %s: %s", left, cmp.Diff(want, got))
		}
	}
}

// eventsOf decodes lines, and leaves out where they stand.
func eventsOf(t *testing.T, log []byte) []Event {
	t.Helper()
	var d Decoder
	var list []Event
	for line := range bytes.Lines(log) {
		var ev Event
		if err := d.Decode(bytes.TrimSpace(line), Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		ev.Raw, ev.Position = nil, Position{}
		list = append(list, ev)
	}
	return list
}

func TestLatest(t *testing.T) {
	l, err := ReadList(aList(
		`{"requestReceivedTimestamp":"2026-11-23T18:00:00.000001Z","stageTimestamp":"2026-11-23T19:00:00+01:00"}`,
		`{"requestReceivedTimestamp":"yesterday","stageTimestamp":5}`, `7`))
	if err != nil {
		t.Fatal(err)
	}
	want := []time.Time{time.Date(2026, 11, 23, 18, 0, 0, 1000, time.UTC), {}, {}}
	for i := range l.Items {
		if got := l.Items[i].Latest(); !got.Equal(want[i]) {
			t.Errorf("item %d: %v, want %v", i, got, want[i])
		}
	}
}

// FuzzReadList compares with encoding/json: what ReadList takes is valid JSON,
// its items are those that encoding/json finds, and each makes one line with
// the same content.
func FuzzReadList(f *testing.F) {
	f.Add(aList(`{"auditID":"a"}`, `5`, `[{"kind":"Event"}]`))
	f.Add(aList("{\n\"kind\" : \"Event\"\n}"))
	f.Add(aList(`{"kind":"Event"`))
	f.Add([]byte(`{"KIND":"EventList","apiversion":"audit.k8s.io/v1beta1","Items":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := ReadList(body)
		if err != nil {
			return
		}
		var want struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if len(want.Items) != len(l.Items) {
			t.Fatalf("%d items, want %d", len(l.Items), len(want.Items))
		}
		for i := range l.Items {
			if !bytes.Equal(l.Items[i].Raw, want.Items[i]) {
				t.Errorf("item %d: %q, want %q", i, l.Items[i].Raw, want.Items[i])
			}
			line := l.AppendLine(nil, &l.Items[i])
			if !json.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 || bytes.IndexByte(line, '\r') >= 0 {
				t.Errorf("item %d makes the line %q", i, line)
			}
		}
	})
}
