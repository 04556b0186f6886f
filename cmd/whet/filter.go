package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/filter"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

const filterHelp = `Filter takes out of an audit log what a noise policy hides, and writes the lines
that are left, byte for byte, to standard output.

A policy is a list of rules with ids (docs/noise.md explains them). A rule drops
what nobody wants to read, such as health checks and discovery, or sets aside
what is background, such as leases and renewed watches. Both are removed; with
--light only what is dropped. Refused requests, reads of secrets and requests
that impersonate are kept whatever a rule says, unless the policy's protect
block says otherwise.

Lines that are no audit events are never written; they are counted and named on
standard error. An event that spans several lines, or stands in an EventList, is
written on a line of its own. On a terminal, characters that could steer it are
written as JSON escapes.`

const filterExample = `  whet filter --report audit.log > audit.sharp.log
  whet filter --light --sort /var/log/kubernetes/ | gzip > audit.log.gz
  whet filter --invert --policy noise.yaml audit.log
  whet filter --print-policy > noise.yaml`

// filterOptions are the flags of whet filter.
type filterOptions struct {
	filter.Options
	output, policy              string
	report, strict, printPolicy bool
}

func newFilterCommand(std *stdio) *cobra.Command {
	var o filterOptions
	cmd := &cobra.Command{
		Use:     "filter FILE...",
		Short:   "Take the noise out of a log",
		Long:    filterHelp,
		Example: filterExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.printPolicy {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.printPolicy {
				_, err := io.WriteString(std.out, noise.DefaultYAML())
				return err
			}
			o.Inputs = args
			return runFilter(cmd.Context(), std, &o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Light, "light", false, "remove only what a rule drops, keep what one sets aside")
	f.BoolVar(&o.Invert, "invert", false, "write what would be removed, and nothing else")
	f.BoolVar(&o.Sort, "sort", false, "order the lines by requestReceivedTimestamp")
	f.BoolVar(&o.report, "report", false, "print events and bytes a rule to standard error")
	f.StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of standard output")
	f.StringVar(&o.policy, "policy", "", "noise policy, a YAML `FILE` (default: the built-in one)")
	f.BoolVar(&o.printPolicy, "print-policy", false, "print the built-in policy and do nothing else")
	f.BoolVar(&o.strict, "strict", false, "exit with status 3 when a line was malformed")
	return cmd
}

func runFilter(ctx context.Context, std *stdio, o *filterOptions) error {
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	out, err := openOutput(std, o.output, o.Inputs)
	if err != nil {
		return err
	}
	o.Policy, o.In, o.Out = policy, std.in, out
	if o.output == "" && term.IsTerminal(std.out) {
		o.Escape = pipeline.EscapeJSON
	}
	done := o.showProgress(std.err)
	r, err := filter.Run(ctx, o.Options)
	done()
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return err
	}
	if o.report {
		if err := writeFilterReport(std.err, policy, r); err != nil {
			return err
		}
	}
	fmt.Fprint(std.err, term.SanitizeLines(filterNotes(r)))
	if o.strict && r.Malformed > 0 {
		return &exitError{exitMalformed, fmt.Errorf("malformed input (%d), and --strict was given", r.Malformed)}
	}
	return nil
}

// showProgress keeps a line of progress on standard error, when that is a
// terminal. The function that it returns takes the line away.
func (o *filterOptions) showProgress(err io.Writer) (done func()) {
	if !term.IsTerminal(err) {
		return func() {}
	}
	p := &term.Progress{Out: err, Columns: term.Columns(err, os.Getenv), Begun: time.Now()}
	o.Progress = func(read, total, events int64) {
		p.Update(time.Now(), read, total, term.Count(events)+" events")
	}
	return p.Clear
}

// writeFilterReport prints a row for each rule that decided on events, and
// what they come to.
func writeFilterReport(w io.Writer, policy *noise.Policy, r *filter.Report) error {
	reasons := make(map[string]string)
	unused := make(map[string]bool)
	for _, rule := range policy.Rules() {
		reasons[rule.ID] = rule.Reason
		unused[rule.ID] = rule.Enabled
	}
	table := term.Table{Columns: []term.Column{
		{Title: "DECISION"}, {Title: "RULE"}, {Title: "EVENTS", Right: true}, {Title: "BYTES", Right: true}, {Title: "REASON", Min: 10},
	}}
	add := func(decision, rule string, t noise.Tally, reason string) {
		cells := []string{decision, rule, term.Count(t.Events), term.Count(t.Bytes), reason}
		row := make([]term.Cell, len(cells))
		for i := range cells {
			row[i].Text = cells[i]
		}
		table.Add(row...)
	}
	for _, row := range r.Counts.Rows() {
		delete(unused, row.Rule)
		rule, reason := row.Rule, reasons[row.Rule]
		switch {
		case rule == "":
			rule, reason = "-", "No rule matched."
		case reason == "":
			reason = "A rule would have hidden them; the policy protects them."
		}
		add(row.Action.String(), rule, row.Tally, reason)
	}
	add("total", "", r.Counts.Total(), "")
	add("written", "", r.Written, "")
	if err := table.Write(w, term.Columns(w, os.Getenv), term.Painter{}); err != nil {
		return err
	}
	var idle []string
	for _, rule := range policy.Rules() {
		if unused[rule.ID] {
			idle = append(idle, rule.ID)
		}
	}
	if len(idle) > 0 {
		_, err := fmt.Fprintf(w, "Rules that decided on nothing: %s.\n", strings.Join(idle, ", "))
		return err
	}
	return nil
}

// filterNotes says which of the input was no event.
func filterNotes(r *filter.Report) string {
	var b strings.Builder
	for _, name := range r.Empty {
		fmt.Fprintf(&b, "%s is empty.\n", name)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "Left out %s: %s.\n", s.Name, s.Reason)
	}
	for i := range r.Named {
		fmt.Fprintf(&b, "Malformed: %s\n", r.Named[i].Error())
	}
	if more := r.Malformed - len(r.Named); more > 0 {
		fmt.Fprintf(&b, "Malformed: %s more.\n", term.Count(more))
	}
	return b.String()
}
