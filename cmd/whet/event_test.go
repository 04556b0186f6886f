package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestEventsAreWordedAlike wants the same words for an event of a log and of the
// data set that was made of it.
func TestEventsAreWordedAlike(t *testing.T) {
	const log = "../../recordings/day.audit.jsonl.zst"
	dir := t.TempDir()
	whetOK(t, "analyze", "--out", dir, "--no-redact", log)
	actions := func(args ...string) map[string]string {
		list := map[string]string{}
		out := whetOK(t, append([]string{"query", "--events", "--format", "jsonl", "role != dropped"}, args...)...)
		for line := range strings.Lines(out) {
			var ev struct{ AuditID, Stage, Action string }
			if err := json.NewDecoder(bytes.NewBufferString(line)).Decode(&ev); err != nil {
				t.Fatal(err)
			}
			list[ev.AuditID+ev.Stage] = ev.Action
		}
		return list
	}
	ofLog, ofData := actions(log), actions("--data", dir)
	if len(ofLog) == 0 || len(ofLog) != len(ofData) {
		t.Fatalf("%d events of the log, %d of the data set", len(ofLog), len(ofData))
	}
	wrong := 0
	for id, action := range ofLog {
		if ofData[id] != action {
			if wrong++; wrong <= 5 {
				t.Errorf("of the log: %q, of the data set: %q", action, ofData[id])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d events are worded otherwise", wrong, len(ofLog))
	}
}
