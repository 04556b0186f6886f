package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

const exportRawHelp = `Raw writes the logs of a data set as they were read, byte for byte, one after the
other in the order in which they were read: blank and malformed lines too, and
the events that noise rules dropped. The data set must have been made with
--keep all. What was redacted stays redacted (docs/redaction.md).

--file NAME writes one input alone, by the name it was read under.`

func newExportRawCommand(std *stdio) *cobra.Command {
	var dir, output, file string
	cmd := &cobra.Command{
		Use:     "raw --data DIR",
		Short:   "Write the logs as they were read",
		Long:    exportRawHelp,
		Example: "  whet export raw --data DIR -o audit.log\n  whet export raw --data DIR --file audit-1.log.gz | jq .verb",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExportRaw(cmd.Context(), std, dir, file, output)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "data", "", "the data set, a folder `DIR`")
	f.StringVar(&file, "file", "", "write only the input of this `NAME`")
	f.StringVarP(&output, "output", "o", "", "write to this `FILE` instead of standard output")
	return cmd
}

func runExportRaw(ctx context.Context, std *stdio, dir, file, output string) error {
	if dir == "" {
		return usageError("raw needs a data set: --data DIR")
	}
	data, err := openData(ctx, std, dir)
	if err != nil {
		return err
	}
	defer data.Close()
	if !data.HasRaw() {
		return fmt.Errorf("the data set %s has no raw lines: whet analyze --keep all --out keeps them", dir)
	}
	o := exportOptions{output: output}
	found := file == ""
	err = o.write(std, nil, func(w io.Writer) error {
		for piece, err := range data.Raw(ctx) {
			if err != nil {
				return err
			}
			if file != "" && piece.File != file {
				continue
			}
			found = true
			if _, err := w.Write(piece.Bytes); err != nil {
				return fmt.Errorf("writing the log: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("the data set %s has no input of the name %q", dir, file)
	}
	return damagedError(dir, data)
}

const exportParquetHelp = `Parquet writes one view of a data set, or what a log holds, as one Parquet file
with the columns of docs/dataset.md. The files within a data set are Parquet too,
in a form that saves space; this one has every column as whet sql shows it.`

func newExportParquetCommand(std *stdio) *cobra.Command {
	var o exportOptions
	var view string
	cmd := &cobra.Command{
		Use:     "parquet {LOG... | --data DIR} -o FILE",
		Short:   "Write a view as a Parquet file",
		Long:    exportParquetHelp,
		Example: "  whet export parquet --data DIR --view events --where 'verb == delete' -o deletes.parquet",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExportParquet(cmd.Context(), std, &o, view, args)
		},
	}
	f := cmd.Flags()
	o.flags(f)
	o.whereFlag(f, "rows of contexts or events")
	f.StringVar(&view, "view", store.ViewContexts, "which view: "+strings.Join(store.Views(), ", "))
	completeValues(cmd, "view", store.Views())
	return cmd
}

func runExportParquet(ctx context.Context, std *stdio, o *exportOptions, view string, inputs []string) error {
	if err := o.check(inputs); err != nil {
		return err
	}
	if !slices.Contains(store.Views(), view) {
		return usageError("--view %s: there are %s", view, strings.Join(store.Views(), ", "))
	}
	if o.output == "" {
		return usageError("a Parquet file is not for standard output: name one with -o FILE")
	}
	over := query.Contexts
	if view == store.ViewEvents {
		over = query.Events
	}
	if o.where != "" && view != store.ViewContexts && view != store.ViewEvents {
		return usageError("--where is for contexts and events, not for %s", view)
	}
	expr, err := o.expr(over)
	if err != nil {
		return err
	}
	var data *store.DataSet
	if o.data != "" {
		data, err = openData(ctx, std, o.data)
		if err != nil {
			return err
		}
		defer data.Close()
	} else {
		temporary, remove, err := o.temporary(ctx, std, inputs)
		if err != nil {
			return err
		}
		defer remove()
		data = temporary
	}
	if err := data.WriteParquet(ctx, view, expr.Where(), o.output); err != nil {
		return err
	}
	return damagedError(o.data, data)
}
