package alert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/alert"
	"github.com/whet-k8s/whet/pipeline"
)

// parse reads a configuration.
func parse(t testing.TB, text string) alert.Config {
	t.Helper()
	c, err := alert.Parse("alerts.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const everything = "defaults: false\nrules:\n- {name: all, severity: low, query: events > 0, summary: '{action}'}\n"

func happened(id, action string, events int) []pipeline.Context {
	return []pipeline.Context{{
		ID: id, Action: action, Events: events, Actor: pipeline.Actor{Username: "alice"},
		Start: time.Unix(1795458162, 0), End: time.Unix(1795458163, 0),
	}}
}

// receiver is somebody who is posted alerts.
type receiver struct {
	*httptest.Server
	answer func(n int) int // the status of an attempt, counted from 1

	mu     sync.Mutex
	bodies []string
	asked  int
	header http.Header
}

func newReceiver(t *testing.T, answer func(n int) int) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked++
		r.header = q.Header
		code := r.answer(r.asked)
		if code == http.StatusOK {
			r.bodies = append(r.bodies, string(body))
		}
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(code)
	}))
	t.Cleanup(r.Close)
	return r
}

// wait waits until so many alerts have come.
func (r *receiver) wait(t *testing.T, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		list := append([]string{}, r.bodies...)
		r.mu.Unlock()
		if len(list) >= n {
			return list
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d alerts came, want %d", len(list), n)
		}
	}
}

// run delivers until the function that it returns is called.
func run(t *testing.T, a *alert.Alerter) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

func quick(o *alert.Options) { o.Retry = time.Millisecond }

func always(code int) func(int) int { return func(int) int { return code } }

// TestOnceForAContext gives contexts that grow to rules that tell once, again
// after a time, and of closed contexts alone.
func TestOnceForAContext(t *testing.T) {
	dir := t.TempDir()
	c := parse(t, everything+`
- {name: again, severity: low, query: events > 0, again: 1h}
- {name: closed, severity: low, query: events > 0, closed: true}
- {name: two, severity: low, query: events > 0, count: {of: 2, within: 10s}}
`)
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	clock := func(o *alert.Options) { o.Now = func() time.Time { return now } }
	a := open(t, dir, c, clock)
	for _, step := range []struct {
		do   func()
		list []pipeline.Context
		open bool
		want string
	}{
		{nil, happened("a", "begins", 1), true, "again all"},
		{nil, happened("a", "begins", 1), true, ""},
		{nil, happened("a", "begins", 2), true, ""},
		{func() { now = now.Add(time.Hour) }, happened("a", "begins", 2), true, "again"},
		{nil, happened("a", "begins", 3), true, ""},
		{nil, happened("a", "begins", 3), false, "closed"},
		{func() { a.Close(); a = open(t, dir, c, clock) }, happened("a", "begins", 4), false, ""},
		{func() { now = now.Add(time.Hour) }, happened("a", "begins", 4), false, "again"},
		{nil, happened("a", "begins", 5), false, ""},
		{nil, happened("b", "another", 1), false, "again all closed two"},
		{nil, happened("c", "a third", 1), false, "again all closed"},
	} {
		if step.do != nil {
			step.do()
		}
		step.list[0].Open = step.open
		if got := strings.Join(fired(t, a, step.list), " "); got != step.want {
			t.Errorf("%s, %d events, open %v: %q, want %q", step.list[0].ID, step.list[0].Events, step.open, got, step.want)
		}
	}
}

// TestWebhook wants a receiver that fails in every way to have each alert once
// in the end, and in order.
func TestWebhook(t *testing.T) {
	codes := []int{500, 302, 429, 404, 200, 400, 503, 200}
	r := newReceiver(t, func(n int) int { return codes[min(n, len(codes))-1] })
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret-of-mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := parse(t, everything+"link: https://whet.example.org/\nsinks:\n- {name: siem, kind: webhook, url: "+r.URL+", token-file: "+token+"}\n")
	a := open(t, t.TempDir(), c, quick)
	for n := range 3 {
		fired(t, a, happened(fmt.Sprint(n), fmt.Sprint("action ", n, "\x1b<script>"), 1))
	}
	stop := run(t, a)
	// The second one is answered with 400, which trying again does not change.
	list := r.wait(t, 2)
	for a.Stats().Sinks["siem"].Delivered < 2 {
		time.Sleep(time.Millisecond)
	}
	stop()
	for i, want := range []string{"0", "2"} {
		var got alert.Alert
		if err := json.Unmarshal([]byte(list[i]), &got); err != nil {
			t.Fatal(err)
		}
		if got.Context.ID != want || got.Rule != "all" || got.ID == "" || got.Link != "https://whet.example.org/context/"+want || got.Summary != "action "+want+"\x1b<script>" {
			t.Errorf("alert %d: %+v", i, got)
		}
		if strings.ContainsAny(list[i], "<\x1b") {
			t.Errorf("not escaped: %s", list[i])
		}
	}
	if got := r.header.Get("Authorization"); got != "Bearer secret-of-mine" {
		t.Errorf("Authorization: %q", got)
	}
	if s := a.Stats().Sinks["siem"]; s.Delivered != 2 || s.Dropped != 1 || s.Failed != 6 || s.Waiting != 0 || s.Err != nil {
		t.Errorf("%+v", s)
	}
}

