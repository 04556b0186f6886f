package nn

import (
	"fmt"
	"math/rand/v2"
)

// lstm is one direction of one LSTM layer. The columns of its weights are the
// gates input, forget, cell and output, one after the other.
type lstm struct {
	backwards                bool
	hidden                   int
	input, recurrent, offset *Param
}

func newLSTM(list *paramList, r *rand.Rand, name string, in, hidden int, backwards bool) *lstm {
	l := &lstm{
		backwards: backwards, hidden: hidden,
		input:     list.add(name+".input", in, 4*hidden),
		recurrent: list.add(name+".recurrent", hidden, 4*hidden),
		offset:    list.add(name+".offset", 1, 4*hidden),
	}
	l.input.initialize(r, in, hidden)
	l.recurrent.initialize(r, hidden, hidden)
	// A forget gate that starts open lets gradients through (Jozefowicz and
	// others 2015).
	for i := hidden; i < 2*hidden; i++ {
		l.offset.Data[i] = 1
	}
	return l
}

// lstmPass is what a pass forward leaves for the pass back.
type lstmPass struct {
	input Matrix
	// gates are the activated gates, cells the cell states, curved their
	// hyperbolic tangents, out the hidden states; a row a line.
	gates, cells, curved, out Matrix
}

// order gives the i-th step that the direction takes.
func (l *lstm) order(i, steps int) int {
	if l.backwards {
		return steps - 1 - i
	}
	return i
}

func (l *lstm) forward(w *workspace, x Matrix, steps int) *lstmPass {
	width := x.Rows / steps
	h := l.hidden
	p := &lstmPass{
		input: x, gates: w.scratch(x.Rows, 4*h),
		cells: w.scratch(x.Rows, h), curved: w.scratch(x.Rows, h), out: w.scratch(x.Rows, h),
	}
	for i := range x.Rows {
		copy(p.gates.Row(i), l.offset.Data)
	}
	MulAdd(p.gates, x, l.input.Matrix)
	for i := range steps {
		at := l.order(i, steps) * width
		if i > 0 {
			before := l.order(i-1, steps) * width
			MulAdd(p.gates.rows(at, at+width), p.out.rows(before, before+width), l.recurrent.Matrix)
		}
		for row := at; row < at+width; row++ {
			var before []float32
			if i > 0 {
				before = p.cells.Row(l.order(i-1, steps)*width + row - at)
			}
			p.activate(row, h, before)
		}
	}
	return p
}

// activate computes a line's gates, cell and hidden state.
func (p *lstmPass) activate(row, h int, before []float32) {
	gates := p.gates.Row(row)
	in, forget, cell, outGate := gates[:h], gates[h:2*h], gates[2*h:3*h], gates[3*h:4*h]
	cells, curved, out := p.cells.Row(row), p.curved.Row(row), p.out.Row(row)
	for j := range h {
		in[j], forget[j], cell[j], outGate[j] = sigmoid(in[j]), sigmoid(forget[j]), tanh(cell[j]), sigmoid(outGate[j])
		c := in[j] * cell[j]
		if before != nil {
			c += forget[j] * before[j]
		}
		cells[j] = c
		curved[j] = tanh(c)
		out[j] = outGate[j] * curved[j]
	}
}

// backward takes the gradient of the output, adds to that of the weights and
// to that of the input.
func (l *lstm) backward(w *workspace, g Gradients, p *lstmPass, dOut, dInput Matrix, steps int) {
	width := p.out.Rows / steps
	h := l.hidden
	dGates := w.matrix(p.out.Rows, 4*h)
	dHidden, dCell := w.matrix(width, h), w.matrix(width, h)
	recurrent := w.transposed(l.recurrent)
	for i := steps - 1; i >= 0; i-- {
		at := l.order(i, steps) * width
		for k := range width {
			var before []float32
			if i > 0 {
				before = p.cells.Row(l.order(i-1, steps)*width + k)
			}
			addTo(dHidden.Row(k), dOut.Row(at+k))
			p.differentiate(at+k, h, before, dHidden.Row(k), dCell.Row(k), dGates.Row(at+k))
		}
		clear(dHidden.Data)
		if i > 0 {
			before := l.order(i-1, steps) * width
			MulAdd(dHidden, dGates.rows(at, at+width), recurrent)
			MulAddTransposed(g.of(l.recurrent), p.out.rows(before, before+width), dGates.rows(at, at+width))
		}
	}
	MulAddTransposed(g.of(l.input), p.input, dGates)
	for i := range dGates.Rows {
		addTo(g.of(l.offset).Data, dGates.Row(i))
	}
	MulAdd(dInput, dGates, w.transposed(l.input))
}

