package main

import (
	"math"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/near"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/nn"
	"github.com/whet-k8s/whet/model/train"
)

// maxRate bounds the first learning rate. Adam moves each weight by about so
// much in a step, and weights are below 1.
const maxRate = 1

// planFlags are the flags that say how a model is trained.
type planFlags struct {
	plan    train.Plan
	network string
	names   []string // of the flags
}

// networks are the values of --network.
func networks() []string { return []string{string(nn.Relational), string(nn.BiLSTM), "seed"} }

// The flags of a plan that say something about a ranker, too.
func rankerFlags() []string { return []string{"seed", "workers"} }

func (o *planFlags) flags(cmd *cobra.Command) {
	s := train.DefaultShape()
	o.plan.Shape = s
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
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
	f.Uint64Var(&o.plan.Options.Seed, "seed", 1, "decides every random choice")
	f.IntVar(&o.plan.Options.Workers, "workers", runtime.GOMAXPROCS(0), "number of goroutines; the result does not depend on it")
	f.VisitAll(func(flag *pflag.Flag) { o.names = append(o.names, flag.Name) })
	cmd.Flags().AddFlagSet(f)
	completeValues(cmd, "network", networks())
}

// idle refuses flags of the plan that were given where they have no effect; all
// but those in effect have none.
func (o *planFlags) idle(f *pflag.FlagSet, why string, effective ...string) error {
	for _, name := range o.names {
		if !slices.Contains(effective, name) {
			if err := idleFlags(f, why, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// idleFlags refuses flags that were given where they have no effect.
func idleFlags(f *pflag.FlagSet, why string, names ...string) error {
	for _, name := range names {
		if f.Changed(name) {
			return usageError("--%s has no effect: %s", name, why)
		}
	}
	return nil
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
	if s.Kind == nn.Relational && changed("hidden") {
		return usageError("--hidden has no effect: it is the width of a BiLSTM, and the network is %s", o.network)
	}
	s.Name = o.network
	if s.Stride == 0 {
		s.Stride = max(s.Window/2, 1)
	}
	if err := checkFeatures(s.Drop, s.Relations); err != nil {
		return err
	}
	return o.check()
}

// checkFeatures refuses to do without what there is not.
func checkFeatures(names []string, relations bool) error {
	all := model.FeatureNames(relations)
	for _, name := range names {
		if slices.Contains(all, name) {
			continue
		}
		hint := ""
		if meant := near.Word(name, all); meant != "" {
			hint = "; did you mean " + meant + "?"
		}
		return usageError("--without %s: the network has no such feature%s (whet model info lists them)", name, hint)
	}
	return nil
}

// check looks at the numbers. What has bounds of the network's own is checked
// when it is made.
func (o *planFlags) check() error {
	for _, f := range []struct {
		name         string
		value, least float64
		below        float64
	}{
		{"validation", o.plan.Validation, 0, 1}, {"hide", o.plan.Options.Unseen, 0, 1}, {"dropout", o.plan.Shape.Dropout, 0, 1},
		{"focus", o.plan.Shape.Focus, 0, math.Inf(1)}, {"doubt", o.plan.Shape.Doubt, 1, math.Inf(1)},
	} {
		if f.value >= f.least && f.value < f.below {
			continue
		}
		if math.IsInf(f.below, 1) {
			return usageError("--%s %v: must be a number of at least %v", f.name, f.value, f.least)
		}
		return usageError("--%s %v: must be at least %v and below %v", f.name, f.value, f.least, f.below)
	}
	s, p := &o.plan.Shape, &o.plan.Options
	for _, f := range []struct {
		name  string
		value int
	}{
		{"epochs", p.Epochs}, {"batch", p.Batch}, {"plateau", p.Plateau}, {"patience", p.Patience}, {"workers", p.Workers},
		{"window", s.Window}, {"stride", s.Stride}, {"width", s.Width}, {"hidden", s.Hidden}, {"layers", s.Layers}, {"min-count", s.AtLeast},
	} {
		if f.value < 1 {
			return usageError("--%s %d: must be at least 1", f.name, f.value)
		}
	}
	if s.Stride > s.Window {
		return usageError("--stride %d: must be at most the window's %d, so that every line is in one", s.Stride, s.Window)
	}
	if !(p.Rate > 0 && p.Rate <= maxRate) {
		return usageError("--rate %v: must be above 0 and at most %v", p.Rate, maxRate)
	}
	return nil
}
