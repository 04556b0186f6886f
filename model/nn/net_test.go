package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func testConfig(kind Kind) Config {
	return Config{
		Kind: kind, Rows: 40, Features: 3, Edges: 2, Candidates: 2, Width: 16, Hidden: 5, Layers: 2,
		Classes: []int{7, 2}, Focus: 1.5,
	}
}

// randomBatch gives windows with edges, candidates and targets of every sort:
// absent ones, some that no class holds, some that nothing holds.
func randomBatch(r *rand.Rand, n *Net, steps, windows int) *Batch {
	b := n.NewBatch(steps, windows)
	c := n.Config()
	for i := range b.Features {
		b.Features[i] = int32(r.IntN(c.Rows))
	}
	for i := range b.Edges {
		row := i / c.Edges
		if r.IntN(3) > 0 {
			b.Edges[i] = int32(r.IntN(steps)*windows + row%windows)
		}
	}
	for i := range b.Candidates {
		b.Candidates[i] = int32(r.IntN(10) - 1)
	}
	b.Weights = make([]float32, b.Rows())
	for row := range b.Rows() {
		b.Weights[row] = r.Float32() + 0.5
		for head, classes := range c.Classes {
			b.Targets[row*len(c.Classes)+head] = int32(r.IntN(classes+3) - 1)
		}
	}
	return b
}

// TestGradients holds the gradients against finite differences: in the
// direction of a random change of each matrix of weights.
func TestGradients(t *testing.T) {
	for _, kind := range []Kind{BiLSTM, Relational} {
		t.Run(string(kind), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			net, err := New(testConfig(kind), 5)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range net.params {
				for i := range p.Data {
					p.Data[i] += float32(r.NormFloat64()) * 0.2
				}
			}
			batch := randomBatch(r, net, 9, 6)
			trainer := NewTrainer(net, 0.01, 2)
			trainer.gradient(batch, 1, false)
			for i, p := range net.params {
				change := make([]float32, len(p.Data))
				want := 0.0
				for j := range change {
					change[j] = float32(r.NormFloat64()) / float32(math.Sqrt(float64(len(change))))
					want += float64(change[j]) * float64(trainer.total[i].Data[j])
				}
				const step = 4e-3
				loss := func(scale float32) float64 {
					before := slices.Clone(p.Data)
					for j := range p.Data {
						p.Data[j] += scale * change[j]
					}
					defer copy(p.Data, before)
					return net.NewPredictor().Loss(batch)
				}
				got := (loss(step) - loss(-step)) / (2 * step)
				if diff := math.Abs(got - want); diff > 2e-4+0.02*math.Abs(want) {
					t.Errorf("%s: the gradient says %v, finite differences say %v", p.Name, want, got)
				}
			}
		})
	}
}

// TestTrainingIsReproducible trains with one and with several goroutines and
// expects the same bits.
func TestTrainingIsReproducible(t *testing.T) {
	for _, kind := range []Kind{BiLSTM, Relational} {
		t.Run(string(kind), func(t *testing.T) {
			var weights [][]float32
			for _, workers := range []int{1, 4} {
				c := testConfig(kind)
				c.Dropout = 0.3
				net, err := New(c, 5)
				if err != nil {
					t.Fatal(err)
				}
				batch := randomBatch(rand.New(rand.NewPCG(7, 8)), net, 12, 11)
				trainer := NewTrainer(net, 0.01, workers)
				for step := range uint64(5) {
					trainer.Step(batch, step)
				}
				var all []float32
				for _, p := range net.params {
					all = append(all, p.Data...)
				}
				weights = append(weights, all)
			}
			if !slices.Equal(weights[0], weights[1]) {
				t.Error("four goroutines train another network than one")
			}
		})
	}
}

// TestLearns trains on a rule that needs the neighbourhood: the target is the
// first feature of the line that the first edge names, which is a class or,
// beyond the classes, a candidate alone.
func TestLearns(t *testing.T) {
	for _, kind := range []Kind{BiLSTM, Relational} {
		t.Run(string(kind), func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 10))
			c := Config{Kind: kind, Rows: 12, Features: 1, Edges: 1, Candidates: 1, Width: 32, Hidden: 32, Layers: 2, Classes: []int{4}, Focus: 1}
			net, err := New(c, 1)
			if err != nil {
				t.Fatal(err)
			}
			draw := func() *Batch {
				const steps, windows = 10, 16
				b := net.NewBatch(steps, windows)
				for row := range b.Rows() {
					b.Features[row] = int32(r.IntN(12))
				}
				for row := windows; row < b.Rows(); row++ {
					b.Edges[row] = int32(row - windows)
					seen := b.Features[b.Edges[row]]
					b.Targets[row] = seen
					b.Candidates[row] = int32(r.IntN(4))
					if seen >= 4 {
						b.Candidates[row] = seen
					}
				}
				return b
			}
			trainer := NewTrainer(net, 0.01, 2)
			var first, last float64
			for step := range uint64(150) {
				loss := trainer.Step(draw(), step)
				if step == 0 {
					first = loss
				}
				last = loss
			}
			if last > first/10 {
				t.Errorf("the loss fell from %v to %v only", first, last)
			}
		})
	}
}

