package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model/train"
)

const modelTrainHelp = `Train makes a model from logs with true labels, and writes it to a file.

The arguments are recordings: a PREFIX, of which both PREFIX.audit.jsonl and
PREFIX.metadata.jsonl are used, a folder with recordings, or a pattern. With
--truth they are logs of the recording that it names. With --key they are logs
whose events hold their label at that key, as the published data sets and the
logs that whet label edit writes do; of a folder or a pattern each file is a log
of its own.

Lines are never shuffled between training and validation: what is held back is
the end of each log, after a gap of a window, or a whole recording (--hold-out).

The same data, flags and seed give the same model, bit for bit, on one kind of
processor. With --checkpoint the training can be killed and goes on with
--resume.`

const modelTrainExample = `  whet model train -o mine.safetensors recordings/
  whet model train -o mine.safetensors --truth recordings/a a.jsonl
  whet model train -o mine.safetensors --key label labelled/*.log`

// modelTrainOptions are the flags of whet model train.
type modelTrainOptions struct {
	data       modelData
	plan       planFlags
	output     string
	name       string
	checkpoint string
	resume     bool
	ranker     bool
}

func newModelTrainCommand(std *stdio, log *modelLog) *cobra.Command {
	var o modelTrainOptions
	cmd := &cobra.Command{
		Use:     "train -o MODEL [RECORDING|LOG]...",
		Short:   "Train a model on recordings or labelled logs",
		Long:    modelTrainHelp,
		Example: modelTrainExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			return runModelTrain(cmd.Context(), std, log, &o, args)
		},
	}
	f := cmd.Flags()
	o.data.flags(f)
	o.plan.flags(cmd)
	f.StringVarP(&o.output, "output", "o", "", "write the model to this `FILE`")
	f.StringVar(&o.name, "name", "", "what the model is called in its header (default: its network)")
	f.StringVar(&o.plan.plan.HoldOut, "hold-out", "", "hold back this `RECORDING` for validation instead of the end of each log")
	f.StringVar(&o.checkpoint, "checkpoint", "", "write the state of the training to this `FILE` after each epoch")
	f.BoolVar(&o.ranker, "ranker", false, "make the ranker that helps the linker where bodies are missing, from RECORDINGs")
	f.BoolVar(&o.resume, "resume", false, "go on from the checkpoint, if it is there")
	return cmd
}

// check looks at the flags.
func (o *modelTrainOptions) check(f *pflag.FlagSet) error {
	if err := o.plan.parse(f.Changed); err != nil {
		return err
	}
	switch {
	case o.output == "":
		return usageError("-o is needed: the file to write the model to")
	case o.resume && o.checkpoint == "":
		return usageError("--resume needs --checkpoint")
	case o.plan.plan.HoldOut != "" && f.Changed("validation"):
		return usageError("--validation has no effect: --hold-out says what is held back")
	case !o.ranker:
		return nil
	}
	const why = "the ranker is no network"
	if err := idleFlags(f, why, "name", "hold-out", "checkpoint", "resume"); err != nil {
		return err
	}
	return o.plan.idle(f, why, rankerFlags()...)
}

func runModelTrain(ctx context.Context, std *stdio, log *modelLog, o *modelTrainOptions, args []string) error {
	out := target{"--output", o.output}
	if o.ranker {
		return trainRanker(ctx, std, log, o, out, args)
	}
	o.data.rules = true
	sources, err := o.data.sources(args)
	if err != nil {
		return err
	}
	if hold := o.plan.plan.HoldOut; hold != "" {
		if _, err := train.LeftOut(sources, hold); err != nil {
			return usageError("--hold-out: %w", err)
		}
	}
	if err := reserveApart(sources, out, target{"--checkpoint", o.checkpoint}); err != nil {
		return err
	}
	data, err := load(ctx, log, sources)
	if err != nil {
		return err
	}
	plan := o.plan.plan
	plan.Options.Checkpoint, plan.Options.Resume = o.checkpoint, o.resume
	plan.Options.Progress = log.epoch
	if o.name != "" {
		plan.Shape.Name = o.name
	}
	m, _, err := plan.Train(ctx, data)
	if err != nil {
		return err
	}
	size, err := out.write(m.Write)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Wrote the model to %s (%s, %d weights).\n", term.Sanitize(o.output), term.Bytes(size), m.Net().Size())
	return nil
}
