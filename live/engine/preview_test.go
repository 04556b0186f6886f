package engine

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/whet-k8s/whet/pipeline"
)

// TestOldPreview begins a preview from a state that is older than what the last
// checkpoint told, and wants it to take nothing of that back.
func TestOldPreview(t *testing.T) {
	var shown []string
	e := &Engine{
		told: map[string]uint64{"before": 10, "at the state": 11, "after": 20}, looking: true,
		options: Options{Preview: func(list []pipeline.Context) {
			for i := range list {
				shown = append(shown, list[i].ID)
			}
		}},
	}
	e.show(outlook{begun: time.Now(), saved: 11, grown: []pipeline.Context{{ID: "before"}, {ID: "at the state"}, {ID: "after"}, {ID: "new"}}})
	if want := []string{"before", "at the state", "new"}; !slices.Equal(shown, want) {
		t.Errorf("%q were shown, want %q", shown, want)
	}
}

// TestToldIsForgotten wants what was told to be forgotten once the state has it,
// also when no preview is ever made, and kept for one that began before.
func TestToldIsForgotten(t *testing.T) {
	e := &Engine{told: map[string]uint64{"a": 10, "b": 15, "c": 21}, saved: 20, looking: true, previewed: 10}
	for _, want := range [][]string{{"b", "c"}, {"c"}} {
		e.pruneTold()
		if got := slices.Sorted(maps.Keys(e.told)); !slices.Equal(got, want) {
			t.Errorf("%q are left, want %q", got, want)
		}
		e.looking = false
	}
}
