package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/pipeline/why"
)

const whyHelp = `Why follows the links from an event, or from the last change of an object, up to
the person who began it, and says for each step what ties it to the next.

TARGET is an auditID, kind/namespace/name, or kind/name. The kind may be in the
plural, a short name as in kubectl (po, deploy, svc, ...), in any case, and have
its API group behind a dot (deployment.apps/shop/web). Without a namespace the
object is looked for in all.

Of an object that is gone the answer is about its deletion, else about its last
change, its status aside; --all answers for every change in the log. The log is
read twice. --data asks a data set, at once.`

const whyExample = `  whet why pod/shop/web-7c9f /var/log/kubernetes/
  whet why deploy/shop/web --all audit.log
  whet why 5f6b7c0e-6a0a-4c39-9d5b-2f7d0f1c8a64 audit.log
  whet why pod/shop/web-7c9f --data /var/lib/whet`

// whyOptions are the flags of whet why.
type whyOptions struct {
	all    bool
	data   string
	format string
	policy string
	screen screenOptions
}

// whyFormats are the values of --format.
func whyFormats() []string { return []string{"text", "json"} }

func newWhyCommand(std *stdio) *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use:     "why TARGET {FILE... | --data DIR}",
		Short:   "Say who caused an event, or the last change of an object",
		Long:    whyHelp,
		Example: whyExample,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWhy(cmd.Context(), std, &o, args[0], args[1:])
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.all, "all", false, "answer for every change of the object")
	f.StringVar(&o.data, "data", "", "ask the data set in this folder `DIR` instead of a log")
	f.StringVarP(&o.format, "format", "f", "text", "what to print: "+strings.Join(whyFormats(), ", "))
	f.StringVar(&o.policy, "policy", "", "noise policy, a YAML `FILE` (default: the built-in one)")
	o.screen.flags(f)
	completeValues(cmd, "format", whyFormats())
	completeValues(cmd, "color", colorModes())
	return cmd
}

func runWhy(ctx context.Context, std *stdio, o *whyOptions, target string, inputs []string) error {
	if err := o.check(inputs); err != nil {
		return err
	}
	t, err := why.ParseTarget(target)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	screen, err := o.screen.open(std, true)
	if err != nil {
		return err
	}
	if o.data != "" {
		return o.askData(ctx, std, screen, t)
	}
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	run := pipeline.Options{Policy: policy}
	done := screen.progress(&run)
	answer, err := why.Ask(ctx, inputs, std.in, run, t, o.all)
	done()
	if err != nil {
		return err
	}
	if n := answer.Accounting.Malformed; n > 0 {
		fmt.Fprintf(std.err, "whet: %s in the log, which may hide something; whet analyze names them\n", term.Plural(n, "malformed line"))
	}
	return o.write(std, screen, answer)
}

// check looks at what the flags and arguments say together.
func (o *whyOptions) check(inputs []string) error {
	switch {
	case !slices.Contains(whyFormats(), o.format):
		return usageError("--format %s: there are %s", o.format, strings.Join(whyFormats(), ", "))
	case o.data == "" && len(inputs) == 0:
		return usageError("nothing to ask: name a log, or a data set with --data")
	case o.data != "" && len(inputs) > 0:
		return usageError("--data %s and a log too: whet analyze --out %s adds a log to a data set", o.data, o.data)
	case o.data != "" && o.policy != "":
		return usageError("--policy is for a log: a data set was made with a policy of its own")
	}
	return nil
}

// askData asks a data set.
func (o *whyOptions) askData(ctx context.Context, std *stdio, screen *screen, t why.Target) error {
	d, err := openData(ctx, std, o.data)
	if err != nil {
		return err
	}
	defer d.Close()
	answer, err := d.Why(ctx, t, o.all)
	if err == nil {
		err = o.write(std, screen, answer)
	}
	return cmp.Or(err, damagedError(o.data, d))
}

