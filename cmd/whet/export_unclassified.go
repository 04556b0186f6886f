package main

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

const exportUnclassifiedHelp = `Unclassified writes the events that whet could not explain, a line each: a
component sent them, and no cause was found. Of a log these are its lines as they
are, of a data set what it keeps of them.

With --key NAME, for a log that carries labels, they are the events that its
labels leave without an action: those without a label or with -1, and those
whose label names neither their own request nor the root of their context.`

func newExportUnclassifiedCommand(std *stdio) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:     "unclassified {LOG... | --data DIR}",
		Short:   "Write the events that could not be explained",
		Long:    exportUnclassifiedHelp,
		Example: "  whet export unclassified audit.log\n  whet export unclassified --key prediction labelled.log",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExportUnclassified(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.flags(f)
	o.whereFlag(f, "events")
	f.StringVarP(&o.key, "key", "k", "", "take the labels that the log carries under this `NAME`")
	return cmd
}

func runExportUnclassified(ctx context.Context, std *stdio, o *exportOptions, inputs []string) error {
	if err := o.check(inputs); err != nil {
		return err
	}
	expr, err := o.expr(query.Events)
	if err != nil {
		return err
	}
	if o.data != "" {
		return o.unclassifiedRows(ctx, std, expr)
	}
	return o.write(std, inputs, func(w io.Writer) error {
		return o.unclassifiedLines(ctx, std, inputs, expr, w)
	})
}

// unclassifiedRows writes what a data set keeps of the events, as JSON.
func (o *exportOptions) unclassifiedRows(ctx context.Context, std *stdio, expr *query.Expr) error {
	data, err := openData(ctx, std, o.data)
	if err != nil {
		return err
	}
	defer data.Close()
	if err := needEvents(o.data, data); err != nil {
		return err
	}
	where := expr.Where()
	if where.SQL != "" {
		where.SQL = "(" + where.SQL + ") and "
	}
	where.SQL += "role = ? and rule = ?"
	where.Args = append(where.Args, string(link.RoleBackground), link.RuleUnknown)
	return o.write(std, nil, func(w io.Writer) error {
		fields := eventFields()
		names := make([]string, len(fields))
		for i := range fields {
			names[i] = fields[i].name
		}
		rows, err := newRowWriter(w, nil, "jsonl", names, nil)
		if err != nil {
			return err
		}
		rows.omit = true
		values := make([]any, len(fields))
		for ev, err := range data.Events(ctx, where, store.Page{}) {
			if err != nil {
				return err
			}
			for i := range fields {
				values[i] = fields[i].get(ev)
			}
			if err := rows.add(values); err != nil {
				return err
			}
		}
		return rows.close()
	})
}

// unclassifiedLines writes the lines of a log. On a terminal what is not
// printable in them is escaped.
func (o *exportOptions) unclassifiedLines(ctx context.Context, std *stdio, inputs []string, expr *query.Expr, w io.Writer) error {
	labelled := export.NewLabelled(o.key)
	terminal := o.output == "" && term.IsTerminal(std.out)
	a, err := o.analyze(ctx, std, inputs, pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
		no := a.Role == link.RoleBackground && a.Rule == link.RuleUnknown
		if o.key != "" {
			var err error
			if no, err = labelled.Unclassified(a); err != nil {
				return err
			}
		}
		if !no || !expr.Event(store.EventOf(a, o.cluster), nil) {
			return nil
		}
		line := oneLine(a.Raw)
		if terminal {
			line = pipeline.EscapeJSON(nil, line)
		}
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
		_, err := io.WriteString(w, "\n")
		return err
	}}, true)
	if err != nil {
		return err
	}
	if o.key != "" {
		if err := o.checkKey(labelled); err != nil {
			return err
		}
	}
	account(std, a)
	return nil
}

// oneLine writes an event over several lines as one. JSON has no bare line break
// within a string.
func oneLine(raw []byte) []byte {
	if !bytes.ContainsAny(raw, "\r\n") {
		return raw
	}
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, raw)
}
