package link

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGrownTotals reads a log as live mode does, asking again and again for
// what has grown, and ends it with Advance instead of Close. The newest record
// of each context must hold what its parts hold together.
func TestGrownTotals(t *testing.T) {
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		events := recording(t, name)
		options := Options{ContextIdle: 20 * time.Second}
		said, parts, _ := run(events, options)
		want := map[string]ContextRecord{}
		for _, part := range parts {
			r, ok := want[part.ID]
			if !ok {
				r = part
				r.EffectsBy, r.Touched = maps.Clone(r.EffectsBy), maps.Clone(r.Touched)
				want[part.ID] = r
				continue
			}
			r.Events, r.Clients, r.Effects = r.Events+part.Events, r.Clients+part.Clients, r.Effects+part.Effects
			r.Failed, r.Deletes = r.Failed+part.Failed, r.Deletes+part.Deletes
			if part.First.Before(r.First) {
				r.First = part.First
			}
			if part.Last.After(r.Last) {
				r.Last = part.Last
			}
			for k, n := range part.EffectsBy {
				r.EffectsBy[k] += n
			}
			for k, n := range part.Touched {
				r.Touched[k] += n
			}
			want[part.ID] = r
		}

		options.Totals = true
		got := map[string]ContextRecord{}
		report := func(r ContextRecord) { got[r.ID] = r }
		differ := 0
		l := New(options, func(a Assignment) {
			if brief(a) != brief(said[int(a.Tag)]) {
				differ++
			}
		}, report)
		last := time.Time{}
		for i, ev := range events {
			l.Add(ev, uint64(ev.Position.Line))
			if ev.StageTime.After(last) {
				last = ev.StageTime
			}
			if i%97 == 0 {
				l.Grown(report)
			}
		}
		if l.Idle() {
			t.Errorf("%s: idle while events wait", name)
		}
		l.Advance(last.Add(time.Hour))
		if !l.Idle() {
			t.Errorf("%s: not idle an hour after the end", name)
		}
		if differ > 0 {
			t.Errorf("%s: %d assignments are not those of a run that was closed", name, differ)
		}
		slim := cmp.Transformer("slim", func(r ContextRecord) ContextRecord {
			r.Root, r.OriginRoot = nil, nil
			return r
		})
		if diff := cmp.Diff(want, got, cmp.FilterValues(func(a, b ContextRecord) bool { return a.Root != nil && b.Root != nil }, slim)); diff != "" {
			t.Errorf("%s: contexts (-parts +totals):\n%.2000s", name, diff)
		}
	}
}

// TestAdvanceOfAQuietLog wants a command of a person closed, and its context
// reported, when nothing more comes than time.
func TestAdvanceOfAQuietLog(t *testing.T) {
	events := parseStory(t, "0 alice get deployments shop/web\n0.1 alice patch deployments shop/web\n0.2 bob list pods shop/-")
	var roles []Role
	var records int
	l := New(Options{}, func(a Assignment) { roles = append(roles, a.Role) }, func(ContextRecord) { records++ })
	for i, ev := range events {
		l.Add(ev, uint64(i))
	}
	start := events[0].RequestReceived
	l.Advance(start.Add(-time.Hour))
	if len(roles) != 0 {
		t.Errorf("going back linked %v", roles)
	}
	l.Advance(start.Add(4 * time.Second))
	if len(roles) != 3 || records != 0 {
		t.Errorf("after 4 s: %v and %d contexts closed", roles, records)
	}
	l.Advance(start.Add(10 * time.Minute))
	if len(roles) != 3 || records != 2 || !l.Idle() {
		t.Errorf("after 10 min: %v and %d contexts closed", roles, records)
	}
}
