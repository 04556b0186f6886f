package train

import (
	"cmp"
	"maps"
	"slices"

	"github.com/whet-k8s/whet/label"
)

// Outcome counts what was said of the lines of one class.
type Outcome struct {
	Hit    int `json:"hit"`    // lines of the class that were said to be
	Missed int `json:"missed"` // lines of the class that were said to be of another
	Wrong  int `json:"wrong"`  // lines of other classes that were said to be of it
}

// F1 is the harmonic mean of Precision and Recall.
func (o Outcome) F1() float64 { return share(2*o.Hit, 2*o.Hit+o.Missed+o.Wrong) }

// Precision is the share of what was said to be of the class that is.
func (o Outcome) Precision() float64 { return share(o.Hit, o.Hit+o.Wrong) }

// Recall is the share of the class that was said to be of it.
func (o Outcome) Recall() float64 { return share(o.Hit, o.Hit+o.Missed) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Confusion counts labels that were said against those that are true.
type Confusion struct {
	counts map[pair]int
	lines  int
}

type pair struct{ want, said label.Label }

// NewConfusion gives an empty one.
func NewConfusion() *Confusion { return &Confusion{counts: map[pair]int{}} }

// Add counts a line.
func (c *Confusion) Add(want, said label.Label) {
	c.counts[pair{want, said}]++
	c.lines++
}

// Merge adds what another one counted.
func (c *Confusion) Merge(other *Confusion) {
	for p, n := range other.counts {
		c.counts[p] += n
	}
	c.lines += other.lines
}

// Classes gives the outcome of each label that is true of a line or was said
// of one.
func (c *Confusion) Classes() map[label.Label]Outcome {
	classes := map[label.Label]Outcome{}
	for p, n := range c.counts {
		want := classes[p.want]
		if p.want == p.said {
			want.Hit += n
			classes[p.want] = want
			continue
		}
		want.Missed += n
		classes[p.want] = want
		said := classes[p.said]
		said.Wrong += n
		classes[p.said] = said
	}
	return classes
}

// Mistake is a label that is true of lines, and another that was said of them.
type Mistake struct {
	Want  label.Label `json:"want"`
	Said  label.Label `json:"said"`
	Lines int         `json:"lines"`
}

// Mistakes lists the most frequent mistakes, at most so many.
func (c *Confusion) Mistakes(most int) []Mistake {
	var list []Mistake
	for p, n := range c.counts {
		if p.want != p.said {
			list = append(list, Mistake{p.want, p.said, n})
		}
	}
	slices.SortFunc(list, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Want, b.Want), cmp.Compare(a.Said, b.Said))
	})
	return list[:min(len(list), most)]
}

// Count gives how many lines with a true label were said to have another one,
// or the same.
func (c *Confusion) Count(want, said label.Label) int { return c.counts[pair{want, said}] }

// Figures are the figures of a set of lines. Macro figures are means over the
// labels that are true of a line or were said of one, as in package evaluate.
type Figures struct {
	Lines          int     `json:"lines"`
	Accuracy       float64 `json:"accuracy"`
	MacroF1        float64 `json:"macro_f1"`
	MacroPrecision float64 `json:"macro_precision"`
	MacroRecall    float64 `json:"macro_recall"`
	Classes        int     `json:"classes"`
}

// Figures computes the figures.
func (c *Confusion) Figures() Figures {
	classes := c.Classes()
	f := Figures{Lines: c.lines, Classes: len(classes)}
	if c.lines == 0 {
		return f
	}
	hits := 0
	// The sums run in a fixed order, so that two runs round alike.
	for _, l := range slices.Sorted(maps.Keys(classes)) {
		o := classes[l]
		hits += o.Hit
		f.MacroF1 += o.F1()
		f.MacroPrecision += o.Precision()
		f.MacroRecall += o.Recall()
	}
	n := float64(len(classes))
	f.MacroF1, f.MacroPrecision, f.MacroRecall = f.MacroF1/n, f.MacroPrecision/n, f.MacroRecall/n
	f.Accuracy = share(hits, c.lines)
	return f
}
