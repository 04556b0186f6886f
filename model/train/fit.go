package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/nn"
)

// Options say how a model is trained. Defaults fills in what is 0.
type Options struct {
	// Epochs bounds how often the data is gone through.
	Epochs int
	// Batch is how many windows a step learns from.
	Batch int
	// Rate is the first learning rate.
	Rate float64
	// Unseen is the share of values that are hidden from the network.
	Unseen float64
	// Plateau is after how many epochs without a better validation the rate
	// is halved, Patience after how many training ends.
	Plateau, Patience int
	// Seed decides every random choice.
	Seed uint64
	// Workers is the number of goroutines; the result does not depend on it.
	Workers int
	// Checkpoint is a file that is written after each epoch, "" for none. If
	// it is there when training begins, and Resume is set, training goes on
	// from it as if it had not stopped.
	Checkpoint string
	Resume     bool
	// Progress is called after each epoch.
	Progress func(Epoch)
}

// Defaults gives the options with their defaults filled in.
func (o Options) Defaults() Options {
	for _, d := range []struct {
		value *int
		def   int
	}{{&o.Epochs, 30}, {&o.Batch, 16}, {&o.Plateau, 2}, {&o.Patience, 6}, {&o.Workers, 1}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if o.Rate == 0 {
		o.Rate = 2e-3
	}
	return o
}

// Epoch is what is known after going through the data once.
type Epoch struct {
	Number int     `json:"epoch"`
	Rate   float64 `json:"rate"`
	// Loss is the mean loss in training, with dropout; Validation that of the
	// lines held back, 0 without any.
	Loss       float64 `json:"loss"`
	Validation float64 `json:"validation,omitempty"`
	Best       bool    `json:"best"`
	// Took is how long the epoch took, Left what is left at most.
	Took time.Duration `json:"-"`
	Left time.Duration `json:"-"`
}

// state is a training in progress.
type state struct {
	options    Options
	model      *model.Model
	trainer    *nn.Trainer
	history    []Epoch
	best       [][]float32
	bestLoss   float64
	sinceBest  int
	sinceCut   int
	train      *model.Examples
	validation *model.Examples
}

// Fit trains a model until it gets no better on the validation logs, and
// leaves it with the weights that were best there; without validation logs
// after all epochs with the last. It gives the history. It stops early with
// ctx's error.
func Fit(ctx context.Context, m *model.Model, train, validation []*model.Sequence, o Options) ([]Epoch, error) {
	s := newState(m, train, validation, o.Defaults())
	if err := s.resume(); err != nil {
		return nil, err
	}
	for len(s.history) < s.options.Epochs && s.sinceBest < s.options.Patience {
		if err := s.epoch(ctx); err != nil {
			return s.history, err
		}
	}
	s.restore()
	return s.history, nil
}

func newState(m *model.Model, train, validation []*model.Sequence, o Options) *state {
	s := &state{options: o, model: m, trainer: nn.NewTrainer(m.Net(), o.Rate, o.Workers), bestLoss: math.Inf(1)}
	s.train = m.Examples(train)
	if len(validation) > 0 {
		s.validation = m.Examples(validation)
	}
	return s
}

// resume goes on from the checkpoint, if that is asked for and it is there.
func (s *state) resume() error {
	if s.options.Checkpoint == "" || !s.options.Resume {
		return nil
	}
	f, err := os.Open(s.options.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening the checkpoint: %w", err)
	}
	defer f.Close()
	if err := s.load(f); err != nil {
		return fmt.Errorf("reading the checkpoint %s: %w", s.options.Checkpoint, err)
	}
	return nil
}

// epoch goes through the data once.
func (s *state) epoch(ctx context.Context) error {
	began := time.Now()
	number := len(s.history) + 1
	e := Epoch{Number: number, Rate: s.trainer.Adam.Rate}
	// The source is made anew from the number of the epoch, so that a training
	// that was interrupted goes on as it would have.
	r := rand.New(rand.NewPCG(s.options.Seed, uint64(number))) //nolint:gosec // No secret depends on it.
	batches := 0
	var err error
	s.train.Batches(r, s.options.Batch, s.options.Unseen, func(b *nn.Batch) bool {
		if err = ctx.Err(); err != nil {
			return false
		}
		e.Loss += s.trainer.Step(b, r.Uint64())
		batches++
		return true
	})
	if err != nil {
		return fmt.Errorf("training, epoch %d: %w", number, err)
	}
	e.Loss /= float64(max(batches, 1))
	s.judge(&e)
	if sum := e.Loss + e.Validation; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return fmt.Errorf("training, epoch %d: the loss is %v, and that of the validation %v: the weights have run away; a lower learning rate than %v may help",
			number, e.Loss, e.Validation, s.options.Rate)
	}
	e.Took = time.Since(began)
	e.Left = e.Took * time.Duration(s.options.Epochs-number)
	s.history = append(s.history, e)
	if s.options.Checkpoint != "" {
		if err := s.save(s.options.Checkpoint); err != nil {
			return err
		}
	}
	if s.options.Progress != nil {
		s.options.Progress(e)
	}
	return nil
}

// judge validates, keeps the weights if they are the best, and lowers the rate
// if they have not been for a while.
func (s *state) judge(e *Epoch) {
	if s.validation == nil {
		e.Best = true
		return
	}
	e.Validation = s.validation.Loss(s.model.Net().NewPredictor())
	if e.Validation < s.bestLoss {
		e.Best = true
		s.bestLoss, s.sinceBest, s.sinceCut = e.Validation, 0, 0
		s.keep()
		return
	}
	s.sinceBest++
	if s.sinceCut++; s.sinceCut >= s.options.Plateau {
		s.trainer.Adam.Rate /= 2
		s.sinceCut = 0
	}
}

func (s *state) keep() {
	s.best = s.best[:0]
	for _, p := range s.model.Net().Params() {
		s.best = append(s.best, slices.Clone(p.Data))
	}
}

func (s *state) restore() {
	if s.best == nil {
		return
	}
	for i, p := range s.model.Net().Params() {
		copy(p.Data, s.best[i])
	}
}

// Holdback parts a log in time: the last share of its lines is for validation,
// and a gap before it, a window long, is used for neither, so that no window
// of one part shows lines of the other.
func Holdback(s *model.Sequence, part float64, gap int) (train, validation *model.Sequence) {
	at := int(float64(len(s.Lines)) * (1 - part))
	return s.Slice(0, max(at-gap, 0)), s.Slice(at, len(s.Lines))
}
