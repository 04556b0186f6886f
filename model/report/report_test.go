package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/train"
)

// trials are a small study of two parts of a recording.
func trials(t testing.TB) []train.Trial {
	t.Helper()
	prefix := filepath.Join("..", "..", "recordings", "crowd")
	d, err := train.Load(t.Context(), train.Source{Name: "crowd", Log: prefix + ".metadata.jsonl.zst", Truth: prefix})
	if err != nil {
		t.Fatal(err)
	}
	plan := train.Plan{Shape: train.DefaultShape(), Options: train.Options{Epochs: 2, Rate: 0.005, Seed: 1}, Validation: 0.2}
	plan.Shape.Width, plan.Shape.Layers = 16, 1
	study := train.Study{Plan: plan, Data: []train.Data{{Source: train.Source{Name: "crowd"}, Sequence: d.Sequence.Slice(0, 1600)}}}
	done, err := study.Folds(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestReport(t *testing.T) {
	done := trials(t)
	r, err := New(t.Context(), "A <b>report</b>", "A network", done, 1)
	if err != nil {
		t.Fatal(err)
	}
	// A name that a log could hold must not become a part of the page.
	r.Kinds = append(r.Kinds, Kind{Name: `<script>alert("x")</script>`})
	r.Trials[0].Name = `"><img onerror=alert(1)>`
	links := []train.LinkTrial{{Name: "a", Logs: []train.LinkMeasurement{{
		Name: `<script>.metadata`, Hard: 200, WrongByRules: 31, WrongRanked: 17,
		Bins: make([]train.LinkBin, len(train.SumLinks(nil, "").Bins)),
	}}}}
	links[0].Logs[0].Bins[7] = train.LinkBin{Least: 0.99, Links: 150, Right: 149, Promised: 0.995}
	r.AddLinks(links)
	var page, figures bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteJSON(&figures); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"31 wrong by rules, 17 ranked", "150 links: promised 0.995, right 0.993"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page says nothing of %q", want)
		}
	}
	for _, bad := range []string{"<script", "<img", "<b>"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if found := regexp.MustCompile(`(?i)(src|href)\s*=|url\(|https?://|@import`).FindString(page.String()); found != "" {
		t.Errorf("the page loads something: %s", found)
	}
	for _, section := range []string{"Figures", "Trials", "Loss", "Where errors sit", "confused", "Frequent and rare", "How sure", "relies on", "small tree", "<svg", "<polyline", "<circle"} {
		if !strings.Contains(page.String(), section) {
			t.Errorf("the page lacks %q", section)
		}
	}
	if strings.Contains(page.String(), "ZgotmplZ") {
		t.Error("the template refused a value")
	}
	var again Report
	if err := json.Unmarshal(figures.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Voted, again.Voted); diff != "" {
		t.Error(diff)
	}
	if len(again.Importance) != len(model.FeatureNames(true))+len(model.Parts()) {
		t.Errorf("%d features have an importance", len(again.Importance))
	}
	if e := again.Explanation; e.Leaves < 2 || e.Leaves > maxLeaves || e.Fidelity <= e.Majority || e.Fidelity > 1 {
		t.Errorf("the tree has %d answers, a fidelity of %v, and the majority has %v", e.Leaves, e.Fidelity, e.Majority)
	}
	if _, err := New(t.Context(), "", "", nil, 1); err == nil {
		t.Error("a report of nothing was made")
	}
}

// TestTreeFindsTheRule grows a tree on labels that follow from two values.
func TestTreeFindsTheRule(t *testing.T) {
	g := &grower{names: []string{"a", "b", "c"}, features: []int{0, 1, 2}}
	for i := range 90 {
		v := []string{[]string{"x", "y", "z"}[i%3], []string{"p", "q"}[i/3%2], []string{"m", "n"}[i/6%2]}
		l := label.Label(1)
		if v[0] == "x" {
			l = 2
			if v[1] == "q" {
				l = 3
			}
		}
		g.values, g.labels = append(g.values, v), append(g.labels, l)
	}
	tree := g.grow(len(g.labels), 10)
	if n := tree.leaves(); n != 3 {
		t.Errorf("the tree has %d answers, and three are needed", n)
	}
	for i, want := range g.labels {
		if got := g.follow(tree, i); got != want {
			t.Fatalf("line %d: the tree says %d, not %d", i, got, want)
		}
	}
	if tree.Feature != "a" || tree.Value != "x" {
		t.Errorf("the first question is whether %s is %s", tree.Feature, tree.Value)
	}
}

func TestImportanceFindsWhatMatters(t *testing.T) {
	done := trials(t)
	weights, err := Importance(t.Context(), done[0].Model, done[0].Tested[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]float64{}
	for _, w := range weights {
		byName[w.Feature] = w.Loss
	}
	if byName["candidates"] <= 0.1 {
		t.Errorf("without the right candidates only %v is lost", byName["candidates"])
	}
	if byName["stage"] > byName["candidates"] {
		t.Error("the stage, which is always the same, matters more than the candidates")
	}
	if _, err := done[0].Tested[0].Permuted("nosuch", nil); err == nil {
		t.Error("a feature that does not exist was dealt out")
	}
}

func ExampleReport_WriteHTML() {
	r := &Report{Title: "A model", Network: "A small network"}
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		fmt.Println(err)
	}
	title, _, _ := strings.Cut(page.String()[strings.Index(page.String(), "<h1>"):], "\n")
	fmt.Println(title)
	// Output: <h1>A model</h1>
}
