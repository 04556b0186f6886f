package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

const analyzeHelp = `Analyze reads audit logs and says what was done: each context is what somebody
did, together with everything that components did because of it.

Formats (docs/output.md describes every field):
  summary      a table of contexts in order of time, then where every line went
  contexts     a JSON object a line for each context, when it closes
  annotations  a JSON object a line for each event, in the order of the input
  labelled     the input's events with "label" and "whet" added to each

--actor, --namespace, --since and --until choose contexts by their root, the
request that began them. They restrict what is printed, also of the formats
annotations and labelled, which then leave out what belongs to no chosen
context. They never change what is linked, and the accounting is of the whole
input.

--out keeps what was found in a data set, a folder that is made where it is not
there and that later runs add to; whet query, sql, why, stats and export ask it.
--keep says how much: contexts alone, every event that no noise rule dropped, or
all of the log, so that whet export raw gives it back. Values of Secrets and
tokens are replaced by keyed hashes before anything is stored.

The accounting goes to standard error, except with the summary. Commands that
only read are counted in the summary, not listed, unless they were refused,
read secrets, or opened a shell, a port or a proxy; --all lists them.`

const analyzeExample = `  whet analyze audit.log
  whet analyze --actor 'system:serviceaccount:ci:*' --since 2h /var/log/kubernetes/
  zcat audit-*.gz | whet analyze --format contexts - | jq .action
  whet analyze --out /var/lib/whet --cluster prod-eu /var/log/kubernetes/`

// analyzeOptions are the flags of whet analyze.
type analyzeOptions struct {
	format string
	output string
	all    bool
	strict bool
	policy string
	link   linkFlags
	choice choice
	screen screenOptions
	out    string
	keep   string
	store  store.WriterOptions
}

// keeps are the values of --keep.
func keeps() []string {
	return []string{string(store.KeepContexts), string(store.KeepEvents), string(store.KeepAll)}
}

// analyzeFormats are the values of --format.
func analyzeFormats() []string { return []string{"summary", "contexts", "annotations", "labelled"} }

func newAnalyzeCommand(std *stdio) *cobra.Command {
	var o analyzeOptions
	cmd := &cobra.Command{
		Use:     "analyze FILE...",
		Short:   "Say what was done, and what followed from it",
		Long:    analyzeHelp,
		Example: analyzeExample,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAnalyze(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.format, "format", "f", "summary", "what to print: "+strings.Join(analyzeFormats(), ", "))
	f.StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of standard output")
	f.BoolVar(&o.all, "all", false, "list the commands that only read in the summary, too")
	f.BoolVar(&o.strict, "strict", false, "exit with status 3 when a line was malformed")
	f.StringVar(&o.policy, "policy", "", "noise policy, a YAML `FILE` (default: the built-in one)")
	o.link.flags(f)
	f.StringVar(&o.out, "out", "", "keep what was found in the data set in this folder `DIR`")
	f.StringVar(&o.keep, "keep", string(store.KeepEvents), "how much the data set keeps: "+strings.Join(keeps(), ", "))
	f.StringVar(&o.store.Cluster, "cluster", store.DefaultCluster, "`NAME` of the cluster that the log is of, for the data set")
	f.BoolVar(&o.store.NoRedact, "no-redact", false, "keep the values of Secrets and tokens in the data set as they are")
	o.choice.flags(f)
	o.screen.flags(f)
	completeValues(cmd, "keep", keeps())
	completeValues(cmd, "format", analyzeFormats())
	completeValues(cmd, "color", colorModes())
	return cmd
}

func runAnalyze(ctx context.Context, std *stdio, o *analyzeOptions, inputs []string) error {
	if !slices.Contains(analyzeFormats(), o.format) {
		return usageError("--format %s: there are %s", o.format, strings.Join(analyzeFormats(), ", "))
	}
	if err := o.choice.parse(time.Now()); err != nil {
		return err
	}
	if err := o.checkOut(); err != nil {
		return err
	}
	screen, err := o.screen.open(std, o.output == "")
	if err != nil {
		return err
	}
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	run, err := o.link.options(policy)
	if err != nil {
		return err
	}
	out, err := openOutput(std, o.output, inputs)
	if err != nil {
		return err
	}
	run.Select, run.KeepRaw = o.choice.selects(), o.format == "labelled"
	summary := newSummary(screen, o.all)
	sink := analyzeSink(o.format, out, summary, screen.terminal)
	var keep *store.Writer
	if o.out != "" {
		o.store.Keep = store.Keep(o.keep)
		if keep, err = store.Append(ctx, o.out, o.store); err != nil {
			return errors.Join(err, out.close())
		}
		if other := keep.OtherRedaction(); other != "" {
			fmt.Fprintf(std.err, "whet: %s: %s\n", term.Sanitize(o.out), other)
		}
		sink = both(keep.Sink(), sink)
		run.KeepGaps = o.store.Keep == store.KeepAll
	}
	done := screen.progress(&run)
	account, err := pipeline.Run(ctx, inputs, std.in, run, sink)
	done()
	kept, err := o.commit(ctx, keep, account, err)
	if err == nil && o.format == "summary" {
		err = summary.print(out, account)
	}
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	fmt.Fprint(std.err, term.SanitizeLines(kept))
	if o.format != "summary" {
		fmt.Fprint(std.err, term.SanitizeLines(accountText(account, term.Columns(std.err, os.Getenv))))
	}
	return strictError(o.strict, account)
}

// checkOut looks at what the flags about the data set say together.
func (o *analyzeOptions) checkOut() error {
	switch {
	case !slices.Contains(keeps(), o.keep):
		return usageError("--keep %s: there are %s", o.keep, strings.Join(keeps(), ", "))
	case o.out != "" && o.choice.selects() != nil:
		return usageError("--out keeps all of a log: choose contexts when you ask the data set, with whet query")
	}
	return nil
}

// commit ends the writing of the data set, where there is one, and says what was
// kept. The error given is that of the run.
func (o *analyzeOptions) commit(ctx context.Context, keep *store.Writer, account *pipeline.Accounting, err error) (string, error) {
	if keep == nil {
		return "", err
	}
	if err != nil {
		return "", errors.Join(err, keep.Abort())
	}
	added, err := keep.Commit(ctx, account)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("Kept in %s: %s and %s", o.out, term.Plural(added.Events, "event"), term.Plural(added.Contexts, "context"))
	if added.Grown > 0 {
		text += fmt.Sprintf(", and what is new of %s", term.Plural(added.Grown, "context"))
	}
	return text + fmt.Sprintf(" (%s).\n", term.Bytes(added.Bytes)), nil
}

// both gives a sink that hands everything to two.
func both(a, b pipeline.Sink) pipeline.Sink {
	return pipeline.Sink{
		Annotation: inTurn(a.Annotation, b.Annotation), Context: inTurn(a.Context, b.Context), Gap: a.Gap,
	}
}

// inTurn calls two functions, where there are two.
func inTurn[T any](a, b func(*T) error) func(*T) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(v *T) error {
		if err := a(v); err != nil {
			return err
		}
		return b(v)
	}
}

