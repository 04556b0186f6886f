package rank

import "github.com/whet-k8s/whet/link"

// Example is a choice with its answer.
type Example struct {
	vectors []vector
	right   []bool // of each candidate
	picked  int
}

// RulesRight tells whether the rules had picked a right candidate.
func (e *Example) RulesRight() bool { return e.right[e.picked] }

// Recorder collects examples while a log is linked.
type Recorder struct {
	// Command is the true command of the event on a line of the log, "" where
	// there is none or the truth does not tell, and Effect tells whether that
	// command caused it.
	Command func(line int) (id string, effect bool)
	// Examples are those so far.
	Examples []Example

	vocabulary vocabulary
}

// NewRecorder gives a Recorder with this truth.
func NewRecorder(command func(line int) (id string, effect bool)) *Recorder {
	return &Recorder{Command: command, vocabulary: newVocabulary()}
}

// Rank answers with the truth, or with what the rules picked where that is
// right or no candidate is. It is a link.Ranker.
func (r *Recorder) Rank(c *link.Choice) (index int, confidence float64) {
	want, effect := r.Command(c.Event.Position.Line)
	if !effect {
		return -1, 0
	}
	e := Example{vectors: make([]vector, len(c.Candidates)), right: make([]bool, len(c.Candidates)), picked: c.Picked}
	first := -1
	for i := range c.Candidates {
		id, _ := r.Command(c.Candidates[i].Root.Position.Line)
		if e.right[i] = id == want; e.right[i] && first < 0 {
			first = i
		}
	}
	if first < 0 {
		return -1, 0
	}
	r.vocabulary.fill(c, e.vectors)
	r.Examples = append(r.Examples, e)
	if e.right[c.Picked] {
		return c.Picked, 1
	}
	return first, 1
}