// differentiate passes a line's gradient back through its gates. dCell comes in
// as the gradient of the line's cell and leaves as that of the cell before.
func (p *lstmPass) differentiate(row, h int, before, dHidden, dCell, dGates []float32) {
	gates := p.gates.Row(row)
	in, forget, cell, outGate := gates[:h], gates[h:2*h], gates[2*h:3*h], gates[3*h:4*h]
	curved := p.curved.Row(row)
	for j := range h {
		dc := dCell[j] + dHidden[j]*outGate[j]*(1-curved[j]*curved[j])
		dGates[j] = dc * cell[j] * in[j] * (1 - in[j])
		if before != nil {
			dGates[h+j] = dc * before[j] * forget[j] * (1 - forget[j])
		}
		dGates[2*h+j] = dc * in[j] * (1 - cell[j]*cell[j])
		dGates[3*h+j] = dHidden[j] * curved[j] * outGate[j] * (1 - outGate[j])
		dCell[j] = dc * forget[j]
	}
}

// biLSTM is a stack of bidirectional LSTMs.
type biLSTM struct {
	layers  [][2]*lstm
	hidden  int
	dropout float64
}

func newBiLSTM(list *paramList, r *rand.Rand, c Config) *biLSTM {
	b := &biLSTM{hidden: c.Hidden, dropout: c.Dropout}
	in := c.Width
	for i := range c.Layers {
		b.layers = append(b.layers, [2]*lstm{
			newLSTM(list, r, fmt.Sprintf("lstm%d.forward", i+1), in, c.Hidden, false),
			newLSTM(list, r, fmt.Sprintf("lstm%d.backward", i+1), in, c.Hidden, true),
		})
		in = 2 * c.Hidden
	}
	return b
}

func (b *biLSTM) outWidth() int { return 2 * b.hidden }

// biLSTMPass is what a pass through a stack leaves.
type biLSTMPass struct {
	layers [][2]*lstmPass
	masks  []Matrix
	steps  int
}

func (b *biLSTM) forward(w *workspace, x Matrix, batch *Batch) (Matrix, any) {
	pass := &biLSTMPass{steps: batch.Steps}
	for _, layer := range b.layers {
		var passes [2]*lstmPass
		out := w.scratch(x.Rows, 2*b.hidden)
		for d, direction := range layer {
			passes[d] = direction.forward(w, x, batch.Steps)
			for i := range out.Rows {
				copy(out.Row(i)[d*b.hidden:], passes[d].out.Row(i))
			}
		}
		pass.layers = append(pass.layers, passes)
		pass.masks = append(pass.masks, w.dropout(out, b.dropout))
		x = out
	}
	return x, pass
}

func (b *biLSTM) backward(w *workspace, g Gradients, batch *Batch, from any, dOut Matrix) Matrix {
	pass := from.(*biLSTMPass)
	for i := len(b.layers) - 1; i >= 0; i-- {
		undrop(dOut, pass.masks[i])
		dInput := w.matrix(dOut.Rows, pass.layers[i][0].input.Cols)
		for d, direction := range b.layers[i] {
			half := w.scratch(dOut.Rows, b.hidden)
			for row := range half.Rows {
				copy(half.Row(row), dOut.Row(row)[d*b.hidden:])
			}
			direction.backward(w, g, pass.layers[i][d], half, dInput, batch.Steps)
		}
		dOut = dInput
	}
	return dOut
}
