package engine_test

import (
	"testing"

	"github.com/whet-k8s/whet/store"
)

// TestStats wants the counts of an engine to be those of its data set.
func TestStats(t *testing.T) {
	log := recording(t, "crowd.metadata")
	dir := t.TempDir()
	stream := openStream(t, dir)
	o := options(dir)
	l := start(t, stream, o)
	l.publish(t, pieces(log)...)
	if err := finish(t.Context(), stream, l.engine, l.done); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	stats := l.engine.Stats()
	if stats.Open != 0 || stats.StateBytes == 0 || stats.Newest.IsZero() || stats.Published.IsZero() {
		t.Errorf("%+v", stats)
	}
	d, err := store.Open(t.Context(), o.DataSet)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var linked, aside int64
	for ev, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Cause != "" {
			linked++
		}
		if stats.SetAside[ev.Rule] > 0 {
			aside++
		}
	}
	for link, n := range stats.Links {
		linked -= n
		if link.Rule == "" || link.Confidence < 0 || link.Confidence > 10 || n <= 0 {
			t.Errorf("%+v: %d", link, n)
		}
	}
	var dropped int64
	for _, n := range stats.Dropped {
		dropped += n
	}
	for _, n := range stats.SetAside {
		aside -= n
	}
	if linked != 0 || aside != 0 || dropped == 0 {
		t.Errorf("%d links and %d events set aside are not counted; %d dropped", linked, aside, dropped)
	}
	again := start(t, stream, o)
	again.stop(t)
	if got := again.engine.Stats(); len(got.Dropped) != len(stats.Dropped) || got.Newest != stats.Newest {
		t.Errorf("after a restart: %+v", got)
	}
}
