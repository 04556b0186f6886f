package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/nn"
	"github.com/whet-k8s/whet/model/train"
)

const modelHelp = `Model trains, uses and measures the learned labeller: a network that gives each
line of a log the label of the action that caused it.

Whet comes with a trained model. docs/model.md says how it works, how good it
is, and how each flag of the seed's model.py is written here.`

func newModelCommand(std *stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Train, use and measure the learned labeller",
		Long:  modelHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newModelTrainCommand(std), newModelPredictCommand(std), newModelEvaluateCommand(std),
		newModelInfoCommand(std), newModelReportCommand(std),
	)
	return cmd
}

// modelData are the flags and arguments that say which logs have true labels.
type modelData struct {
	logs, truths []string
	key          string
	// rules has the linker's rules decide alone.
	rules bool
}

func (d *modelData) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&d.logs, "log", nil, "a `LOG` whose truth the --truth in the same place names")
	f.StringArrayVar(&d.truths, "truth", nil, "`PREFIX` of a recording's files")
	f.StringVar(&d.key, "key", "", "take the labels from this `KEY` of each event, in logs that somebody has labelled")
}

// sources gives the logs. Arguments are labelled logs with --key, and else
// recordings: prefixes, folders or patterns.
func (d *modelData) sources(args []string) ([]train.Source, error) {
	var sources []train.Source
	if d.key != "" {
		if len(d.truths) > 0 {
			return nil, usageError("--key and --truth exclude each other: labels come from the log or from a recording's truth")
		}
		for _, log := range append(args, d.logs...) {
			sources = append(sources, train.Source{Name: log, Log: log, Key: d.key})
		}
	} else {
		if len(d.logs) > 0 && len(d.logs) != len(d.truths) {
			return nil, usageError("each --log needs a --truth: there are %d and %d", len(d.logs), len(d.truths))
		}
		for i, truth := range d.truths {
			if len(d.logs) > 0 {
				sources = append(sources, train.Source{Name: d.logs[i], Log: d.logs[i], Truth: truth, Group: truth})
				continue
			}
			args = append(args, truth)
		}
		for _, name := range args {
			found, err := train.Recordings(name)
			if err != nil {
				return nil, err
			}
			sources = append(sources, found...)
		}
	}
	if len(sources) == 0 {
		return nil, usageError("no data: name recordings, or labelled logs with --key")
	}
	return sources, nil
}

// load reads the logs and says so.
func (d *modelData) load(ctx context.Context, std *stdio, args []string) ([]train.Data, error) {
	sources, err := d.sources(args)
	if err != nil {
		return nil, err
	}
	for i := range sources {
		sources[i].Rules = d.rules
	}
	return train.LoadAll(ctx, sources, func(name string) {
		fmt.Fprintf(std.err, "reading %s\n", term.Sanitize(name))
	})
}

// planFlags are the flags that say how a model is trained.
type planFlags struct {
	plan    train.Plan
	network string
}

// networks are the values of --network.
func networks() []string { return []string{string(nn.Relational), string(nn.BiLSTM), "seed"} }

func (o *planFlags) flags(f *pflag.FlagSet) {
	s := train.DefaultShape()
	o.plan.Shape = s
	f.StringVar(&o.network, "network", string(nn.Relational), "the network: "+strings.Join(networks(), ", ")+" (a BiLSTM on what events say by themselves)")
	f.IntVar(&o.plan.Shape.Window, "window", s.Window, "how many lines the network sees at once")
	f.IntVar(&o.plan.Shape.Stride, "stride", 0, "how many lines lie between two windows in prediction (default: half a window)")
	f.IntVar(&o.plan.Shape.Width, "width", s.Width, "width of the embedding, and of the layers of relational")
	f.IntVar(&o.plan.Shape.Hidden, "hidden", s.Hidden, "width of one direction of a BiLSTM")
	f.IntVar(&o.plan.Shape.Layers, "layers", s.Layers, "number of layers")
	f.Float64Var(&o.plan.Shape.Dropout, "dropout", s.Dropout, "share of a layer's output that is dropped in training")
	f.Float64Var(&o.plan.Shape.Focus, "focus", s.Focus, "exponent of the focal loss; 0 is cross entropy")
	f.Float64Var(&o.plan.Shape.Doubt, "doubt", s.Doubt, "how many times the share of the linker's label another must have in the vote")
	f.StringSliceVar(&o.plan.Shape.Drop, "without", nil, "do without these `FEATURES` (whet model info lists them)")
	f.IntVar(&o.plan.Shape.AtLeast, "min-count", s.AtLeast, "how often a value must occur to get a number of its own")
	f.Float64Var(&o.plan.Options.Unseen, "hide", 0.15, "share of the values that are hidden from the network in training")
	f.IntVar(&o.plan.Options.Epochs, "epochs", 30, "how often to go through the data at most")
	f.IntVar(&o.plan.Options.Batch, "batch", 16, "how many windows a step learns from")
	f.Float64Var(&o.plan.Options.Rate, "rate", 0.002, "first learning rate")
	f.IntVar(&o.plan.Options.Plateau, "plateau", 2, "halve the rate after so many epochs without a better validation")
	f.IntVar(&o.plan.Options.Patience, "patience", 6, "stop after so many epochs without a better validation")
	f.Float64Var(&o.plan.Validation, "validation", 0.12, "share of each log, its end, held back for validation")
	f.StringVar(&o.plan.HoldOut, "hold-out", "", "hold back this `RECORDING` for validation instead")
	f.Uint64Var(&o.plan.Options.Seed, "seed", 1, "decides every random choice")
	f.IntVar(&o.plan.Options.Workers, "workers", runtime.GOMAXPROCS(0), "number of goroutines; the result does not depend on it")
}

