package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/whet-k8s/whet/model"
)

// Trial is one training and its measurement on lines that it was not trained
// on.
type Trial struct {
	// Name tells the trial: the recording left out, the number of the fold,
	// the value that is swept.
	Name    string
	History []Epoch
	// Logs are the measurements of each log by itself, All of all together.
	Logs []LogMeasurement
	All  *Measurement
	// Weights counts the network's weights.
	Weights int
	// Model is the model that was trained, Tested what it was measured on.
	Model  *model.Model
	Tested []*model.Sequence
}

// LogMeasurement is the measurement of one log.
type LogMeasurement struct {
	Name string
	*Measurement
}

// Study runs trials over the same logs.
type Study struct {
	Plan Plan
	Data []Data
	// Repeat is how often each trial is run, each time with the next seed.
	Repeat int
	// Progress is called when a trial begins, with its name and how many
	// there are.
	Progress func(name string, number, of int)
}

// Groups lists the recordings of the data, in their order.
func (s *Study) Groups() []string {
	var groups []string
	for _, d := range s.Data {
		if !slices.Contains(groups, d.Source.group()) {
			groups = append(groups, d.Source.group())
		}
	}
	return groups
}

// trial is what is to be run: a plan, and which lines of each log are trained
// on and which are measured, nil for none.
type trial struct {
	name        string
	plan        Plan
	train, test []*model.Sequence
}

// LeaveOneOut trains on all recordings but one, and measures that one. The
// name "all" leaves out each in turn.
func (s *Study) LeaveOneOut(ctx context.Context, name string) ([]Trial, error) {
	groups := s.Groups()
	if name != "all" {
		if !slices.Contains(groups, name) {
			return nil, fmt.Errorf("no recording is named %q; there are %q", name, groups)
		}
		groups = []string{name}
	}
	var trials []trial
	for _, g := range groups {
		t := trial{name: g, plan: s.Plan, train: make([]*model.Sequence, len(s.Data)), test: make([]*model.Sequence, len(s.Data))}
		for i, d := range s.Data {
			if d.Source.group() == g {
				t.test[i] = d.Sequence
			} else {
				t.train[i] = d.Sequence
			}
		}
		trials = append(trials, t)
	}
	return s.run(ctx, trials)
}

// Folds cuts every log in k parts of equal length, and measures each part by a
// model trained on the others, with a gap of a window between them. A part
// that lies between two others has what is before it and what is after it
// trained on as logs of their own.
func (s *Study) Folds(ctx context.Context, k int) ([]Trial, error) {
	if k < 2 {
		return nil, fmt.Errorf("%d folds: there must be at least 2", k)
	}
	return s.run(ctx, s.folds(k, s.Plan))
}

func (s *Study) folds(k int, plan Plan) []trial {
	var trials []trial
	for fold := range k {
		t := trial{name: fmt.Sprintf("fold %d of %d", fold+1, k), plan: plan}
		for _, d := range s.Data {
			n := len(d.Sequence.Lines)
			from, to := fold*n/k, (fold+1)*n/k
			t.test = append(t.test, d.Sequence.Slice(from, to))
			t.train = append(t.train, d.Sequence.Slice(0, max(from-plan.Shape.Window, 0)))
			// The second part of the log stands beside another test of nothing.
			t.test = append(t.test, nil)
			t.train = append(t.train, d.Sequence.Slice(min(to+plan.Shape.Window, n), n))
		}
		trials = append(trials, t)
	}
	return trials
}

// Sweeps are the names that Sweep knows.
func Sweeps() []string { return []string{"window", "split", "features"} }

// Sweep runs the studies of the seed's family, each trial trained on the first
// part of every log and measured on its last: the length of the window, how
// much is trained on, and each feature left out once.
func (s *Study) Sweep(ctx context.Context, what string) ([]Trial, error) {
	const testShare = 0.3
	var trials []trial
	add := func(name string, plan Plan, testShare float64) {
		t := trial{name: name, plan: plan}
		for _, d := range s.Data {
			before, after := Holdback(d.Sequence, testShare, plan.Shape.Window)
			t.train, t.test = append(t.train, before), append(t.test, after)
		}
		trials = append(trials, t)
	}
	switch what {
	case "window":
		for _, window := range []int{10, 20, 40, 60, 80, 120, 200} {
			plan := s.Plan
			plan.Shape.Window, plan.Shape.Stride = window, max(window/2, 1)
			add(fmt.Sprintf("window %d", window), plan, testShare)
		}
	case "split":
		for _, share := range []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9} {
			add(fmt.Sprintf("train on %.0f %%", share*100), s.Plan, 1-share)
		}
	case "features":
		add("all features", s.Plan, testShare)
		for _, name := range model.FeatureNames(s.Plan.Shape.Relations) {
			plan := s.Plan
			plan.Shape.Drop = append(slices.Clone(plan.Shape.Drop), name)
			add("without "+name, plan, testShare)
		}
	default:
		return nil, fmt.Errorf("no sweep is named %q; there are %q", what, Sweeps())
	}
	return s.run(ctx, trials)
}

// run runs the trials, each as often as asked for.
func (s *Study) run(ctx context.Context, trials []trial) ([]Trial, error) {
	var done []Trial
	repeat := max(s.Repeat, 1)
	for i, t := range trials {
		for again := range repeat {
			if s.Progress != nil {
				s.Progress(t.name, i*repeat+again+1, len(trials)*repeat)
			}
			plan := t.plan
			plan.Options.Seed += uint64(again)
			result, err := s.one(ctx, t, plan)
			if err != nil {
				return done, fmt.Errorf("trial %s: %w", t.name, err)
			}
			if repeat > 1 {
				result.Name = fmt.Sprintf("%s, seed %d", t.name, plan.Options.Seed)
			}
			done = append(done, result)
		}
	}
	return done, nil
}

// one trains and measures.
func (s *Study) one(ctx context.Context, t trial, plan Plan) (Trial, error) {
	var data []Data
	for _, sequence := range t.train {
		if sequence != nil && len(sequence.Lines) > 0 {
			data = append(data, Data{Source: Source{Name: sequence.Name}, Sequence: sequence})
		}
	}
	// What a hold-out would be is part of the trial already.
	plan.HoldOut = ""
	m, history, err := plan.Train(ctx, data)
	if err != nil {
		return Trial{}, err
	}
	result := Trial{Name: t.name, History: history, All: NewMeasurement(), Weights: m.Net().Size(), Model: m}
	for _, sequence := range t.test {
		if sequence == nil || len(sequence.Lines) == 0 {
			continue
		}
		r := Measure(m, sequence)
		result.Logs = append(result.Logs, LogMeasurement{sequence.Name, r})
		result.All.Merge(r)
		result.Tested = append(result.Tested, sequence)
	}
	return result, nil
}

// Spread gives the mean and the standard deviation of numbers.
func Spread(numbers []float64) (mean, deviation float64) {
	if len(numbers) == 0 {
		return 0, 0
	}
	for _, x := range numbers {
		mean += x / float64(len(numbers))
	}
	for _, x := range numbers {
		deviation += (x - mean) * (x - mean) / float64(len(numbers))
	}
	return mean, math.Sqrt(deviation)
}
