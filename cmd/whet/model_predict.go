package main

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/member"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/pipeline"
)

const modelPredictHelp = `Predict gives each line of a log the label of the action that caused it.

Formats:
  labelled     the input's events with "predicted_label" and "confidence" added
  annotations  a JSON object a line for each event, as whet analyze writes them,
               with the predicted label in "label", and beside the link's
               "confidence" that of the label, "predicted_confidence"

The label's confidence is the label's share of the vote of the windows that hold the
line. Lines that no change caused (background, and what noise rules drop) do not
reach the network: they have their own label, and the confidence 0. What a log
has of an earlier prediction is replaced.`

// modelPredictOptions are the flags of whet model predict.
type modelPredictOptions struct {
	model, output, format, policy string
}

// predictFormats are the values of --format.
func predictFormats() []string { return []string{"labelled", "annotations"} }

func newModelPredictCommand(std *stdio, log *modelLog) *cobra.Command {
	var o modelPredictOptions
	cmd := &cobra.Command{
		Use:     "predict [-m MODEL] FILE...",
		Short:   "Label the lines of a log",
		Long:    modelPredictHelp,
		Example: "  whet model predict recordings/day.metadata.jsonl.zst | jq .predicted_label",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runModelPredict(cmd.Context(), std, log, &o, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.model, "model", "m", "", "model `FILE` (default: the one that whet comes with)")
	f.StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of standard output")
	f.StringVarP(&o.format, "format", "f", "labelled", "what to print: "+strings.Join(predictFormats(), ", "))
	f.StringVar(&o.policy, "policy", "", "noise policy, a YAML `FILE` (default: the built-in one)")
	completeValues(cmd, "format", predictFormats())
	return cmd
}

func runModelPredict(ctx context.Context, std *stdio, log *modelLog, o *modelPredictOptions, inputs []string) error {
	if !slices.Contains(predictFormats(), o.format) {
		return usageError("--format %s: there are %s", o.format, strings.Join(predictFormats(), ", "))
	}
	m, err := openModel(o.model)
	if err != nil {
		return err
	}
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	out, err := openOutput(std, o.output, inputs)
	if err != nil {
		return err
	}
	run := pipeline.Options{Policy: policy, KeepRaw: o.format == "labelled"}
	done := func() {}
	if log.logs("info") {
		done = (&screen{err: std.err}).progress(&run)
	}
	var line []byte
	account, err := predict(ctx, std, m, inputs, run, func(a *pipeline.Annotation, p model.Prediction) error {
		if o.format == "annotations" {
			line = appendAnnotation(line[:0], a, p)
		} else {
			line = appendPredicted(line[:0], a.Raw, p)
		}
		_, err := out.Write(line)
		return err
	})
	done()
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if account.Malformed > 0 {
		log.warn("malformed lines: %s; they are left out", term.Count(account.Malformed))
	}
	log.debug("%s", strings.TrimRight(accountText(account, 0), "\n"))
	return nil
}

// predict analyses a log and labels its lines. It calls each for every event,
// in the order of the input; the annotation is good until it returns.
func predict(ctx context.Context, std *stdio, m *model.Model, inputs []string, run pipeline.Options, each func(*pipeline.Annotation, model.Prediction) error) (*pipeline.Accounting, error) {
	codec := label.New(label.Options{})
	run.Labels = codec
	var waiting []pipeline.Annotation
	first := uint64(0)
	p := m.NewPredictor(codec, model.PredictorOptions{Workers: runtime.GOMAXPROCS(0)}, func(said model.Prediction) error {
		a := &waiting[0]
		err := each(a, said)
		*a = pipeline.Annotation{}
		waiting = waiting[1:]
		return err
	})
	sink := pipeline.Sink{
		Assignment: func(as *link.Assignment) error {
			p.Assigned(as)
			return nil
		},
		Annotation: func(a *pipeline.Annotation) error {
			kept := *a
			kept.Raw = slices.Clone(a.Raw)
			waiting = append(waiting, kept)
			as := a.Assignment()
			first++
			return p.Add(first, &as, a.Label)
		},
	}
	account, err := pipeline.Run(ctx, inputs, std.in, run, sink)
	if err != nil {
		return account, err
	}
	return account, p.Close()
}

// The members in which predict says what the model says.
var predictedLabel, confidence = member.Named("predicted_label"), member.Named("confidence")

// appendPredicted appends an event's JSON with what the model says of it, and a
// line feed. What the event has under the two keys already, since it was
// predicted before, is replaced. The other bytes are those of the input; only
// the line breaks of an event that spans lines become spaces.
func appendPredicted(b, raw []byte, p model.Prediction) []byte {
	labelled := predictedLabel.Append(nil, pipeline.OnOneLine(raw), strconv.AppendInt(nil, int64(p.Label), 10))
	return append(confidence.Append(b, labelled, appendShare(nil, p.Confidence)), '\n')
}

// appendShare appends a share of the vote.
func appendShare(b []byte, share float64) []byte {
	return strconv.AppendFloat(b, math.Round(share*1e4)/1e4, 'f', -1, 64)
}

// appendAnnotation appends an annotation with what the model says of it: its
// label in the place of the linker's, and how sure that is beside the link's
// confidence.
func appendAnnotation(b []byte, a *pipeline.Annotation, p model.Prediction) []byte {
	a.Label = p.Label
	b = a.AppendJSON(b)
	b = append(b[:len(b)-1], `,"predicted_confidence":`...)
	return append(appendShare(b, p.Confidence), "}\n"...)
}