// parse finishes the plan. It asks changed whether the user gave a flag.
func (o *planFlags) parse(changed func(string) bool) error {
	s := &o.plan.Shape
	switch o.network {
	case string(nn.Relational), string(nn.BiLSTM):
		s.Kind = nn.Kind(o.network)
	case "seed":
		seed := train.SeedShape()
		s.Kind, s.Relations = seed.Kind, seed.Relations
		if !changed("width") {
			s.Width = seed.Width
		}
		if !changed("hidden") {
			s.Hidden = seed.Hidden
		}
	default:
		return usageError("--network %s: there are %s", o.network, strings.Join(networks(), ", "))
	}
	s.Name = o.network
	if s.Stride == 0 {
		s.Stride = max(s.Window/2, 1)
	}
	for name, value := range map[string]float64{"validation": o.plan.Validation, "hide": o.plan.Options.Unseen} {
		if !(value >= 0 && value < 1) {
			return usageError("--%s %v: must be at least 0 and below 1", name, value)
		}
	}
	for name, value := range map[string]int{
		"epochs": o.plan.Options.Epochs, "batch": o.plan.Options.Batch, "plateau": o.plan.Options.Plateau,
		"patience": o.plan.Options.Patience, "workers": o.plan.Options.Workers, "window": s.Window, "stride": s.Stride,
	} {
		if value < 1 {
			return usageError("--%s %d: must be at least 1", name, value)
		}
	}
	if o.plan.Options.Rate <= 0 {
		return usageError("--rate %v: must be above 0", o.plan.Options.Rate)
	}
	return nil
}

// showEpochs prints a line for each epoch.
func showEpochs(w io.Writer) func(train.Epoch) {
	return func(e train.Epoch) {
		best := ""
		if e.Best {
			best = ", the best so far"
		}
		fmt.Fprintf(w, "epoch %d: loss %.5f, validation %.5f, rate %.5f, %s, at most %s left%s\n",
			e.Number, e.Loss, e.Validation, e.Rate, e.Took.Round(10*time.Millisecond), e.Left.Round(time.Second), best)
	}
}

// openModel reads a model file, or gives the default for "".
func openModel(name string) (*model.Model, error) {
	if name == "" {
		return model.Default()
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the model: %w", err)
	}
	defer f.Close()
	m, err := model.Read(f)
	if err != nil {
		return nil, fmt.Errorf("reading the model %s: %w", name, err)
	}
	return m, nil
}

func newModelInfoCommand(std *stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info [MODEL]",
		Short: "Say what a model is: its shape, features and training data",
		Long:  "Info says what a model file holds, or the model that whet comes with.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			m, err := openModel(name)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(std.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(m.Header)
			}
			printModel(std.out, m)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole header as a JSON object")
	return cmd
}

func printModel(w io.Writer, m *model.Model) {
	c := m.Net().Config()
	fmt.Fprintf(w, "%s: %s network, %d layers, width %d, %d weights\n", term.Sanitize(m.Name), c.Kind, c.Layers, c.Width, c.Size())
	fmt.Fprintf(w, "windows of %d lines, one every %d\n", m.Window, m.Stride)
	fmt.Fprintf(w, "knows %d labels, %d values of %d features\n", len(m.Labels), c.Rows-2*c.Features, c.Features)
	fmt.Fprintf(w, "trained on %d lines with labels in %d epochs, seed %d:\n", m.Training.Lines, m.Training.Epochs, m.Training.Seed)
	for _, d := range m.Training.Data {
		fmt.Fprintf(w, "  %-20s %7d lines  sha256 %.12s\n", term.Sanitize(d.Name), d.Lines, term.Sanitize(d.SHA256))
	}
	fmt.Fprintln(w, "features (and how many of their values it knows):")
	for i, name := range m.Features {
		fmt.Fprintf(w, "  %-18s %4d\n", term.Sanitize(name), len(m.Vocabulary[i]))
	}
}
