package edit

import (
	"context"
	"runtime"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

// Opinion is what the linker, or the noise policy, says of one event.
type Opinion struct {
	// Offset is where the event begins in the log.
	Offset int64
	// Root is the principal request of its operation, which is the command that
	// it belongs to. Of a command with several objects, Context is that of the
	// object's own context; else both are the same.
	Root, Context Root
	// Role is the event's, Rule and Evidence say why.
	Role           link.Role
	Rule, Evidence string
	// Confidence is from 0 to 1.
	Confidence float64
	// Autonomous tells that the clock started this.
	Autonomous bool
}

// Root is a principal request: where it begins in the log, -1 for none, and its
// label.
type Root struct {
	Offset int64
	Label  label.Label
}

// noRoot is that of an event without a cause.
var noRoot = Root{-1, label.Unknown}

// Prediction is what a model says of event Event.
type Prediction struct {
	Event      int
	Label      label.Label
	Confidence float64
}

// Analysis says how Session.Analyse works. Its functions may keep what they are
// given.
type Analysis struct {
	// Policy is the noise policy, nil for the default one.
	Policy *noise.Policy
	// Rules has the linker's rules decide alone, without its ranker.
	Rules bool
	// Opinions takes an Opinion of each event, in the order of linking, with the
	// number of bytes read so far.
	Opinions func(opinions []Opinion, read int64) error
	// Model predicts labels while the log is linked, nil for none, and
	// Predictions takes them, in the order of the log.
	Model       *model.Model
	Predictions func([]Prediction) error
}

// atOnce is how many opinions and predictions are handed over together.
const atOnce = 4096

// Analyse links the log once it was scanned, and lets a model label it. It may
// run in another goroutine.
func (s *Session) Analyse(ctx context.Context, o Analysis) error {
	a := &analysis{Analysis: o, codec: s.codec, index: s.index, operations: map[string]Root{}}
	run := pipeline.Options{
		Policy: o.Policy, Labels: s.codec, NoModel: o.Rules, Progress: func(p pipeline.Progress) { a.read = p.Bytes },
	}
	sink := pipeline.Sink{Assignment: a.assigned, Dropped: a.dropped}
	if o.Model != nil {
		a.predictor = o.Model.NewPredictor(s.codec, model.PredictorOptions{Workers: runtime.GOMAXPROCS(0)}, a.predicted)
		sink.Annotation = a.line
	}
	if _, err := pipeline.Run(ctx, []string{audit.Stdin}, s.log.Reader(), run, sink); err != nil {
		return err
	}
	if a.predictor != nil {
		if err := a.predictor.Close(); err != nil {
			return err
		}
		if len(a.predictions) > 0 {
			if err := o.Predictions(a.predictions); err != nil {
				return err
			}
		}
	}
	if len(a.opinions) > 0 {
		return o.Opinions(a.opinions, s.log.Size())
	}
	return nil
}

// analysis collects opinions and predictions.
type analysis struct {
	Analysis
	codec *label.Codec
	index index // no event is added any more
	// operations are their roots: that of the first context of each, whose
	// events are the first to be linked.
	operations  map[string]Root
	predictor   *model.Predictor // nil without a model
	opinions    []Opinion
	predictions []Prediction
	read        int64
}

func (a *analysis) assigned(as *link.Assignment) error {
	if a.predictor != nil {
		a.predictor.Assigned(as)
	}
	o := Opinion{
		Offset: as.Event.Position.Offset, Root: noRoot, Context: noRoot,
		Role: as.Role, Rule: as.Rule, Evidence: as.Evidence, Confidence: as.Confidence, Autonomous: as.Autonomous != "",
	}
	if as.Root != nil {
		o.Context = Root{as.Root.Position.Offset, a.codec.EncodeEvent(as.Root)}
		o.Root = o.Context
		if as.Operation != "" {
			root, known := a.operations[as.Operation]
			if !known {
				root = o.Context
				a.operations[as.Operation] = root
			}
			o.Root = root
		}
	}
	return a.add(o)
}

func (a *analysis) dropped(ev *audit.Event, d noise.Decision) error {
	return a.add(Opinion{
		Offset: ev.Position.Offset, Root: noRoot, Context: noRoot,
		Role: link.RoleDropped, Rule: d.Rule, Evidence: d.Reason, Confidence: 1,
	})
}

func (a *analysis) add(o Opinion) error {
	a.opinions = append(a.opinions, o)
	if len(a.opinions) < atOnce {
		return nil
	}
	batch := a.opinions
	a.opinions = make([]Opinion, 0, atOnce)
	return a.Opinions(batch, a.read)
}

// line passes the next event of the log to the model.
func (a *analysis) line(n *pipeline.Annotation) error {
	as := n.Assignment()
	return a.predictor.Add(uint64(n.Position.Offset), &as, n.Label)
}

// predicted takes what the model says of an event. Of what does not reach its
// network it says nothing.
func (a *analysis) predicted(p model.Prediction) error {
	i, ok := a.index.find(int64(p.Tag))
	if !ok || p.Ranked == nil {
		return nil
	}
	a.predictions = append(a.predictions, Prediction{i, p.Label, p.Confidence})
	if len(a.predictions) < atOnce {
		return nil
	}
	batch := a.predictions
	a.predictions = make([]Prediction, 0, atOnce)
	return a.Predictions(batch)
}
