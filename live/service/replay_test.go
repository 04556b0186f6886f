package service

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

func unpack(t *testing.T, r io.Reader) string {
	t.Helper()
	in, err := audit.Decompress(r)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReplay writes a recording to a log that is followed, as fast as the disk
// takes it and with rotations, through a server that is stopped and started on
// the way, and wants the data set that whet analyze makes of the file.
func TestReplay(t *testing.T) {
	for _, name := range []string{"crowd.metadata", "day.audit"} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "crowd.metadata" {
				t.Skip("it takes half a minute")
			}
			lines := recording(t, name)
			dir := t.TempDir()
			c := conf(t, dir)
			c.Clients, c.Clusters[0].Sources = nil, c.Clusters[0].Sources[1:]
			c.Clusters[0].Name = store.DefaultCluster
			log := c.Clusters[0].Sources[0].Path
			const atOnce = 97
			write(t, log, lines[:atOnce]...)
			r := start(t, c)
			// What is rotated before the log is followed would be left alone.
			r.eventually("the first line", func() bool { return r.clusters[0].followers[0].Stats().Lines > 0 })
			for i := atOnce; i < len(lines); i += atOnce {
				write(t, log, lines[i:min(i+atOnce, len(lines))]...)
				switch n := i / atOnce; {
				case n%20 == 19:
					if err := os.Rename(log, filepath.Join(dir, fmt.Sprintf("audit-2026-11-23T18-00-00.%03d.log", n))); err != nil {
						t.Fatal(err)
					}
				case n%37 == 36:
					r.stop()
					r = start(t, c)
				}
			}
			r.likeAnalyze(name, lines)
		})
	}
}

// likeAnalyze waits for the end of a log that is followed, and wants the data set
// that whet analyze makes of the file.
func (r *running) likeAnalyze(name string, lines []string) {
	t := r.t
	t.Helper()
	last := newest(t, lines)
	r.eventually("the end of the log", func() bool {
		stats, _ := r.clusters[0].state()
		return stats.Newest.Equal(last) && r.clusters[0].followers[0].Stats().Behind == 0
	})
	// The last one may be read before some of those that were rotated.
	time.Sleep(time.Second)
	r.settle()
	r.stop()
	gotEvents, gotContexts := rows(t, r.config.Data)
	wantEvents, wantContexts := rows(t, analysed(t, name))
	if diff := cmp.Diff(wantEvents, gotEvents); diff != "" {
		t.Errorf("%d events, want %d (-analyze +live)\n%.2000s", len(gotEvents), len(wantEvents), diff)
	}
	if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
		t.Errorf("%d contexts, want %d (-analyze +live)\n%.2000s", len(gotContexts), len(wantContexts), diff)
	}
	t.Logf("%d lines, %d events, %d contexts", len(lines), len(gotEvents), len(gotContexts))
}

var speed = flag.Float64("speed", 100, "how many times faster than it was recorded TestPaced replays a day's log")

// TestPaced replays a day's log at its own pace, but so many times faster, and
// wants the data set that whet analyze makes of the file: quiet hours and bursts
// alternate, and checkpoints come wherever they come.
func TestPaced(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	const name = "day.audit"
	lines := recording(t, name)
	times := stageTimes(t, lines)
	c := conf(t, t.TempDir())
	c.Every = time.Second
	c.Clients, c.Clusters[0].Sources = nil, c.Clusters[0].Sources[1:]
	c.Clusters[0].Name = store.DefaultCluster
	log := c.Clusters[0].Sources[0].Path
	write(t, log)
	r := start(t, c)
	begun := time.Now()
	for at := 0; at < len(lines); time.Sleep(20 * time.Millisecond) {
		now := times[0].Add(time.Duration(float64(time.Since(begun)) * *speed))
		first := at
		for at < len(lines) && !times[at].After(now) {
			at++
		}
		if at > first {
			write(t, log, lines[first:at]...)
		}
	}
	took := time.Since(begun)
	r.likeAnalyze(name, lines)
	t.Logf("%v of a log in %v", times[len(times)-1].Sub(times[0]).Round(time.Second), took.Round(time.Second))
}

// stageTimes are the times at which lines may be written: that of their stage, or
// of a line before them where that is later.
func stageTimes(t *testing.T, lines []string) []time.Time {
	t.Helper()
	var d audit.Decoder
	var last time.Time
	times := make([]time.Time, len(lines))
	for i, line := range lines {
		var ev audit.Event
		if err := d.Decode([]byte(line), audit.Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		if ev.StageTime.After(last) {
			last = ev.StageTime
		}
		times[i] = last
	}
	return times
}

// newest is the latest stageTimestamp of a log.
func newest(t *testing.T, lines []string) time.Time {
	t.Helper()
	times := stageTimes(t, lines)
	return times[len(times)-1]
}

// analysed is the data set that whet analyze makes of a recording.
func analysed(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "analysed")
	w, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account, err := pipeline.Run(t.Context(), []string{filepath.Join("..", "..", "recordings", name+".jsonl.zst")}, nil, pipeline.Options{}, w.Sink())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rows are a data set's events and contexts in words, in order.
func rows(t *testing.T, dir string) (events, contexts []string) {
	t.Helper()
	d, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for ev, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, fmt.Sprintf("%s %s context=%s operation=%s role=%s cause=%s rule=%s confidence=%.3f label=%d actor=%s",
			ev.AuditID, ev.Stage, ev.Context, ev.Operation, ev.Role, ev.Cause, ev.Rule, ev.Confidence, ev.Label, ev.Actor))
	}
	for c, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		c.Root.File, c.Root.Line, c.Root.Item = "", 0, 0
		contexts = append(contexts, fmt.Sprintf("%+v", *c))
	}
	slices.Sort(events)
	slices.Sort(contexts)
	return events, contexts
}
