package rank

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// Options say how a model is fitted.
type Options struct {
	// Trees are how many there are, and Depth how many questions each asks at
	// most.
	Trees, Depth int
	// Rate is how much of what a tree would mend it is given to mend.
	Rate float64
	// Ridge is added to the weight of a leaf, and keeps the values of leaves
	// with few examples small; LeafWeight is the least weight of one, as a sum
	// of p(1-p).
	Ridge, LeafWeight float64
	// Prior is the head start of the candidate that the rules picked.
	Prior float64
	// Choices and Features are the shares of them that each tree sees, drawn
	// by the seed.
	Choices, Features float64
	// Thin uses one in so many of the choices in which the rules were right,
	// with the weight of all.
	Thin int
	Seed uint64
	// Workers is the number of goroutines; the result does not depend on it.
	Workers int
}

// DefaultOptions are those of the model that whet comes with.
func DefaultOptions() Options {
	return Options{
		Trees: 100, Depth: 4, Rate: 0.15, Ridge: 1, LeafWeight: 0.5, Prior: 3,
		Choices: 0.6, Features: 0.5, Thin: 4, Seed: 1, Workers: 2,
	}
}

var errNoExamples = errors.New("there are no examples to learn from")

// maxBins is in how many steps the trees see a feature.
const maxBins = 64

// grower grows a forest.
type grower struct {
	Options
	forest   *forest
	random   *rand.Rand
	examples []Example
	weights  []float32 // of examples
	rows     []*vector // the candidates of all examples
	starts   []int     // of each example, in rows
	// bins are the rows' values by feature, as numbers of steps, and bounds the
	// values between two steps.
	bins   [][]uint8
	bounds [][]float32
	scores []float32
	// slope and bend are the first and second derivatives of the loss by score.
	slope, bend []float32
	use         [featureCount]bool
}

// grow fits a forest. An error comes from ctx, or where there is nothing to
// learn from.
func grow(ctx context.Context, examples []Example, o Options) (*forest, error) {
	g := newGrower(examples, o)
	if len(g.rows) == 0 {
		return nil, errNoExamples
	}
	for range o.Trees {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.tree()
	}
	return g.forest, nil
}

func newGrower(examples []Example, o Options) *grower {
	g := &grower{Options: o, forest: &forest{prior: float32(o.Prior)}, random: rand.New(rand.NewPCG(o.Seed, 0))} //nolint:gosec // Drawn from the seed.
	thin := max(o.Thin, 1)
	for i := range examples {
		e, weight := &examples[i], 1
		if e.right[e.picked] {
			weight = thin
		}
		if i%weight != 0 {
			continue
		}
		g.examples, g.weights = append(g.examples, *e), append(g.weights, float32(weight))
		g.starts = append(g.starts, len(g.rows))
		for j := range e.vectors {
			g.rows = append(g.rows, &e.vectors[j])
		}
	}
	g.scores, g.slope, g.bend = make([]float32, len(g.rows)), make([]float32, len(g.rows)), make([]float32, len(g.rows))
	for i, r := range g.rows {
		g.scores[i] = g.forest.prior * r[fPicked]
	}
	g.bins, g.bounds = make([][]uint8, featureCount), make([][]float32, featureCount)
	g.each(func(feature int) { g.bins[feature], g.bounds[feature] = steps(g.rows, feature) })
	return g
}

// each calls f for every feature, on all workers.
func (g *grower) each(f func(feature int)) {
	var all sync.WaitGroup
	workers := max(g.Workers, 1)
	for w := range workers {
		all.Go(func() {
			for feature := w; feature < featureCount; feature += workers {
				f(feature)
			}
		})
	}
	all.Wait()
}

// tree grows one more tree, on what those before it leave.
func (g *grower) tree() {
	var index []int32
	for e := range g.examples {
		at, n := g.starts[e], len(g.examples[e].right)
		derive(g.scores[at:at+n], g.examples[e].right, g.weights[e], g.slope[at:], g.bend[at:])
		if g.random.Float64() >= g.Choices {
			continue
		}
		for i := range n {
			index = append(index, int32(at+i)) //nolint:gosec // Far fewer rows.
		}
	}
	for feature := range g.use {
		g.use[feature] = g.random.Float64() < g.Features
	}
	root := g.branch(index, g.Depth)
	g.forest.roots = append(g.forest.roots, root)
	for i, r := range g.rows {
		g.scores[i] += g.forest.tree(root, r)
	}
}

