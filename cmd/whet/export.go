package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

const exportHelp = `Export writes a data set, or what a log holds, in formats that other programs
read (docs/export.md):

  csv           a row for each context, for spreadsheets
  unclassified  the events whose cause should be somewhere and was not found
  dot, graphml  one context as a graph: who did what to which objects, and why
  otlp          each context as an OpenTelemetry trace, to a file or a collector
  parquet       contexts, events, links or objects as one Parquet file
  raw           the logs themselves, of a data set that keeps all

Where LOG stands, a data set can be named with --data instead.`

const exportExample = `  whet export csv --data DIR --where 'outcome == refused' -o refused.csv
  whet export dot deploy/shop/web audit.log | dot -Tsvg -o web.svg
  whet export otlp --data DIR --endpoint http://localhost:4318`

func newExportCommand(std *stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "Write contexts for other programs: CSV, graphs, traces",
		Long:    exportHelp,
		Example: exportExample,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newExportCSVCommand(std), newExportUnclassifiedCommand(std),
		newExportGraphCommand(std, "dot"), newExportGraphCommand(std, "graphml"), newExportOTLPCommand(std),
		newExportParquetCommand(std), newExportRawCommand(std),
	)
	return cmd
}

// exportOptions are the flags that the exports share.
type exportOptions struct {
	data    string
	policy  string
	cluster string
	where   string
	output  string
	key     string
}

func (o *exportOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.data, "data", "", "read the data set in this folder `DIR` instead of a log")
	f.StringVar(&o.policy, "policy", "", "noise policy for the LOG, a YAML `FILE` (default: the built-in one)")
	f.StringVar(&o.cluster, "cluster", store.DefaultCluster, "`NAME` of the cluster that the LOG is of")
	f.StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of standard output")
}

func (o *exportOptions) whereFlag(f *pflag.FlagSet, what string) {
	f.StringVar(&o.where, "where", "", "only "+what+" that fit this query, an `EXPR` (docs/query.md)")
}

// check looks at what the flags and arguments say together.
func (o *exportOptions) check(inputs []string) error {
	switch {
	case o.data == "" && len(inputs) == 0:
		return usageError("nothing to export: name a log, or a data set with --data")
	case o.data != "" && len(inputs) > 0:
		return usageError("--data %s and a log too: whet analyze --out %s adds a log to a data set", o.data, o.data)
	case o.data != "" && o.policy != "":
		return usageError("--policy is for a log: a data set was made with a policy of its own")
	case o.data != "" && o.key != "":
		return usageError("--key is for a log that carries labels: a data set has those of whet")
	}
	return nil
}

// expr reads --where.
func (o *exportOptions) expr(over query.Over) (*query.Expr, error) {
	e, err := query.Parse(o.where, query.Options{Over: over, Now: time.Now()})
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("--where: %w", err)}
	}
	return e, nil
}

// analyze runs the pipeline over a log and says on standard error where its
// lines went.
func (o *exportOptions) analyze(ctx context.Context, std *stdio, inputs []string, sink pipeline.Sink, keepRaw bool) (*pipeline.Accounting, error) {
	policy, err := readPolicy(o.policy)
	if err != nil {
		return nil, err
	}
	run := pipeline.Options{Policy: policy, KeepRaw: keepRaw}
	s := &screen{err: std.err}
	done := s.progress(&run)
	account, err := pipeline.Run(ctx, inputs, std.in, run, sink)
	done()
	return account, err
}

// account prints where the lines of a log went.
func account(std *stdio, a *pipeline.Accounting) {
	fmt.Fprint(std.err, term.SanitizeLines(accountText(a, term.Columns(std.err, os.Getenv))))
}

// warnMalformed says that malformed lines may hide something.
func warnMalformed(std *stdio, a *pipeline.Accounting) {
	if a.Malformed > 0 {
		fmt.Fprintf(std.err, "whet: %s in the log, which may hide something; whet analyze names them\n", term.Plural(a.Malformed, "malformed line"))
	}
}

// temporary analyses a log into a data set that remove takes away again.
func (o *exportOptions) temporary(ctx context.Context, std *stdio, inputs []string) (data *store.DataSet, remove func(), err error) {
	dir, a, err := keepTemporarily(ctx, store.WriterOptions{Cluster: o.cluster}, func(sink pipeline.Sink) (*pipeline.Accounting, error) {
		return o.analyze(ctx, std, inputs, sink, false)
	})
	if err != nil {
		return nil, nil, err
	}
	// What is left of a temporary folder harms nobody.
	removeDir := func() { _ = os.RemoveAll(dir) }
	account(std, a)
	if data, err = openData(ctx, std, dir); err != nil {
		removeDir()
		return nil, nil, err
	}
	return data, func() { _ = data.Close(); removeDir() }, nil
}

