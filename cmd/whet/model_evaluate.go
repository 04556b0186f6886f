package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

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

With --ranker it is the ranker of the linker that is trained on all recordings
but one and measured on that one: hard attribution at the levels Metadata and
Request and with bodies, by the rules alone and with the ranker, and how many of
the links of each confidence are right.

The figures are of the lines that commands caused or sent. "accuracy" and
"macro_f1" count a line once, with the label that its windows voted for;
"windows" each line of each window by itself; "linker" what the linker proposes
without a model.`

const modelEvaluateExample = `  whet model evaluate --truth recordings/day recordings/day.metadata.jsonl.zst
  whet model evaluate --leave-one-out all recordings/
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
}

func newModelEvaluateCommand(std *stdio) *cobra.Command {
	var o modelEvaluateOptions
	cmd := &cobra.Command{
		Use:     "evaluate --truth PREFIX LOG | [RECORDING]...",
		Short:   "Measure a model, or how well training works",
		Long:    modelEvaluateHelp,
		Example: modelEvaluateExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.plan.parse(cmd.Flags().Changed); err != nil {
				return err
			}
			return runModelEvaluate(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.data.flags(f)
	o.plan.flags(f)
	f.StringVarP(&o.model, "model", "m", "", "model `FILE` (default: the one that whet comes with)")
	f.BoolVar(&o.json, "json", false, "print a JSON object")
	f.StringVar(&o.leaveOneOut, "leave-one-out", "", "train on all recordings but `NAME`")
	f.IntVar(&o.kfold, "kfold", 0, "cut each log in `K` parts")
	f.IntVar(&o.repeat, "repeat", 1, "run each training `N` times, with other seeds")
	f.StringVar(&o.sweep, "sweep", "", "what to vary: "+strings.Join(train.Sweeps(), ", "))
	f.BoolVar(&o.ranker, "ranker", false, "measure the ranker that helps the linker instead; needs --leave-one-out")
	completeValues(cmd, "sweep", train.Sweeps())
	return cmd
}

func runModelEvaluate(ctx context.Context, std *stdio, o *modelEvaluateOptions, args []string) error {
	studies := 0
	for _, asked := range []bool{o.leaveOneOut != "", o.kfold != 0, o.sweep != ""} {
		if asked {
			studies++
		}
	}
	if studies > 1 {
		return usageError("--leave-one-out, --kfold and --sweep exclude each other")
	}
	if o.ranker {
		return evaluateRanker(ctx, std, o, args)
	}
	o.data.rules = studies == 1
	// One truth and logs beside it: the logs are of that recording.
	if o.data.key == "" && len(o.data.truths) == 1 && len(o.data.logs) == 0 && len(args) > 0 {
		for range args[1:] {
			o.data.truths = append(o.data.truths, o.data.truths[0])
		}
		o.data.logs, args = args, nil
	}
	data, err := o.data.load(ctx, std, args)
	if err != nil {
		return err
	}
	var trials []train.Trial
	if studies == 1 {
		trials, err = o.study(ctx, std, data)
	} else {
		trials, err = o.measure(data)
	}
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(std.out).Encode(summarize(trials, studies == 1))
	}
	return printTrials(std.out, trials)
}

// study trains as the flags say.
func (o *modelEvaluateOptions) study(ctx context.Context, std *stdio, data []train.Data) ([]train.Trial, error) {
	if o.model != "" {
		return nil, usageError("-m names a trained model, and --leave-one-out, --kfold and --sweep train their own")
	}
	s := train.Study{Plan: o.plan.plan, Data: data, Repeat: o.repeat, Progress: func(name string, number, of int) {
		fmt.Fprintf(std.err, "training %d of %d: %s\n", number, of, term.Sanitize(name))
	}}
	s.Plan.Options.Progress = showEpochs(std.err)
	switch {
	case o.leaveOneOut != "":
		return s.LeaveOneOut(ctx, o.leaveOneOut)
	case o.kfold != 0:
		return s.Folds(ctx, o.kfold)
	}
	return s.Sweep(ctx, o.sweep)
}

// measure measures the model on all logs, as one trial.
func (o *modelEvaluateOptions) measure(data []train.Data) ([]train.Trial, error) {
	m, err := openModel(o.model)
	if err != nil {
		return nil, err
	}
	t := train.Trial{Name: m.Name, All: train.NewMeasurement(), Weights: m.Net().Size()}
	for _, d := range data {
		r := train.Measure(m, d.Sequence)
		t.Logs = append(t.Logs, train.LogMeasurement{Name: d.Sequence.Name, Measurement: r})
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
	Weights int           `json:"weights,omitempty"`
	Logs    []evaluation  `json:"logs,omitempty"`
	Trials  []evaluation  `json:"trials,omitempty"`
	History []train.Epoch `json:"history,omitempty"`
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
			e.Logs = append(e.Logs, evaluationOf(l.Name, l.Measurement))
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
// mean and spread.
func printTrials(w io.Writer, trials []train.Trial) error {
	fmt.Fprintf(w, "%-28s %8s %9s %9s %9s %9s   %s\n", "", "lines", "accuracy", "macro F1", "windows'", "linker's", "linker's F1")
	var accuracy, macro []float64
	row := func(name string, m *train.Measurement) {
		f, one, linker := m.Voted.Figures(), m.Windows.Figures(), m.Proposed.Figures()
		fmt.Fprintf(w, "%-28s %8d %9.4f %9.4f %9.4f %9.4f   %.4f\n", term.Sanitize(name), f.Lines, f.Accuracy, f.MacroF1, one.Accuracy, linker.Accuracy, linker.MacroF1)
	}
	for _, t := range trials {
		for _, l := range t.Logs {
			name := l.Name
			if len(trials) > 1 && t.Name != "" && len(t.Logs) != len(trials) && !strings.HasPrefix(l.Name, t.Name) {
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
	return nil
}
