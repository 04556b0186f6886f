package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/pipeline"
)

const evaluateHelp = `Evaluate compares contexts with the truth of a recording, and prints how often
they agree. Each figure is explained in the documentation of package evaluate;
attribution, the share of effects put into the right context, matters most.

The truth is PREFIX.truth.jsonl and PREFIX.contexts.jsonl, also with .zst. The
figures about labels need the recording's log beside them as well.

The other argument is either the recording's log, which is then analysed, or
annotations of it: what whet analyze --format annotations writes, or another
program in the same format. Its first line tells which.`

const evaluateExample = `  whet evaluate --truth recordings/day recordings/day.audit.jsonl.zst
  whet evaluate --truth recordings/day --json annotations.jsonl`

// evaluateOptions are the flags of whet evaluate.
type evaluateOptions struct {
	truth, policy string
	json          bool
	link          linkFlags
}

func newEvaluateCommand(std *stdio) *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use:     "evaluate --truth PREFIX LOG|ANNOTATIONS",
		Short:   "Measure contexts against the truth of a recording",
		Long:    evaluateHelp,
		Example: evaluateExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEvaluate(cmd.Context(), std, &o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.truth, "truth", "", "`PREFIX` of the recording's files")
	f.BoolVar(&o.json, "json", false, "print a JSON object")
	o.link.flags(f)
	f.StringVar(&o.policy, "policy", "", "noise policy for a log, a YAML `FILE` (default: the built-in one)")
	return cmd
}

func runEvaluate(ctx context.Context, std *stdio, o *evaluateOptions, input string) error {
	if o.truth == "" {
		return usageError("--truth is needed: the prefix of the recording's files, such as recordings/day")
	}
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	run, err := o.link.options(policy)
	if err != nil {
		return err
	}
	truth, err := evaluate.Load(ctx, o.truth)
	if err != nil {
		return err
	}
	annotations, done, err := openAnnotations(ctx, std, input, run)
	if err != nil {
		return err
	}
	defer done()
	figures, err := evaluate.Score(truth, annotations)
	if err != nil {
		return fmt.Errorf("comparing %s with the truth of %s: %w", input, o.truth, err)
	}
	if !o.json {
		return figures.WriteText(std.out)
	}
	encoder := json.NewEncoder(std.out)
	return encoder.Encode(figures)
}

// openAnnotations gives the annotations in a file or on standard input, and of
// a log those that analysing it gives. The caller calls done at the end.
func openAnnotations(ctx context.Context, std *stdio, input string, options pipeline.Options) (a evaluate.Annotations, done func(), err error) {
	done = func() {}
	in := std.in
	if input != audit.Stdin {
		info, err := os.Stat(input)
		if err != nil || !info.Mode().IsRegular() {
			// A folder, a pattern, or nothing, which the reader of logs explains.
			a, err = annotateLog(ctx, std, input, nil, options)
			return a, done, err
		}
		file, err := os.Open(input) //nolint:gosec // The user names the file.
		if err != nil {
			return nil, nil, fmt.Errorf("opening %s: %w", input, err)
		}
		done = func() { _ = file.Close() } // It was only read.
		in = file
	}
	buffered := bufio.NewReaderSize(in, 1<<20)
	begin, err := buffered.Peek(buffered.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		done()
		return nil, nil, fmt.Errorf("reading %s: %w", input, err)
	}
	isAnnotations, err := evaluate.IsAnnotations(bytes.NewReader(begin))
	if err == nil && isAnnotations {
		return evaluate.ReadAnnotations(buffered, input), done, nil
	}
	if a, err = annotateLog(ctx, std, input, buffered, options); err != nil {
		done()
		return nil, nil, err
	}
	return a, done, nil
}

// annotateLog analyses a log and gives its annotations.
func annotateLog(ctx context.Context, std *stdio, input string, stdin io.Reader, options pipeline.Options) (evaluate.Annotations, error) {
	var all []evaluate.Annotation
	keep := func(a *pipeline.Annotation) error {
		number := a.Label
		all = append(all, evaluate.Annotation{
			Line: a.Line, AuditID: a.AuditID, Context: a.Context, Role: evaluate.Role(a.Role), Label: &number,
		})
		return nil
	}
	screen := screen{err: std.err}
	hide := screen.progress(&options)
	account, err := pipeline.Run(ctx, []string{input}, stdin, options, pipeline.Sink{Annotation: keep})
	hide()
	if err != nil {
		return nil, err
	}
	if account.Malformed > 0 {
		fmt.Fprintf(std.err, "whet: malformed lines: %d; they count as not annotated\n", account.Malformed)
	}
	return func(yield func(evaluate.Annotation, error) bool) {
		for _, a := range all {
			if !yield(a, nil) {
				return
			}
		}
	}, nil
}
