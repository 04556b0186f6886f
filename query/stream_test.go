package query_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// stream asks a query of a recording, and gives the lines of what it finds.
func stream(t *testing.T, text string, over query.Over, o query.StreamOptions) (lines []int, early int) {
	t.Helper()
	e, err := query.Parse(text, query.Options{Over: over, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s := query.NewStream(e, o, func(ev *store.Event, c *store.Context) error {
		if over == query.Contexts {
			lines = append(lines, c.Root.Line)
		} else {
			lines = append(lines, ev.Position.Line)
		}
		return nil
	})
	if _, err := pipeline.Run(context.Background(), []string{"../recordings/day.metadata.jsonl.zst"}, nil, pipeline.Options{}, s.Sink()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return lines, s.Early()
}

// TestStreamBounds wants the bounds to change neither what is found nor the
// order where nothing had to be judged too early, and otherwise to say so.
func TestStreamBounds(t *testing.T) {
	for _, c := range []struct {
		query string
		over  query.Over
		tight query.StreamOptions
	}{
		{`effects > 20`, query.Contexts, query.StreamOptions{MaxContexts: 40}},
		{`context.effects > 20 and verb == delete`, query.Events, query.StreamOptions{MaxEvents: 6000}},
		{`context.effects > 20 and verb == delete`, query.Events, query.StreamOptions{MaxBytes: 6 << 20}},
		{`not context.readOnly and verb == delete`, query.Events, query.StreamOptions{MaxContexts: 200}},
	} {
		want, early := stream(t, c.query, c.over, query.StreamOptions{})
		if len(want) == 0 || early != 0 {
			t.Errorf("%s: %d found, %d early", c.query, len(want), early)
		}
		got, early := stream(t, c.query, c.over, c.tight)
		if diff := cmp.Diff(want, got); diff != "" && early == 0 {
			t.Errorf("%s with %+v: nothing was early, and yet\n%s", c.query, c.tight, diff)
		}
		t.Logf("%s with %+v: %d of %d, %d early", c.query, c.tight, len(got), len(want), early)
	}
	if got, early := stream(t, `context.effects > 20`, query.Events, query.StreamOptions{MaxEvents: 10}); early == 0 {
		t.Errorf("with 10 events waiting nothing was early, and %d were found", len(got))
	}
}

// TestStreamEnds wants an error of whoever takes the finds to end the run.
func TestStreamEnds(t *testing.T) {
	enough := errors.New("enough")
	for _, text := range []string{"verb == delete", "context.effects > 3"} {
		e, err := query.Parse(text, query.Options{Over: query.Events})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		s := query.NewStream(e, query.StreamOptions{MaxEvents: 2000}, func(*store.Event, *store.Context) error {
			n++
			return enough
		})
		_, err = pipeline.Run(context.Background(), []string{"../recordings/day.metadata.jsonl.zst"}, nil, pipeline.Options{}, s.Sink())
		if err == nil {
			err = s.Close()
		}
		if !errors.Is(err, enough) || n != 1 {
			t.Errorf("%s: the run ended with %v after %d", text, err, n)
		}
	}
}
