package live

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/lab/internal/process"
)

func TestDifference(t *testing.T) {
	for _, test := range []struct {
		name      string
		want, got []string
		lines     []string
	}{
		{"the same in another order", []string{"a", "b"}, []string{"b", "a"}, nil},
		{"one is missing", []string{"a", "b"}, []string{"b"}, []string{"event only in the log: a"}},
		{"one too many", []string{"b"}, []string{"b", "c"}, []string{"event only in the data set: c"}},
		{"many are missing", []string{"1", "2", "3", "4", "5", "6", "7"}, nil, []string{
			"event only in the log: 1", "event only in the log: 2", "event only in the log: 3",
			"event only in the log: 4", "event only in the log: 5", "and 2 more",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := difference("event", test.want, test.got)
			if strings.Join(got, "\n") != strings.Join(test.lines, "\n") {
				t.Errorf("got %q, want %q", got, test.lines)
			}
		})
	}
}

func TestReport(t *testing.T) {
	r := &Report{AtRest: []time.Duration{3 * time.Second, time.Second, 2 * time.Second}, Events: 7, Contexts: 2}
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"median 2s", "at most 3s, of 3", "nothing was measured", "logged 7 events", "the same, event for event"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &b)
		}
	}
	r.Differences = []string{"event only in the log: \x1b[31m"}
	b.Reset()
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	if r.Good() || strings.Contains(b.String(), "\x1b") || strings.Contains(b.String(), "the same, event for event") {
		t.Errorf("a difference is reported as:\n%q", &b)
	}
}

// TestFollow has a server end its first answer in the middle, and wants to be
// told of the rest.
func TestFollow(t *testing.T) {
	said := func(id int, name string) string {
		return fmt.Sprintf("id: %d\nevent: context\ndata: {\"verb\":\"create\",\"resource\":\"deployments\",\"name\":%q}\n\n", id, name)
	}
	asked := make(chan string, 10)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		if r.URL.RawQuery == "" {
			fmt.Fprint(w, "retry: 2000\n", said(7, "web"))
			return
		}
		fmt.Fprint(w, said(8, "api"))
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = dialer(server.Listener.Addr().String())
	transport.TLSClientConfig.ServerName = "example.com"
	w := newWatcher()
	go w.follow(ctx, &whet{client: &http.Client{Transport: transport}})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, web := w.told("web")
		_, api := w.told("api")
		if web && api {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("web %t, api %t after 20 s", web, api)
		}
	}
	if first, second := <-asked, <-asked; first != "" || second != "after=7" {
		t.Errorf("it asked %q, then %q", first, second)
	}
}

func TestRequestEnds(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	line := `{"auditID":"a","stage":"%s","verb":"%s","stageTimestamp":"2026-11-24T00:00:01.5Z","objectRef":{"resource":"deployments","name":"web"}}` + "\n"
	text := fmt.Sprintf(line, "RequestReceived", "create") + fmt.Sprintf(line, "ResponseComplete", "create") + fmt.Sprintf(line, "ResponseComplete", "delete")
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := requestEnds(log)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 24, 0, 0, 1, 500e6, time.UTC); len(got) != 1 || !got["web"].Equal(want) {
		t.Errorf("got %v", got)
	}
	if err := os.WriteFile(log, []byte(text+"{\"half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := requestEnds(log); err == nil {
		t.Error("half a line is no error")
	}
}

// TestWhetDies wants the end of whet's log when it does not come up.
func TestWhetDies(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "whet")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho the configuration is wrong >&2\nexit 2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := startWhet(t.Context(), program, dir)
	if err == nil || !strings.Contains(err.Error(), "the configuration is wrong") {
		t.Errorf("got %v", err)
	}
}

func TestWait(t *testing.T) {
	w := &whet{group: process.NewGroup(t.TempDir())}
	err := w.wait(t.Context(), 0, func(context.Context) error { return context.DeadlineExceeded })
	if err == nil || !strings.Contains(err.Error(), "is not ready") {
		t.Errorf("got %v", err)
	}
}

// dialer connects to one address, whatever was asked for.
func dialer(to string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, to)
	}
}