// TestAtLeastOnce stops and kills in between, and wants what was not delivered
// to be delivered by the next process, with the same id.
func TestAtLeastOnce(t *testing.T) {
	down := newReceiver(t, always(http.StatusBadGateway))
	up := newReceiver(t, always(http.StatusOK))
	dir := t.TempDir()
	sinks := func(url string) alert.Config {
		return parse(t, everything+"sinks:\n- {name: x, kind: webhook, url: "+url+"}\n")
	}
	a := open(t, dir, sinks(down.URL), quick)
	stop := run(t, a)
	fired(t, a, happened("a", "one", 1))
	for a.Stats().Sinks["x"].Failed == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := a.Contexts("prod", happened("late", "after the end", 1)); err == nil {
		t.Error("an alert was taken by an alerter that is closed")
	}

	// A process that is killed leaves half a line.
	state := filepath.Join(dir, "alerts.json")
	whole, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, append(whole, `{"fired":{"alert":{"id":"x"`...), 0o600); err != nil {
		t.Fatal(err)
	}
	a = open(t, dir, sinks(up.URL), quick)
	fired(t, a, happened("b", "two", 1))
	stop = run(t, a)
	list := up.wait(t, 2)
	for a.Stats().Sinks["x"].Delivered < 2 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if !strings.Contains(list[0], `"action":"one"`) || !strings.Contains(list[1], `"action":"two"`) {
		t.Errorf("delivered: %q", list)
	}
	a = open(t, dir, sinks(up.URL), quick)
	if got := fired(t, a, append(happened("a", "one", 2), happened("b", "two", 2)...)); len(got) > 0 {
		t.Errorf("told again by %q", got)
	}
	if s := a.Stats(); s.Repeated != 2 || s.Sinks["x"].Waiting != 0 {
		t.Errorf("%+v", s)
	}
	if text, _ := os.ReadFile(state); bytes.Contains(text, []byte(`"fired"`)) {
		t.Errorf("what is done stays in the state: %s", text)
	}
}

// TestSinkGone wants alerts that wait for a sink nobody configures any more to be
// given up with a word.
func TestSinkGone(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, parse(t, everything+"sinks:\n- {name: x, kind: webhook, url: 'http://127.0.0.1:1/'}\n"))
	fired(t, a, happened("a", "one", 1))
	a.Close()
	var text bytes.Buffer
	a = open(t, dir, parse(t, everything), func(o *alert.Options) { o.Log = slog.New(slog.NewTextHandler(&text, nil)) })
	if !strings.Contains(text.String(), "no longer configured") || len(a.Stats().Sinks) > 0 {
		t.Errorf("the log says %s", text.String())
	}
}

