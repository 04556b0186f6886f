package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline"
)

const labelHelp = `A label is one integer that names an action: which resource and subresource,
one object or many, in a namespace or not, and which verb. The numbers are those
of the published data sets. -1 is unknown, -2 ignored: a request for no object,
or in an ignored namespace.`

// labelFormats are the values of --format.
func labelFormats() []string { return []string{"table", "json"} }

// labelOptions are the flags that several of the label commands have.
type labelOptions struct {
	format           string
	ignored          []string
	namespacedCustom bool
}

func (o *labelOptions) formatFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "format", "f", "table", "what to print: table, or json for an object a line")
	completeValues(cmd, "format", labelFormats())
}

func (o *labelOptions) codecFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.ignored, "ignore-namespace", label.DefaultIgnoredNamespaces(), "`NAMESPACE` whose requests have the label -2; empty for none")
	f.BoolVar(&o.namespacedCustom, "namespaced-custom", false, "write 667 for custom resources in a namespace, as 666 stands for both in the published data")
}

func (o *labelOptions) codec() *label.Codec {
	return label.New(label.Options{IgnoredNamespaces: o.ignored, NamespacedCustom: o.namespacedCustom})
}

func (o *labelOptions) check() error {
	for _, known := range labelFormats() {
		if o.format == known {
			return nil
		}
	}
	return usageError("--format %s: there are %s", o.format, strings.Join(labelFormats(), ", "))
}

func newLabelCommand(std *stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "label",
		Short: "Turn actions into numbers and numbers into actions",
		Long:  labelHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLabelEncodeCommand(std), newLabelDecodeCommand(std), newLabelListCommand(std), newLabelProposeCommand(std), newLabelEditCommand(std))
	return cmd
}

func newLabelEncodeCommand(std *stdio) *cobra.Command {
	var o labelOptions
	var files []string
	var strict bool
	cmd := &cobra.Command{
		Use:   "encode --file LOG",
		Short: "Print the label of every event of a log",
		Long: `Encode prints a line for every event: its own label, whatever its context, and
the short facts: place, time, user, status and what the event asks for.
The label of an event's context is in whet analyze --format annotations.`,
		Example: "  whet label encode --file audit.log\n  whet label encode --file audit.log --format json | jq 'select(.label > 0)'",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			inputs := append(files, args...)
			if len(inputs) == 0 {
				return usageError("--file is needed: the log to label")
			}
			if err := o.check(); err != nil {
				return err
			}
			return runLabelEncode(cmd.Context(), std, &o, inputs, strict)
		},
	}
	cmd.Flags().StringArrayVar(&files, "file", nil, "`LOG` to read; may be given several times")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with status 3 when a line was malformed")
	o.formatFlag(cmd)
	o.codecFlags(cmd.Flags())
	return cmd
}

// encodedEvent is what label encode prints of an event with --format json.
type encodedEvent struct {
	Label       label.Label `json:"label"`
	Source      string      `json:"source"`
	Line        int         `json:"line"`
	AuditID     string      `json:"auditID"`
	Time        time.Time   `json:"requestReceivedTimestamp"`
	User        string      `json:"user"`
	Verb        string      `json:"verb"`
	Group       string      `json:"apiGroup,omitempty"`
	Resource    string      `json:"resource,omitempty"`
	Subresource string      `json:"subresource,omitempty"`
	Namespace   string      `json:"namespace,omitempty"`
	Name        string      `json:"name,omitempty"`
	Code        int32       `json:"code"`
	Action      string      `json:"action"`
}

// microTime is how the API server writes an event's times
// (k8s.io/apimachinery, metav1.RFC3339Micro).
const microTime = "2006-01-02T15:04:05.000000Z07:00"

func runLabelEncode(ctx context.Context, std *stdio, o *labelOptions, inputs []string, strict bool) error {
	out := bufio.NewWriterSize(std.out, 64<<10)
	codec := o.codec()
	malformed, err := eachEvent(ctx, std, inputs, func(ev *audit.Event) error {
		l := codec.EncodeEvent(ev)
		if o.format == "json" {
			b, err := json.Marshal(encodedEvent{
				Label: l, Source: ev.Position.Source, Line: ev.Position.Line, AuditID: ev.AuditID, Time: ev.RequestReceived,
				User: ev.User.Username, Verb: ev.Verb, Group: ev.Object.APIGroup, Resource: ev.Object.Resource,
				Subresource: ev.Object.Subresource, Namespace: ev.Object.Namespace, Name: ev.Object.Name,
				Code: ev.Status.Code, Action: label.Sentence(ev),
			})
			if err != nil {
				return err
			}
			// The names in an event may hold what steers a terminal.
			_, err = out.Write(append(pipeline.EscapeJSON(nil, b), '\n'))
			return err
		}
		_, err := fmt.Fprintf(out, "%7d\t%d\t%s\t%s\t%d\t%s\n", l, ev.Position.Line, ev.RequestReceived.Format(microTime),
			term.Sanitize(ev.User.Username), ev.Status.Code, term.Sanitize(label.Sentence(ev)))
		return err
	})
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return err
	}
	if malformed > 0 && strict {
		return &exitError{exitMalformed, fmt.Errorf("malformed input (%d), and --strict was given", malformed)}
	}
	return nil
}

