package nn

import (
	"math"
	"math/rand/v2"
	"sync"
)

// shardWindows is how many windows a shard holds. It is fixed, since the order
// in which gradients are added depends on it.
const shardWindows = 4

// Trainer trains a network.
type Trainer struct {
	Net  *Net
	Adam *Adam
	// Workers is the number of goroutines; the result does not depend on it.
	Workers int

	shards []*shard
	total  Gradients
}

// shard is the memory for one part of a batch.
type shard struct {
	workspace workspace
	gradients Gradients
	loss      float64
}

// NewTrainer gives a Trainer that starts from the network as it is.
func NewTrainer(n *Net, rate float64, workers int) *Trainer {
	return &Trainer{Net: n, Adam: NewAdam(n.params, rate), Workers: max(workers, 1), total: newGradients(n.params)}
}

// Step learns from the batch and gives its mean loss for each target before
// the step. The seed decides what is dropped.
func (t *Trainer) Step(b *Batch, seed uint64) float64 {
	loss := t.gradient(b, seed, true)
	t.Adam.Step(t.Net.params, t.total)
	return loss
}

// gradient fills total with the gradient of the batch's mean loss.
func (t *Trainer) gradient(b *Batch, seed uint64, drop bool) float64 {
	count := (b.Windows + shardWindows - 1) / shardWindows
	for len(t.shards) < count {
		t.shards = append(t.shards, &shard{gradients: newGradients(t.Net.params)})
	}
	targets := b.targets()
	if targets == 0 {
		t.total.clear()
		return 0
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(t.Workers, count) {
		wg.Go(func() {
			for i := range next {
				s := t.shards[i]
				s.workspace.random = nil
				if drop {
					s.workspace.random = rand.New(rand.NewPCG(seed, uint64(i)+2)) //nolint:gosec // Dropout is no secret.
				}
				s.run(t.Net, b.cut(t.Net, i*shardWindows, min((i+1)*shardWindows, b.Windows)), 1/float32(targets))
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	wg.Wait()
	t.total.clear()
	loss := 0.0
	for _, s := range t.shards[:count] {
		t.total.add(s.gradients)
		loss += s.loss
	}
	return loss / float64(targets)
}

// run computes a shard's loss and gradients.
func (s *shard) run(n *Net, b *Batch, scale float32) {
	s.workspace.reset()
	s.gradients.clear()
	pass := n.forward(&s.workspace, b)
	s.loss = n.loss(b, pass.scores, scale)
	n.backward(&s.workspace, s.gradients, b, pass, pass.scores)
}

// Loss gives the mean loss for each target of a batch, without learning.
func (p *Predictor) Loss(b *Batch) float64 {
	targets := b.targets()
	if targets == 0 {
		return 0
	}
	return p.net.loss(b, p.Scores(b), 0) / float64(targets)
}

// loss sums the focal loss of all targets, and replaces the scores by its
// gradient times scale.
func (n *Net) loss(b *Batch, scores Matrix, scale float32) float64 {
	total := 0.0
	heads := len(n.config.Classes)
	for row := range scores.Rows {
		weight := float32(1)
		if b.Weights != nil {
			weight = b.Weights[row]
		}
		at := 0
		for head, classes := range n.config.Classes {
			part := scores.Row(row)[at : at+classes+n.config.Candidates]
			at += len(part)
			loss := n.focal(part, classes, n.candidates(b, row, head), b.Targets[row*heads+head], weight*scale)
			total += loss * float64(weight)
		}
		clear(scores.Row(row)[at:])
	}
	return total
}

// smallest keeps the logarithm of a probability finite.
const smallest = 1e-7

// focal gives the loss of one head of one line, and replaces its scores by the
// loss's gradient times scale. A target that no class and no candidate holds
// teaches nothing.
func (n *Net) focal(scores []float32, classes int, candidates []int32, target int32, scale float32) float64 {
	if target == None {
		clear(scores)
		return 0
	}
	softmax(scores, classes, candidates)
	right, known := float32(0), false
	for i, s := range scores {
		if holds(i, classes, candidates, target) {
			right += s
			known = true
		}
	}
	if !known {
		clear(scores)
		return 0
	}
	p := math.Min(math.Max(float64(right), smallest), 1-smallest)
	focus := n.config.Focus
	rest := math.Pow(1-p, focus)
	slope := -rest / p
	if focus > 0 {
		slope += focus * rest / (1 - p) * math.Log(p)
	}
	factor := float32(slope) * scale
	for i, s := range scores {
		inside := float32(0)
		if holds(i, classes, candidates, target) {
			inside = 1
		}
		scores[i] = factor * s * (inside - right)
	}
	return -rest * math.Log(p)
}

// holds tells whether a class or candidate of a head has the value.
func holds(i, classes int, candidates []int32, value int32) bool {
	if i < classes {
		return int32(i) == value
	}
	return candidates[i-classes] == value
}

// cut gives the windows from first up to last as a batch of their own.
func (b *Batch) cut(n *Net, first, last int) *Batch {
	heads := len(n.config.Classes)
	part := &Batch{Steps: b.Steps, Windows: last - first}
	for step := range b.Steps {
		from, to := step*b.Windows+first, step*b.Windows+last
		part.Features = append(part.Features, b.Features[from*n.config.Features:to*n.config.Features]...)
		part.Edges = append(part.Edges, b.Edges[from*n.config.Edges:to*n.config.Edges]...)
		k := heads * n.config.Candidates
		part.Candidates = append(part.Candidates, b.Candidates[from*k:to*k]...)
		part.Targets = append(part.Targets, b.Targets[from*heads:to*heads]...)
		if b.Weights != nil {
			part.Weights = append(part.Weights, b.Weights[from:to]...)
		}
	}
	// An edge names a row of the whole batch; its window is within the part.
	for i, row := range part.Edges {
		if row != None {
			part.Edges[i] = row/int32(b.Windows)*int32(part.Windows) + row%int32(b.Windows) - int32(first)
		}
	}
	return part
}
