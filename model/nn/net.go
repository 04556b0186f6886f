package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Kind names the body of a network.
type Kind string

// The bodies that there are.
const (
	BiLSTM     Kind = "bilstm"
	Relational Kind = "relational"
)

// Config says what a network looks like.
type Config struct {
	Kind Kind `json:"kind"`
	// Rows is the number of rows of the embedding, for all features together.
	Rows int `json:"rows"`
	// Features, Edges and Candidates are how many of them a line has.
	Features   int `json:"features"`
	Edges      int `json:"edges"`
	Candidates int `json:"candidates"`
	// Width is the width of the embedding, and of the layers of Relational;
	// Hidden the width of one direction of an LSTM.
	Width  int `json:"width"`
	Hidden int `json:"hidden,omitempty"`
	Layers int `json:"layers"`
	// Classes are the numbers of classes of the heads.
	Classes []int `json:"classes"`
	// Dropout is the share of a layer's output that is dropped in training.
	Dropout float64 `json:"dropout"`
	// Focus is the exponent of the focal loss; 0 gives plain cross entropy.
	Focus float64 `json:"focus"`
}

// The bounds of a Config, far above what is useful, so that a file that
// somebody else wrote cannot ask for all memory.
const (
	maxRows  = 1 << 20
	maxWidth = 4096
	maxParts = 256
)

// Check tells what is wrong with a configuration, nil if nothing is.
func (c Config) Check() error {
	for _, bound := range []struct {
		name            string
		value, min, max int
	}{
		{"rows", c.Rows, 1, maxRows}, {"features", c.Features, 1, maxParts},
		{"edges", c.Edges, 0, maxParts}, {"candidates", c.Candidates, 0, maxParts},
		{"width", c.Width, 1, maxWidth}, {"layers", c.Layers, 1, 16}, {"heads", len(c.Classes), 1, 16},
	} {
		if bound.value < bound.min || bound.value > bound.max {
			return fmt.Errorf("network: %s is %d, and must be between %d and %d", bound.name, bound.value, bound.min, bound.max)
		}
	}
	for i, classes := range c.Classes {
		if classes < 1 || classes > maxWidth {
			return fmt.Errorf("network: head %d has %d classes, and must have between 1 and %d", i, classes, maxWidth)
		}
	}
	switch {
	case c.Kind != BiLSTM && c.Kind != Relational:
		return fmt.Errorf("network: no kind %q; there are %s and %s", c.Kind, BiLSTM, Relational)
	case c.Kind == BiLSTM && (c.Hidden < 1 || c.Hidden > maxWidth):
		return fmt.Errorf("network: hidden is %d, and must be between 1 and %d", c.Hidden, maxWidth)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("network: dropout is %v, and must be at least 0 and below 1", c.Dropout)
	case !(c.Focus >= 0 && c.Focus <= 10):
		return fmt.Errorf("network: focus is %v, and must be between 0 and 10", c.Focus)
	}
	return nil
}

// columns is how many columns the heads' matrix has: those that are used, and
// what fills the last tile of the kernels.
func (c Config) columns() int {
	const tile = 16
	return (c.outputs() + tile - 1) / tile * tile
}

// outputs counts the scores of a line.
func (c Config) outputs() int {
	count := 0
	for _, classes := range c.Classes {
		count += classes + c.Candidates
	}
	return count
}

// Size counts the weights of a network with this configuration, which must
// have passed Check, without making it.
func (c Config) Size() int {
	size := (c.Rows + 1) * c.Width
	out := c.Width
	if c.Kind == BiLSTM {
		in := c.Width
		out = 2 * c.Hidden
		for range c.Layers {
			size += 2 * 4 * c.Hidden * (in + c.Hidden + 1)
			in = out
		}
	} else {
		size += c.Layers * c.Width * ((neighbours+c.Edges)*c.Width + 1)
	}
	return size + (out+1)*c.columns()
}

// body is what lies between the embedding and the heads.
type body interface {
	outWidth() int
	// forward gives the output for x, and what backward needs of the pass.
	forward(w *workspace, x Matrix, b *Batch) (out Matrix, pass any)
	// backward takes the gradient of the output, which it may change, adds to
	// those of the weights, and gives that of x.
	backward(w *workspace, g Gradients, b *Batch, pass any, dOut Matrix) Matrix
}

// Net is a network. Goroutines may predict with it at the same time, but not
// while it is trained.
type Net struct {
	config    Config
	params    paramList
	embedding *Param
	offset    *Param
	body      body
	heads     *Param
	headsAt   *Param // the heads' offsets
}

