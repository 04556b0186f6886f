package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/nn"
)

// Plan says how a model is made from logs.
type Plan struct {
	Shape   model.Shape
	Options Options
	// Validation is the share of each log, its end, that is held back to see
	// when training has gone far enough. Before it lies a gap of a window that
	// is used for nothing.
	Validation float64
	// HoldOut names a recording that is held back for that instead.
	HoldOut string
}

// DefaultShape is the shape of the model that whet is shipped with.
func DefaultShape() model.Shape {
	return model.Shape{
		Name: "default", Kind: nn.Relational, Relations: true, Width: 48, Hidden: 48, Layers: 2,
		Window: 60, Stride: 30, Dropout: 0.3, Focus: 0.5, Doubt: 10, AtLeast: 3,
	}
}

// SeedShape is a network as the seed's is: two stacked bidirectional LSTMs over
// what the events say by themselves.
func SeedShape() model.Shape {
	s := DefaultShape()
	s.Name, s.Kind, s.Relations = "seed", nn.BiLSTM, false
	s.Width, s.Hidden = 64, 64
	return s
}

// Train makes a model from logs, and gives the history of its training.
func (p Plan) Train(ctx context.Context, data []Data) (*model.Model, []Epoch, error) {
	training, validation, err := p.split(data)
	if err != nil {
		return nil, nil, err
	}
	m, err := model.Create(p.Shape, training, p.Options.Seed)
	if err != nil {
		return nil, nil, fmt.Errorf("making a model: %w", err)
	}
	for _, d := range data {
		about := d.about()
		m.Training.Data = append(m.Training.Data, about)
		m.Training.Lines += about.Lines
	}
	history, err := Fit(ctx, m, training, validation, p.Options)
	if err != nil {
		return nil, history, err
	}
	m.Training.Epochs, m.Training.Best, m.Training.Seed = len(history), bestOf(history), p.Options.Seed
	if m.Figures, err = figures(m, history, validation); err != nil {
		return nil, history, err
	}
	return m, history, nil
}

// bestOf is the epoch whose weights Fit left.
func bestOf(history []Epoch) int {
	best := 0
	for _, e := range history {
		if e.Best {
			best = e.Number
		}
	}
	return best
}

// figures are how good a model is on what was held back, by its names in the
// model's header; nil where nothing was.
func figures(m *model.Model, history []Epoch, validation []*model.Sequence) (map[string]float64, error) {
	all := NewMeasurement()
	for _, s := range validation {
		if len(s.Lines) == 0 {
			continue
		}
		r, err := Measure(m, s)
		if err != nil {
			return nil, err
		}
		all.Merge(r)
	}
	f := all.Voted.Figures()
	if f.Lines == 0 {
		return nil, nil
	}
	linker := all.Proposed.Figures()
	return map[string]float64{
		"validation_lines": float64(f.Lines), "validation_loss": history[bestOf(history)-1].Validation,
		"validation_accuracy": f.Accuracy, "validation_macro_f1": f.MacroF1,
		"linker_accuracy": linker.Accuracy, "linker_macro_f1": linker.MacroF1,
	}, nil
}

// split parts the data in what is trained on and what is held back.
func (p Plan) split(data []Data) (training, validation []*model.Sequence, err error) {
	for _, d := range data {
		switch {
		case p.HoldOut != "" && d.Source.group() == p.HoldOut:
			validation = append(validation, d.Sequence)
		case p.HoldOut != "" || p.Validation <= 0:
			training = append(training, d.Sequence)
		default:
			before, after := Holdback(d.Sequence, p.Validation, p.Shape.Window)
			training, validation = append(training, before), append(validation, after)
		}
	}
	lines := 0
	for _, s := range training {
		lines += len(s.Lines)
	}
	switch {
	case lines == 0:
		return nil, nil, errors.New("nothing is left to train on: what is held back, and the gap of a window before it, is all there is")
	case p.HoldOut != "" && len(validation) == 0:
		return nil, nil, fmt.Errorf("no recording is named %q, which is to be held out", p.HoldOut)
	}
	return training, validation, nil
}