// TestSlack wants text that mentions nobody and links nowhere but to whet.
func TestSlack(t *testing.T) {
	r := newReceiver(t, always(http.StatusOK))
	dir := t.TempDir()
	address := filepath.Join(dir, "url")
	if err := os.WriteFile(address, []byte(r.URL+"/services/T0/B0/secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	c := parse(t, everything+"link: https://whet.example.org\nsinks:\n- {name: chat, kind: slack, url-file: "+address+"}\n")
	a := open(t, dir, c, quick, func(o *alert.Options) { o.Log = slog.New(slog.NewTextHandler(&text, nil)) })
	fired(t, a, happened("a", "delete pod <!channel> & <http://evil.example|click>\n\u202e", 1))
	stop := run(t, a)
	list := r.wait(t, 1)
	stop()
	var got struct{ Text string }
	if err := json.Unmarshal([]byte(list[0]), &got); err != nil {
		t.Fatal(err)
	}
	want := `[low] all: delete pod &lt;!channel&gt; &amp; &lt;http://evil.example|click&gt;\n\u202e (cluster prod) <https://whet.example.org/context/a|what followed>`
	if got.Text != want {
		t.Errorf("got  %s\nwant %s", got.Text, want)
	}
	// The address is a secret.
	r.Close()
	a = open(t, t.TempDir(), c, quick, func(o *alert.Options) { o.Log = slog.New(slog.NewTextHandler(&text, nil)) })
	fired(t, a, happened("b", "two", 1))
	stop = run(t, a)
	for a.Stats().Sinks["chat"].Failed == 0 {
		time.Sleep(time.Millisecond)
	}
	err := a.Stats().Sinks["chat"].Err
	stop()
	if strings.Contains(text.String(), "/services/") || err == nil || strings.Contains(err.Error(), "/services/") {
		t.Errorf("the address stands in the log, or in %v: %s", err, text.String())
	}
}

// TestFile wants a line for each alert, also behind one that was cut off.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out", "alerts.jsonl")
	a := open(t, dir, parse(t, everything+"sinks:\n- {name: disk, kind: file, path: "+name+"}\n"), quick)
	stop := run(t, a)
	fired(t, a, happened("a", "one", 1))
	for a.Stats().Sinks["disk"].Failed == 0 {
		time.Sleep(time.Millisecond) // the folder is not there yet
	}
	if err := os.Mkdir(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(`{"id":"cut`), 0o600); err != nil {
		t.Fatal(err)
	}
	fired(t, a, happened("b", "two", 1))
	for a.Stats().Sinks["disk"].Delivered < 2 {
		time.Sleep(time.Millisecond)
	}
	stop()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], `"summary":"one"`) || !strings.Contains(lines[2], `"summary":"two"`) {
		t.Errorf("%s", text)
	}
}

