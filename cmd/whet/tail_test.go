package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/server"
	"github.com/whet-k8s/whet/store"
)

// TestTailServer follows a server, and wants lines that a terminal can show.
func TestTailServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	data, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	h := hub.New(0)
	s, err := server.New(t.Context(), data, server.Options{Listen: "127.0.0.1:0", Hub: h})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	defer web.Close()
	begun := time.Date(2026, 11, 23, 18, 22, 46, 0, time.UTC)
	list := []pipeline.Context{
		{
			ID: "1", Open: true, Actor: pipeline.Actor{Username: "system:serviceaccount:ci:deployer"}, Action: "delete pod shop/\x1b[2Jweb",
			Outcome: pipeline.Outcome{Code: 403}, Start: begun, End: begun,
		},
		{
			ID: "2", Actor: pipeline.Actor{Username: "alice", Impersonated: "bob"}, Action: "delete namespace shop, impersonating bob",
			Outcome: pipeline.Outcome{Code: 200}, Start: begun, End: begun, Effects: 1200, Failed: 2,
		},
	}
	listeners := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); h.Stats().Subscribers != n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d listen, want %d", h.Stats().Subscribers, n)
			}
		}
	}
	tail := func(args ...string) string {
		t.Helper()
		var out, errors bytes.Buffer
		done := make(chan int)
		listeners(0)
		go func() {
			done <- run(t.Context(), append([]string{"tail", "--server", web.URL}, args...), &stdio{in: strings.NewReader(""), out: &out, err: &errors})
		}()
		listeners(1)
		h.Publish("prod", list)
		if code := <-done; code != 0 {
			t.Errorf("whet tail %q: status %d: %s", args, code, errors.String())
		}
		return out.String()
	}
	const refused = `2026-11-23 18:22:46  ci/deployer  delete pod shop/\x1b[2Jweb  refused 403  (open)` + "\n"
	const deleted = "2026-11-23 18:22:46  alice as bob  delete namespace shop  ok  1,200 followed, 2 failed\n"
	for _, c := range []struct {
		want string
		args []string
	}{
		{deleted, []string{"--limit", "1"}},
		{refused + deleted, []string{"--limit", "2", "--open"}},
		{deleted, []string{"--limit", "1", "--open", "-q", "actor == alice"}},
	} {
		if got := tail(c.args...); got != c.want {
			t.Errorf("whet tail %q: %q, want %q", c.args, got, c.want)
		}
	}
	var got struct {
		ID, Cluster string
		Open        bool
	}
	line := tail("-n1", "--open", "-f", "jsonl")
	if err := json.Unmarshal([]byte(line), &got); err != nil || got.ID != "1" || got.Cluster != "prod" || !got.Open || strings.Contains(line, "\x1b") {
		t.Errorf("%s (%v)", line, err)
	}
}
