package evaluate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/label"
)

// maxWorst is how many of the worst kinds of effect are told.
const maxWorst = 15

// Score compares annotations with the truth. It fails where the annotations do:
// with their own error, or when a line is annotated twice, is not in the truth,
// or has another auditID there. Lines of the truth without an annotation count
// as being in no context.
func Score(truth *Truth, annotations Annotations) (Figures, error) {
	s, err := newScorer(truth, annotations)
	if err != nil {
		return Figures{}, err
	}
	f := Figures{Lines: len(truth.Lines), NotAnnotated: s.missing, Commands: len(truth.Commands)}
	s.scoreEffects(&f)
	s.scoreRoots(&f)
	s.scoreClusters(&f)
	s.scoreLabels(&f)
	return f, nil
}

// scorer holds the truth and what is said about it.
type scorer struct {
	truth *Truth
	// said is what is said of truth.Lines, in their order; the Line of what
	// is not annotated is 0.
	said    []Annotation
	missing int
	// stands gives the command for which a said context stands.
	stands map[string]string
}

func newScorer(truth *Truth, annotations Annotations) (*scorer, error) {
	s := &scorer{truth: truth, said: make([]Annotation, len(truth.Lines)), missing: len(truth.Lines)}
	places := make(map[int]int, len(truth.Lines))
	for i, l := range truth.Lines {
		places[l.Line] = i
	}
	for a, err := range annotations {
		if err != nil {
			return nil, err
		}
		i, there := places[a.Line]
		switch {
		case !there:
			return nil, fmt.Errorf("line %d is annotated, but the truth has no such line", a.Line)
		case s.said[i].Line != 0:
			return nil, fmt.Errorf("line %d is annotated twice", a.Line)
		case a.AuditID != "" && a.AuditID != truth.Lines[i].AuditID:
			return nil, fmt.Errorf("line %d has the auditID %q, in the truth %q: the annotations are of another log",
				a.Line, a.AuditID, truth.Lines[i].AuditID)
		}
		s.said[i] = a
		s.missing--
	}
	s.stands = s.standsFor()
	return s, nil
}

// standsFor finds which command a said context stands for: that of its first
// root that is a command's own request, else that of most of such requests, and
// of equally many the one that came first.
func (s *scorer) standsFor() map[string]string {
	type tally struct {
		votes map[string]int
		order []string
	}
	tallies := map[string]*tally{}
	stands := map[string]string{}
	for i, l := range s.truth.Lines {
		c := s.said[i].Context
		if c == "" || l.Resource == "" || l.Role != RoleRoot && l.Role != RoleClient {
			continue
		}
		t := tallies[c]
		if t == nil {
			t = &tally{votes: map[string]int{}}
			tallies[c] = t
		}
		if t.votes[l.Context] == 0 {
			t.order = append(t.order, l.Context)
		}
		t.votes[l.Context]++
		if _, rooted := stands[c]; !rooted && s.said[i].Role == RoleRoot {
			stands[c] = l.Context
		}
	}
	for c, t := range tallies {
		if _, rooted := stands[c]; rooted {
			continue
		}
		best := t.order[0]
		for _, command := range t.order {
			if t.votes[command] > t.votes[best] {
				best = command
			}
		}
		stands[c] = best
	}
	return stands
}

// scoreEffects counts the effects that are where they belong, and the
// background lines that are blamed on somebody.
func (s *scorer) scoreEffects(f *Figures) {
	var right, hard, hardRight, homeless, background, blamed int
	kinds := map[string]*worstKind{}
	for i, l := range s.truth.Lines {
		if l.Resource == "" {
			continue
		}
		c := s.said[i].Context
		command, stands := s.stands[c]
		switch l.Role {
		case RoleBackground:
			background++
			blamed += count(stands)
		case RoleEffect:
			isRight := stands && command == l.Context
			f.Effects++
			right += count(isRight)
			homeless += count(c == "")
			if !strings.HasSuffix(l.User, ":namespace-controller") {
				hard++
				hardRight += count(isRight)
			}
			name := kindOfEffect(l)
			if kinds[name] == nil {
				kinds[name] = &worstKind{name: name}
			}
			kinds[name].all++
			kinds[name].right += count(isRight)
		}
	}
	f.Attribution = ratio(right, f.Effects)
	f.HardAttribution = ratio(hardRight, hard)
	f.EffectsWithoutContext = ratio(homeless, f.Effects)
	f.FalseBlame = ratio(blamed, background)
	f.Worst = worst(kinds)
}

