package nn

// None stands for no line, no candidate and no target.
const None = -1

// Batch holds windows of equal length. Its lines lie step by step: line s of
// window w is row s*Windows+w.
type Batch struct {
	Steps, Windows int
	// Features are rows of the embedding, Net.Features for each line.
	Features []int32
	// Edges are the rows of the lines a line relates to, Net.Edges for each
	// line, each in the same window; None where there is no such line.
	Edges []int32
	// Candidates are the values that a line brings along, for each line and
	// each head Net.Candidates of them, or None. A value below the number of
	// the head's classes is that class; another is one that the head lacks.
	Candidates []int32
	// Targets are the true values, a number for each line and head, in the
	// same numbering; None where nothing is to be learned. They may be nil
	// for prediction.
	Targets []int32
	// Weights say how much each line counts in training; nil is 1 for all.
	Weights []float32
}

// Rows counts the batch's lines.
func (b *Batch) Rows() int { return b.Steps * b.Windows }

// NewBatch gives an empty batch for a network: no edges, no candidates, no
// targets, and row 0 of the embedding for every feature.
func (n *Net) NewBatch(steps, windows int) *Batch {
	rows := steps * windows
	b := &Batch{
		Steps: steps, Windows: windows,
		Features:   make([]int32, rows*n.config.Features),
		Edges:      make([]int32, rows*n.config.Edges),
		Candidates: make([]int32, rows*len(n.config.Classes)*n.config.Candidates),
		Targets:    make([]int32, rows*len(n.config.Classes)),
	}
	for _, list := range [][]int32{b.Edges, b.Candidates, b.Targets} {
		for i := range list {
			list[i] = None
		}
	}
	return b
}

// targets counts the numbers that are to be learned.
func (b *Batch) targets() int {
	count := 0
	for _, t := range b.Targets {
		if t != None {
			count++
		}
	}
	return count
}