func TestProbabilities(t *testing.T) {
	net, err := New(testConfig(Relational), 5)
	if err != nil {
		t.Fatal(err)
	}
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), net, 5, 3)
	scores := net.NewPredictor().Scores(batch)
	for row := range batch.Rows() {
		for head, classes := range net.Config().Classes {
			sum := float32(0)
			for i, p := range net.Probabilities(batch, scores, row, head) {
				sum += p
				if i >= classes && net.candidates(batch, row, head)[i-classes] == None && p != 0 {
					t.Errorf("line %d, head %d: a candidate that is not there has probability %v", row, head, p)
				}
			}
			if math.Abs(float64(sum)-1) > 1e-5 {
				t.Errorf("line %d, head %d: probabilities add up to %v", row, head, sum)
			}
		}
	}
}

// TestShardsAreIndependent passes windows alone and together.
func TestShardsAreIndependent(t *testing.T) {
	for _, kind := range []Kind{BiLSTM, Relational} {
		net, err := New(testConfig(kind), 5)
		if err != nil {
			t.Fatal(err)
		}
		batch := randomBatch(rand.New(rand.NewPCG(2, 1)), net, 6, 5)
		together := net.NewPredictor().Scores(batch)
		for w := range batch.Windows {
			alone := net.NewPredictor().Scores(batch.cut(net, w, w+1))
			for step := range batch.Steps {
				for i, v := range alone.Row(step) {
					if diff := math.Abs(float64(v - together.Row(step*batch.Windows + w)[i])); diff > 1e-5 {
						t.Fatalf("%s: window %d, line %d, score %d differs by %v when passed alone", kind, w, step, i, diff)
					}
				}
			}
		}
	}
}

func TestActivations(t *testing.T) {
	for x := -12.0; x <= 12; x += 0.001 {
		if got := float64(tanh(float32(x))); math.Abs(got-math.Tanh(x)) > 1e-4 || math.Abs(got) > 1 {
			t.Fatalf("tanh(%v) = %v, not %v", x, got, math.Tanh(x))
		}
		if x > 0 {
			continue
		}
		if got, want := float64(exp(float32(x*8))), math.Exp(float64(float32(x*8))); math.Abs(got-want) > 1e-5*want+2e-38 {
			t.Fatalf("exp(%v) = %v, not %v", x*8, got, want)
		}
	}
	if exp(-200) != 0 {
		t.Error("exp(-200) is not 0")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for i, spoil := range []func(*Config){
		func(c *Config) { c.Kind = "other" }, func(c *Config) { c.Rows = 0 }, func(c *Config) { c.Rows = 1 << 30 },
		func(c *Config) { c.Width = -1 }, func(c *Config) { c.Classes = nil }, func(c *Config) { c.Classes = []int{0} },
		func(c *Config) { c.Kind, c.Hidden = BiLSTM, 0 }, func(c *Config) { c.Dropout = 1 }, func(c *Config) { c.Dropout = math.NaN() },
		func(c *Config) { c.Focus = -1 }, func(c *Config) { c.Layers = 99 },
	} {
		c := testConfig(Relational)
		spoil(&c)
		if _, err := New(c, 1); err == nil {
			t.Errorf("case %d: %+v was taken", i, c)
		}
	}
}

func TestSizeCountsTheWeights(t *testing.T) {
	for _, kind := range []Kind{BiLSTM, Relational} {
		net, err := New(testConfig(kind), 1)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, p := range net.Params() {
			size += len(p.Data)
		}
		if got := net.Config().Size(); got != size {
			t.Errorf("%s: Size is %d, and there are %d weights", kind, got, size)
		}
	}
}

func BenchmarkScores(b *testing.B) {
	for _, c := range []Config{
		{Kind: Relational, Rows: 2000, Features: 40, Edges: 5, Candidates: 6, Width: 48, Layers: 2, Classes: []int{60, 10, 2, 2, 5}},
		{Kind: BiLSTM, Rows: 2000, Features: 40, Edges: 5, Candidates: 6, Width: 48, Hidden: 48, Layers: 2, Classes: []int{60, 10, 2, 2, 5}},
	} {
		b.Run(fmt.Sprint(c.Kind, c.Width), func(b *testing.B) {
			net, err := New(c, 1)
			if err != nil {
				b.Fatal(err)
			}
			batch := randomBatch(rand.New(rand.NewPCG(1, 1)), net, 60, 16)
			p := net.NewPredictor()
			for b.Loop() {
				scores := p.Scores(batch)
				for row := range batch.Rows() {
					for head := range c.Classes {
						net.Probabilities(batch, scores, row, head)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Rows()), "ns/line")
		})
	}
}
