package train

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/model/rank"
)

// TestRanker trains a small ranker on one recording and measures it on another,
// at each level.
func TestRanker(t *testing.T) {
	var sources []Source
	for _, name := range []string{"day", "short"} {
		found, err := Recordings(filepath.Join("..", "..", "recordings", name))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, found...)
	}
	logs, err := LoadLinks(t.Context(), sources, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(logs) != 6 {
		t.Fatalf("%d logs, want two recordings at three levels", len(logs))
	}
	right := 0
	for _, l := range logs {
		if l.Bodies != (len(l.Examples) == 0) {
			t.Errorf("%s: bodies %v, and %d examples", l.Name, l.Bodies, len(l.Examples))
		}
		for i := range l.Examples {
			if l.Examples[i].RulesRight() {
				right++
			}
		}
	}
	if right == 0 {
		t.Error("the rules were right in no example")
	}
	o := rank.DefaultOptions()
	o.Trees = 40
	trials, err := LeaveOneOutLinks(t.Context(), logs, "short", o, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range LinkLevels() {
		all := SumLinks(trials, level)
		if all.Hard == 0 || all.WrongRanked > all.WrongByRules {
			t.Errorf("%s: %d of %d effects are wrong, and %d by rules alone", level, all.WrongRanked, all.Hard, all.WrongByRules)
		}
		for _, b := range all.Bins {
			// Of few links in a bin a share says nothing.
			if share := float64(b.Right) / float64(b.Links); b.Links >= 50 && share < b.Least-0.05 {
				t.Errorf("%s: of %d links with a confidence from %v on %.3f are right", level, b.Links, b.Least, share)
			}
		}
	}
	if all := SumLinks(trials, "metadata"); all.WrongRanked*3 > all.WrongByRules*2 {
		t.Errorf("at Metadata level %d are wrong, and %d by rules alone: less than a third is mended", all.WrongRanked, all.WrongByRules)
	}
}

func TestRankerRefuses(t *testing.T) {
	if _, err := LoadLinks(t.Context(), []Source{{Name: "a.jsonl", Log: "a.jsonl", Key: "label"}}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "no truth") {
		t.Errorf("a log without a truth: %v", err)
	}
	if _, err := LeaveOneOutLinks(t.Context(), []Links{{Source: Source{Name: "a", Group: "a"}}}, "b", rank.DefaultOptions(), nil); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("a recording that is not there: %v", err)
	}
}
