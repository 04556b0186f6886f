package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/rank"
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
	log := &modelLog{err: std.err, level: "info"}
	cmd.PersistentFlags().VarP(log, "log-level", "l", "how much to say on standard error: "+strings.Join(logLevels(), ", "))
	completeValues(cmd, "log-level", logLevels())
	cmd.AddCommand(
		newModelTrainCommand(std, log), newModelPredictCommand(std, log), newModelEvaluateCommand(std, log),
		newModelInfoCommand(std), newModelReportCommand(std, log),
	)
	return cmd
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

// openRanker reads a file with a ranker, or gives the default for "".
func openRanker(name string) (*rank.Model, error) {
	if name == "" {
		return rank.Default()
	}
	return rank.ReadFile(name)
}

func newModelInfoCommand(std *stdio) *cobra.Command {
	var asJSON, ranker bool
	cmd := &cobra.Command{
		Use:   "info [MODEL]",
		Short: "Say what a model is: its shape, features and training data",
		Long:  "Info says what a model file holds, or the model that whet comes with; with --ranker\nthe same of the linker's ranker.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			var header any
			var show func(io.Writer)
			if ranker {
				m, err := openRanker(name)
				if err != nil {
					return err
				}
				header, show = m.Header, func(w io.Writer) { printRanker(w, m) }
			} else {
				m, err := openModel(name)
				if err != nil {
					return err
				}
				header, show = m.Header, func(w io.Writer) { printModel(w, m) }
			}
			if asJSON {
				encoder := json.NewEncoder(std.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(header)
			}
			show(std.out)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole header as a JSON object")
	cmd.Flags().BoolVar(&ranker, "ranker", false, "the file is a ranker")
	return cmd
}

func printModel(w io.Writer, m *model.Model) {
	c, t := m.Net().Config(), m.Training
	fmt.Fprintf(w, "%s: %s network, %d layers, width %d, %d weights\n", term.Sanitize(m.Name), c.Kind, c.Layers, c.Width, c.Size())
	fmt.Fprintf(w, "windows of %d lines, one every %d\n", m.Window, m.Stride)
	fmt.Fprintf(w, "knows %d labels, %d values of %d features\n", len(m.Labels), c.Rows-2*c.Features, c.Features)
	fmt.Fprintf(w, "trained on %d lines with labels in %d epochs, of which number %d was the best, seed %d:\n", t.Lines, t.Epochs, t.Best, t.Seed)
	for _, d := range t.Data {
		fmt.Fprintf(w, "  %-20s %7d lines  sha256 %.12s\n", term.Sanitize(d.Name), d.Lines, term.Sanitize(d.SHA256))
	}
	printFigures(w, m.Figures)
	fmt.Fprintln(w, "features (and how many of their values it knows):")
	for i, name := range m.Features {
		fmt.Fprintf(w, "  %-18s %4d\n", term.Sanitize(name), len(m.Vocabulary[i]))
	}
}

func printRanker(w io.Writer, m *rank.Model) {
	fmt.Fprintf(w, "ranker of causes, trained on %s, seed %d:\n", term.Plural(m.Choices, "choice"), m.Seed)
	for _, d := range m.Data {
		fmt.Fprintf(w, "  %-20s sha256 %.12s\n", term.Sanitize(d.Name), term.Sanitize(d.SHA256))
	}
	printFigures(w, m.Figures)
}

// printFigures prints the figures of a header, of what was held back in
// training.
func printFigures(w io.Writer, figures map[string]float64) {
	if len(figures) == 0 {
		return
	}
	fmt.Fprintln(w, "figures of what was held back:")
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		fmt.Fprintf(w, "  %-20s %.6g\n", term.Sanitize(name), figures[name])
	}
}
