package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model/train"
)

const modelEvaluateHelp = `Evaluate measures a model on logs with true labels: the model that whet comes
with, or that in -m.

With --leave-one-out, --kfold or --sweep it trains instead, and measures each
model on what it was not trained on:
  --leave-one-out NAME   train on all recordings but NAME, measure NAME; "all"
                         leaves out each in turn
  --kfold K              cut each log in K parts in time, with a gap of a window
                         between what is trained on and what is measured
  --sweep window|split|features
                         other lengths of the window, other shares to train on,
                         each feature left out once

A study can be killed and goes on where --checkpoint names a folder and --resume
is given; --save keeps the model of each trial.

With --ranker it is the ranker of the linker that is trained on all recordings
but one and measured on that one: hard attribution at the levels Metadata and
Request and with bodies, by the rules alone and with the ranker, and how many of
the links of each confidence are right.

The figures are of the lines that commands caused or sent. "accuracy" and
"macro_f1" count a line once, with the label that its windows voted for;
"windows" each line of each window by itself, with what the network finds most
probable there; "linker" what the linker proposes without a model. "trained_on"
is there where the model was trained on what it is measured on.`

const modelEvaluateExample = `  whet model evaluate --truth recordings/day recordings/day.metadata.jsonl.zst
  whet model evaluate --leave-one-out all recordings/
  whet model evaluate --kfold 5 --save folds recordings/day
  whet model evaluate --leave-one-out all --network seed recordings/`

// modelEvaluateOptions are the flags of whet model evaluate.
type modelEvaluateOptions struct {
	data        modelData
	plan        planFlags
	model       string
	json        bool
	leaveOneOut string
	kfold       int
	repeat      int
	sweep       string
	ranker      bool
	save        string
	checkpoint  string
	resume      bool
}

func newModelEvaluateCommand(std *stdio, log *modelLog) *cobra.Command {
	var o modelEvaluateOptions
	cmd := &cobra.Command{
		Use:     "evaluate --truth PREFIX LOG | [RECORDING]...",
		Short:   "Measure a model, or how well training works",
		Long:    modelEvaluateHelp,
		Example: modelEvaluateExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			return runModelEvaluate(cmd.Context(), std, log, &o, args)
		},
	}
	f := cmd.Flags()
	o.data.flags(f)
	o.plan.flags(cmd)
	f.StringVarP(&o.model, "model", "m", "", "model `FILE` (default: the one that whet comes with)")
	f.BoolVar(&o.json, "json", false, "print a JSON object")
	f.StringVar(&o.leaveOneOut, "leave-one-out", "", "train on all recordings but `NAME`")
	f.IntVar(&o.kfold, "kfold", 0, "cut each log in `K` parts")
	f.IntVar(&o.repeat, "repeat", 1, "run each training `N` times, with other seeds")
	f.StringVar(&o.sweep, "sweep", "", "what to vary: "+strings.Join(train.Sweeps(), ", "))
	f.BoolVar(&o.ranker, "ranker", false, "measure the ranker that helps the linker instead; needs --leave-one-out")
	f.StringVar(&o.save, "save", "", "keep the model of each trial in this folder `DIR`")
	f.StringVar(&o.checkpoint, "checkpoint", "", "keep the state of each training in this folder `DIR`")
	f.BoolVar(&o.resume, "resume", false, "go on from the checkpoints that are there")
	completeValues(cmd, "sweep", train.Sweeps())
	return cmd
}

// studies are the flags that ask for a study.
func studies() []string { return []string{"leave-one-out", "kfold", "sweep"} }

// study tells whether models are to be trained.
func (o *modelEvaluateOptions) study() bool {
	return o.leaveOneOut != "" || o.kfold != 0 || o.sweep != ""
}