func (o *whyOptions) write(std *stdio, screen *screen, answer *why.Answer) error {
	if o.format == "json" {
		return writeWhyJSON(std.out, answer)
	}
	return writeWhy(std.out, answer, screen, o.all)
}

func writeWhyJSON(w io.Writer, answer *why.Answer) error {
	b, err := json.MarshalIndentWithOption(answer.Report(), "", "  ", json.DisableHTMLEscape())
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	_, err = w.Write(append(pipeline.EscapeJSON(nil, b), '\n'))
	return err
}

// writeWhy prints the answer for people: first in one line, then step by step.
func writeWhy(w io.Writer, answer *why.Answer, s *screen, all bool) error {
	var b strings.Builder
	p := &whyPrinter{Builder: &b, screen: s}
	for i := range answer.Chains {
		if i > 0 {
			b.WriteString("\n")
		}
		p.chain(&answer.Target, &answer.Chains[i])
	}
	if more := answer.Changes - len(answer.Chains); more > 0 && !all {
		within := "log"
		if answer.Accounting == nil {
			within = "data set"
		}
		text := fmt.Sprintf("The "+within+" has %s of it; --all answers for each.", term.Plural(more, "other change"))
		b.WriteString("\n" + s.paint.Paint(term.Dim, text) + "\n")
	}
	if answer.Cut {
		fmt.Fprintf(&b, "\nThere are more changes of it than the last %d, which are remembered.\n", why.MaxChanges)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// whyPrinter prints chains.
type whyPrinter struct {
	*strings.Builder
	screen *screen
}

// line prints a line of text from the log, which it sanitises.
func (p *whyPrinter) line(style term.Style, indent, format string, args ...any) {
	p.WriteString(indent + p.screen.paint.Paint(style, term.Sanitize(fmt.Sprintf(format, args...))) + "\n")
}

func (p *whyPrinter) chain(t *why.Target, c *why.Chain) {
	p.line(term.Bold, "", "%s", c.Sentence(t))
	p.WriteString("\n")
	for i := range c.Steps {
		p.step(c, i)
	}
	last := &c.Steps[len(c.Steps)-1]
	if c.Broken == "" {
		p.command(last)
	}
	p.line(term.Dim, "", "Where it began: %s line %d, auditID %s", last.File, last.Line, last.AuditID)
}

// step prints one step of a chain and what ties it to the next.
func (p *whyPrinter) step(c *why.Chain, i int) {
	s := &c.Steps[i]
	text, style := outcomeText(&pipeline.Outcome{Code: s.Code})
	head := fmt.Sprintf("%s  %s: %s", s.Time.Format("15:04:05.000"), s.Actor(), s.Action)
	if style != term.Good {
		head += " (" + text + ")"
	}
	p.line(term.Plain, "  ", "%s", head)
	switch {
	case i == len(c.Steps)-1 && c.Broken != "":
		p.line(term.Caution, "      ", "here the chain ends: %s", c.Broken)
	case i == len(c.Steps)-1 && s.Evidence != "":
		p.line(term.Dim, "      ", "here it began: %s [%s]", s.Evidence, s.Rule)
	case i < len(c.Steps)-1:
		p.line(term.Dim, "      ", "because of: %s [%s, confidence %.2f]", s.Evidence, s.Rule, s.Confidence)
	}
}

// command prints who sent the request that began it, and from where.
func (p *whyPrinter) command(s *why.Step) {
	p.WriteString("\n")
	who := s.User
	if len(s.Groups) > 0 {
		who += " (groups: " + strings.Join(s.Groups, ", ") + ")"
	}
	p.line(term.Plain, "", "Who:   %s", who)
	if s.Impersonated != "" {
		p.line(term.Caution, "", "As:    %s (impersonated)", s.Impersonated)
	}
	p.line(term.Plain, "", "Did:   %s", s.Action)
	p.line(term.Plain, "", "When:  %s", s.Time.Format(time.RFC3339Nano))
	p.line(term.Plain, "", "With:  %s from %s", orUnknown(s.UserAgent), orUnknown(s.SourceIP))
}

func orUnknown(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}