// maxMalformedShown is how many malformed lines eachEvent names.
const maxMalformedShown = 20

// eachEvent reads logs and calls do with every event. What is malformed is
// named on standard error and counted.
func eachEvent(ctx context.Context, std *stdio, inputs []string, do func(*audit.Event) error) (malformed int, err error) {
	reader, err := audit.Open(inputs, audit.Options{Stdin: std.in})
	if err != nil {
		return 0, err
	}
	// It was only read.
	defer func() { _ = reader.Close() }()
	progress := term.Progress{Out: std.err, Columns: term.Columns(std.err, os.Getenv), Begun: time.Now()}
	shown := term.IsTerminal(std.err) && !term.IsTerminal(std.out)
	defer progress.Clear()
	var decoder audit.Decoder
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			for _, name := range reader.Empty() {
				fmt.Fprintf(std.err, "%s is empty.\n", term.Sanitize(name))
			}
			if more := malformed - maxMalformedShown; more > 0 {
				fmt.Fprintf(std.err, "Malformed: %s more.\n", term.Count(more))
			}
			return malformed, nil
		}
		if err != nil {
			return malformed, err
		}
		batch := decoder.DecodeChunk(chunk)
		for i := range batch.Malformed {
			if malformed++; malformed <= maxMalformedShown {
				fmt.Fprintf(std.err, "Malformed: %s\n", term.Sanitize(batch.Malformed[i].Error()))
			}
		}
		for i := range batch.Events {
			if err := do(&batch.Events[i]); err != nil {
				return malformed, err
			}
		}
		if shown {
			read, total := reader.Progress()
			progress.Update(time.Now(), read, total, "")
		}
	}
}

func newLabelDecodeCommand(std *stdio) *cobra.Command {
	var o labelOptions
	cmd := &cobra.Command{
		Use:   "decode N...",
		Short: "Say what labels mean",
		Long: `Decode prints what each number means. A verb stands for those that share its
number: delete for deletecollection, get for list, patch for update. Write --
before negative numbers.`,
		Example: "  whet label decode 67008 4400\n  whet label decode -- -1",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			codec := o.codec()
			var actions []label.Action
			for _, arg := range args {
				n, err := strconv.ParseInt(arg, 10, 64)
				if err != nil {
					return usageError("%q is no label: a whole number is wanted", arg)
				}
				action, err := codec.Decode(label.Label(n))
				if err != nil {
					return err
				}
				actions = append(actions, action)
			}
			return o.printActions(std.out, actions)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (write -- before negative numbers)", err)
	})
	o.formatFlag(cmd)
	return cmd
}

