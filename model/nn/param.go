package nn

import (
	"math"
	"math/rand/v2"
)

// Param is a matrix of weights with a name that tells where it belongs.
type Param struct {
	Name string
	Matrix
	// index is the place of its gradient.
	index int
}

// paramList collects the parameters of a network in the order of their making.
type paramList []*Param

func (l *paramList) add(name string, rows, cols int) *Param {
	p := &Param{Name: name, Matrix: NewMatrix(rows, cols), index: len(*l)}
	*l = append(*l, p)
	return p
}

// initialize draws weights evenly, in the bounds of Glorot and Bengio (2010).
func (p *Param) initialize(r *rand.Rand, in, out int) {
	bound := math.Sqrt(6 / float64(in+out))
	for i := range p.Data {
		p.Data[i] = float32((2*r.Float64() - 1) * bound)
	}
}

// Gradients hold a matrix for each parameter of a network.
type Gradients []Matrix

func newGradients(params []*Param) Gradients {
	g := make(Gradients, len(params))
	for i, p := range params {
		g[i] = NewMatrix(p.Rows, p.Cols)
	}
	return g
}

func (g Gradients) clear() {
	for _, m := range g {
		clear(m.Data)
	}
}

func (g Gradients) of(p *Param) Matrix { return g[p.index] }

// add adds other, element by element.
func (g Gradients) add(other Gradients) {
	for i, m := range g {
		addTo(m.Data, other[i].Data)
	}
}

// norm is the Euclidean length of all gradients together.
func (g Gradients) norm() float64 {
	sum := 0.0
	for _, m := range g {
		for _, v := range m.Data {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum)
}
