package export

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// log is what a run of the pipeline gives of a log.
type log struct {
	contexts []*store.Context
	events   []*store.Event
}

// load analyses a log of testdata.
func load(t testing.TB, name string) *log {
	t.Helper()
	l := &log{}
	sink := pipeline.Sink{
		Context: func(c *pipeline.Context) error {
			l.contexts = append(l.contexts, &store.Context{Context: *c, Cluster: "lab"})
			return nil
		},
		Annotation: func(a *pipeline.Annotation) error {
			l.events = append(l.events, eventOf(a))
			return nil
		},
	}
	if _, err := pipeline.Run(context.Background(), []string{filepath.Join("testdata", name)}, nil, pipeline.Options{}, sink); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(l.contexts, func(a, b *store.Context) int { return a.Start.Compare(b.Start) })
	return l
}

func eventOf(a *pipeline.Annotation) *store.Event {
	return &store.Event{
		Event: a.Event, Cluster: "lab", Context: a.Context, Operation: a.Operation, Role: a.Role,
		Cause: a.Cause, Rival: a.Rival, Rule: a.Rule, Evidence: a.Evidence, Confidence: a.Confidence,
		Autonomous: a.Autonomous, Label: a.Label,
	}
}

// all gives a list as a sequence without errors.
func all[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// eventsOf gives the events of some contexts, the newest first. Unless it is to
// look everywhere it leaves out all watches.
func (l *log) eventsOf(contexts []*store.Context, everywhere bool) iter.Seq2[*store.Event, error] {
	var list []*store.Event
	for _, ev := range slices.Backward(l.events) {
		id := cmp.Or(ev.Autonomous, ev.Context)
		if (everywhere || ev.Verb != "watch") && slices.ContainsFunc(contexts, func(c *store.Context) bool { return c.ID == id }) {
			list = append(list, ev)
		}
	}
	return all(list)
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, diff)
	}
}

func TestContextsGolden(t *testing.T) {
	for _, name := range []string{"pod.audit", "clock.metadata", "hostile"} {
		var b bytes.Buffer
		l := load(t, name+".jsonl")
		n, err := Contexts(&b, all(l.contexts))
		if err != nil || n != len(l.contexts) || n == 0 {
			t.Errorf("%s: %d of %d contexts, %v", name, n, len(l.contexts), err)
		}
		golden(t, name+".csv", b.Bytes())
	}
}