// TestState refuses what is none, and is written anew when it has grown.
func TestState(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "alerts.json")
	for name, text := range map[string]string{
		"another file": "thesis\n", "no version": `{"told":{"key":"x"}}` + "\n", "of a newer whet": `{"version":9}` + "\n", "another field": `{"version":1}` + "\n" + `{"x":1}` + "\n",
	} {
		if err := os.WriteFile(state, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := alert.Open(alert.Options{State: state}); err == nil || !strings.Contains(err.Error(), state) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := alert.Open(alert.Options{}); err == nil {
		t.Error("no state was accepted")
	}
	os.Remove(state)
	r := newReceiver(t, always(http.StatusOK))
	a := open(t, dir, parse(t, everything+"sinks:\n- {name: x, kind: webhook, url: "+r.URL+"}\n"), quick)
	stop := run(t, a)
	long := strings.Repeat("x", 64<<10)
	const many = 200
	for n := range many {
		fired(t, a, happened(fmt.Sprint(n), long, 1))
		r.wait(t, n+1)
	}
	stop()
	info, err := os.Stat(state)
	if err != nil || info.Size() > 6<<20 {
		t.Errorf("the state takes %d bytes (%v)", info.Size(), err)
	}
	a = open(t, dir, parse(t, everything))
	for n := range many {
		if got := fired(t, a, happened(fmt.Sprint(n), "", 2)); len(got) > 0 {
			t.Fatalf("context %d is told again", n)
		}
	}
}

// TestStateFails closes the file under the alerter, and wants an error.
func TestStateFails(t *testing.T) {
	a := open(t, t.TempDir(), parse(t, everything))
	a.Close()
	if err := a.Contexts("", happened("a", "one", 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v", err)
	}
	if a.Stats().Fired["all"] != 0 {
		t.Error("an alert that is not noted counts")
	}
}

func TestParse(t *testing.T) {
	c := parse(t, `
sinks:
- {name: oncall, kind: slack, url-file: slack.url}
- {name: disk, kind: file, path: /var/log/alerts.jsonl}
rules:
- name: many-deletions
  query: deletes > 5
  sinks: oncall
- {name: exec-into-pod, enabled: false}
- {name: impersonation, except: [erin, "system:serviceaccount:ci:*"]}
- name: mine
  severity: high
  query: |
    verb == delete
  again: 90m
  closed: true
`)
	byName := map[string]alert.Rule{}
	for _, r := range c.Rules {
		byName[r.Name] = r
	}
	defaults := alert.Default().Rules
	if len(c.Rules) != len(defaults) {
		t.Errorf("%d rules, want %d: one more, one less", len(c.Rules), len(defaults))
	}
	if r := byName["many-deletions"]; r.Query != "deletes > 5" || r.Severity != alert.High || r.Summary == "" || len(r.Sinks) != 1 {
		t.Errorf("%+v", r)
	}
	if r := byName["mine"]; r.Again != 90*time.Minute || !r.Closed || r.Summary != "{actor}: {action}" || r.Sinks != nil {
		t.Errorf("%+v", r)
	}
	if _, there := byName["exec-into-pod"]; there {
		t.Error("a rule that is switched off is there")
	}
	if c.Sinks[0].URLFile != "slack.url" || c.Sinks[1].Path != "/var/log/alerts.jsonl" {
		t.Errorf("%+v", c.Sinks)
	}
	if got := fired(t, open(t, t.TempDir(), c), contexts(t, "impersonation")); len(got) > 0 {
		t.Errorf("an excepted actor: %q", got)
	}
	if got := fired(t, open(t, t.TempDir(), c), contexts(t, "namespace")); strings.Join(got, " ") != "many-deletions mine" {
		t.Errorf("a rule that was changed: %q", got)
	}
}

func TestParseErrors(t *testing.T) {
	const rule = "rules:\n- {name: x, severity: low, query: 'verb == delete'"
	for _, c := range []struct{ text, want string }{
		{"", "holds no list of rules"},
		{"rule: []", `a.yaml:1: "rule": unknown field (is rules meant?)`},
		{"rules:\n- {severity: low}", "a.yaml:2: rules[0]: name: it is missing"},
		{"rules:\n- {name: x}", "query: it is missing"},
		{"rules:\n- {name: x, query: 'verb == delete'}", "severity: write one of low, medium, high"},
		{"rules:\n- {name: 'a b', query: x}", "a.yaml:2: rules[0].name: a name has up to 64 letters"},
		{"rules:\n- {name: x, severity: low, query: 'vrb == delete'}", `rules[0].query: query, column 1: there is no field "vrb"; did you mean verb?`},
		{rule + ", summary: '{vrb}'}", `rules[0].summary: query, column 1: there is no field "vrb"; did you mean verb?`},
		{rule + ", sinks: [nowhere]}", "there is no sink nowhere"},
		{rule + ", again: soon}", "write a duration of a second or more"},
		{rule + ", severity: urgent}", "already defined"},
		{rule + ", count: {of: 1, within: 1m}}", "write a number from 2"},
		{rule + ", count: {within: 1m}}", "of: it is missing"},
		{rule + ", count: {of: 5}}", "within: it is missing"},
		{rule + ", count: {of: 5, within: 1m, by: start}}", "rules[0].count.by"},
		{rule + "}\n- {name: x, severity: low, query: 'verb == get'}", "there are two rules x"},
		{rule + ", except: ['']}", "it is empty"},
		{"sinks:\n- {name: x}", "kind: write one of webhook, slack, file"},
		{"sinks:\n- {kind: file, path: x}", "name: it is missing"},
		{"sinks:\n- {name: x, kind: mail}", "write one of webhook, slack, file"},
		{"sinks:\n- {name: x, kind: slack}", "needs a url, or a url-file"},
		{"sinks:\n- {name: x, kind: slack, url: 'file:///etc/passwd'}", "begins with https://"},
		{"sinks:\n- {name: x, kind: slack, url: 'https://a', url-file: b}", "needs a url, or a url-file"},
		{"sinks:\n- {name: x, kind: file}", "path: it is missing"},
		{"sinks:\n- {name: x, kind: file, path: y, url: 'https://a'}", "path for file"},
		{"sinks:\n- &s {name: x, kind: file, path: y}\n- *s", "there are two sinks x"},
		{"link: whet", "begins with https://"},
	} {
		_, err := alert.Parse("a.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "a.yaml") {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := alert.Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("rules:\n- {name: x, severity: low, query: 'verb == delete', summary: '{actor}', except: [a*], count: {of: 2, within: 1m}}")
	f.Add("sinks:\n- {name: x, kind: file, path: y}\nlink: https://a\ndefaults: false")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := alert.Parse("a.yaml", []byte(text))
		if err != nil {
			return
		}
		dir := t.TempDir()
		a, err := alert.Open(alert.Options{Config: c, State: filepath.Join(dir, "state")})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if err := a.Contexts("x", happened("a", "delete pod", 1)); err != nil {
			t.Fatal(err)
		}
	})
}
