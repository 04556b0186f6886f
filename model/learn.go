package model

import (
	"math/rand/v2"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model/nn"
)

// Examples are logs in the numbers of a model, to train and to measure it.
type Examples struct {
	model *Model
	logs  [][]encoded
}

// Examples turns logs into a model's numbers.
func (m *Model) Examples(sequences []*Sequence) *Examples {
	e := &Examples{model: m}
	for _, s := range sequences {
		e.logs = append(e.logs, m.encodeAll(s))
	}
	return e
}

// Lines counts the lines.
func (e *Examples) Lines() int {
	count := 0
	for _, log := range e.logs {
		count += len(log)
	}
	return count
}

// Batches cuts the logs into windows, shuffles them, and gives batches of so
// many windows, all drawn from r. Each window starts half a window after the
// one before it, and the first at a place within the first half, so that no
// two epochs see the same windows. A share of the values is replaced by the
// unseen one, so that the network learns to do without.
func (e *Examples) Batches(r *rand.Rand, size int, unseen float64, yield func(*nn.Batch) bool) {
	m := e.model
	var windows, short [][]encoded
	for _, log := range e.logs {
		if len(log) <= m.Window {
			short = append(short, log)
			continue
		}
		half := max(m.Window/2, 1)
		at := r.IntN(half)
		windows = append(windows, log[:m.Window])
		for ; at+m.Window < len(log); at += half {
			windows = append(windows, log[at:at+m.Window])
		}
		windows = append(windows, log[len(log)-m.Window:])
	}
	r.Shuffle(len(windows), func(i, j int) { windows[i], windows[j] = windows[j], windows[i] })
	for group := range slices.Chunk(windows, size) {
		if !yield(m.blurred(r, m.batch(group), unseen)) {
			return
		}
	}
	for _, log := range short {
		if len(log) > 0 && !yield(m.blurred(r, m.batch([][]encoded{log}), unseen)) {
			return
		}
	}
}

// blurred replaces a share of a batch's values by the unseen one, and hides the
// classes of as many lines: their true label is then to be found among the
// candidates, as that of an action is that was never seen.
func (m *Model) blurred(r *rand.Rand, b *nn.Batch, share float64) *nn.Batch {
	if share <= 0 {
		return b
	}
	if k := m.net.Config().Candidates; k > 0 {
		for row := range b.Rows() {
			if r.Float64() >= share {
				continue
			}
			for head := range headCount {
				at := row*headCount + head
				m.hideClass(head, &b.Targets[at], b.Candidates[at*k:(at+1)*k])
			}
		}
	}
	features := m.vocabulary.first
	for i := range b.Features {
		if r.Float64() < share {
			b.Features[i] = features[i%len(features)] + rowUnseen
		}
	}
	return b
}

// hideClass gives a target, and the candidates that hold it, a number that is no
// class.
func (m *Model) hideClass(head int, target *int32, candidates []int32) {
	classes := int32(len(m.heads.classes[head]))
	if *target < 0 || *target >= classes {
		return
	}
	hidden := classes + maxResource + 1
	for i, c := range candidates {
		if c == *target {
			candidates[i] = hidden
		}
	}
	*target = hidden
}

// Loss gives the mean loss over windows that do not overlap.
func (e *Examples) Loss(p *nn.Predictor) float64 {
	total, count := 0.0, 0
	for _, log := range e.logs {
		length := min(e.model.Window, len(log))
		for _, at := range windowStarts(len(log), length, length) {
			b := e.model.batch([][]encoded{log[at : at+length]})
			targets := 0
			for _, t := range b.Targets {
				if t >= 0 {
					targets++
				}
			}
			total += p.Loss(b) * float64(targets)
			count += targets
		}
	}
	return total / float64(max(count, 1))
}

// labelsIn lists the labels to learn, in ascending order.
func labelsIn(sequences []*Sequence) []label.Label {
	var labels []label.Label
	for _, s := range sequences {
		for i := range s.Lines {
			if t := s.Lines[i].Target; t != NoLabel {
				labels = append(labels, t)
			}
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}