// check looks at the flags.
func (o *modelEvaluateOptions) check(f *pflag.FlagSet) error {
	if err := o.plan.parse(f.Changed); err != nil {
		return err
	}
	asked := slices.DeleteFunc(studies(), func(name string) bool { return !f.Changed(name) })
	switch {
	case len(asked) > 1:
		return usageError("--%s exclude each other", strings.Join(asked, " and --"))
	case f.Changed("kfold") && o.kfold < 2:
		return usageError("--kfold %d: there must be at least 2 parts", o.kfold)
	case f.Changed("sweep") && !slices.Contains(train.Sweeps(), o.sweep):
		return usageError("--sweep %s: there are %s", o.sweep, strings.Join(train.Sweeps(), ", "))
	case o.repeat < 1:
		return usageError("--repeat %d: must be at least 1", o.repeat)
	case o.resume && o.checkpoint == "":
		return usageError("--resume needs --checkpoint")
	case o.ranker && o.leaveOneOut == "":
		return usageError("--ranker needs --leave-one-out: the ranker that whet comes with is measured by whet evaluate, with and without --no-model")
	}
	var idle error
	switch {
	case o.ranker:
		const why = "the ranker is no network"
		idle = cmp.Or(idleFlags(f, why, "model", "repeat", "save", "checkpoint"), o.plan.idle(f, why, rankerFlags()...))
	case !o.study():
		const why = "no model is trained without --leave-one-out, --kfold or --sweep"
		idle = cmp.Or(idleFlags(f, why, "repeat", "save", "checkpoint"), o.plan.idle(f, why))
	case o.sweep == "window":
		idle = idleFlags(f, "--sweep window tries several", "window", "stride")
	}
	if idle == nil && o.study() {
		idle = idleFlags(f, "it names a trained model, and --leave-one-out, --kfold and --sweep train their own", "model")
	}
	return idle
}

func runModelEvaluate(ctx context.Context, std *stdio, log *modelLog, o *modelEvaluateOptions, args []string) error {
	if o.ranker {
		return evaluateRanker(ctx, std, log, o, args)
	}
	o.data.rules = o.study()
	sources, err := o.data.sources(args)
	if err != nil {
		return err
	}
	var trials []train.Trial
	if o.study() {
		trials, err = o.train(ctx, log, sources)
	} else {
		trials, err = o.measure(ctx, log, sources)
	}
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(std.out).Encode(summarize(trials, o.study()))
	}
	// Of a recording that is left out, the names of its logs say enough.
	printTrials(std.out, trials, o.kfold != 0 || o.sweep != "" || o.repeat > 1)
	return nil
}

// train runs the study that the flags ask for.
func (o *modelEvaluateOptions) train(ctx context.Context, log *modelLog, sources []train.Source) ([]train.Trial, error) {
	if o.leaveOneOut != "" {
		if _, err := train.LeftOut(sources, o.leaveOneOut); err != nil {
			return nil, usageError("--leave-one-out: %w", err)
		}
	}
	if err := o.folders(); err != nil {
		return nil, err
	}
	data, err := load(ctx, log, sources)
	if err != nil {
		return nil, err
	}
	s := train.Study{Plan: o.plan.plan, Data: data, Repeat: o.repeat, Checkpoints: o.checkpoint}
	s.Plan.Options.Progress, s.Plan.Options.Resume = log.epoch, o.resume
	s.Progress = func(name string, number, of int) { log.info("training %d of %d: %s", number, of, name) }
	if o.save != "" {
		s.Done = func(t train.Trial) error {
			out := target{"--save", filepath.Join(o.save, train.FileName(t.Name)+".safetensors")}
			_, err := out.write(t.Model.Write)
			return err
		}
	}
	switch {
	case o.leaveOneOut != "":
		return s.LeaveOneOut(ctx, o.leaveOneOut)
	case o.kfold != 0:
		return s.Folds(ctx, o.kfold)
	}
	return s.Sweep(ctx, o.sweep)
}

// folders makes the folders for models and checkpoints. What lies in them is
// only written over by whoever goes on.
func (o *modelEvaluateOptions) folders() error {
	for _, t := range []target{{"--save", o.save}, {"--checkpoint", o.checkpoint}} {
		if t.name == "" {
			continue
		}
		if err := os.MkdirAll(t.name, 0o755); err != nil { //nolint:gosec // As any folder that a user makes.
			return fmt.Errorf("making the folder of %s: %w", t.flag, err)
		}
		if entries, err := os.ReadDir(t.name); err == nil && len(entries) > 0 && !o.resume {
			return usageError("%s %s: the folder is not empty; name another one, or go on with --checkpoint and --resume", t.flag, t.name)
		}
		if err := (target{t.flag, filepath.Join(t.name, "trial")}).writable(); err != nil {
			return fmt.Errorf("looking whether %s can be written: %w", t.flag, err)
		}
	}
	return nil
}

