package nn

import "math"

// Adam changes weights against their gradients (Kingma and Ba 2015). Its
// state is part of a checkpoint.
type Adam struct {
	// Rate is the learning rate.
	Rate float64
	// Decay is the share of a weight that goes in each step at a rate of 1,
	// apart from the gradient (Loshchilov and Hutter 2019).
	Decay float64
	// Clip bounds the length of all gradients together; 0 is no bound.
	Clip float64
	// Steps counts the steps taken.
	Steps int
	// First and Second are the running means of the gradients and of their
	// squares.
	First, Second Gradients
}

// The constants of Adam that its authors recommend.
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.999
	adamEpsilon = 1e-8
)

// NewAdam gives an Adam for the parameters, with a gradient length of at most 5
// and no decay.
func NewAdam(params []*Param, rate float64) *Adam {
	return &Adam{Rate: rate, Clip: 5, First: newGradients(params), Second: newGradients(params)}
}

// Step changes the parameters, which are those that the Adam was made for.
func (a *Adam) Step(params []*Param, g Gradients) {
	a.Steps++
	scale := float32(1)
	if norm := g.norm(); a.Clip > 0 && norm > a.Clip {
		scale = float32(a.Clip / norm)
	}
	correct1 := 1 - math.Pow(adamBeta1, float64(a.Steps))
	correct2 := 1 - math.Pow(adamBeta2, float64(a.Steps))
	rate := float32(a.Rate * math.Sqrt(correct2) / correct1)
	epsilon := float32(adamEpsilon * math.Sqrt(correct2))
	keep := float32(1 - a.Rate*a.Decay)
	for i, p := range params {
		first, second, gradient := a.First[i].Data, a.Second[i].Data, g[i].Data
		for j := range p.Data {
			d := gradient[j] * scale
			m := adamBeta1*first[j] + (1-adamBeta1)*d
			v := adamBeta2*second[j] + (1-adamBeta2)*d*d
			first[j], second[j] = m, v
			p.Data[j] = keep*p.Data[j] - rate*m/(float32(math.Sqrt(float64(v)))+epsilon)
		}
	}
}
