package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

const queryHelp = `Query finds contexts, or with --events events, that fit an expression: in a data
set, which whet analyze --out writes, or straight in logs.

  username == user1 and exists(namespace)
  name == regexp("web-.*") or name ~ "api-*"
  2026-11-23T17:00:00Z <= requestReceivedTimestamp < 2026-11-23T18:00:00Z
  actor == alice and touches(secrets) and since 2h
  outcome == refused and not verb in (get, list, watch)
  effects > 50 and duration > 30s and by(system:node:worker1)
  caused-by(alice) and responseObject.spec.replicas > 3        (--events)
  annotations["authorization.k8s.io/decision"] == forbid       (--events)

A value with spaces or signs stands in quotes. A field that is missing fits no
comparison; != is the opposite of ==. A condition on a list asks for one of its
elements. Over contexts, username, verb, resource and the like are the root's;
over events, what is known of an event's context stands behind "context.", as in
context.effects. docs/query.md says all of it.

Without an expression all of a data set is found. Finding nothing is no failure.
An event of a log can have the role dropped,
which a data set keeps only where it keeps all.`

const queryExample = `  whet query --data DIR 'outcome == refused and since 24h'
  whet query --data DIR --count-by username 'touches(secrets)'
  whet query 'actor == alice' /var/log/kubernetes/
  whet query --events --format jsonl 'verb == delete and caused-by(alice)' audit.log`

// queryOptions are the flags of whet query.
type queryOptions struct {
	data    string
	events  bool
	text    string
	countBy string
	limit   int
	format  string
	output  string
	policy  string
	cluster string
	screen  screenOptions
}

