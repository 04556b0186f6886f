package service

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	readToken = "reader-0123456789abcdef"
	sendToken = "sender-0123456789abcdef"
	oldToken  = "reader-of-yesterday-012"
	expired   = "token of client alice: the credential has expired, at 2025-01-01T00:00:00Z"
)

// safeText is what a Service logs.
type safeText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// running is a Service that runs.
type running struct {
	*Service
	t      *testing.T
	log    *safeText
	cancel context.CancelFunc
	done   chan error
}

// conf is a configuration of one cluster that follows a log and has a webhook.
func conf(t *testing.T, dir string) *config.Config {
	t.Helper()
	token := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return &config.Config{
		Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Every: 50 * time.Millisecond,
		Clients: []auth.Client{
			{Name: "alice", Roles: []auth.Role{auth.RoleRead}, TokenFile: token("read", readToken+"\n"+oldToken+" 2025-01-01")},
			{Name: "apiserver", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}, TokenFile: token("send", sendToken)},
		},
		Clusters: []config.Cluster{{Name: "prod", Keep: store.KeepEvents, Sources: []config.Source{
			{Kind: config.Webhook}, {Kind: config.File, Path: filepath.Join(dir, "audit.log")},
		}}},
	}
}

// start runs a Service.
func start(t *testing.T, c *config.Config) *running {
	t.Helper()
	if m := c.Check(); m != nil {
		t.Fatal(m)
	}
	text := new(safeText)
	s, err := Open(t.Context(), Options{Config: c, Version: "v1", Log: slog.New(slog.NewTextHandler(text, nil)), Stdin: strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Service: s, t: t, log: text}
	r.run()
	return r
}

// run runs what was opened.
func (r *running) run() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.cancel, r.done = cancel, make(chan error, 1)
	go func() { r.done <- r.Run(ctx) }()
	r.t.Cleanup(func() {
		if r.cancel != nil {
			r.cancel()
			<-r.done
			r.Close()
		}
	})
}

// stop ends the Service in order.
func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	r.cancel = nil
	if err := <-r.done; err != nil {
		r.t.Errorf("the service ended with %v", err)
	}
	r.Close()
}

// ask sends a request with a token, "" for none.
func (r *running) ask(method, path, token, body string) (status int, text string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.URL()+strings.TrimPrefix(path, "/"), strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// eventually waits until something is so.
func (r *running) eventually(what string, so func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s never came\n%s", what, r.log)
		}
	}
}

