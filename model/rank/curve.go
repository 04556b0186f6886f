package rank

import (
	"errors"
	"slices"
)

// Curve turns the share of the softmax that the best candidate has into how
// likely it is right. Point i is for shares from Edges()[i] on.
type Curve []float64

// Edges are where the points of a Curve begin. Most shares are close to one.
func Edges() []float64 { return []float64{0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999} }

// at gives the likelihood for a share.
func (c Curve) at(share float64) float64 {
	return c[point(share)]
}

func point(share float64) int {
	for i, edge := range slices.Backward(Edges()) {
		if share >= edge {
			return i
		}
	}
	return 0
}

var errCurve = errors.New("its curve of confidence must rise, within 0 and 1, in as many points as there are")

// check tells whether a curve that was read is one.
func (c Curve) check() error {
	if len(c) != len(Edges()) || !slices.IsSorted(c) || !(c[0] >= 0) || !(c[len(c)-1] <= 1) {
		return errCurve
	}
	return nil
}

// curveTally counts, for each point, how many choices there were and how many
// were right.
type curveTally struct{ all, right [16]float64 }

// add counts what a forest chooses.
func (t *curveTally) add(f *forest, examples []Example) {
	for i := range examples {
		e := &examples[i]
		best, share := f.choose(e.vectors, e.picked, make([]float32, len(e.vectors)))
		t.all[point(share)]++
		if e.right[best] {
			t.right[point(share)]++
		}
	}
}

// sums counts all choices, and those that were right.
func (t *curveTally) sums() (all, right float64) {
	for i := range t.all {
		all += t.all[i]
		right += t.right[i]
	}
	return all, right
}

// curve is the rising curve that fits best. Where there are few choices it
// stays close to the share itself, as if ten more had been as right as that.
func (t *curveTally) curve() Curve {
	const doubt = 10
	edges := append(Edges(), 1)
	type block struct {
		all, right float64
		points     int
	}
	var blocks []block
	for i := range len(edges) - 1 {
		middle := (edges[i] + edges[i+1]) / 2
		blocks = append(blocks, block{t.all[i] + doubt, t.right[i] + doubt*middle, 1})
		// Neighbours that would fall are put together.
		for n := len(blocks); n > 1 && blocks[n-2].right*blocks[n-1].all > blocks[n-1].right*blocks[n-2].all; n-- {
			a, b := blocks[n-2], blocks[n-1]
			blocks = append(blocks[:n-2], block{a.all + b.all, a.right + b.right, a.points + b.points})
		}
	}
	var c Curve
	for _, b := range blocks {
		for range b.points {
			c = append(c, b.right/b.all)
		}
	}
	return c
}
