package nn

import (
	"fmt"
	"math/rand/v2"
)

// relational is a stack of layers in which a line reads itself, the lines
// before and after it, and the lines it relates to.
type relational struct {
	weights, offsets []*Param
	width, edges     int
	dropout          float64
}

// neighbours are a line itself, the one before and the one after it.
const neighbours = 3

func newRelational(list *paramList, r *rand.Rand, c Config) *relational {
	b := &relational{width: c.Width, edges: c.Edges, dropout: c.Dropout}
	in := (neighbours + c.Edges) * c.Width
	for i := range c.Layers {
		weight := list.add(fmt.Sprintf("relational%d.weight", i+1), in, c.Width)
		weight.initialize(r, in, c.Width)
		b.weights = append(b.weights, weight)
		b.offsets = append(b.offsets, list.add(fmt.Sprintf("relational%d.offset", i+1), 1, c.Width))
	}
	return b
}

func (b *relational) outWidth() int { return b.width }

// relationalPass is what a pass forward leaves: what each layer read, what it
// computed after the rectifier, and what was dropped.
type relationalPass struct {
	read, computed, masks []Matrix
}

// source gives the row that a line reads in a place, or None.
func (b *relational) source(batch *Batch, row, place int) int {
	switch place {
	case 0:
		return row
	case 1:
		return row - batch.Windows // negative in the first step
	case 2:
		if row+batch.Windows < batch.Rows() {
			return row + batch.Windows
		}
		return None
	}
	return int(batch.Edges[row*b.edges+place-neighbours])
}

func (b *relational) forward(w *workspace, x Matrix, batch *Batch) (Matrix, any) {
	pass := &relationalPass{}
	for i, weight := range b.weights {
		read := w.scratch(x.Rows, weight.Rows)
		b.gather(read, x, batch)
		out := w.scratch(x.Rows, b.width)
		for row := range out.Rows {
			copy(out.Row(row), b.offsets[i].Data)
		}
		MulAdd(out, read, weight.Matrix)
		rectify(out)
		pass.read, pass.computed = append(pass.read, read), append(pass.computed, out)
		next := w.scratch(x.Rows, b.width)
		copy(next.Data, out.Data)
		pass.masks = append(pass.masks, w.dropout(next, b.dropout))
		addTo(next.Data, x.Data)
		x = next
	}
	return x, pass
}

// gather writes what each line reads.
func (b *relational) gather(read, x Matrix, batch *Batch) {
	for row := range x.Rows {
		line := read.Row(row)
		for place := range neighbours + b.edges {
			part := line[place*b.width : (place+1)*b.width]
			if from := b.source(batch, row, place); from >= 0 {
				copy(part, x.Row(from))
			} else {
				clear(part)
			}
		}
	}
}

func (b *relational) backward(w *workspace, g Gradients, batch *Batch, from any, dOut Matrix) Matrix {
	pass := from.(*relationalPass)
	for i := len(b.weights) - 1; i >= 0; i-- {
		dComputed := w.scratch(dOut.Rows, b.width)
		copy(dComputed.Data, dOut.Data)
		undrop(dComputed, pass.masks[i])
		unrectify(dComputed, pass.computed[i])
		MulAddTransposed(g.of(b.weights[i]), pass.read[i], dComputed)
		for row := range dComputed.Rows {
			addTo(g.of(b.offsets[i]).Data, dComputed.Row(row))
		}
		dRead := w.matrix(dOut.Rows, b.weights[i].Rows)
		MulAdd(dRead, dComputed, w.transposed(b.weights[i]))
		for row := range dRead.Rows {
			line := dRead.Row(row)
			for place := range neighbours + b.edges {
				if to := b.source(batch, row, place); to >= 0 {
					addTo(dOut.Row(to), line[place*b.width:(place+1)*b.width])
				}
			}
		}
	}
	return dOut
}

// rectify sets what is negative to 0.
func rectify(m Matrix) {
	for i, v := range m.Data {
		m.Data[i] = max(v, 0)
	}
}

// unrectify passes a gradient back through rectify, of which out came.
func unrectify(gradient, out Matrix) {
	for i, v := range out.Data {
		if v <= 0 {
			gradient.Data[i] = 0
		}
	}
}