// events is how many events readers see.
func (r *running) events() int {
	r.t.Helper()
	status, text := r.ask(http.MethodGet, "/api/v1/info", readToken, "")
	var info struct {
		Events int `json:"events"`
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil || status != http.StatusOK {
		r.t.Fatalf("info: %d, %v, %s", status, err, text)
	}
	return info.Events
}

// recording gives the lines of a recording.
func recording(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "recordings", name+".jsonl.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := unpack(t, f)
	return strings.SplitAfter(strings.TrimSuffix(text, "\n")+"\n", "\n")[:strings.Count(text, "\n")]
}

// settle lets two hours pass for the engine, so that everything is decided about
// and closed, and waits until that is saved.
func (r *running) settle() {
	r.t.Helper()
	for _, c := range r.clusters {
		if err := c.stream.PublishQuiet(r.t.Context(), 2*time.Hour); err != nil {
			r.t.Fatal(err)
		}
		stats, err := c.stream.Stats(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		r.eventually("the last checkpoint", func() bool { now, _ := c.state(); return now.Saved >= stats.Last })
	}
}

func write(t *testing.T, name string, lines ...string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(strings.Join(lines, "")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// list makes an EventList of lines.
func list(lines []string) string {
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` +
		strings.TrimSuffix(strings.ReplaceAll(strings.Join(lines, ""), "\n", ","), ",") + `]}`
}

// TestBothSources sends a part of a log to the webhook and writes another one to
// the followed file, stops in between, and wants every event for readers.
func TestBothSources(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	log := c.Clusters[0].Sources[1].Path
	lines := recording(t, "crowd.metadata")[:900]
	write(t, log, lines[:300]...)
	r := start(t, c)
	if status, text := r.ask(http.MethodPost, "/ingest/prod", sendToken, list(lines[300:600])); status != http.StatusOK {
		t.Fatalf("the webhook answered %d, %s", status, text)
	}
	for name, tt := range map[string]struct {
		path, token, want string
		status            int
	}{
		"nobody":          {"/ingest/prod", "", "no credential", 401},
		"a reader":        {"/ingest/prod", readToken, "may not send events", 403},
		"another cluster": {"/ingest/edge", sendToken, "cluster", 403},
		"a slash":         {"/ingest/prod/eu", sendToken, "is no name of a cluster", 400},
	} {
		if status, text := r.ask(http.MethodPost, tt.path, tt.token, list(lines[:1])); status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %d, %s", name, status, text)
		}
	}
	r.eventually("an event", func() bool { return r.events() > 0 })
	r.stop()

	write(t, log, lines[600:]...)
	r = start(t, c)
	r.eventually("the rest of the log", func() bool { return r.clusters[0].followers[0].Stats().Lines == 300 })
	r.settle()
	account, err := pipeline.Run(t.Context(), []string{"-"}, strings.NewReader(strings.Join(lines, "")), pipeline.Options{}, pipeline.Sink{})
	if err != nil {
		t.Fatal(err)
	}
	want := int(account.Events - account.DroppedTotal().Events)
	r.eventually(fmt.Sprintf("%d events", want), func() bool { return r.events() == want })
	r.stop()
	if left, err := os.ReadDir(filepath.Join(dir, "data", "live")); err != nil || len(left) != 4 {
		t.Errorf("%v (%v)", left, err)
	}
}

// TestReaders wants readers to show who they are, and the trail to say who read
// what and who was refused.
func TestReaders(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	write(t, c.Clusters[0].Sources[1].Path)
	r := start(t, c)
	for _, tt := range []struct {
		path, token string
		want        int
	}{
		{"/api/v1/info", "", 401},
		{"/api/v1/info", sendToken, 403},
		{"/api/v1/info", oldToken, 401},
		{"/api/v1/contexts?query=actor%3D%3D%22%E2%80%AEx%22", readToken, 200},
		{"/api/v1/contexts.jsonl", readToken, 200},
		{"/metrics", "", 401},
		{"/metrics", sendToken, 403},
		{"/metrics", oldToken, 401},
		{"/metrics", readToken, 200},
		{"/healthz", "", 200},
		{"/readyz", "", 200},
	} {
		status, text := r.ask(http.MethodGet, tt.path, tt.token, "")
		if status != tt.want {
			t.Errorf("GET %s with %q: %d, %s", tt.path, tt.token, status, text)
		}
		if tt.token == oldToken && !strings.Contains(text, expired) {
			t.Errorf("GET %s with a token of yesterday: %s", tt.path, text)
		}
	}
	r.stop()
	for _, want := range []string{expired, "client apiserver may not read: it does not have the role read"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("%q is missing in the log:\n%s", want, r.log)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "data", "live", "access.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		var a access
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if a.Time.IsZero() || a.Remote != "127.0.0.1" || a.Method != "GET" {
			t.Errorf("%+v", a)
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%q %s %d %s", a.Client, a.Path, a.Status, a.Refused)))
		if a.Begun {
			got[len(got)-1] += " begun"
		}
	}
	want := []string{
		`"" /api/v1/info 401 no credential: send a token as Authorization: Bearer, or use a client certificate`,
		`"apiserver" /api/v1/info 403 client apiserver may not read: it does not have the role read`,
		`"" /api/v1/info 401 ` + expired,
		`"alice" /api/v1/contexts 200`,
		`"alice" /api/v1/contexts.jsonl 200 begun`,
		`"alice" /api/v1/contexts.jsonl 200`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the trail (-want +got)\n%s", diff)
	}
}

// TestReadyTellsTheTruth makes an engine, a source and the queue fail, one after
// the other, and wants /readyz to say so, with the reason to readers alone, and
// to be ready again.
func TestReadyTellsTheTruth(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	log := c.Clusters[0].Sources[1].Path
	lines := recording(t, "crowd.metadata")
	write(t, log, lines[:50]...)
	r := start(t, c)
	is := func(status int, want string) func() bool {
		return func() bool {
			got, text := r.ask(http.MethodGet, "/readyz", readToken, "")
			return got == status && strings.Contains(text, want)
		}
	}
	r.eventually("ready", is(200, "[+] engine prod: ok"))

	// Somebody's file in the data set's folder keeps checkpoints from succeeding.
	foreign := filepath.Join(c.Data, "thesis.doc")
	write(t, foreign, "x")
	write(t, log, lines[50:100]...)
	r.eventually("the engine's failure", is(503, `[-] engine prod: saving events: `))
	if status, text := r.ask(http.MethodGet, "/readyz", "", ""); status != 503 || !strings.Contains(text, "[-] engine prod: not ready\n") || strings.Contains(text, "thesis") {
		t.Errorf("to nobody: %d, %s", status, text)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	r.eventually("ready after the engine's failure", is(200, "ready"))

	// A rotated file is replaced by a folder.
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(log, 0o700); err != nil {
		t.Fatal(err)
	}
	r.eventually("the source's failure", is(503, "[-] source prod file:"+log+": "+log+" is a folder, not a log"))
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	write(t, log)
	r.eventually("ready after the source's failure", is(200, "ready"))
	r.stop()
}

// TestDiskFull wants a server whose disk is full to start, refuse with 429, and
// say so.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	c.Queue.MinFree = 1 << 62
	write(t, c.Clusters[0].Sources[1].Path, recording(t, "crowd.metadata")[:10]...)
	r := start(t, c)
	status, text := r.ask(http.MethodPost, "/ingest/prod", sendToken, list(recording(t, "crowd.metadata")[:10]))
	if status != http.StatusTooManyRequests || !strings.Contains(text, "the disk has") {
		t.Errorf("the webhook answered %d, %s", status, text)
	}
	r.eventually("the source's failure", func() bool {
		status, text := r.ask(http.MethodGet, "/readyz", readToken, "")
		return status == 503 && strings.Contains(text, "[-] queue prod: cannot take events") && strings.Contains(text, "[-] source prod file:")
	})
	if status, _ := r.ask(http.MethodGet, "/healthz", "", ""); status != 200 {
		t.Errorf("/healthz answers %d", status)
	}
	r.stop()
}

// TestMetrics wants the metrics of testdata/metrics.golden, by name, type and
// labels.
func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	lines := recording(t, "crowd.metadata")[:1500]
	write(t, c.Clusters[0].Sources[1].Path, append(slices.Clone(lines), "no event\n")...)
	r := start(t, c)
	if status, text := r.ask(http.MethodPost, "/ingest/prod", sendToken, list(lines[:10])); status != http.StatusOK {
		t.Fatalf("the webhook answered %d, %s", status, text)
	}
	r.ask(http.MethodPost, "/ingest/prod", sendToken, "{}")
	r.ask(http.MethodPost, "/ingest/prod", "", "{}")
	r.eventually("the log", func() bool { return r.clusters[0].followers[0].Stats().Lines == 1501 })
	r.settle()
	var text string
	r.eventually("a state that is saved", func() bool {
		_, text = r.ask(http.MethodGet, "/metrics", readToken, "")
		return strings.Contains(text, `whet_queue_messages{cluster="prod"} 0`+"\n")
	})
	r.stop()

	value := regexp.MustCompile(`="[^"]*"|\} .*$| [^ ]*$`)
	kinds := map[string]string{}
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			kinds[name] = kind
		}
		if !strings.HasPrefix(line, "whet_") {
			continue
		}
		name := value.ReplaceAllStringFunc(line, func(s string) string {
			if strings.HasPrefix(s, "}") {
				return "}"
			}
			return ""
		})
		plain, _, _ := strings.Cut(name, "{")
		if name += " " + kinds[plain]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	got := strings.Join(names, "\n") + "\n"
	const golden = "testdata/metrics.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got; -update writes it)\n%s", diff)
	}
	source := "file:" + c.Clusters[0].Sources[1].Path
	for _, want := range []string{
		`whet_events_received_total{cluster="prod",source="` + source + `"} 1501`,
		`whet_events_acknowledged_total{cluster="prod",source="webhook"} 10`,
		`whet_events_analysed_total{cluster="prod"} 1510`,
		`whet_events_repeated_total{cluster="prod"} 10`,
		`whet_events_malformed_total{cluster="prod"} 1`,
		`whet_ready 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

// TestOneAtATime wants a second server on the same folder refused.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	r := start(t, c)
	if _, err := Open(t.Context(), Options{Config: c}); err == nil || !strings.Contains(err.Error(), "another whet serves it live") {
		t.Errorf("a second one: %v", err)
	}
	r.stop()
	start(t, c).stop()
}

// TestCannotOpen wants errors that name what is wrong.
func TestCannotOpen(t *testing.T) {
	tests := map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"no token file": {func(c *config.Config) { c.Clients[0].TokenFile = "/nowhere/token" }, "client alice"},
		"no ranker":     {func(c *config.Config) { c.Clusters[0].Ranker = "/nowhere/ranker.safetensors" }, "cluster prod: opening the ranker"},
		"no policy":     {func(c *config.Config) { c.Clusters[0].Policy = "/nowhere/noise.yaml" }, "cluster prod: reading the noise policy"},
		"no certificate": {func(c *config.Config) {
			c.TLS = auth.TLSFiles{Certificate: "/nowhere/a", Key: "/nowhere/b"}
		}, "reading the server's certificate"},
		"a file for a folder": {func(c *config.Config) { c.Data = c.Clients[0].TokenFile }, "making the data set"},
		"no trail":            {func(c *config.Config) { c.Access.File = "/nowhere/access" }, "opening the file of who read what"},
		"a folder as trail":   {func(c *config.Config) { c.Access.File = t.TempDir() }, "opening the file of who read what"},
		"an address":          {func(c *config.Config) { c.Listen = "127.0.0.1:99999" }, "listening on 127.0.0.1:99999"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := conf(t, t.TempDir())
			tt.change(c)
			s, err := Open(t.Context(), Options{Config: c})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
