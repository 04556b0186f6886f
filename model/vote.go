package model

import (
	"cmp"
	"errors"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model/nn"
)

// Scored is a label and its share of the vote.
type Scored struct {
	Label label.Label
	Score float64
}

// tally is the vote of the windows that hold a line.
type tally struct {
	votes []Scored
	// weight is what a label would have had on which all windows agree and are
	// sure.
	weight float64
}

func (t *tally) add(l label.Label, score float64) {
	for i := range t.votes {
		if t.votes[i].Label == l {
			t.votes[i].Score += score
			return
		}
	}
	t.votes = append(t.votes, Scored{l, score})
}

// best is the label with the largest share, the smallest of equals.
func (t *tally) best() label.Label {
	return slices.MinFunc(t.votes, higher).Label
}

// higher puts the larger score first, and of equal ones the smaller label.
func higher(a, b Scored) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Label, b.Label))
}

// merge adds the votes of another tally.
func (t *tally) merge(other *tally) {
	for _, v := range other.votes {
		t.add(v.Label, v.Score)
	}
	t.weight += other.weight
}

// ranked gives the labels, the best first, with their shares. The label that
// the linker proposes goes first unless another has doubt times its share.
func (t *tally) ranked(proposed label.Label, doubt float64) []Scored {
	slices.SortFunc(t.votes, higher)
	for i := range t.votes {
		t.votes[i].Score /= t.weight
	}
	t.weight = 1
	at := slices.IndexFunc(t.votes, func(s Scored) bool { return s.Label == proposed })
	if at > 0 && t.votes[0].Score < doubt*t.votes[at].Score {
		first := t.votes[at]
		copy(t.votes[1:at+1], t.votes[:at])
		t.votes[0] = first
	}
	return t.votes
}

// nearlySure is the probability above which the other labels, which share what
// is left, are not worth computing.
const nearlySure = 0.98

// vote adds to a tally what a window says about a line: the probability of
// each label that the line brings along, and of the most probable label.
func (m *Model) vote(t *tally, b *nn.Batch, scores nn.Matrix, row int, l *encoded, weight float32) {
	var heads [headCount][]float32
	var best [headCount]int32
	for head := range heads {
		heads[head] = m.net.Probabilities(b, scores, row, head)
		best[head] = m.mostProbable(head, heads[head], l)
	}
	t.weight += float64(weight)
	made := labelOf(best)
	if !m.known[made] && !slices.Contains(l.candidates[:], made) {
		made = m.bestKnown(&heads, l)
	}
	sure := m.probability(&heads, made, l)
	t.add(made, float64(weight*sure))
	if m.net.Config().Candidates == 0 || sure > nearlySure {
		return
	}
	for i, c := range l.candidates {
		if c != NoLabel && c != made && !slices.Contains(l.candidates[:i], c) {
			t.add(c, float64(weight*m.probability(&heads, c, l)))
		}
	}
}

// probability gives that of a label: the product of those of its parts.
func (m *Model) probability(heads *[headCount][]float32, l label.Label, line *encoded) float32 {
	p := float32(1)
	for head, value := range partsOf(l) {
		if value >= 0 {
			p *= m.ofValue(head, heads[head], m.heads.number(head, value), line)
		}
	}
	return p
}

// ofValue adds up what a head gives to a value: as a class, and as a candidate.
func (m *Model) ofValue(head int, part []float32, number int32, line *encoded) float32 {
	classes := len(m.heads.classes[head])
	p := float32(0)
	if int(number) < classes {
		p = part[number]
	}
	for i, share := range part[classes:] {
		if line.values[head*candidateCount+i] == number {
			p += share
		}
	}
	return p
}

// mostProbable gives the value that a head finds most probable.
func (m *Model) mostProbable(head int, part []float32, line *encoded) int32 {
	classes := len(m.heads.classes[head])
	// A candidate's share goes to its class where it has one.
	var outside [candidateCount]float32
	for i, share := range part[classes:] {
		value := line.values[head*candidateCount+i]
		switch {
		case value < 0:
		case int(value) < classes:
			part[value] += share
			part[classes+i] = 0
		default:
			at := slices.Index(line.values[head*candidateCount:head*candidateCount+i+1], value)
			outside[at] += share
		}
	}
	best, highest := m.heads.classes[head][0], part[0]
	for i, p := range part[:classes] {
		if p > highest {
			best, highest = m.heads.classes[head][i], p
		}
	}
	for i, p := range outside {
		if p > highest {
			best, highest = line.values[head*candidateCount+i]-int32(classes), p
		}
	}
	return best
}

// bestKnown gives the most probable of the labels trained on and of the
// candidates, for a line whose heads together make a label that is neither.
func (m *Model) bestKnown(heads *[headCount][]float32, line *encoded) label.Label {
	best, highest := m.Labels[0], float32(-1)
	judge := func(l label.Label) {
		if p := m.probability(heads, l, line); p > highest {
			best, highest = l, p
		}
	}
	for _, l := range m.Labels {
		judge(l)
	}
	if m.net.Config().Candidates > 0 {
		for _, l := range line.candidates {
			if l != NoLabel {
				judge(l)
			}
		}
	}
	return best
}

// predictBatch is how many windows go through the network at once.
const predictBatch = 16

// errScores is the error of a network whose weights make no numbers.
var errScores = errors.New("the model's network gives scores that are no numbers: its weights are of no use")

// scoreWindows passes windows of one length through the network and adds what
// they say to the tallies, which stand beside the windows' lines. The error is
// errScores.
func (m *Model) scoreWindows(p *nn.Predictor, windows [][]encoded, tallies [][]tally) error {
	b := m.batch(windows)
	scores := p.Scores(b)
	if !scores.Finite() {
		return errScores
	}
	for w, lines := range windows {
		for step := range lines {
			m.vote(&tallies[w][step], b, scores, step*len(windows)+w, &lines[step], voteWeight(step, len(lines)))
		}
	}
	return nil
}

// Voted is what the windows said of a line.
type Voted struct {
	// Ranked are the labels in question, the best first (Header.Doubt).
	Ranked []Scored
	// Windows is what each window that holds the line found most probable by
	// itself, whatever the linker proposes.
	Windows []label.Label
}

// Predict labels a whole log, line by line. It fails where the network gives
// what is no number.
func (m *Model) Predict(s *Sequence) ([]Voted, error) {
	lines := m.encodeAll(s)
	all := make([]Voted, len(lines))
	tallies := make([]tally, len(lines))
	length := min(m.Window, len(lines))
	predictor := m.net.NewPredictor()
	for group := range slices.Chunk(windowStarts(len(lines), m.Window, m.Stride), predictBatch) {
		var windows [][]encoded
		var votes [][]tally
		for _, at := range group {
			windows = append(windows, lines[at:at+length])
			votes = append(votes, make([]tally, length))
		}
		if err := m.scoreWindows(predictor, windows, votes); err != nil {
			return nil, err
		}
		for i, at := range group {
			for j := range votes[i] {
				t := &votes[i][j]
				tallies[at+j].merge(t)
				all[at+j].Windows = append(all[at+j].Windows, t.best())
			}
		}
	}
	for i := range tallies {
		all[i].Ranked = tallies[i].ranked(lines[i].candidates[ofOperation], m.Doubt)
	}
	return all, nil
}