func newLabelListCommand(std *stdio) *cobra.Command {
	var o labelOptions
	var gained bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print the whole space of labels",
		Long: `List prints the 1,356 published labels, and -1 for unknown, in ascending order.
With --new it prints the labels that whet adds for what Kubernetes has gained
since, which the published data does not have.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := o.check(); err != nil {
				return err
			}
			codec := o.codec()
			labels := append([]label.Label{label.Unknown}, codec.Space()...)
			if gained {
				labels = codec.NewSpace()
			}
			var actions []label.Action
			for _, l := range labels {
				action, err := codec.Decode(l)
				if err != nil {
					return err
				}
				actions = append(actions, action)
			}
			return o.printActions(std.out, actions)
		},
	}
	cmd.Flags().BoolVar(&gained, "new", false, "print the labels of resources newer than the published table instead")
	o.formatFlag(cmd)
	return cmd
}

// labelledAction is what is printed of an action with --format json.
type labelledAction struct {
	Label       label.Label `json:"label"`
	Verb        string      `json:"verb,omitempty"`
	Group       string      `json:"apiGroup,omitempty"`
	Version     string      `json:"apiVersion,omitempty"`
	Resource    string      `json:"resource,omitempty"`
	Subresource string      `json:"subresource,omitempty"`
	Namespaced  bool        `json:"namespaced"`
	Named       bool        `json:"named"`
	Text        string      `json:"text"`
	Reason      string      `json:"reason,omitempty"`
}

func toJSON(a label.Action, reason string) labelledAction {
	return labelledAction{
		Label: a.Label, Verb: a.Verb, Group: a.Group, Version: a.Version, Resource: a.Resource, Subresource: a.Subresource,
		Namespaced: a.Namespaced, Named: a.Named, Text: a.String(), Reason: reason,
	}
}

func (o *labelOptions) printActions(w io.Writer, actions []label.Action) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	for _, a := range actions {
		var err error
		if o.format == "json" {
			err = encoder.Encode(toJSON(a, ""))
		} else {
			_, err = fmt.Fprintf(out, "%7d  %s\n", a.Label, a)
		}
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// proposeOptions are the flags of whet label propose.
type proposeOptions struct {
	labelOptions
	request label.Request
	group   bool // --group was given
	file    string
	line    int
	code    int32
}

func newLabelProposeCommand(std *stdio) *cobra.Command {
	var o proposeOptions
	cmd := &cobra.Command{
		Use:   "propose {--verb VERB --resource RESOURCE | --file LOG --line N}",
		Short: "Propose labels for a request, best first",
		Long: `Propose prints the labels that a request could have in a labelled log, best
first, each with the reason: its own, and those of the actions that such a
request is usually a part or an effect of. Which one is right depends on the
context, which propose does not know.

The request is described by flags, or is an event of a log. RESOURCE is the
plural name, also as deployments/scale or deployments.apps; without a group, the
core group is tried first and then the others.`,
		Example: "  whet label propose --verb patch --resource deployments/scale --namespace shop --name web\n" +
			"  whet label propose --file audit.log --line 117",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.group = cmd.Flags().Changed("group")
			return runLabelPropose(cmd.Context(), std, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.request.Verb, "verb", "", "the request's `VERB`")
	f.StringVar(&o.request.Resource, "resource", "", "the plural name of the `RESOURCE`")
	f.StringVar(&o.request.Subresource, "subresource", "", "the `SUBRESOURCE`")
	f.StringVar(&o.request.Group, "group", "", "the API `GROUP`; core or empty for the core group")
	f.StringVarP(&o.request.Namespace, "namespace", "n", "", "the `NAMESPACE`, none where the request has none")
	f.StringVar(&o.request.Name, "name", "", "the object's `NAME`, none for many objects")
	f.Int32Var(&o.code, "code", 0, "the HTTP `STATUS` the request ended with")
	f.StringVar(&o.file, "file", "", "take the request from this `LOG`")
	f.IntVar(&o.line, "line", 0, "the event's `LINE` in the log, from 1")
	o.formatFlag(cmd)
	o.codecFlags(f)
	return cmd
}

func runLabelPropose(ctx context.Context, std *stdio, o *proposeOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	codec := o.codec()
	switch {
	case o.file == "" && (o.request.Verb == "" || o.request.Resource == ""):
		return usageError("--verb and --resource are needed, or --file and --line")
	case o.file != "" && (o.request != label.Request{} || o.line < 1):
		return usageError("--file goes with --line, from 1, and not with flags that describe a request")
	case o.file == "":
		o.complete(codec)
		return o.print(std.out, codec.Propose(o.request, label.Facts{Code: o.code}))
	}
	var proposals []label.Proposal
	_, err := eachEvent(ctx, std, []string{o.file}, func(ev *audit.Event) error {
		if ev.Position.Line != o.line {
			return nil
		}
		proposals = codec.ProposeEvent(ev)
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return err
	}
	if proposals == nil {
		return fmt.Errorf("%s has no event in line %d", o.file, o.line)
	}
	return o.print(std.out, proposals)
}

// errFound ends the reading of a log once the event is found.
var errFound = errors.New("found")

// complete takes a resource apart that is written with its subresource or its
// group, and finds the group where none is given.
func (o *proposeOptions) complete(codec *label.Codec) {
	r := &o.request
	if resource, subresource, found := strings.Cut(r.Resource, "/"); found {
		r.Resource, r.Subresource = resource, cmp.Or(r.Subresource, subresource)
	}
	if o.group {
		return
	}
	if resource, group, found := strings.Cut(r.Resource, "."); found {
		r.Resource, r.Group = resource, group
		return
	}
	if group, ok := codec.GroupOf(r.Resource); ok {
		r.Group = group
	}
}

func (o *proposeOptions) print(w io.Writer, proposals []label.Proposal) error {
	if o.format == "json" {
		encoder := json.NewEncoder(w)
		for _, p := range proposals {
			if err := encoder.Encode(toJSON(p.Action, p.Reason)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range proposals {
		if _, err := fmt.Fprintf(w, "%7d  %s: %s\n", p.Label, p.Action, p.Reason); err != nil {
			return err
		}
	}
	return nil
}