// New makes a network with weights drawn by the seed.
func New(c Config, seed uint64) (*Net, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	n := &Net{config: c}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // Weights are no secret.
	n.embedding = n.params.add("embedding", c.Rows, c.Width)
	n.embedding.initialize(r, c.Features, c.Width)
	n.offset = n.params.add("embedding.offset", 1, c.Width)
	if c.Kind == BiLSTM {
		n.body = newBiLSTM(&n.params, r, c)
	} else {
		n.body = newRelational(&n.params, r, c)
	}
	n.heads = n.params.add("heads", n.body.outWidth(), c.columns())
	n.heads.initialize(r, n.heads.Rows, c.outputs())
	n.headsAt = n.params.add("heads.offset", 1, c.columns())
	return n, nil
}

// Config gives what the network was made from.
func (n *Net) Config() Config { return n.config }

// Params gives the weights, in an order that depends on the Config alone.
func (n *Net) Params() []*Param { return n.params }

// Size counts the weights.
func (n *Net) Size() int { return n.config.Size() }

// netPass is what a pass forward leaves.
type netPass struct {
	embedded, mask, out, scores Matrix
	body                        any
}

func (n *Net) forward(w *workspace, b *Batch) *netPass {
	p := &netPass{}
	p.embedded = w.scratch(b.Rows(), n.config.Width)
	for row := range p.embedded.Rows {
		line := p.embedded.Row(row)
		copy(line, n.offset.Data)
		for _, f := range b.Features[row*n.config.Features : (row+1)*n.config.Features] {
			addTo(line, n.embedding.Row(int(f)))
		}
	}
	rectify(p.embedded)
	x := w.scratch(p.embedded.Rows, p.embedded.Cols)
	copy(x.Data, p.embedded.Data)
	p.mask = w.dropout(x, n.config.Dropout)
	p.out, p.body = n.body.forward(w, x, b)
	p.scores = w.scratch(b.Rows(), n.heads.Cols)
	for row := range p.scores.Rows {
		copy(p.scores.Row(row), n.headsAt.Data)
	}
	MulAdd(p.scores, p.out, n.heads.Matrix)
	return p
}

// backward takes the gradient of the scores and adds to those of the weights.
func (n *Net) backward(w *workspace, g Gradients, b *Batch, p *netPass, dScores Matrix) {
	MulAddTransposed(g.of(n.heads), p.out, dScores)
	for row := range dScores.Rows {
		addTo(g.of(n.headsAt).Data, dScores.Row(row))
	}
	dOut := w.matrix(p.out.Rows, p.out.Cols)
	MulAdd(dOut, dScores, w.transposed(n.heads))
	dx := n.body.backward(w, g, b, p.body, dOut)
	undrop(dx, p.mask)
	unrectify(dx, p.embedded)
	table := g.of(n.embedding)
	for row := range dx.Rows {
		addTo(g.of(n.offset).Data, dx.Row(row))
		for _, f := range b.Features[row*n.config.Features : (row+1)*n.config.Features] {
			addTo(table.Row(int(f)), dx.Row(row))
		}
	}
}

// Predictor passes batches through a network, one at a time.
type Predictor struct {
	net       *Net
	workspace workspace
}

// NewPredictor gives a Predictor. Each goroutine needs one of its own.
func (n *Net) NewPredictor() *Predictor { return &Predictor{net: n} }

// Scores passes a batch through the network and gives a row of scores for each
// line, good until the next call.
func (p *Predictor) Scores(b *Batch) Matrix {
	p.workspace.reset()
	return p.net.forward(&p.workspace, b).scores
}

// Probabilities turns a row of scores into probabilities in place, and gives
// the part of a head: its classes, then its candidates. A candidate that is
// None gets 0. The heads are to be asked in their order, each once.
func (n *Net) Probabilities(b *Batch, scores Matrix, row, head int) []float32 {
	at := 0
	for _, classes := range n.config.Classes[:head] {
		at += classes + n.config.Candidates
	}
	part := scores.Row(row)[at : at+n.config.Classes[head]+n.config.Candidates]
	softmax(part, n.config.Classes[head], n.candidates(b, row, head))
	return part
}

// candidates gives the values that a line brings along for a head.
func (n *Net) candidates(b *Batch, row, head int) []int32 {
	k := n.config.Candidates
	at := (row*len(n.config.Classes) + head) * k
	return b.Candidates[at : at+k]
}

// softmax turns scores into probabilities, 0 for candidates that are None.
func softmax(scores []float32, classes int, candidates []int32) {
	highest := float32(math.Inf(-1))
	for i, s := range scores {
		if i < classes || candidates[i-classes] != None {
			highest = max(highest, s)
		}
	}
	sum := float32(0)
	for i, s := range scores {
		if i >= classes && candidates[i-classes] == None {
			scores[i] = 0
			continue
		}
		scores[i] = exp(s - highest)
		sum += scores[i]
	}
	for i := range scores {
		scores[i] /= sum
	}
}
