package service

import (
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
			r.eventually("the end of the log", func() bool {
				stats, _ := r.clusters[0].state()
				return stats.Newest.Equal(newest(t, lines)) && r.clusters[0].followers[0].Stats().Behind == 0
			})
			// The last one may be read before some of those that were rotated.
			time.Sleep(time.Second)
			r.settle()
			r.stop()
			gotEvents, gotContexts := rows(t, c.Data)
			wantEvents, wantContexts := rows(t, analysed(t, name))
			if diff := cmp.Diff(wantEvents, gotEvents); diff != "" {
				t.Errorf("%d events, want %d (-analyze +live)\n%.2000s", len(gotEvents), len(wantEvents), diff)
			}
			if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
				t.Errorf("%d contexts, want %d (-analyze +live)\n%.2000s", len(gotContexts), len(wantContexts), diff)
			}
			t.Logf("%d lines, %d events, %d contexts", len(lines), len(gotEvents), len(gotContexts))
		})
	}
}

// newest is the latest stageTimestamp of a log.
func newest(t *testing.T, lines []string) (last time.Time) {
	t.Helper()
	var d audit.Decoder
	for i := max(len(lines)-500, 0); i < len(lines); i++ {
		var ev audit.Event
		if err := d.Decode([]byte(lines[i]), audit.Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		if ev.StageTime.After(last) {
			last = ev.StageTime
		}
	}
	return last
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
