package main

import (
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

// linkFlags are the flags of the commands that analyse a log which say who helps
// the linker's rules.
type linkFlags struct {
	noModel bool
	ranker  string
}

func (o *linkFlags) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.noModel, "no-model", false, "link by rules alone, without the trained ranker where bodies are missing")
	f.StringVar(&o.ranker, "ranker", "", "the ranker in this `FILE`, which whet model train --ranker made (default: the one that whet comes with)")
}

// check refuses flags that contradict each other.
func (o *linkFlags) check() error {
	if o.noModel && o.ranker != "" {
		return usageError("--no-model and --ranker exclude each other")
	}
	return nil
}

// options gives the options of an analysis with a noise policy.
func (o *linkFlags) options(policy *noise.Policy) (pipeline.Options, error) {
	run := pipeline.Options{Policy: policy, NoModel: o.noModel}
	if err := o.check(); err != nil || o.ranker == "" {
		return run, err
	}
	m, err := openRanker(o.ranker)
	run.Ranker = m
	return run, err
}
