package report

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model/train"
)

// Report is what the page shows. Its JSON has the same figures.
type Report struct {
	Title string `json:"title"`
	// Network says in words what was trained.
	Network string `json:"network"`
	// Voted, Windows and Linker are the figures of all trials together, as
	// train.Measurement has them.
	Voted   train.Figures `json:"voted"`
	Windows train.Figures `json:"windows"`
	Linker  train.Figures `json:"linker"`
	Trials  []Trial       `json:"trials"`
	// Others are the figures of other networks in the same study.
	Others []Other `json:"others,omitempty"`
	// Classes are the labels, the most frequent first.
	Classes []Class `json:"classes"`
	// Mistakes are the pairs of labels that are confused most often.
	Mistakes []train.Mistake `json:"mistakes"`
	// Confusion has a row for each of the labels that are missed or said
	// wrongly most often, with how many of its lines were said to have each
	// of them, and last any other.
	Confusion Confusion     `json:"confusion"`
	Kinds     []Kind        `json:"kinds"`
	Course    []train.Tally `json:"course"`
	Split     int           `json:"split"`
	Ranks     []int         `json:"ranks"`
	Bins      []train.Bin   `json:"bins"`
	// Links are the trials of the linker's ranker, LinkSums those of each level
	// together; both are empty where there was no recording to train it on.
	Links    []train.LinkTrial       `json:"links,omitempty"`
	LinkSums []train.LinkMeasurement `json:"-"`
	// Importance and Explanation are those of the first trial's model, on the
	// first log that it was measured on, which Examined names.
	Examined    string      `json:"examined"`
	Importance  []Weight    `json:"importance"`
	Explanation Explanation `json:"explanation"`
}

// Trial is one training.
type Trial struct {
	Name    string        `json:"name"`
	Voted   train.Figures `json:"voted"`
	Linker  train.Figures `json:"linker"`
	Logs    []Log         `json:"logs"`
	History []train.Epoch `json:"history"`
}

// Log is the measurement of one log.
type Log struct {
	Name  string        `json:"name"`
	Voted train.Figures `json:"voted"`
}

// Other is another network in the same study.
type Other struct {
	Name  string        `json:"name"`
	Voted train.Figures `json:"voted"`
}

// Confusion is a matrix of labels: rows are true, columns were said.
type Confusion struct {
	Labels []label.Label `json:"labels"`
	Rows   [][]int       `json:"rows"`
}

// confusion picks the labels with the most errors.
func confusion(c *train.Confusion, list []Class) Confusion {
	worst := slices.Clone(list)
	slices.SortStableFunc(worst, func(a, b Class) int { return cmp.Compare(b.Missed+b.Wrong, a.Missed+a.Wrong) })
	var m Confusion
	for _, class := range worst[:min(len(worst), maxWorst)] {
		if class.Missed+class.Wrong > 0 {
			m.Labels = append(m.Labels, class.Label)
		}
	}
	for _, want := range m.Labels {
		o := c.Classes()[want]
		row := make([]int, len(m.Labels)+1)
		rest := o.Hit + o.Missed
		for i, said := range m.Labels {
			row[i] = c.Count(want, said)
			rest -= row[i]
		}
		row[len(m.Labels)] = rest
		m.Rows = append(m.Rows, row)
	}
	return m
}

// Class is a label with its outcome.
type Class struct {
	Label  label.Label `json:"label"`
	Action string      `json:"action"`
	Lines  int         `json:"lines"`
	F1     float64     `json:"f1"`
	Recall float64     `json:"recall"`
	train.Outcome
}

// Kind is a kind of line with how many of it are wrong.
type Kind struct {
	Name string `json:"name"`
	train.Tally
}

// How much of each list is shown.
const (
	maxMistakes = 20
	maxKinds    = 20
	maxWorst    = 14
	maxLeaves   = 16
)

// New makes a report of trials. It fails where there is none, and where ctx
// ends.
func New(ctx context.Context, title, network string, trials []train.Trial, seed uint64) (*Report, error) {
	if len(trials) == 0 {
		return nil, errors.New("there is no trial to report")
	}
	r := &Report{Title: title, Network: network}
	all := train.NewMeasurement()
	for _, t := range trials {
		all.Merge(t.All)
		part := Trial{Name: t.Name, Voted: t.All.Voted.Figures(), Linker: t.All.Proposed.Figures(), History: t.History}
		for _, l := range t.Logs {
			part.Logs = append(part.Logs, Log{l.Name, l.Voted.Figures()})
		}
		r.Trials = append(r.Trials, part)
	}
	r.Voted, r.Windows, r.Linker = all.Voted.Figures(), all.Windows.Figures(), all.Proposed.Figures()
	r.Classes = classes(all.Voted)
	r.Confusion = confusion(all.Voted, r.Classes)
	r.Mistakes = all.Voted.Mistakes(maxMistakes)
	r.Kinds = kinds(all.Kinds)
	r.Course, r.Split, r.Ranks, r.Bins = all.Course[:], all.Split, all.Ranks[:], all.Bins[:]
	first := trials[0]
	if len(first.Tested) == 0 {
		return r, nil
	}
	var err error
	r.Examined = first.Tested[0].Name
	if r.Importance, err = Importance(ctx, first.Model, first.Tested[0], seed); err != nil {
		return nil, err
	}
	if r.Explanation, err = Explain(first.Model, first.Tested[0], maxLeaves); err != nil {
		return nil, err
	}
	return r, nil
}

// AddLinks adds the trials of the linker's ranker.
func (r *Report) AddLinks(trials []train.LinkTrial) {
	r.Links = trials
	for _, level := range train.LinkLevels() {
		if all := train.SumLinks(trials, level); all.Hard > 0 {
			r.LinkSums = append(r.LinkSums, all)
		}
	}
}

// classes lists the labels with their outcomes.
func classes(c *train.Confusion) []Class {
	codec := label.New(label.Options{})
	var list []Class
	for l, o := range c.Classes() {
		list = append(list, Class{Label: l, Action: action(codec, l), Lines: o.Hit + o.Missed, F1: o.F1(), Recall: o.Recall(), Outcome: o})
	}
	slices.SortFunc(list, func(a, b Class) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Label, b.Label))
	})
	return list
}

// action says what a label means, or gives the number where it means nothing.
func action(codec *label.Codec, l label.Label) string {
	a, err := codec.Decode(l)
	if err != nil {
		return l.String()
	}
	return a.String()
}

// kinds lists the kinds of lines with the most errors.
func kinds(all map[string]train.Tally) []Kind {
	var list []Kind
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].Wrong > 0 {
			list = append(list, Kind{name, all[name]})
		}
	}
	slices.SortStableFunc(list, func(a, b Kind) int { return cmp.Compare(b.Wrong, a.Wrong) })
	return list[:min(len(list), maxKinds)]
}
