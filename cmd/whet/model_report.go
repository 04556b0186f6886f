package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model/report"
	"github.com/whet-k8s/whet/model/train"
)

const modelReportHelp = `Report trains as whet model evaluate --leave-one-out does, and writes what came of
it to one page (HTML that loads nothing) and, with --json, to a JSON file: loss
curves, accuracy, macro precision, recall and F1, what is confused, frequent and
rare labels, where errors sit, how sure the vote is, what the network relies on,
and a small decision tree that does nearly the same. Of several recordings it
shows the ranker of the linker, too: its errors, and how sure it is.`

// modelReportOptions are the flags of whet model report.
type modelReportOptions struct {
	data        modelData
	plan        planFlags
	output      string
	json        string
	leaveOneOut string
	repeat      int
	compare     []string
}

func newModelReportCommand(std *stdio) *cobra.Command {
	var o modelReportOptions
	cmd := &cobra.Command{
		Use:     "report -o PAGE [RECORDING]...",
		Short:   "Show how good training is, in one page",
		Long:    modelReportHelp,
		Example: "  whet model report -o model.html --compare seed recordings/",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.plan.parse(cmd.Flags().Changed); err != nil {
				return err
			}
			return runModelReport(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.data.flags(f)
	o.plan.flags(f)
	f.StringVarP(&o.output, "output", "o", "", "write the page to this `FILE`")
	f.StringVar(&o.json, "json", "", "write the figures to this `FILE`, too")
	f.StringVar(&o.leaveOneOut, "leave-one-out", "all", "leave out `NAME` alone")
	f.IntVar(&o.repeat, "repeat", 1, "run each training `N` times, with other seeds")
	f.StringSliceVar(&o.compare, "compare", nil, "show the figures of these `NETWORKS` beside: "+strings.Join(networks(), ", "))
	return cmd
}

func runModelReport(ctx context.Context, std *stdio, o *modelReportOptions, args []string) error {
	if o.output == "" {
		return usageError("-o is needed: the file to write the page to")
	}
	for _, name := range o.compare {
		if !slices.Contains(networks(), name) {
			return usageError("--compare %s: there are %s", name, strings.Join(networks(), ", "))
		}
	}
	o.data.rules = true
	data, err := o.data.load(ctx, std, args)
	if err != nil {
		return err
	}
	trials, err := leaveOneOut(ctx, std, o, data, o.plan.plan)
	if err != nil {
		return err
	}
	s := o.plan.plan.Shape
	network := fmt.Sprintf("A %s network with %d layers, %d weights, windows of %d lines; trained on all recordings but one, and measured on that one", s.Kind, s.Layers, trials[0].Weights, s.Window)
	r, err := report.New(ctx, "The learned labeller", network, trials, o.plan.plan.Options.Seed)
	if err != nil {
		return err
	}
	for _, name := range o.compare {
		other := o.plan
		other.network = name
		if err := other.parse(func(string) bool { return false }); err != nil {
			return err
		}
		trials, err := leaveOneOut(ctx, std, o, data, other.plan)
		if err != nil {
			return err
		}
		all := train.NewMeasurement()
		for _, t := range trials {
			all.Merge(t.All)
		}
		r.Others = append(r.Others, report.Other{Name: name, Voted: all.Voted.Figures()})
	}
	if o.data.key == "" {
		links, err := reportLinks(ctx, std, o, args)
		if err != nil {
			return err
		}
		r.AddLinks(links)
	}
	return writeReport(std, o, r)
}

// reportLinks runs the trials of the linker's ranker; there are none with a
// single recording.
func reportLinks(ctx context.Context, std *stdio, o *modelReportOptions, args []string) ([]train.LinkTrial, error) {
	logs, done, err := loadLinks(ctx, std, &o.data, args)
	if err != nil {
		return nil, err
	}
	defer done()
	one := !slices.ContainsFunc(logs, func(l train.Links) bool { return l.Group != logs[0].Group })
	if one {
		return nil, nil
	}
	return train.LeaveOneOutLinks(ctx, logs, o.leaveOneOut, rankerOptions(&o.plan), func(name string) {
		fmt.Fprintf(std.err, "ranker, training without %s\n", term.Sanitize(name))
	})
}

// leaveOneOut runs the trials of a report.
func leaveOneOut(ctx context.Context, std *stdio, o *modelReportOptions, data []train.Data, plan train.Plan) ([]train.Trial, error) {
	s := train.Study{Plan: plan, Data: data, Repeat: o.repeat, Progress: func(name string, number, of int) {
		fmt.Fprintf(std.err, "%s, training %d of %d: without %s\n", plan.Shape.Name, number, of, term.Sanitize(name))
	}}
	s.Plan.Options.Progress = showEpochs(std.err)
	return s.LeaveOneOut(ctx, o.leaveOneOut)
}

func writeReport(std *stdio, o *modelReportOptions, r *report.Report) error {
	files := map[string]func(*os.File) error{o.output: func(f *os.File) error { return r.WriteHTML(f) }}
	if o.json != "" {
		files[o.json] = func(f *os.File) error { return r.WriteJSON(f) }
	}
	for name, write := range files {
		f, err := os.Create(name)
		if err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("writing the report %s: %w", name, err)
		}
	}
	fmt.Fprintf(std.out, "Wrote the report to %s: accuracy %.4f, macro F1 %.4f.\n", term.Sanitize(o.output), r.Voted.Accuracy, r.Voted.MacroF1)
	return nil
}
