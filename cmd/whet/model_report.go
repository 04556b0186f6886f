package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

func newModelReportCommand(std *stdio, log *modelLog) *cobra.Command {
	var o modelReportOptions
	cmd := &cobra.Command{
		Use:     "report -o PAGE [RECORDING]...",
		Short:   "Show how good training is, in one page",
		Long:    modelReportHelp,
		Example: "  whet model report -o model.html --compare seed recordings/",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			return runModelReport(cmd.Context(), std, log, &o, args)
		},
	}
	f := cmd.Flags()
	o.data.flags(f)
	o.plan.flags(cmd)
	f.StringVarP(&o.output, "output", "o", "", "write the page to this `FILE`")
	f.StringVar(&o.json, "json", "", "write the figures to this `FILE`, too")
	f.StringVar(&o.leaveOneOut, "leave-one-out", "all", "leave out `NAME` alone")
	f.IntVar(&o.repeat, "repeat", 1, "run each training `N` times, with other seeds")
	f.StringSliceVar(&o.compare, "compare", nil, "show the figures of these `NETWORKS` beside: "+strings.Join(networks(), ", "))
	return cmd
}

// check looks at the flags.
func (o *modelReportOptions) check(f *pflag.FlagSet) error {
	if err := o.plan.parse(f.Changed); err != nil {
		return err
	}
	switch {
	case o.output == "":
		return usageError("-o is needed: the file to write the page to")
	case o.repeat < 1:
		return usageError("--repeat %d: must be at least 1", o.repeat)
	}
	for _, name := range o.compare {
		if !slices.Contains(networks(), name) {
			return usageError("--compare %s: there are %s", name, strings.Join(networks(), ", "))
		}
	}
	return nil
}

func runModelReport(ctx context.Context, std *stdio, log *modelLog, o *modelReportOptions, args []string) error {
	o.data.rules = true
	sources, err := o.data.sources(args)
	if err != nil {
		return err
	}
	if _, err := train.LeftOut(sources, o.leaveOneOut); err != nil {
		return usageError("--leave-one-out: %w", err)
	}
	if err := reserveApart(sources, target{"--output", o.output}, target{"--json", o.json}); err != nil {
		return err
	}
	data, err := load(ctx, log, sources)
	if err != nil {
		return err
	}
	trials, err := leaveOneOut(ctx, log, o, data, o.plan.plan)
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
		trials, err := leaveOneOut(ctx, log, o, data, other.plan)
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
		links, err := reportLinks(ctx, log, o, sources)
		if err != nil {
			return err
		}
		r.AddLinks(links)
	}
	return writeReport(std, o, r)
}

// reportLinks runs the trials of the linker's ranker; there are none with a
// single recording.
func reportLinks(ctx context.Context, log *modelLog, o *modelReportOptions, sources []train.Source) ([]train.LinkTrial, error) {
	logs, done, err := loadLinks(ctx, log, sources)
	if err != nil {
		return nil, err
	}
	defer done()
	one := !slices.ContainsFunc(logs, func(l train.Links) bool { return l.Group != logs[0].Group })
	if one {
		return nil, nil
	}
	return train.LeaveOneOutLinks(ctx, logs, o.leaveOneOut, rankerOptions(&o.plan), func(name string) {
		log.info("ranker, training without %s", name)
	})
}

// leaveOneOut runs the trials of a report.
func leaveOneOut(ctx context.Context, log *modelLog, o *modelReportOptions, data []train.Data, plan train.Plan) ([]train.Trial, error) {
	s := train.Study{Plan: plan, Data: data, Repeat: o.repeat, Progress: func(name string, number, of int) {
		log.info("%s, training %d of %d: without %s", plan.Shape.Name, number, of, name)
	}}
	s.Plan.Options.Progress = log.epoch
	return s.LeaveOneOut(ctx, o.leaveOneOut)
}

func writeReport(std *stdio, o *modelReportOptions, r *report.Report) error {
	if _, err := (target{"--output", o.output}).write(r.WriteHTML); err != nil {
		return err
	}
	if o.json != "" {
		if _, err := (target{"--json", o.json}).write(r.WriteJSON); err != nil {
			return err
		}
	}
	fmt.Fprintf(std.out, "Wrote the report to %s: accuracy %.4f, macro F1 %.4f.\n", term.Sanitize(o.output), r.Voted.Accuracy, r.Voted.MacroF1)
	return nil
}
