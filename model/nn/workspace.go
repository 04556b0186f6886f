package nn

import "math/rand/v2"

// workspace lends matrices for one pass through a network, and takes them all
// back at once, so that passes make no garbage.
type workspace struct {
	memory []float32
	used   int
	more   int // what did not fit

	// random is the source of dropout; nil means that nothing is dropped.
	random *rand.Rand
}

// reset takes all matrices back.
func (w *workspace) reset() {
	if w.more > 0 {
		w.memory = make([]float32, w.used+w.more)
	}
	w.used, w.more = 0, 0
}

// matrix lends a matrix of zeros.
func (w *workspace) matrix(rows, cols int) Matrix {
	m := w.scratch(rows, cols)
	clear(m.Data)
	return m
}

// scratch lends a matrix that holds anything, for whoever writes all of it.
func (w *workspace) scratch(rows, cols int) Matrix {
	n := rows * cols
	if w.used+n > len(w.memory) {
		w.more += n
		return NewMatrix(rows, cols)
	}
	m := Matrix{rows, cols, w.memory[w.used : w.used+n : w.used+n]}
	w.used += n
	return m
}

// transposed lends the transposed weights.
func (w *workspace) transposed(p *Param) Matrix {
	m := w.scratch(p.Cols, p.Rows)
	transpose(m, p.Matrix)
	return m
}

// dropout sets a share of the elements to 0 and scales the others, so that
// their mean stays. It gives the factors, an empty matrix when nothing is
// dropped.
func (w *workspace) dropout(x Matrix, share float64) Matrix {
	if w.random == nil || share <= 0 {
		return Matrix{}
	}
	mask := w.matrix(x.Rows, x.Cols)
	keep := float32(1 / (1 - share))
	limit := uint64(share * (1 << 16))
	var bits uint64
	for i := range x.Data {
		if i%4 == 0 {
			bits = w.random.Uint64()
		}
		if bits&0xffff >= limit {
			mask.Data[i] = keep
		}
		bits >>= 16
		x.Data[i] *= mask.Data[i]
	}
	return mask
}

// undrop passes a gradient back through dropout.
func undrop(gradient, mask Matrix) {
	for i, factor := range mask.Data {
		gradient.Data[i] *= factor
	}
}
