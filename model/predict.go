package model

import (
	"sync"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model/nn"
)

// Prediction is what the model says of an event.
type Prediction struct {
	// Tag is what the event was added with.
	Tag uint64
	// Label is the label of the action that caused the event, as far as the
	// model can tell; of an event that does not reach the network, its own.
	Label label.Label
	// Confidence is the label's share of the vote, from 0 to 1; 0 for an event
	// that does not reach the network.
	Confidence float64
	// Ranked are the labels in question, the best first. They are good until
	// the function that was given the Prediction returns.
	Ranked []Scored
}

// PredictorOptions say how a Predictor works. The zero value is good.
type PredictorOptions struct {
	// Workers is the number of goroutines that compute; 0 and 1 mean none but
	// the caller's. The predictions do not depend on it.
	Workers int
}

// Predictor labels the events of one log while they are linked. Memory follows
// the window, not the log.
type Predictor struct {
	model   *Model
	extract *Extractor
	emit    func(Prediction) error

	queue  []pending // events in the order of the input
	lines  []encoded // those of the queue that are for the network, from base
	marks  []tally   // beside lines
	base   int64     // the number of lines[0]
	total  int64     // lines so far
	start  int64     // the first line of the next window
	ready  int64     // lines before this one have all their votes
	memory []int32
	line   Line

	workers []*nn.Predictor
	err     error
}

// pending is an event that waits for its prediction.
type pending struct {
	tag  uint64
	line int64 // its number among the lines, -1 for one that is not for the network
	own  label.Label
}

// NewPredictor gives a Predictor, which calls emit once for every event added,
// in the order of adding. An error of emit ends it.
func (m *Model) NewPredictor(codec *label.Codec, o PredictorOptions, emit func(Prediction) error) *Predictor {
	p := &Predictor{model: m, extract: NewExtractor(codec), emit: emit}
	for range max(o.Workers, 1) {
		p.workers = append(p.workers, m.net.NewPredictor())
	}
	return p
}

// Assigned takes what the linker says of an event when it is linked, for every
// event and in the linker's order.
func (p *Predictor) Assigned(as *link.Assignment) { p.extract.Assigned(as) }

// Add takes the next event of the input, with what the linker says of it, and
// the label that it has when the network does not see it.
func (p *Predictor) Add(tag uint64, as *link.Assignment, own label.Label) error {
	if p.err != nil {
		return p.err
	}
	if !Wants(as) {
		p.queue = append(p.queue, pending{tag, -1, own})
		return p.flush()
	}
	p.extract.Line(as, &p.line)
	width := len(p.model.vocabulary.features)
	if len(p.memory) < width {
		p.memory = make([]int32, 256*width)
	}
	p.lines = append(p.lines, p.model.encode(&p.line, p.memory[:width:width]))
	p.memory = p.memory[width:]
	p.marks = append(p.marks, tally{})
	p.queue = append(p.queue, pending{tag, p.total, own})
	p.total++
	if p.total-p.start > int64(p.model.Window+(p.group()-1)*p.model.Stride) {
		if p.err = p.compute(false); p.err != nil {
			return p.err
		}
	}
	return p.flush()
}

// group is how many windows are computed at once.
func (p *Predictor) group() int { return predictBatch * len(p.workers) }

// Close predicts what still waits.
func (p *Predictor) Close() error {
	if p.err != nil {
		return p.err
	}
	if p.err = p.compute(true); p.err != nil {
		return p.err
	}
	p.ready = p.total
	return p.flush()
}

// compute passes the windows that are full through the network, and at the end
// of the log the last one, as windowStarts has it.
func (p *Predictor) compute(end bool) error {
	window, stride := int64(p.model.Window), int64(p.model.Stride)
	var windows [][]encoded
	var marks [][]tally
	add := func(from, to int64) {
		windows = append(windows, p.lines[from-p.base:to-p.base])
		marks = append(marks, p.marks[from-p.base:to-p.base])
	}
	for ; p.start+window < p.total; p.start += stride {
		add(p.start, p.start+window)
	}
	if end && p.total > 0 {
		add(max(p.total-window, 0), p.total)
	}
	p.ready = p.start
	return p.vote(windows, marks)
}

// vote spreads the windows over the workers. A line's votes are added in the
// order of the windows, so that the sums do not depend on the workers.
func (p *Predictor) vote(windows [][]encoded, marks [][]tally) error {
	type part struct {
		windows [][]encoded
		marks   [][]tally
	}
	var parts []part
	for len(windows) > 0 {
		// All windows have the same length, but for one that is the only one.
		n := min(predictBatch, len(windows))
		own := make([][]tally, n)
		for i := range own {
			own[i] = make([]tally, len(windows[i]))
		}
		parts = append(parts, part{windows[:n], own})
		windows = windows[n:]
	}
	var wg sync.WaitGroup
	failed := make([]error, len(p.workers))
	for i, worker := range p.workers {
		run := func() {
			for j := i; j < len(parts) && failed[i] == nil; j += len(p.workers) {
				failed[i] = p.model.scoreWindows(worker, parts[j].windows, parts[j].marks)
			}
		}
		if i == len(p.workers)-1 {
			run()
			continue
		}
		wg.Go(run)
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	for _, part := range parts {
		for i := range part.marks {
			for j := range part.marks[i] {
				marks[0][j].merge(&part.marks[i][j])
			}
			marks = marks[1:]
		}
	}
	return nil
}

// flush emits what has its prediction, in the order of the input.
func (p *Predictor) flush() error {
	done := 0
	for _, e := range p.queue {
		if e.line >= p.ready {
			break
		}
		done++
		prediction := Prediction{Tag: e.tag, Label: e.own}
		if e.line >= 0 {
			at := e.line - p.base
			prediction.Ranked = p.marks[at].ranked(p.lines[at].candidates[ofOperation], p.model.Doubt)
			prediction.Label, prediction.Confidence = prediction.Ranked[0].Label, prediction.Ranked[0].Score
		}
		if p.err = p.emit(prediction); p.err != nil {
			return p.err
		}
	}
	p.queue = p.queue[done:]
	if gone := min(p.ready, p.total) - p.base; gone > 0 {
		p.lines, p.marks = p.lines[gone:], p.marks[gone:]
		p.base += gone
	}
	return nil
}
