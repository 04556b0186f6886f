package train

import (
	"context"
	"fmt"

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

// Load links a log and gives its lines with their true labels. It fails where
// the log or its truth cannot be read.
func Load(ctx context.Context, s Source) (*model.Sequence, error) {
	targets, err := s.targets(ctx)
	if err != nil {
		return nil, err
	}
	codec := label.New(label.Options{})
	x := model.NewExtractor(codec)
	sequence := &model.Sequence{Name: s.Name}
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
			as := AssignmentOf(a)
			if !model.Wants(&as) {
				if target != model.NoLabel {
					sequence.Outside = append(sequence.Outside, model.Outside{At: a.Line, Own: a.Label, Target: target})
				}
				return nil
			}
			var line model.Line
			x.Line(&as, &line)
			line.At, line.Target = a.Line, target
			sequence.Lines = append(sequence.Lines, line)
			return nil
		},
	}
	options := pipeline.Options{Policy: s.Policy, NoModel: s.Rules, Labels: codec, KeepRaw: s.Key != ""}
	if _, err := pipeline.Run(ctx, []string{s.Log}, nil, options, sink); err != nil {
		return nil, fmt.Errorf("reading the log %s: %w", s.Log, err)
	}
	return sequence, nil
}

// AssignmentOf gives what an annotation says in the linker's own form, but for
// the Root.
func AssignmentOf(a *pipeline.Annotation) link.Assignment {
	return link.Assignment{
		Event: a.Event, Context: a.Context, Operation: a.Operation, Role: a.Role, Cause: a.Cause, Rule: a.Rule,
		Evidence: a.Evidence, Confidence: a.Confidence, Rival: a.Rival, Autonomous: a.Autonomous,
	}
}

// targets gives the function that knows the true label of an event,
// model.NoLabel where there is none.
func (s Source) targets(ctx context.Context) (func(*pipeline.Annotation) (label.Label, error), error) {
	if s.Truth == "" {
		return func(a *pipeline.Annotation) (label.Label, error) { return labelAt(a.Raw, s.Key) }, nil
	}
	truth, err := evaluate.Load(ctx, s.Truth)
	if err != nil {
		return nil, err
	}
	if truth.RootLabels == nil {
		return nil, fmt.Errorf("recording %q has no log beside its truth, from which the labels of roots are read", s.Truth)
	}
	byLine := make(map[int]label.Label, len(truth.Lines))
	for _, l := range truth.Lines {
		if l.Resource == "" || l.Role != evaluate.RoleRoot && l.Role != evaluate.RoleClient && l.Role != evaluate.RoleEffect {
			continue
		}
		if want, known := truth.RootLabels[l.Context]; known {
			byLine[l.Line] = want
		}
	}
	return func(a *pipeline.Annotation) (label.Label, error) {
		if want, known := byLine[a.Line]; known {
			return want, nil
		}
		return model.NoLabel, nil
	}, nil
}
