package nn

import "math"

// tanh is the hyperbolic tangent by a quotient of polynomials (the continued
// fraction of Lambert, cut after its seventh term), within 3e-5 of the true
// one everywhere, and never beyond -1 and 1.
func tanh(x float32) float32 {
	switch {
	case x > 4.97:
		return 1
	case x < -4.97:
		return -1
	}
	s := x * x
	return x * (135135 + s*(17325+s*(378+s))) / (135135 + s*(62370+s*(3150+28*s)))
}

func sigmoid(x float32) float32 { return 0.5*tanh(0.5*x) + 0.5 }

// exp is the exponential of a number that is not above 0, within a hundred
// thousandth of it.
func exp(x float32) float32 {
	if x < -87 {
		return 0
	}
	// 2^n is made from its exponent's bits, what remains by a polynomial.
	t := x * math.Log2E
	n := float32(int32(t - 0.5))
	f := (t - n) * math.Ln2
	p := 1 + f*(1+f*(0.5+f*(1.0/6+f*(1.0/24+f*(1.0/120+f*(1.0/720))))))
	return p * math.Float32frombits(uint32(int32(n)+127)<<23)
}
