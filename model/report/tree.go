package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
)

// Tree is a decision tree that does what a model does, as far as a small tree
// can.
type Tree struct {
	// Feature and Value are the question: has the feature this value? A leaf
	// has none, and answers Label.
	Feature string      `json:"feature,omitempty"`
	Value   string      `json:"value,omitempty"`
	Yes     *Tree       `json:"yes,omitempty"`
	No      *Tree       `json:"no,omitempty"`
	Label   label.Label `json:"label"`
	// Lines counts the lines that come here, Same those of them to which the
	// model gives Label.
	Lines int `json:"lines"`
	Same  int `json:"same"`

	rows []int
}

// Explanation is a tree and how well it does.
type Explanation struct {
	Tree *Tree `json:"tree"`
	// Fidelity is the share of lines that the tree did not grow on, to which
	// it gives the label that the model gives; Majority what the most frequent
	// label alone would reach.
	Fidelity float64 `json:"fidelity"`
	Majority float64 `json:"majority"`
	Leaves   int     `json:"leaves"`
}

// Explain grows a tree of at most so many leaves on what the model says of the
// first half of a log, and compares the two on the second half. It fails where
// the model cannot label the log.
func Explain(m *model.Model, s *model.Sequence, leaves int) (Explanation, error) {
	voted, err := m.Predict(s)
	if err != nil {
		return Explanation{}, fmt.Errorf("labelling %s: %w", s.Name, err)
	}
	g := &grower{names: model.FeatureNames(true)}
	for i := range s.Lines {
		g.values = append(g.values, s.Lines[i].Values())
		g.labels = append(g.labels, voted[i].Ranked[0].Label)
	}
	for _, name := range m.Features {
		g.features = append(g.features, slices.Index(g.names, name))
	}
	half := len(s.Lines) / 2
	e := Explanation{Tree: g.grow(half, leaves)}
	e.Leaves = e.Tree.leaves()
	same, frequent := 0, 0
	for i := half; i < len(s.Lines); i++ {
		if g.follow(e.Tree, i) == g.labels[i] {
			same++
		}
		if e.Tree.Label == g.labels[i] {
			frequent++
		}
	}
	if rest := len(s.Lines) - half; rest > 0 {
		e.Fidelity, e.Majority = float64(same)/float64(rest), float64(frequent)/float64(rest)
	}
	return e, nil
}

func (t *Tree) leaves() int {
	if t.Yes == nil {
		return 1
	}
	return t.Yes.leaves() + t.No.leaves()
}

// grower grows a tree.
type grower struct {
	names    []string
	features []int // those that the model sees
	values   [][]string
	labels   []label.Label
}

// split is a question and how many more lines it gets right.
type split struct {
	feature int
	value   string
	gain    float64
}

// grow splits the leaf with the most to gain until there are enough leaves.
func (g *grower) grow(lines, leaves int) *Tree {
	root := &Tree{}
	for i := range lines {
		root.rows = append(root.rows, i)
	}
	g.settle(root)
	type open struct {
		leaf *Tree
		best split
	}
	list := []open{{root, g.best(root)}}
	for range leaves - 1 {
		at := 0
		for i := range list {
			if list[i].best.gain > list[at].best.gain {
				at = i
			}
		}
		leaf, best := list[at].leaf, list[at].best
		if best.gain <= 0 {
			break
		}
		leaf.Feature, leaf.Value = g.names[best.feature], best.value
		leaf.Yes, leaf.No = &Tree{}, &Tree{}
		for _, row := range leaf.rows {
			side := leaf.No
			if g.values[row][best.feature] == best.value {
				side = leaf.Yes
			}
			side.rows = append(side.rows, row)
		}
		g.settle(leaf.Yes)
		g.settle(leaf.No)
		list[at] = open{leaf.Yes, g.best(leaf.Yes)}
		list = append(list, open{leaf.No, g.best(leaf.No)})
	}
	return root
}

// settle gives a leaf its most frequent label, the smallest of equals.
func (g *grower) settle(t *Tree) {
	counts := map[label.Label]int{}
	for _, row := range t.rows {
		counts[g.labels[row]]++
	}
	t.Lines = len(t.rows)
	for _, l := range slices.Sorted(maps.Keys(counts)) {
		if counts[l] > t.Same {
			t.Label, t.Same = l, counts[l]
		}
	}
}

// best finds the question after which the lines of a leaf are least mixed, by
// Gini's measure.
func (g *grower) best(t *Tree) split {
	whole := map[label.Label]int{}
	for _, row := range t.rows {
		whole[g.labels[row]]++
	}
	best := split{}
	before := purity(whole, len(t.rows))
	for _, f := range g.features {
		parts := map[string]map[label.Label]int{}
		sizes := map[string]int{}
		for _, row := range t.rows {
			value := g.values[row][f]
			if parts[value] == nil {
				parts[value] = map[label.Label]int{}
			}
			parts[value][g.labels[row]]++
			sizes[value]++
		}
		if len(parts) < 2 {
			continue
		}
		for _, value := range slices.SortedFunc(maps.Keys(parts), cmp.Compare[string]) {
			rest := maps.Clone(whole)
			for l, n := range parts[value] {
				rest[l] -= n
			}
			gain := purity(parts[value], sizes[value]) + purity(rest, len(t.rows)-sizes[value]) - before
			// Sums of fractions round; what is next to nothing is nothing.
			if gain > best.gain+1e-9 {
				best = split{f, value, gain}
			}
		}
	}
	return best
}

// purity is the number of lines times the chance that two of them, drawn with
// putting back, have the same label.
func purity(counts map[label.Label]int, lines int) float64 {
	if lines == 0 {
		return 0
	}
	sum := 0
	for _, n := range counts {
		sum += n * n
	}
	return float64(sum) / float64(lines)
}

// follow gives the tree's answer for a line.
func (g *grower) follow(t *Tree, row int) label.Label {
	for t.Yes != nil {
		if g.values[row][slices.Index(g.names, t.Feature)] == t.Value {
			t = t.Yes
		} else {
			t = t.No
		}
	}
	return t.Label
}