// write opens the output, has it filled, and closes it.
func (o *exportOptions) write(std *stdio, inputs []string, fill func(io.Writer) error) error {
	out, err := openOutput(std, o.output, inputs)
	if err != nil {
		return err
	}
	err = fill(out)
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	return err
}

const exportCSVHelp = `Csv writes a row for each context, in order of start: who, what, with which
outcome, and what followed. Cells that a spreadsheet would run as formulas begin
with an apostrophe, and what is not printable is an escape (docs/export.md).

--key NAME is for a log that carries labels, as a model or a person gave them:
the rows are then its labelled actions. A log under "label" is read so too, with
--key label; whet analyze --format labelled writes one.`

func newExportCSVCommand(std *stdio) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:     "csv {LOG... | --data DIR}",
		Short:   "Write a row for each context",
		Long:    exportCSVHelp,
		Example: "  whet export csv audit.log -o actions.csv\n  whet export csv --data DIR --where 'touches(secrets)'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExportCSV(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.flags(f)
	o.whereFlag(f, "contexts")
	f.StringVarP(&o.key, "key", "k", "", "take the labels that the log carries under this `NAME`")
	return cmd
}

func runExportCSV(ctx context.Context, std *stdio, o *exportOptions, inputs []string) error {
	if err := o.check(inputs); err != nil {
		return err
	}
	expr, err := o.expr(query.Contexts)
	if err != nil {
		return err
	}
	if o.data != "" {
		data, err := openData(ctx, std, o.data)
		if err != nil {
			return err
		}
		defer data.Close()
		err = o.write(std, nil, func(w io.Writer) error {
			_, err := export.Contexts(w, data.Contexts(ctx, expr.Where(), store.Page{}))
			return err
		})
		if err != nil {
			return err
		}
		return damagedError(o.data, data)
	}
	return o.write(std, inputs, func(w io.Writer) error {
		out, err := export.NewCSV(w, export.ContextColumns()...)
		if err != nil {
			return err
		}
		row := func(c *store.Context) error { return out.Row(export.ContextRow(c)...) }
		if o.key != "" {
			err = o.labelledContexts(ctx, std, inputs, expr, row)
		} else {
			err = o.streamContexts(ctx, std, inputs, expr, row)
		}
		if err != nil {
			return err
		}
		return out.Flush()
	})
}

// streamContexts gives the contexts of a log that fit.
func (o *exportOptions) streamContexts(ctx context.Context, std *stdio, inputs []string, expr *query.Expr, each func(*store.Context) error) error {
	stream := query.NewStream(expr, query.StreamOptions{Cluster: o.cluster}, func(_ *store.Event, c *store.Context) error { return each(c) })
	a, err := o.analyze(ctx, std, inputs, stream.Sink(), false)
	if err == nil {
		err = stream.Close()
	}
	if err != nil {
		return err
	}
	if n := stream.Early(); n > 0 {
		fmt.Fprintf(std.err, "whet: %s went on after their row was written, for there were many; a data set (whet analyze --out DIR) has them whole\n",
			term.Plural(n, "context"))
	}
	account(std, a)
	return nil
}

// labelledContexts gives the actions of a labelled log that fit.
func (o *exportOptions) labelledContexts(ctx context.Context, std *stdio, inputs []string, expr *query.Expr, each func(*store.Context) error) error {
	labelled := export.NewLabelled(o.key)
	a, err := o.analyze(ctx, std, inputs, pipeline.Sink{Annotation: labelled.Add}, true)
	if err == nil {
		err = o.checkKey(labelled)
	}
	if err != nil {
		return err
	}
	for _, c := range labelled.Actions() {
		c.Cluster = o.cluster
		if !expr.Context(c) {
			continue
		}
		if err := each(c); err != nil {
			return err
		}
	}
	account(std, a)
	return nil
}

// checkKey wants the key to be one of the log.
func (o *exportOptions) checkKey(labelled *export.Labelled) error {
	if labelled.Events() > 0 {
		return nil
	}
	return fmt.Errorf("no event of the log has a label under %q (--key)", o.key)
}
