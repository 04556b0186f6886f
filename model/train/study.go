package train

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

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
	// Known tells that the model was trained on the log, so that its figures are
	// too good.
	Known bool
	// Malformed counts the pieces of the log that are no events.
	Malformed int
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
	// Done is called when a trial has ended, and may be nil. Its error ends the
	// study.
	Done func(Trial) error
	// Checkpoints is a folder for a checkpoint of each trial, "" for none. With
	// the plan's Resume, trials go on from theirs, and those that had ended are
	// only measured again.
	Checkpoints string
}

// LeftOut gives the recordings of which a study leaves out each in turn: the
// one with the name, or all for the name "all". It fails where there is none of
// that name.
func LeftOut(sources []Source, name string) ([]string, error) {
	var groups []string
	for _, s := range sources {
		if !slices.Contains(groups, s.group()) {
			groups = append(groups, s.group())
		}
	}
	switch {
	case name == "all":
		return groups, nil
	case !slices.Contains(groups, name):
		return nil, fmt.Errorf("no recording is named %q; there are %q", name, groups)
	}
	return []string{name}, nil
}

// trial is what is to be run: a plan, and which lines of each log are trained
// on and which are measured.
type trial struct {
	name  string
	plan  Plan
	train []Data
	test  []*model.Sequence
}

// LeaveOneOut trains on all recordings but one, and measures that one. The
// name "all" leaves out each in turn.
func (s *Study) LeaveOneOut(ctx context.Context, name string) ([]Trial, error) {
	var sources []Source
	for _, d := range s.Data {
		sources = append(sources, d.Source)
	}
	groups, err := LeftOut(sources, name)
	if err != nil {
		return nil, err
	}
	var trials []trial
	for _, g := range groups {
		t := trial{name: g, plan: s.Plan}
		for _, d := range s.Data {
			if d.Source.group() == g {
				t.test = append(t.test, d.Sequence)
			} else {
				t.train = append(t.train, d)
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
			t.train = append(t.train, d.with(d.Sequence.Slice(0, max(from-plan.Shape.Window, 0))),
				d.with(d.Sequence.Slice(min(to+plan.Shape.Window, n), n)))
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
			t.train, t.test = append(t.train, d.with(before)), append(t.test, after)
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
			plan, name := t.plan, t.name
			plan.Options.Seed += uint64(again)
			if repeat > 1 {
				name = fmt.Sprintf("%s, seed %d", t.name, plan.Options.Seed)
			}
			if s.Checkpoints != "" {
				plan.Options.Checkpoint = filepath.Join(s.Checkpoints, FileName(name)+".checkpoint")
			}
			result, err := s.one(ctx, t, plan)
			result.Name = name
			if err == nil && s.Done != nil {
				err = s.Done(result)
			}
			if err != nil {
				return done, fmt.Errorf("trial %s: %w", name, err)
			}
			done = append(done, result)
		}
	}
	return done, nil
}

// one trains and measures.
func (s *Study) one(ctx context.Context, t trial, plan Plan) (Trial, error) {
	data := slices.DeleteFunc(slices.Clone(t.train), func(d Data) bool { return len(d.Sequence.Lines) == 0 })
	// What a hold-out would be is part of the trial already.
	plan.HoldOut = ""
	m, history, err := plan.Train(ctx, data)
	if err != nil {
		return Trial{}, err
	}
	result := Trial{History: history, All: NewMeasurement(), Weights: m.Net().Size(), Model: m}
	for _, sequence := range t.test {
		if len(sequence.Lines) == 0 {
			continue
		}
		r, err := Measure(m, sequence)
		if err != nil {
			return Trial{}, err
		}
		result.Logs = append(result.Logs, LogMeasurement{Name: sequence.Name, Measurement: r})
		result.All.Merge(r)
		result.Tested = append(result.Tested, sequence)
	}
	return result, nil
}

// FileName makes of a trial's name one of a file: of each run of characters that
// are no letter and no digit a dash.
func FileName(trial string) string {
	words := strings.FieldsFunc(trial, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
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
