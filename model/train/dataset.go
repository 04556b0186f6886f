package train

import (
	"context"
	"fmt"
	"slices"

	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

// Source says where a log with true labels lies.
type Source struct {
	// Name tells the log in messages and figures.
	Name string
	// Log is the log, as audit.Open takes it.
	Log string
	// Truth is the prefix of the recording that the log is of; "" where Key
	// says where the labels are.
	Truth string
	// Key is the member of each event that holds its label, in a log that
	// somebody has labelled.
	Key string
	// Group tells which logs are of the same recording: they are held back
	// together. "" stands for the log itself.
	Group string
	// Rules has the rules of the linker decide alone. Whatever is trained on
	// some recordings and measured on others needs that: the ranker that whet
	// comes with knows them all.
	Rules bool
	// Policy is the noise policy; nil means noise.Default.
	Policy *noise.Policy
}

// group is the source's Group.
func (s Source) group() string {
	if s.Group == "" {
		return s.Name
	}
	return s.Group
}

// Data is a log that was read.
type Data struct {
	Source   Source
	Sequence *model.Sequence
	// About are the log's name and the hashes of its files.
	About model.TrainingData
	// Account tells where every line of the log went.
	Account *pipeline.Accounting
}

// with gives the data with other lines of the same log.
func (d Data) with(s *model.Sequence) Data {
	d.Sequence = s
	return d
}

// KnownTo tells whether a model was trained on the log, or on another one of the
// same recording.
func (d *Data) KnownTo(t *model.Training) bool {
	same := func(a, b string) bool { return a != "" && a == b }
	return slices.ContainsFunc(t.Data, func(of model.TrainingData) bool {
		return same(of.SHA256, d.About.SHA256) || same(of.Truth, d.About.Truth) || same(of.Contexts, d.About.Contexts)
	})
}

// about says what a model that is trained on the data is to say of it.
func (d *Data) about() model.TrainingData {
	about := d.About
	about.Name, about.Lines = d.Source.Name, d.Sequence.Labelled()
	return about
}

// Load links a log and gives its lines with their true labels. It fails where
// the log or its truth cannot be read, where the truth is that of another log,
// and where what stands at the key is no label.
func Load(ctx context.Context, s Source) (Data, error) {
	d := Data{Source: s}
	var err error
	if d.About, err = s.hashes(); err != nil {
		return d, err
	}
	targets, err := s.targets(ctx)
	if err != nil {
		return d, err
	}
	codec := label.New(label.Options{})
	x := model.NewExtractor(codec)
	d.Sequence = &model.Sequence{Name: s.Name}
	sink := pipeline.Sink{
		Assignment: func(as *link.Assignment) error {
			x.Assigned(as)
			return nil
		},
		Annotation: func(a *pipeline.Annotation) error {
			target, err := targets(a)
			if err != nil {
				return err
			}
			as := a.Assignment()
			if !model.Wants(&as) {
				if target != model.NoLabel {
					d.Sequence.Outside = append(d.Sequence.Outside, model.Outside{At: a.Line, Own: a.Label, Target: target})
				}
				return nil
			}
			var line model.Line
			x.Line(&as, &line)
			line.At, line.Target = a.Line, target
			d.Sequence.Lines = append(d.Sequence.Lines, line)
			return nil
		},
	}
	options := pipeline.Options{Policy: s.Policy, NoModel: s.Rules, Labels: codec, KeepRaw: s.Key != ""}
	if d.Account, err = pipeline.Run(ctx, []string{s.Log}, nil, options, sink); err != nil {
		return d, fmt.Errorf("reading the log %s: %w", s.Log, err)
	}
	return d, nil
}

// LoadAll reads logs. Progress may be nil; it is called before each.
func LoadAll(ctx context.Context, sources []Source, progress func(name string)) ([]Data, error) {
	var data []Data
	for _, s := range sources {
		if progress != nil {
			progress(s.Name)
		}
		d, err := Load(ctx, s)
		if err != nil {
			return nil, err
		}
		data = append(data, d)
	}
	return data, nil
}

// targets gives the function that knows the true label of an event,
// model.NoLabel where there is none.
func (s Source) targets(ctx context.Context) (func(*pipeline.Annotation) (label.Label, error), error) {
	if s.Truth == "" {
		codec := label.New(label.Options{})
		return func(a *pipeline.Annotation) (label.Label, error) {
			l, err := labelAt(codec, a.Raw, s.Key)
			if err != nil {
				return 0, fmt.Errorf("%s, line %d: %w", a.Position.Source, a.Position.Line, err)
			}
			return l, nil
		}, nil
	}
	truth, err := evaluate.Load(ctx, s.Truth)
	if err != nil {
		return nil, err
	}
	if truth.RootLabels == nil {
		return nil, fmt.Errorf("recording %q has no log beside its truth, from which the labels of roots are read", s.Truth)
	}
	lines := newTruthLines(s.Truth, truth)
	return func(a *pipeline.Annotation) (label.Label, error) {
		l, err := lines.of(a)
		if err != nil {
			return 0, err
		}
		if l.Resource == "" || l.Role != evaluate.RoleRoot && l.Role != evaluate.RoleClient && l.Role != evaluate.RoleEffect {
			return model.NoLabel, nil
		}
		if want, known := truth.RootLabels[l.Context]; known {
			return want, nil
		}
		return model.NoLabel, nil
	}, nil
}

// truthLines are the lines of a recording's truth by their number.
type truthLines struct {
	prefix string
	lines  map[int]evaluate.Line
}

func newTruthLines(prefix string, truth *evaluate.Truth) truthLines {
	t := truthLines{prefix, make(map[int]evaluate.Line, len(truth.Lines))}
	for _, l := range truth.Lines {
		t.lines[l.Line] = l
	}
	return t
}

// of gives what the truth says of an event. It fails where the truth is that of
// another log.
func (t truthLines) of(a *pipeline.Annotation) (evaluate.Line, error) {
	l, there := t.lines[a.Line]
	switch {
	case !there:
		return l, fmt.Errorf("line %d of %s has an event, and the truth of %s has no such line: it is the truth of another log", a.Line, a.Position.Source, t.prefix)
	case l.AuditID != a.AuditID:
		return l, fmt.Errorf("line %d of %s has the auditID %.80q, and in the truth of %s %.80q: it is the truth of another log",
			a.Line, a.Position.Source, a.AuditID, t.prefix, l.AuditID)
	case l.Stage != "" && l.Stage != string(a.Stage):
		return l, fmt.Errorf("line %d of %s has the stage %.40q, and in the truth of %s %.40q: it is the truth of another log",
			a.Line, a.Position.Source, a.Stage, t.prefix, l.Stage)
	}
	return l, nil
}
