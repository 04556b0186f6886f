package store_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

const recordings = "../recordings/"

// add analyses logs into a data set.
func add(tb testing.TB, dir string, o store.WriterOptions, inputs ...string) store.Added {
	tb.Helper()
	w, err := store.Append(tb.Context(), dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	run := pipeline.Options{KeepGaps: o.Keep == store.KeepAll}
	account, err := pipeline.Run(tb.Context(), inputs, nil, run, w.Sink())
	if err != nil {
		tb.Fatal(err)
	}
	added, err := w.Commit(tb.Context(), account)
	if err != nil {
		tb.Fatal(err)
	}
	return added
}

func open(tb testing.TB, dir string) *store.DataSet {
	tb.Helper()
	d, err := store.Open(tb.Context(), dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

// stream gives the rows of a log straight from a run.
func stream(tb testing.TB, cluster, input string) (events []*store.Event, contexts []*store.Context) {
	tb.Helper()
	byID := map[string]*store.Context{}
	_, err := pipeline.Run(tb.Context(), []string{input}, nil, pipeline.Options{}, pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			if a.Role != link.RoleDropped {
				events = append(events, store.EventOf(a, cluster))
			}
			return nil
		},
		Context: func(c *pipeline.Context) error {
			row := byID[c.ID]
			if row == nil {
				row = &store.Context{Cluster: cluster}
				byID[c.ID] = row
				contexts = append(contexts, row)
			}
			row.Add(c)
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.SortFunc(events, func(a, b *store.Event) int {
		return cmpOr(a.RequestReceived.Compare(b.RequestReceived), a.StageTime.Compare(b.StageTime), cmpText(a.AuditID, b.AuditID))
	})
	slices.SortFunc(contexts, func(a, b *store.Context) int {
		return cmpOr(a.Start.Compare(b.Start), cmpText(a.ID, b.ID))
	})
	return events, contexts
}

func cmpOr(list ...int) int {
	for _, n := range list {
		if n != 0 {
			return n
		}
	}
	return 0
}

func cmpText(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) }

// kept leaves of an event what docs/dataset.md says is kept.
func kept(ev *store.Event) *store.Event {
	e := *ev.Event
	e.Position.Offset, e.Position.Size = 0, 0
	e.Request, e.Response = keptBody(e.Request), keptBody(e.Response)
	if len(e.Object.ResourceVersion)+len(e.Object.Resource) == 0 {
		e.HasObject = false
	}
	row := *ev
	row.Event = &e
	return &row
}

func keptBody(b *audit.Body) *audit.Body {
	if b == nil {
		return nil
	}
	k := &audit.Body{
		Kind: b.Kind, Name: b.Name, Generation: b.Generation, Labels: b.Labels,
		Replicas: b.Replicas, Suspend: b.Suspend, Paused: b.Paused,
		Images: b.Images, Reason: b.Reason, Type: b.Type, PatchPaths: b.PatchPaths,
	}
	k.Pod.NodeName = b.Pod.NodeName
	return k
}

// TestWhatIsWrittenIsRead wants every event and every context of recordings
// back from a data set, with all that is kept.
func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		input := recordings + name + ".jsonl.zst"
		wantEvents, wantContexts := stream(t, "a/b=c d", input)
		dir := t.TempDir()
		added := add(t, dir, store.WriterOptions{Cluster: "a/b=c d", NoRedact: true}, input)
		if int(added.Events) != len(wantEvents) || int(added.Contexts) != len(wantContexts) {
			t.Errorf("%s: added %+v, want %d events and %d contexts", name, added, len(wantEvents), len(wantContexts))
		}
		d := open(t, dir)
		i := 0
		for got, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(kept(wantEvents[i]), got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s: event %d (-want +got):\n%s", name, i, diff)
			}
			i++
		}
		if i != len(wantEvents) {
			t.Errorf("%s: read %d events, want %d", name, i, len(wantEvents))
		}
		i = 0
		for got, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
			if err != nil {
				t.Fatal(err)
			}
			want := *wantContexts[i]
			want.Root.Received, want.Root.Staged = time.Time{}, time.Time{}
			want.Part = 1
			want.Reads, want.Power = nil, nil // for the rules of a live server alone
			if diff := cmp.Diff(&want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s: context %d (-want +got):\n%s", name, i, diff)
			}
			i++
		}
		if i != len(wantContexts) {
			t.Errorf("%s: read %d contexts, want %d", name, i, len(wantContexts))
		}
	}
}

// TestViews wants sums of the views to agree.
func TestViews(t *testing.T) {
	dir := t.TempDir()
	added := add(t, dir, store.WriterOptions{}, recordings+"crowd.audit.jsonl.zst")
	d := open(t, dir)
	for query, want := range map[string]int64{
		"SELECT count(*) FROM events":                    added.Events,
		"SELECT count(*) FROM links":                     added.Events,
		"SELECT count(*) FROM contexts":                  added.Contexts,
		"SELECT count(DISTINCT id) FROM contexts":        added.Contexts,
		"SELECT sum(events)::BIGINT FROM objects":        count(t, d, `SELECT count(*) FROM events WHERE "name" IS NOT NULL`),
		"SELECT count(*) FROM contexts WHERE id IS NULL": 0,
		"SELECT count(*) FROM events WHERE context IS NOT NULL AND context NOT IN (SELECT id FROM contexts)": 0,
		"SELECT count(*) FROM events WHERE cause IS NOT NULL AND cause NOT IN (SELECT auditID FROM events)":  0,
	} {
		if got := count(t, d, query); got != want {
			t.Errorf("%s gives %d, want %d", query, got, want)
		}
	}
}

func count(tb testing.TB, d *store.DataSet, query string) int64 {
	tb.Helper()
	var n int64
	if err := d.DB().QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return n
}
