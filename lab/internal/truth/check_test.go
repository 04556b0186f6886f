package truth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// soundRecording returns a small recording without a fault.
func soundRecording(t *testing.T) *Recording {
	t.Helper()
	rename := Names{tokenA: "web", tokenA2: "api", tokenB: "db", tokenR: "job", tokenR2: "etl", space: "shop"}.Renamer()
	events := []*Event{
		event(1.1, "alice", "get", "deployments", tokenA),
		event(1.2, "alice", "create", "deployments", tokenA),
		event(3, controller, "create", "pods", tokenA+"-abcde"),
		event(4, controller, "list", "pods", ""),
	}
	found, err := Attribute(events, testJournal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &Recording{Lines: found.Lines, Contexts: found.Contexts, Level: func([]byte) (string, error) { return "RequestResponse", nil }}
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		r.Log = append(r.Log, rename(data))
	}
	return r
}

func TestCheckPassesASoundRecording(t *testing.T) {
	if err := Check(soundRecording(t)); err != nil {
		t.Errorf("a sound recording fails: %v", err)
	}
}

func TestCheckFindsFaults(t *testing.T) {
	other := "c9999"
	tests := []struct {
		name  string
		spoil func(*Recording)
		want  string
	}{
		{"a line is missing", func(r *Recording) { r.Log = r.Log[1:] }, "the log has 3 lines and the truth 4"},
		{"a token is left", func(r *Recording) { r.Log[2] = []byte(strings.ReplaceAll(string(r.Log[2]), "web", tokenA)) }, "line 3 holds the token"},
		{"a token is left in a command", func(r *Recording) { r.Contexts[0].Command = "kubectl scale " + tokenA }, "the command holds the token"},
		{"the level is not the policy's", func(r *Recording) { r.Level = func([]byte) (string, error) { return "Metadata", nil } }, "the policy says Metadata"},
		{"a context without a root", func(r *Recording) { r.Lines[1].Role = RoleClient }, "has 0 roots"},
		{"a context with two roots", func(r *Recording) { r.Lines[0].Role = RoleRoot }, "has 2 roots"},
		{"principals are counted wrong", func(r *Recording) { r.Contexts[0].Principals = 2 }, "says 2 principals and has 1"},
		{"a context that is not listed", func(r *Recording) { r.Lines[2].Context = &other }, "effect of no context"},
		{"a context is listed twice", func(r *Recording) { r.Contexts = append(r.Contexts, r.Contexts[0]) }, "listed twice"},
		{"lines are swapped", func(r *Recording) { r.Log[0], r.Log[1] = r.Log[1], r.Log[0] }, "the truth speaks of"},
		{"another user's root", func(r *Recording) { r.Contexts[0].User = "bob" }, "run by bob"},
		{"an unknown role", func(r *Recording) { r.Lines[3].Role = "guess" }, `the role "guess"`},
		{"background with a context", func(r *Recording) { r.Lines[2].Role = RoleBackground }, "is background and belongs to"},
		{"another resource", func(r *Recording) { r.Lines[2].Resource = &other }, "line 3: the truth speaks of c9999/"},
		{"another subresource", func(r *Recording) { r.Lines[2].Subresource = &other }, "line 3: the truth speaks of pods/c9999"},
		{"another root subresource", func(r *Recording) { r.Contexts[0].Subresource = &other }, "deployments/c9999"},
		{"another verb", func(r *Recording) { r.Lines[2].Verb = "get" }, "line 3: the truth speaks of"},
		{"a body at level Metadata", func(r *Recording) {
			r.Level, r.Log[2] = nil, []byte(strings.Replace(string(r.Log[2]), `"RequestResponse"`, `"Metadata"`, 1))
			r.Log[2] = []byte(strings.Replace(string(r.Log[2]), `"requestObject":null`, `"requestObject":{}`, 1))
		}, "line 3 has level Metadata and a body"},
		{"an answer at level Request", func(r *Recording) {
			r.Level, r.Log[2] = nil, []byte(strings.Replace(string(r.Log[2]), `"RequestResponse"`, `"Request"`, 1))
			r.Log[2] = []byte(strings.Replace(string(r.Log[2]), `"responseObject":null`, `"responseObject":{}`, 1))
		}, "line 3 has level Request and a body"},
		{"a token in base64", func(r *Recording) {
			r.Log[2] = []byte(strings.Replace(string(r.Log[2]), `"requestObject":null`, `"requestObject":"`+base64.StdEncoding.EncodeToString([]byte(tokenA))+`"`, 1))
		}, "line 3 holds the token"},
		{"a root that does not come first", func(r *Recording) {
			r.Lines[0].Role, r.Lines[1].Role = RoleRoot, RoleClient
			x := &r.Contexts[0]
			x.RootLine, x.Root, x.Verb = 1, r.Lines[0].AuditID, "get"
		}, "line 2 of c0000 should be its root"},
		{"a clock that nobody set", func(r *Recording) { r.Lines[3].Clock = other }, "line 4: its clock was set by c9999"},
		{"an effect before its root", func(r *Recording) {
			r.Log[2] = []byte(strings.Replace(string(r.Log[2]), "12:00:03Z", "12:00:01.1Z", 1))
		}, "line 3 is an effect of c0000 and was received 100ms before its root"},
		{"no commands", func(r *Recording) {
			r.Contexts = nil
			for i := range r.Lines {
				r.Lines[i].Context, r.Lines[i].Role = nil, RoleUnscored
			}
		}, "the recording has no command"},
		{"no effects", func(r *Recording) { r.Lines[2].Context, r.Lines[2].Role = nil, RoleUnscored }, "no line is an effect, and 2 are unscored"},
		{"a line that is no JSON", func(r *Recording) { r.Log[3] = []byte("{") }, "line 4"},
	}
	for _, tt := range tests {
		r := soundRecording(t)
		tt.spoil(r)
		if err := Check(r); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Check says %v; want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestTwoObjectsOfOneName(t *testing.T) {
	answer := func(name, uid string) eventOption {
		return func(e *Event) {
			e.ResponseStatus.Code = 200
			e.ResponseObject = fmt.Appendf(nil, `{"kind":"Pod","metadata":{"name":%q,"uid":%q}}`, name, uid)
		}
	}
	dry := func(e *Event) { e.RequestURI = "/api/v1/pods?dryRun=All" }
	tests := []struct {
		name   string
		events []*Event
		want   string
	}{
		{"at once", []*Event{event(1, "a", "create", "pods", "", answer("web", "1")), event(2, "b", "create", "pods", "", answer("web", "2")), event(9, "c", "get", "pods", "web", answer("web", "1"))}, "two pods are called web"},
		{"one after the other", []*Event{event(1, "a", "create", "pods", "", answer("web", "1")), event(9, "c", "delete", "pods", "web", answer("web", "1")), event(10, "b", "create", "pods", "", answer("web", "2"))}, ""},
		{"requests that cross", []*Event{event(9.9, "c", "get", "pods", "web", answer("web", "2")), event(1, "a", "create", "pods", "", answer("web", "1")), event(10, "c", "delete", "pods", "web", answer("web", "1"))}, ""},
		{"of two kinds", []*Event{event(1, "a", "create", "pods", "", answer("web", "1")), event(2, "b", "create", "services", "", answer("web", "2")), event(9, "c", "get", "pods", "web", answer("web", "1"))}, ""},
		{"a dry run", []*Event{event(1, "a", "create", "pods", "", answer("web", "1")), event(4, "b", "create", "pods", "", answer("web", "2"), dry), event(9, "c", "get", "pods", "web", answer("web", "1"))}, ""},
	}
	for _, tt := range tests {
		v, got := lives{}, ""
		for i, e := range tt.events {
			v.see(i+1, e)
		}
		v.check(func(format string, args ...any) { got += fmt.Sprintf(format, args...) })
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

// Check reads files that anybody may have written.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"auditID":"a","verb":"get","user":{"username":"x"}}`), "root", "c0000")
	f.Add([]byte(`{"objectRef":null,"user":[]}`), "effect", "")
	f.Fuzz(func(t *testing.T, line []byte, role, context string) {
		r := &Recording{Log: [][]byte{line}, Lines: []Line{{Line: 1, Role: role, Context: &context}}, Contexts: []Context{{Context: "c0000", RootLine: 1}}}
		if role == "guess" && Check(r) == nil {
			t.Error("an unknown role passes")
		}
		_ = Check(r) // It must not panic.
	})
}