// worstKind is a kind of effect and how many of it are right.
type worstKind struct {
	name       string
	all, right int
}

// kindOfEffect names a kind of effect: the component's last name, or "node" for
// any kubelet, the verb and the resource.
func kindOfEffect(l Line) string {
	user := "node"
	if !strings.Contains(l.User, ":node:") {
		user = l.User[strings.LastIndexByte(l.User, ':')+1:]
	}
	name := user + " " + l.Verb + " " + l.Resource
	if l.Subresource != "" {
		name += "/" + l.Subresource
	}
	return name
}

// worst lists the kinds of effect with wrong ones, the most wrong first and
// then by name from the end of the alphabet, as score.py does.
func worst(kinds map[string]*worstKind) []string {
	var wrong []*worstKind
	for _, k := range kinds {
		if k.all > k.right {
			wrong = append(wrong, k)
		}
	}
	slices.SortFunc(wrong, func(a, b *worstKind) int {
		return cmp.Or(cmp.Compare(b.all-b.right, a.all-a.right), cmp.Compare(b.name, a.name))
	})
	lines := []string{}
	for _, k := range wrong[:min(len(wrong), maxWorst)] {
		lines = append(lines, fmt.Sprintf("%s: %d of %d right", k.name, k.right, k.all))
	}
	return lines
}

// scoreRoots counts how many roots are found, and how many that are said to be
// roots are.
func (s *scorer) scoreRoots(f *Figures) {
	var roots, found, said, saidRight int
	for i, l := range s.truth.Lines {
		if l.Resource == "" {
			continue
		}
		saysRoot := s.said[i].Role == RoleRoot
		if l.Role == RoleRoot {
			roots++
			found += count(saysRoot)
		}
		if saysRoot && l.isOfCommand() {
			said++
			saidRight += count(l.Role == RoleRoot)
		}
	}
	f.RootRecall = ratio(found, roots)
	f.RootPrecision = ratio(saidRight, said)
}

// scoreClusters compares the contexts as sets of lines: B-cubed, and how many
// are exact.
func (s *scorer) scoreClusters(f *Figures) {
	type pair struct{ said, true string }
	lines := 0
	gold, got, both := map[string]int{}, map[string]int{}, map[pair]int{}
	var pairs []pair
	for i, l := range s.truth.Lines {
		if l.Resource == "" || !l.isOfCommand() || s.truth.Commands[l.Context].Principals > 1 {
			continue
		}
		name := s.said[i].Context
		if name == "" {
			name = "alone " + strconv.Itoa(l.Line)
		}
		p := pair{name, l.Context}
		if both[p] == 0 {
			pairs = append(pairs, p)
		}
		lines++
		gold[p.true]++
		got[p.said]++
		both[p]++
	}
	var precision, recall float64
	exact := 0
	for _, p := range pairs {
		k := both[p]
		precision += float64(k*k) / float64(got[p.said])
		recall += float64(k*k) / float64(gold[p.true])
		exact += count(k == gold[p.true] && k == got[p.said])
	}
	precision /= float64(max(1, lines))
	recall /= float64(max(1, lines))
	f.B3Precision, f.B3Recall, f.B3 = known(precision), known(recall), known(0)
	if precision+recall > 0 {
		f.B3 = known(2 * precision * recall / (precision + recall))
	}
	f.Exact = ratio(exact, len(gold))
}

// scoreLabels compares the labels of the commands' lines with those of their
// commands' roots.
func (s *scorer) scoreLabels(f *Figures) {
	type outcome struct{ hit, missed, wrong int }
	labels := map[label.Label]*outcome{}
	of := func(l label.Label) *outcome {
		if labels[l] == nil {
			labels[l] = &outcome{}
		}
		return labels[l]
	}
	lines, right := 0, 0
	for i, l := range s.truth.Lines {
		want, known := s.truth.RootLabels[l.Context]
		if l.Resource == "" || !l.isOfCommand() || !known {
			continue
		}
		lines++
		said := s.said[i].Label
		if said != nil && *said == want {
			right++
			of(want).hit++
			continue
		}
		of(want).missed++
		if said != nil {
			of(*said).wrong++
		}
	}
	f.LabelAccuracy = ratio(right, lines)
	if lines == 0 {
		return
	}
	// The sum runs in a fixed order, so that two runs round alike.
	total := 0.0
	for _, l := range slices.Sorted(maps.Keys(labels)) {
		o := labels[l]
		total += float64(2*o.hit) / float64(2*o.hit+o.missed+o.wrong)
	}
	f.LabelMacroF1 = known(total / float64(len(labels)))
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
