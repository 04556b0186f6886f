package service

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// get asks an address with a Host header, "" for that of the address.
func get(t *testing.T, url, host string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// bounded keeps the times by which a handler wants to have read.
type bounded struct {
	*httptest.ResponseRecorder
	read []time.Time
}

func (b *bounded) SetReadDeadline(t time.Time) error {
	b.read = append(b.read, t)
	return nil
}

// TestReadDeadline wants a body to come in time, and an answer to a request
// without one, as a stream that is read slowly, not to end with that time.
func TestReadDeadline(t *testing.T) {
	c := conf(t, t.TempDir())
	write(t, c.Clusters[0].Sources[1].Path)
	handler := start(t, c).handler()
	for body, want := range map[string]int{"": 0, `{"token":"x"}`: 1} {
		b := &bounded{ResponseRecorder: httptest.NewRecorder()}
		var from io.Reader
		if body != "" {
			from = strings.NewReader(body)
		}
		handler.ServeHTTP(b, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/events.jsonl", from))
		if len(b.read) != want {
			t.Errorf("body %q: deadlines %v", body, b.read)
		}
	}
}

// TestForeignHost wants a server that asks nobody who they are to answer no page
// that reaches it by a name that was made to point to it.
func TestForeignHost(t *testing.T) {
	c := conf(t, t.TempDir())
	c.Clients, c.Clusters[0].Sources = nil, c.Clusters[0].Sources[1:]
	write(t, c.Clusters[0].Sources[0].Path)
	r := start(t, c)
	for _, path := range []string{"metrics", "readyz", "healthz", "api/v1/info"} {
		if status, text := get(t, r.URL()+path, "attacker.example"); status != http.StatusForbidden {
			t.Errorf("%s by a foreign name: %d, %s", path, status, text)
		}
		if status, text := get(t, r.URL()+path, ""); status != http.StatusOK {
			t.Errorf("%s: %d, %s", path, status, text)
		}
	}
}

// TestProbes has a further listener, for probes and Prometheus, on which nobody
// is asked who they are, and nothing else can be asked.
func TestProbes(t *testing.T) {
	c := conf(t, t.TempDir())
	c.Metrics = "127.0.0.1:0"
	write(t, c.Clusters[0].Sources[1].Path)
	r := start(t, c)
	at := "http://" + r.probing.Addr().String()
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "whet_ready 1"} {
		if status, text := get(t, at+path, "10-0-0-1.pod.example"); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d, %s", path, status, text)
		}
	}
	for _, path := range []string{"/", "/api/v1/info", "/ingest/prod"} {
		if status, text := get(t, at+path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d, %s", path, status, text)
		}
	}
	if err := r.clusters[0].stream.Writable(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.clusters[0].mu.Lock()
	r.clusters[0].failed = io.ErrUnexpectedEOF
	r.clusters[0].mu.Unlock()
	if status, text := get(t, at+"/readyz", ""); status != http.StatusServiceUnavailable || strings.Contains(text, io.ErrUnexpectedEOF.Error()) {
		t.Errorf("/readyz of a server that is not ready: %d, %s", status, text)
	}
}