func newQueryCommand(std *stdio) *cobra.Command {
	var o queryOptions
	cmd := &cobra.Command{
		Use:     "query [EXPRESSION] [FILE...]",
		Short:   "Find contexts or events in a data set or a log",
		Long:    queryHelp + "\n\n" + fieldHelp(),
		Example: queryExample,
		ValidArgsFunction: func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			return completeQuery(&o, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runQuery(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "the data set to ask, a `DIR`, instead of logs")
	f.BoolVar(&o.events, "events", false, "find events instead of contexts")
	f.StringVarP(&o.text, "query", "q", "", "the `EXPRESSION`; all other arguments are then logs")
	f.StringVar(&o.countBy, "count-by", "", "count by this `FIELD` instead of listing")
	f.IntVar(&o.limit, "limit", 0, "at most so many rows (0: all)")
	f.StringVarP(&o.format, "format", "f", "table", "what to print: "+strings.Join(rowFormats(), ", "))
	f.StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of standard output")
	f.StringVar(&o.policy, "policy", "", "noise policy for logs, a YAML `FILE` (default: the built-in one)")
	f.StringVar(&o.cluster, "cluster", store.DefaultCluster, "what the field cluster is, of logs")
	o.screen.flags(f)
	completeValues(cmd, "format", rowFormats())
	completeValues(cmd, "color", colorModes())
	// The only error is a flag that does not exist, which a test would see.
	_ = cmd.RegisterFlagCompletionFunc("count-by", func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return completeFields(&o, "", word), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// over tells what the query is about.
func (o *queryOptions) over() query.Over {
	if o.events {
		return query.Events
	}
	return query.Contexts
}

// fieldHelp lists the fields in the help text.
func fieldHelp() string {
	var b strings.Builder
	list := func(title string, over query.Over, keep func(name string) (string, bool)) {
		var names []string
		for _, f := range query.Fields(over) {
			if name, ok := keep(f.Name); ok {
				names = append(names, name)
			}
		}
		b.WriteString(title + "\n")
		wrap(&b, "  ", strings.Join(names, ", "), 80)
	}
	own := func(name string) (string, bool) {
		return name, !strings.HasPrefix(name, "context.") && !strings.Contains(name, "Object.")
	}
	list("Fields of contexts:", query.Contexts, own)
	list("\nFields of events:", query.Events, own)
	list("and behind requestObject. and responseObject.:", query.Events, func(name string) (string, bool) {
		return strings.CutPrefix(name, "responseObject.")
	})
	return strings.TrimSuffix(b.String(), "\n")
}

// completeQuery completes the last word of the expression, and then files.
func completeQuery(o *queryOptions, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if o.text != "" || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	start := strings.LastIndexAny(word, " (") + 1
	return completeFields(o, word[:start], word[start:]), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeFields gives the fields that begin with a word, with their sentence.
func completeFields(o *queryOptions, before, word string) []string {
	var list []string
	for _, f := range query.Fields(o.over()) {
		if strings.HasPrefix(f.Name, word) {
			list = append(list, before+f.Name+"\t"+f.Doc)
		}
	}
	return list
}

// errEnough ends a run when there are as many finds as were asked for.
var errEnough = errors.New("enough found")

func runQuery(ctx context.Context, std *stdio, o *queryOptions, args []string) error {
	if !slices.Contains(rowFormats(), o.format) {
		return usageError("--format %s: there are %s", o.format, strings.Join(rowFormats(), ", "))
	}
	if o.limit < 0 {
		return usageError("--limit %d: a number of rows, or 0 for all", o.limit)
	}
	text, inputs, err := o.expression(args)
	if err != nil {
		return err
	}
	e, err := query.Parse(text, query.Options{Over: o.over(), Now: time.Now()})
	if err != nil {
		return &exitError{exitUsage, err}
	}
	var field *query.FieldRef
	if o.countBy != "" {
		if field, err = query.ParseField(o.countBy, o.over()); err != nil {
			return &exitError{exitUsage, fmt.Errorf("--count-by: %w", err)}
		}
	}
	screen, err := o.screen.open(std, o.output == "")
	if err != nil {
		return err
	}
	out, err := openOutput(std, o.output, inputs)
	if err != nil {
		return err
	}
	q := &queryRun{queryOptions: o, std: std, screen: screen, out: out, expr: e, field: field}
	if o.data != "" {
		err = q.dataSet(ctx)
	} else {
		err = q.logs(ctx, inputs)
	}
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	return err
}

// expression tells which argument is the expression and which are logs.
func (o *queryOptions) expression(args []string) (text string, inputs []string, err error) {
	text, inputs = o.text, args
	switch {
	case text != "":
	case len(args) > 0:
		text, inputs = args[0], args[1:]
	case o.data == "":
		return "", nil, usageError("what to find, and where? write an expression, such as 'username == alice', and --data DIR or logs")
	}
	switch {
	case o.data != "" && len(inputs) > 0:
		return "", nil, usageError("%s: with --data there are no logs to read; an expression with spaces stands in quotes", inputs[0])
	case o.data == "" && len(inputs) == 0:
		return "", nil, usageError("where to look? write --data DIR, or the logs behind the expression")
	}
	return text, inputs, nil
}

// queryRun is one run of whet query.
type queryRun struct {
	*queryOptions
	std    *stdio
	screen *screen
	out    io.Writer
	expr   *query.Expr
	field  *query.FieldRef // to count by, nil to list
}

// dataSet asks a data set.
func (q *queryRun) dataSet(ctx context.Context) error {
	data, err := openData(ctx, q.std, q.data)
	if err != nil {
		return err
	}
	defer data.Close()
	if q.events {
		if err := needEvents(q.data, data); err != nil {
			return err
		}
	}
	if q.field != nil {
		err = q.count(ctx, data)
	} else {
		err = q.list(ctx, data)
	}
	if err != nil {
		return err
	}
	return damagedError(q.data, data)
}

// list prints what a data set has.
func (q *queryRun) list(ctx context.Context, data *store.DataSet) error {
	finds, err := newFinds(q)
	if err != nil {
		return err
	}
	// One row more than asked for tells whether there are more.
	page := store.Page{}
	if q.limit > 0 {
		page.Limit = q.limit + 1
	}
	if q.events {
		for ev, err := range data.Events(ctx, q.expr.Where(), page) {
			if err == nil {
				err = finds.add(ev, nil)
			}
			if err != nil {
				return finds.closeAfter(err)
			}
		}
		return finds.close()
	}
	for c, err := range data.Contexts(ctx, q.expr.Where(), page) {
		if err == nil {
			err = finds.add(nil, c)
		}
		if err != nil {
			return finds.closeAfter(err)
		}
	}
	return finds.close()
}

// count counts by a field in a data set.
func (q *queryRun) count(ctx context.Context, data *store.DataSet) error {
	statement, args := q.field.CountSQL(q.expr, q.limit)
	rows, err := data.DB().QueryContext(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("counting by %s: %w", q.countBy, data.Explain(ctx, err))
	}
	defer rows.Close()
	w, err := q.countWriter()
	if err != nil {
		return err
	}
	for rows.Next() {
		var name *string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return fmt.Errorf("counting by %s: %w", q.countBy, err)
		}
		var value any
		if name != nil {
			value = *name
		}
		if err := w.add([]any{value, n}); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("counting by %s: %w", q.countBy, data.Explain(ctx, err))
	}
	if w.rows == 0 {
		q.hint()
	}
	return w.close()
}

// hint says why a query may have found nothing.
func (q *queryRun) hint() {
	for _, hint := range q.expr.Hints() {
		fmt.Fprintf(q.std.err, "whet: nothing fits; %s\n", term.Sanitize(hint))
	}
}

func (q *queryRun) countWriter() (*rowWriter, error) {
	what := map[bool]string{false: "contexts", true: "events"}[q.events]
	return newRowWriter(q.out, q.screen, q.format, []string{q.countBy, what}, map[string]bool{what: true})
}

// logs asks a run of the pipeline.
func (q *queryRun) logs(ctx context.Context, inputs []string) error {
	policy, err := readPolicy(q.policy)
	if err != nil {
		return err
	}
	var finds *finds
	counts := query.ValueCounts{}
	found := func(ev *store.Event, c *store.Context) error { return finds.add(ev, c) }
	o := query.StreamOptions{Cluster: q.cluster}
	switch {
	case q.field == nil:
		if finds, err = newFinds(q); err != nil {
			return err
		}
	case q.events:
		o.NeedContext = q.field.UsesContext()
		found = func(ev *store.Event, c *store.Context) error { counts.Add(q.field.Event(ev, c)); return nil }
	default:
		found = func(_ *store.Event, c *store.Context) error { counts.Add(q.field.Context(c)); return nil }
	}
	stream := query.NewStream(q.expr, o, found)
	run := pipeline.Options{Policy: policy}
	done := q.screen.progress(&run)
	account, err := pipeline.Run(ctx, inputs, q.std.in, run, stream.Sink())
	if err == nil {
		err = stream.Close()
	}
	done()
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if q.field != nil {
		err = q.writeCounts(counts)
	} else {
		err = finds.close()
	}
	q.remarks(account, stream)
	return err
}

func (q *queryRun) writeCounts(counts query.ValueCounts) error {
	w, err := q.countWriter()
	if err != nil {
		return err
	}
	for _, c := range counts.Sorted(q.limit) {
		var value any
		if c.Value != "" {
			value = c.Value
		}
		if err := w.add([]any{value, c.Rows}); err != nil {
			return err
		}
	}
	return w.close()
}

// remarks says what may be missing in the answer.
func (q *queryRun) remarks(account *pipeline.Accounting, stream *query.Stream) {
	if n := account.Malformed; n > 0 {
		fmt.Fprintf(q.std.err, "whet: %s in the log, which may hide something; whet analyze names them\n", term.Plural(n, "malformed line"))
	}
	if n := stream.Early(); n > 0 {
		fmt.Fprintf(q.std.err, "whet: %s judged before all of the context was read, since more wait than memory allows; a data set (whet analyze --out) has no such bound\n",
			term.Plural(n, "time"))
	}
	for _, name := range account.Empty {
		if name != audit.Stdin {
			fmt.Fprintf(q.std.err, "whet: %s is empty\n", term.Sanitize(name))
		}
	}
}
