package rank

import (
	"errors"
	"fmt"
	"math"

	"github.com/whet-k8s/whet/model/safetensors"
)

// forest is a sum of small trees that scores candidates.
type forest struct {
	// prior is added to the score of what the rules picked.
	prior float32
	nodes []node
	roots []int32 // of the trees, in nodes
}

// node asks whether a feature is at most a bound, or is a leaf.
type node struct {
	feature int32 // below 0 for a leaf
	// left and right are the nodes for yes and no; both lie behind this one.
	left, right int32
	// value is the bound, and that of a leaf what it adds to the score.
	value float32
}

const leaf = -1

// Most choices are easy. Where the first trees leave one candidate more than
// sure of the softmax, the others are not asked.
const (
	firstTrees = 24
	sure       = 0.998
)

// choose gives the best candidate and its share of the softmax. What the rules
// picked stays where nothing else has more than half. Scores is room for as
// many numbers as there are candidates.
func (f *forest) choose(candidates []vector, picked int, scores []float32) (best int, share float64) {
	for i := range candidates {
		scores[i] = f.prior * candidates[i][fPicked]
	}
	first := min(firstTrees, len(f.roots))
	for _, roots := range [][]int32{f.roots[:first], f.roots[first:]} {
		for i := range candidates {
			for _, root := range roots {
				scores[i] += f.tree(root, &candidates[i])
			}
		}
		if best, share = top(scores); share > sure {
			return best, share
		}
	}
	if best != picked && share <= 0.5 {
		return picked, share * math.Exp(float64(scores[picked]-scores[best]))
	}
	return best, share
}

// top gives the first of the best scores, and its share of the softmax.
func top(scores []float32) (best int, share float64) {
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	sum := 0.0
	for _, s := range scores {
		sum += math.Exp(float64(s - scores[best]))
	}
	return best, 1 / sum
}

// tree is what one tree says.
func (f *forest) tree(root int32, v *vector) float32 {
	n := &f.nodes[root]
	for n.feature >= 0 {
		if v[n.feature] <= n.value {
			n = &f.nodes[n.left]
		} else {
			n = &f.nodes[n.right]
		}
	}
	return n.value
}

// The names of a forest's tensors, and what a row of nodes holds.
const (
	tensorNodes = "nodes" // feature, left, right, value
	tensorRoots = "roots"
	nodeFields  = 4
)

func (f *forest) tensors() []safetensors.Tensor {
	nodes := make([]float32, 0, nodeFields*len(f.nodes))
	for _, n := range f.nodes {
		nodes = append(nodes, float32(n.feature), float32(n.left), float32(n.right), n.value)
	}
	roots := make([]float32, 0, len(f.roots))
	for _, r := range f.roots {
		roots = append(roots, float32(r))
	}
	return []safetensors.Tensor{
		{Name: tensorNodes, Rows: len(f.nodes), Cols: nodeFields, Data: nodes},
		{Name: tensorRoots, Rows: len(f.roots), Cols: 1, Data: roots},
	}
}

// The bounds of a forest: below maxNodes float32 counts exactly, and no sum of
// values up to maxValue, of one for each tree, is infinite.
const (
	maxNodes = 1 << 20
	maxValue = 1e30
)

var errForest = errors.New("its trees are broken")

// readForest takes a forest from tensors. A walk through one that it accepts
// comes to an end, since the way leads on to later nodes alone.
func readForest(prior float64, tensors []safetensors.Tensor) (*forest, error) {
	if len(tensors) != 2 || tensors[0].Name != tensorNodes || tensors[1].Name != tensorRoots || tensors[0].Cols != nodeFields || tensors[1].Cols != 1 {
		return nil, fmt.Errorf("%w: there must be the tensors %s and %s", errForest, tensorNodes, tensorRoots)
	}
	f := &forest{prior: float32(prior)}
	n := tensors[0].Rows
	if n > maxNodes {
		return nil, fmt.Errorf("%w: there are %d nodes, and at most %d are allowed", errForest, n, maxNodes)
	}
	whole := func(v float32, least, below int) (int32, bool) {
		ok := v >= float32(least) && v < float32(below) && v == float32(math.Trunc(float64(v)))
		if !ok {
			return 0, false
		}
		return int32(v), true
	}
	for i := range n {
		row := tensors[0].Data[i*nodeFields : (i+1)*nodeFields]
		at := node{value: row[3]}
		var ok [3]bool
		at.feature, ok[0] = whole(row[0], leaf, featureCount)
		at.left, ok[1] = whole(row[1], 0, n)
		at.right, ok[2] = whole(row[2], 0, n)
		finite := math.Abs(float64(at.value)) <= maxValue
		forward := at.feature == leaf || int(at.left) > i && int(at.right) > i
		if ok != [3]bool{true, true, true} || !finite || !forward {
			return nil, fmt.Errorf("%w: node %d", errForest, i)
		}
		f.nodes = append(f.nodes, at)
	}
	for i, v := range tensors[1].Data {
		root, ok := whole(v, 0, n)
		if !ok {
			return nil, fmt.Errorf("%w: the root of tree %d", errForest, i)
		}
		f.roots = append(f.roots, root)
	}
	return f, nil
}
