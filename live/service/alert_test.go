package service

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAlerts wants an alert of what somebody did, and the server to refuse rules
// that it cannot read.
func TestAlerts(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	c.Alerts = filepath.Join(dir, "alerts.yaml")
	if err := os.WriteFile(c.Alerts, []byte("rulse: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Config: c}); err == nil || !strings.Contains(err.Error(), "alerts.yaml:1") {
		t.Errorf("misspelt rules: %v", err)
		s.Close()
	}
	if err := os.WriteFile(c.Alerts, []byte(alerts), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, c.Clusters[0].Sources[1].Path, recording(t, "crowd.metadata")[:3000]...)
	r := start(t, c)
	sent := func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "alerts.jsonl"))
		return string(text)
	}
	r.eventually("an alert", func() bool { return strings.Contains(sent(), `"niaj"`) })
	r.eventually("its count", func() bool {
		_, text := r.ask("GET", "/metrics", readToken, "")
		return strings.Contains(text, `whet_alerts_fired_total{rule="niaj-changes"}`) && strings.Contains(text, `whet_alerts_waiting{sink="file"} 0`)
	})
	r.stop()
	if text := sent(); strings.Contains(text, `"dave"`) {
		t.Errorf("alerts of others: %.300s", text)
	}
}

const alerts = `defaults: false
sinks: {name: file, kind: file, path: alerts.jsonl}
rules:
- name: niaj-changes
  severity: low
  query: actor == niaj and verb == patch
  sinks: file
`