// measure measures the model on all logs, as one trial.
func (o *modelEvaluateOptions) measure(ctx context.Context, log *modelLog, sources []train.Source) ([]train.Trial, error) {
	m, err := openModel(o.model)
	if err != nil {
		return nil, err
	}
	data, err := load(ctx, log, sources)
	if err != nil {
		return nil, err
	}
	t := train.Trial{Name: m.Name, All: train.NewMeasurement(), Weights: m.Net().Size()}
	for i := range data {
		d := &data[i]
		r, err := train.Measure(m, d.Sequence)
		if err != nil {
			return nil, err
		}
		known := d.KnownTo(&m.Training)
		if known {
			log.warn("the model was trained on %s, so that its figures are better than those of a log that it has not seen", d.Source.Name)
		}
		t.Logs = append(t.Logs, train.LogMeasurement{Name: d.Source.Name, Measurement: r, Known: known, Malformed: d.Account.Malformed})
		t.All.Merge(r)
	}
	return []train.Trial{t}, nil
}

// evaluation is what --json prints: the figures of all lines together, and
// those of each log, or of each trial.
type evaluation struct {
	train.Figures
	Windows train.Figures `json:"windows"`
	Linker  train.Figures `json:"linker"`
	Name    string        `json:"name,omitempty"`
	// TrainedOn tells that the model was trained on some of this.
	TrainedOn bool `json:"trained_on,omitempty"`
	// Malformed counts what is no event and was left out.
	Malformed int           `json:"malformed,omitempty"`
	Weights   int           `json:"weights,omitempty"`
	Logs      []evaluation  `json:"logs,omitempty"`
	Trials    []evaluation  `json:"trials,omitempty"`
	History   []train.Epoch `json:"history,omitempty"`
}

func evaluationOf(name string, m *train.Measurement) evaluation {
	return evaluation{Figures: m.Voted.Figures(), Windows: m.Windows.Figures(), Linker: m.Proposed.Figures(), Name: name}
}

func summarize(trials []train.Trial, study bool) evaluation {
	all := train.NewMeasurement()
	var each []evaluation
	for _, t := range trials {
		all.Merge(t.All)
		e := evaluationOf(t.Name, t.All)
		e.Weights, e.History = t.Weights, t.History
		for _, l := range t.Logs {
			log := evaluationOf(l.Name, l.Measurement)
			log.TrainedOn, log.Malformed = l.Known, l.Malformed
			e.TrainedOn, e.Malformed = e.TrainedOn || l.Known, e.Malformed+l.Malformed
			e.Logs = append(e.Logs, log)
		}
		each = append(each, e)
	}
	if !study && len(each) == 1 {
		return each[0]
	}
	e := evaluationOf("", all)
	e.Trials = each
	return e
}

// printTrials prints a table with a row for each log of each trial, and their
// mean and spread. With named a row has the name of its trial, too.
func printTrials(w io.Writer, trials []train.Trial, named bool) {
	fmt.Fprintf(w, "%-28s %8s %9s %9s %9s %9s   %s\n", "", "lines", "accuracy", "macro F1", "windows'", "linker's", "linker's F1")
	var accuracy, macro []float64
	row := func(name string, m *train.Measurement) {
		f, one, linker := m.Voted.Figures(), m.Windows.Figures(), m.Proposed.Figures()
		fmt.Fprintf(w, "%-28s %8d %9.4f %9.4f %9.4f %9.4f   %.4f\n", term.Sanitize(name), f.Lines, f.Accuracy, f.MacroF1, one.Accuracy, linker.Accuracy, linker.MacroF1)
	}
	for _, t := range trials {
		for _, l := range t.Logs {
			name := l.Name
			if named {
				name = t.Name + ", " + l.Name
			}
			row(name, l.Measurement)
		}
		if len(t.Logs) > 1 {
			row(t.Name+", all", t.All)
		}
		f := t.All.Voted.Figures()
		accuracy, macro = append(accuracy, f.Accuracy), append(macro, f.MacroF1)
	}
	if len(trials) > 1 {
		a, da := train.Spread(accuracy)
		m, dm := train.Spread(macro)
		fmt.Fprintf(w, "mean of %d trials: accuracy %.4f ± %.4f, macro F1 %.4f ± %.4f\n", len(trials), a, da, m, dm)
	}
}