// derive gives the derivatives of -log of what the right candidates have of the
// softmax, by each candidate's score.
func derive(scores []float32, right []bool, weight float32, slope, bend []float32) {
	const least = 1e-6
	p := softmax(scores)
	sum := 1e-9
	for i, r := range right {
		if r {
			sum += p[i]
		}
	}
	for i, r := range right {
		want := 0.0
		if r {
			want = p[i] / sum
		}
		slope[i] = weight * float32(p[i]-want)
		bend[i] = weight * float32(max(p[i]*(1-p[i]), least))
	}
}

// softmax turns scores into shares of one.
func softmax(scores []float32) []float64 {
	top := slices.Max(scores)
	p := make([]float64, len(scores))
	sum := 0.0
	for i, s := range scores {
		p[i] = math.Exp(float64(s - top))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// steps parts the values of a feature into steps with about equally many rows
// each.
func steps(rows []*vector, feature int) (bins []uint8, bounds []float32) {
	sorted := make([]float32, len(rows))
	for i, r := range rows {
		sorted[i] = r[feature]
	}
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	if len(distinct) <= maxBins {
		for i := range len(distinct) - 1 {
			bounds = append(bounds, (distinct[i]+distinct[i+1])/2)
		}
	} else {
		for b := 1; b < maxBins; b++ {
			if v := sorted[len(sorted)*b/maxBins]; len(bounds) == 0 || v > bounds[len(bounds)-1] {
				bounds = append(bounds, v)
			}
		}
	}
	bins = make([]uint8, len(rows))
	for i, r := range rows {
		at, _ := slices.BinarySearch(bounds, r[feature])
		bins[i] = uint8(at) //nolint:gosec // There are at most maxBins.
	}
	return bins, bounds
}

// cut is a question: whether a feature's step is at most bin.
type cut struct {
	gain    float64
	feature int
	bin     int
}

// branch grows the part of a tree for some rows, and gives its first node.
func (g *grower) branch(index []int32, depth int) int32 {
	at := int32(len(g.forest.nodes)) //nolint:gosec // Far fewer nodes.
	g.forest.nodes = append(g.forest.nodes, node{feature: leaf})
	var slope, bend float64
	for _, i := range index {
		slope += float64(g.slope[i])
		bend += float64(g.bend[i])
	}
	best := cut{feature: leaf}
	if depth > 0 && bend > 2*g.LeafWeight {
		best = g.bestCut(index, slope, bend)
	}
	if best.feature == leaf {
		g.forest.nodes[at].value = float32(-g.Rate * slope / (bend + g.Ridge))
		return at
	}
	var left, right []int32
	bins := g.bins[best.feature]
	for _, i := range index {
		if int(bins[i]) <= best.bin {
			left = append(left, i)
		} else {
			right = append(right, i)
		}
	}
	n := node{feature: int32(best.feature), value: g.bounds[best.feature][best.bin]} //nolint:gosec // There are few features.
	n.left = g.branch(left, depth-1)
	n.right = g.branch(right, depth-1)
	g.forest.nodes[at] = n
	return at
}

// bestCut finds the question that helps most; of equal ones that on the first
// feature.
func (g *grower) bestCut(index []int32, slope, bend float64) cut {
	cuts := make([]cut, featureCount)
	g.each(func(feature int) { cuts[feature] = g.cutOn(feature, index, slope, bend) })
	return slices.MaxFunc(cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.gain, b.gain), cmp.Compare(b.feature, a.feature))
	})
}

// cutOn finds the best question on one feature, one on leaf where none helps.
func (g *grower) cutOn(feature int, index []int32, slope, bend float64) cut {
	best := cut{feature: leaf}
	if !g.use[feature] {
		return best
	}
	var slopes, bends [maxBins]float64
	bins := g.bins[feature]
	for _, i := range index {
		slopes[bins[i]] += float64(g.slope[i])
		bends[bins[i]] += float64(g.bend[i])
	}
	gain := func(slope, bend float64) float64 { return slope * slope / (bend + g.Ridge) }
	var s, b float64
	for bin := range len(g.bounds[feature]) {
		s += slopes[bin]
		b += bends[bin]
		if b < g.LeafWeight || bend-b < g.LeafWeight {
			continue
		}
		if v := gain(s, b) + gain(slope-s, bend-b) - gain(slope, bend); v > best.gain+1e-6 {
			best = cut{v, feature, bin}
		}
	}
	return best
}
