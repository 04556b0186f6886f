package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
)

const modelTrainHelp = `Train makes a model from logs with true labels, and writes it to a file.

The arguments are recordings: a PREFIX, of which both PREFIX.audit.jsonl and
PREFIX.metadata.jsonl are used, a folder with recordings, or a pattern. With
--log and --truth a log and its recording are named apart. With --key the
arguments are logs whose events hold their label at that key, as the published
data sets and whet analyze --format labelled do.

Lines are never shuffled between training and validation: what is held back is
the end of each log, after a gap of a window, or a whole recording (--hold-out).

The same data, flags and seed give the same model, bit for bit, on one kind of
processor. With --checkpoint the training can be killed and goes on with
--resume.`

const modelTrainExample = `  whet model train -o mine.safetensors recordings/
  whet model train -o mine.safetensors --log a.jsonl --truth recordings/a
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

func newModelTrainCommand(std *stdio) *cobra.Command {
	var o modelTrainOptions
	cmd := &cobra.Command{
		Use:     "train -o MODEL [RECORDING|LOG]...",
		Short:   "Train a model on recordings or labelled logs",
		Long:    modelTrainHelp,
		Example: modelTrainExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.plan.parse(cmd.Flags().Changed); err != nil {
				return err
			}
			return runModelTrain(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.data.flags(f)
	o.plan.flags(f)
	f.StringVarP(&o.output, "output", "o", "", "write the model to this `FILE`")
	f.StringVar(&o.name, "name", "", "what the model is called in its header (default: its network)")
	f.StringVar(&o.checkpoint, "checkpoint", "", "write the state of the training to this `FILE` after each epoch")
	f.BoolVar(&o.ranker, "ranker", false, "make the ranker that helps the linker where bodies are missing, from RECORDINGs")
	f.BoolVar(&o.resume, "resume", false, "go on from the checkpoint, if it is there")
	return cmd
}

func runModelTrain(ctx context.Context, std *stdio, o *modelTrainOptions, args []string) error {
	if o.output == "" {
		return usageError("-o is needed: the file to write the model to")
	}
	if o.resume && o.checkpoint == "" {
		return usageError("--resume needs --checkpoint")
	}
	if o.ranker {
		return trainRanker(ctx, std, o, args)
	}
	o.data.rules = true
	data, err := o.data.load(ctx, std, args)
	if err != nil {
		return err
	}
	plan := o.plan.plan
	plan.Options.Checkpoint, plan.Options.Resume = o.checkpoint, o.resume
	plan.Options.Progress = showEpochs(std.err)
	if o.name != "" {
		plan.Shape.Name = o.name
	}
	m, _, err := plan.Train(ctx, data)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := m.Write(&file); err != nil {
		return err
	}
	if err := os.WriteFile(o.output, file.Bytes(), 0o644); err != nil { //nolint:gosec // A model is no secret.
		return fmt.Errorf("writing the model: %w", err)
	}
	fmt.Fprintf(std.out, "Wrote the model to %s (%s, %d weights).\n", term.Sanitize(o.output), term.Bytes(int64(file.Len())), m.Net().Size())
	return nil
}
