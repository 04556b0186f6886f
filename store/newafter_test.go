package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/store"
)

// TestNewAfter adds a log twice, and says the second time from when on the data
// set has nothing: only the events up to then are recognised.
func TestNewAfter(t *testing.T) {
	lines := strings.SplitAfter(string(recording(t, "crowd.metadata")), "\n")[:400]
	stages := func(after time.Time) (n int64) {
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, `"stageTimestamp":"`)
			text, _, _ := strings.Cut(rest, `"`)
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				t.Fatal(err)
			}
			if at.After(after) {
				n++
			}
		}
		return n
	}
	_, rest, _ := strings.Cut(lines[200], `"stageTimestamp":"`)
	text, _, _ := strings.Cut(rest, `"`)
	middle, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	log := save(t, t.TempDir(), "log", strings.Join(lines, ""))
	for _, test := range []struct {
		name     string
		newAfter time.Time
		share    func(all int64) bool
	}{
		{"all are looked for", time.Time{}, func(n int64) bool { return n == 0 }},
		{"after the last", middle.Add(24 * time.Hour), func(n int64) bool { return n == 0 }},
		{"from the middle on", middle, func(n int64) bool { return n > 0 && n <= stages(middle) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			add(t, dir, store.WriterOptions{Quick: true}, log)
			again := add(t, dir, store.WriterOptions{Quick: true, NewAfter: test.newAfter}, log)
			if !test.share(again.Events) || again.Contexts != 0 {
				t.Errorf("the same log once more added %+v; %d events are after %v", again, stages(test.newAfter), test.newAfter)
			}
		})
	}
}