// analyzeSink writes what the pipeline gives in the format asked for.
func analyzeSink(format string, out io.Writer, summary *summary, terminal bool) pipeline.Sink {
	var line []byte
	write := func(b []byte) error {
		line = append(b, '\n')
		_, err := out.Write(line)
		return err
	}
	switch format {
	case "contexts":
		return pipeline.Sink{Context: func(c *pipeline.Context) error {
			b, err := json.MarshalWithOption(c, json.DisableHTMLEscape())
			if err != nil {
				return fmt.Errorf("writing context %s: %w", c.ID, err)
			}
			return write(pipeline.EscapeJSON(line[:0], b))
		}}
	case "annotations":
		return pipeline.Sink{Annotation: func(a *pipeline.Annotation) error { return write(a.AppendJSON(line[:0])) }}
	case "labelled":
		return pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
			b := a.AppendLabelled(line[:0])
			if terminal {
				b = pipeline.EscapeJSON(nil, b)
			}
			return write(b)
		}}
	}
	return pipeline.Sink{Context: summary.add}
}

// strictError is the error of a run that read malformed lines and must not.
func strictError(strict bool, account *pipeline.Accounting) error {
	if !strict || account.Malformed == 0 {
		return nil
	}
	return &exitError{exitMalformed, fmt.Errorf("malformed input (%d), and --strict was given", account.Malformed)}
}

// readPolicy reads the noise policy in a file, or gives the default one.
func readPolicy(name string) (*noise.Policy, error) {
	if name == "" {
		return noise.Default(), nil
	}
	data, err := os.ReadFile(name) //nolint:gosec // The user names the file.
	if err != nil {
		return nil, fmt.Errorf("reading the noise policy: %w", err)
	}
	return noise.Parse(name, data)
}

// choice are the flags that choose contexts by their root.
type choice struct {
	actors, namespaces []string
	since, until       string
	from, to           time.Time
}

// selects gives the function that tells whether a context was chosen, nil when
// all are.
func (c *choice) selects() func(*audit.Event) bool {
	if len(c.actors)+len(c.namespaces) == 0 && c.from.IsZero() && c.to.IsZero() {
		return nil
	}
	return func(root *audit.Event) bool {
		return (c.from.IsZero() || !root.RequestReceived.Before(c.from)) &&
			(c.to.IsZero() || root.RequestReceived.Before(c.to)) &&
			(len(c.namespaces) == 0 || matchesAny(c.namespaces, namespaceOf(root))) &&
			(len(c.actors) == 0 || matchesAny(c.actors, root.User.Username) ||
				root.Impersonated != nil && matchesAny(c.actors, root.Impersonated.Username))
	}
}

// namespaceOf is the namespace that a request is about; of a request for a
// namespace itself its name.
func namespaceOf(ev *audit.Event) string {
	if ev.Object.Resource == "namespaces" && ev.Object.APIGroup == "" {
		return pipeline.NameOf(ev)
	}
	return ev.Object.Namespace
}

// matchesAny tells whether a name fits one of the patterns, which parse has
// checked.
func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		// A username may hold slashes, which path.Match sets apart.
		if ok, _ := path.Match(strings.ReplaceAll(p, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00")); ok {
			return true
		}
	}
	return false
}

// output is where a command writes its result.
type output struct {
	*bufio.Writer
	file *os.File // nil for standard output
}

// openOutput opens the file that --output names, which must not be an input.
func openOutput(std *stdio, name string, inputs []string) (*output, error) {
	if name == "" {
		return &output{Writer: bufio.NewWriterSize(std.out, 64<<10)}, nil
	}
	if info, err := os.Stat(name); err == nil {
		for _, input := range inputs {
			if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
				return nil, usageError("--output %s is also an input", name)
			}
		}
	}
	f, err := os.Create(name) //nolint:gosec // The user names the file.
	if err != nil {
		return nil, fmt.Errorf("opening the output: %w", err)
	}
	return &output{Writer: bufio.NewWriterSize(f, 64<<10), file: f}, nil
}

func (o *output) close() error {
	err := o.Flush()
	if o.file != nil {
		if closeErr := o.file.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
