package model

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/label"
)

func TestWindowsHoldEveryLine(t *testing.T) {
	for _, test := range []struct {
		lines, window, stride int
		want                  []int
	}{
		{0, 60, 30, nil},
		{1, 60, 30, []int{0}},
		{60, 60, 30, []int{0}},
		{61, 60, 30, []int{0, 1}},
		{150, 60, 30, []int{0, 30, 60, 90}},
		{155, 60, 30, []int{0, 30, 60, 90, 95}},
		{10, 3, 3, []int{0, 3, 6, 7}},
	} {
		t.Run(fmt.Sprint(test.lines, test.window, test.stride), func(t *testing.T) {
			starts := windowStarts(test.lines, test.window, test.stride)
			if diff := cmp.Diff(test.want, starts); diff != "" {
				t.Error(diff)
			}
			seen := make([]bool, test.lines)
			for _, at := range starts {
				for i := at; i < min(at+test.window, test.lines); i++ {
					seen[i] = true
				}
			}
			if slices.Contains(seen, false) {
				t.Errorf("a line is in no window: %v", seen)
			}
		})
	}
}

func TestVoteWeighsTheMiddleMost(t *testing.T) {
	var got []float32
	for i := range 5 {
		got = append(got, voteWeight(i, 5))
	}
	if diff := cmp.Diff([]float32{1. / 3, 2. / 3, 1, 2. / 3, 1. / 3}, got); diff != "" {
		t.Error(diff)
	}
	if w := voteWeight(0, 1); w != 1 {
		t.Errorf("the only line of a window weighs %v", w)
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent[int, int](10)
	for i := range 100 {
		r.put(i, -i)
		for back := range min(i, 5) {
			if v, ok := r.get(i - back); !ok || v != back-i {
				t.Fatalf("after %d entries, entry %d is %d, %v", i+1, i-back, v, ok)
			}
		}
		if n := len(r.now) + len(r.past); n > 10 {
			t.Fatalf("%d entries are kept", n)
		}
	}
	if _, ok := r.get(3); ok {
		t.Error("an old entry is still there")
	}
}

func TestHeadsGiveTheLabelBack(t *testing.T) {
	codec := label.New(label.Options{})
	labels := append(codec.Space(), codec.NewSpace()...)
	h := newHeads(labels[:len(labels)/2])
	if err := h.check(); err != nil {
		t.Fatal(err)
	}
	for _, l := range append(labels, label.Unknown, label.Ignored) {
		if got := labelOf(partsOf(l)); got != l {
			t.Errorf("label %d has parts %v, which make %d", l, partsOf(l), got)
		}
	}
	seen := map[int32]label.Label{}
	for _, l := range labels {
		number := h.number(headResource, partsOf(l)[headResource])
		if other, taken := seen[number]; taken && other.Parts().Resource != l.Parts().Resource {
			t.Errorf("%d and %d have the same number for their resources", other, l)
		}
		seen[number] = l
	}
}

func TestHeadsFromAFileAreChecked(t *testing.T) {
	good := newHeads([]label.Label{65936, 17808})
	for name, spoil := range map[string]func(*heads){
		"empty":     func(h *heads) { h.classes[headVerb] = nil },
		"unordered": func(h *heads) { h.classes[headResource] = []int32{5, 4} },
		"twice":     func(h *heads) { h.classes[headResource] = []int32{5, 5} },
		"negative":  func(h *heads) { h.classes[headResource] = []int32{-3} },
		"too large": func(h *heads) { h.classes[headResource] = []int32{5000} },
		"no verb":   func(h *heads) { h.classes[headVerb] = []int32{3, 8} },
		"no bit":    func(h *heads) { h.classes[headNamed] = []int32{0, 2} },
		"no sub":    func(h *heads) { h.classes[headSubresource] = []int32{0, 128} },
	} {
		h := good
		spoil(&h)
		if h.check() == nil {
			t.Errorf("%s: %v was taken", name, h.classes)
		}
	}
}

func TestVocabulary(t *testing.T) {
	var s Sequence
	for _, verb := range []string{"get", "get", "get", "list", "list", "", "create"} {
		l := Line{}
		l.values[fVerb] = verb
		s.Lines = append(s.Lines, l)
	}
	v, err := buildVocabulary([]string{"level", "verb"}, []*Sequence{&s}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{nil, {"get", "list"}}, v.values); diff != "" {
		t.Error(diff)
	}
	for verb, want := range map[string]int32{"create": 2, "": 3, "get": 4, "list": 5, "never seen": 2} {
		l := Line{}
		l.values[fVerb] = verb
		var rows [2]int32
		v.encode(&l, rows[:])
		if rows != [2]int32{1, want} {
			t.Errorf("the verb %q has the rows %v, not 1 and %d", verb, rows, want)
		}
	}
	if _, err := newVocabulary([]string{"verb"}, [][]string{{"a", "a"}}); err == nil {
		t.Error("a value that is there twice was taken")
	}
	if _, err := newVocabulary([]string{"nosuch"}, [][]string{nil}); err == nil {
		t.Error("a feature that does not exist was taken")
	}
	if _, err := newVocabulary([]string{"verb"}, nil); err == nil {
		t.Error("a feature without values was taken")
	}
}

func TestFeatureNames(t *testing.T) {
	all := FeatureNames(true)
	if len(all) != featureCount || len(FeatureNames(false)) != int(firstRelation) {
		t.Fatalf("%d and %d names for %d and %d features", len(all), len(FeatureNames(false)), featureCount, firstRelation)
	}
	for f, name := range map[feature]string{fGenerated: "generated", fRole: "role", fOwnAgrees: "ownAgrees", fSinceCause: "sinceCause", fPatchPath: "patchPath"} {
		if all[f] != name {
			t.Errorf("feature %d is named %s, not %s", f, all[f], name)
		}
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	if len(slices.Compact(sorted)) != featureCount {
		t.Error("two features have the same name")
	}
}

// TestHiddenClassesAreFoundAmongCandidates hides the class of a target: it must
// become a number that only its candidates hold.
func TestHiddenClassesAreFoundAmongCandidates(t *testing.T) {
	m := &Model{encoder: encoder{heads: newHeads([]label.Label{65936, 17808, 4400})}}
	classes := int32(len(m.heads.classes[headResource]))
	target, candidates := int32(1), []int32{1, 0, -1, 1, classes + 40}
	m.hideClass(headResource, &target, candidates)
	if target < classes || !slices.Equal(candidates, []int32{target, 0, -1, target, classes + 40}) {
		t.Errorf("the target is %d of %d classes, the candidates %v", target, classes, candidates)
	}
	for _, other := range []int32{-1, classes + 40} {
		target, candidates := other, []int32{other}
		m.hideClass(headResource, &target, candidates)
		if target != other || candidates[0] != other {
			t.Errorf("the target %d, which is no class, became %d", other, target)
		}
	}
}
