package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
)

// Measurement is what a model says of logs with true labels, held against
// them.
type Measurement struct {
	// Voted counts a line once, with the label that its windows voted for;
	// Windows each line of each window by itself, with what the network finds
	// most probable there; Proposed a line once with what the linker proposes,
	// the label of its operation's root.
	Voted, Windows, Proposed *Confusion
	// Split counts the lines whose windows did not agree, and Ranks of those
	// where the true label ranked by its share of the vote, whatever the linker
	// proposes: at 0 that it did not, at 1 the first.
	Split int
	Ranks [6]int
	// Bins are the lines by the confidence of the vote, in tenths.
	Bins [10]Bin
	// Kinds are the lines by who sent them and what they ask for.
	Kinds map[string]Tally
	// Course are the lines by their place in the log, in fiftieths.
	Course [50]Tally
}

// Bin counts lines of like confidence.
type Bin struct {
	Lines int     `json:"lines"`
	Right int     `json:"right"`
	Sum   float64 `json:"sum"` // of the confidences
}

// Tally counts lines, and those that are wrong.
type Tally struct {
	Lines int `json:"lines"`
	Wrong int `json:"wrong"`
}

func (t *Tally) add(wrong bool) {
	t.Lines++
	if wrong {
		t.Wrong++
	}
}

// NewMeasurement gives an empty one.
func NewMeasurement() *Measurement {
	return &Measurement{Voted: NewConfusion(), Windows: NewConfusion(), Proposed: NewConfusion(), Kinds: map[string]Tally{}}
}

// Measure lets a model label a log and compares. Lines that do not reach the
// network count with their own label. It fails where the model's network gives
// what is no number.
func Measure(m *model.Model, s *model.Sequence) (*Measurement, error) {
	voted, err := m.Predict(s)
	if err != nil {
		return nil, fmt.Errorf("labelling %s: %w", s.Name, err)
	}
	r := NewMeasurement()
	for i, v := range voted {
		if l := &s.Lines[i]; l.Target != model.NoLabel {
			r.add(l, v, i*len(r.Course)/len(s.Lines))
		}
	}
	for _, o := range s.Outside {
		for _, c := range []*Confusion{r.Voted, r.Windows, r.Proposed} {
			c.Add(o.Target, o.Own)
		}
	}
	return r, nil
}

// add counts a line of the network.
func (r *Measurement) add(l *model.Line, v model.Voted, place int) {
	said, confidence := v.Ranked[0].Label, math.Min(v.Ranked[0].Score, 1)
	right := said == l.Target
	r.Voted.Add(l.Target, said)
	proposed := l.Proposed()
	if proposed == model.NoLabel {
		proposed = l.Own()
	}
	r.Proposed.Add(l.Target, proposed)
	split := false
	for _, w := range v.Windows {
		r.Windows.Add(l.Target, w)
		split = split || w != v.Windows[0]
	}
	if split {
		r.Split++
		r.Ranks[min(rankOf(v.Ranked, l.Target), len(r.Ranks)-1)]++
	}
	bin := &r.Bins[max(0, min(int(confidence*10), len(r.Bins)-1))]
	bin.Lines++
	bin.Sum += confidence
	if right {
		bin.Right++
	}
	kind := r.Kinds[l.Kind()]
	kind.add(!right)
	r.Kinds[l.Kind()] = kind
	r.Course[place].add(!right)
}

// rankOf gives the place of a label by its share, from 1; 0 where it is not
// there.
func rankOf(votes []model.Scored, l label.Label) int {
	at := slices.IndexFunc(votes, func(s model.Scored) bool { return s.Label == l })
	if at < 0 {
		return 0
	}
	rank := 1
	for _, s := range votes {
		if s.Score > votes[at].Score {
			rank++
		}
	}
	return rank
}

// Merge adds what another Measurement counted.
func (r *Measurement) Merge(o *Measurement) {
	r.Voted.Merge(o.Voted)
	r.Windows.Merge(o.Windows)
	r.Proposed.Merge(o.Proposed)
	r.Split += o.Split
	for i, n := range o.Ranks {
		r.Ranks[i] += n
	}
	for i, b := range o.Bins {
		r.Bins[i].Lines += b.Lines
		r.Bins[i].Right += b.Right
		r.Bins[i].Sum += b.Sum
	}
	for kind, t := range o.Kinds {
		mine := r.Kinds[kind]
		mine.Lines += t.Lines
		mine.Wrong += t.Wrong
		r.Kinds[kind] = mine
	}
	for i, t := range o.Course {
		r.Course[i].Lines += t.Lines
		r.Course[i].Wrong += t.Wrong
	}
}
