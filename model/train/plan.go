package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/nn"
)

// Data is a log that was read.
type Data struct {
	Source   Source
	Sequence *model.Sequence
}

// LoadAll reads logs. Progress may be nil; it is called before each.
func LoadAll(ctx context.Context, sources []Source, progress func(name string)) ([]Data, error) {
	var data []Data
	for _, s := range sources {
		if progress != nil {
			progress(s.Name)
		}
		sequence, err := Load(ctx, s)
		if err != nil {
			return nil, err
		}
		data = append(data, Data{s, sequence})
	}
	return data, nil
}

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
	history, err := Fit(ctx, m, training, validation, p.Options)
	if err != nil {
		return nil, history, err
	}
	for _, d := range data {
		about, err := d.Source.Data(d.Sequence)
		if err != nil {
			return nil, history, err
		}
		m.Training.Data = append(m.Training.Data, about)
		m.Training.Lines += about.Lines
	}
	m.Training.Epochs, m.Training.Seed = len(history), p.Options.Seed
	return m, history, nil
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
