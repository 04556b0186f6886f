package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/pipeline/why"
	"github.com/whet-k8s/whet/store"
)

const exportGraphHelp = `Draws one context as a graph: who sent requests, the objects these were about,
and which object made a component send what it sent (dashed). Equal requests are
one arrow with their number, and objects of a kind that were treated the same are
one node.

TARGET is the id of a context, as whet query and whet analyze --format contexts
print it, or what whet why takes: an auditID, kind/namespace/name or kind/name;
the context is then that of the event, or of the object's deletion or last change.`

func newExportGraphCommand(std *stdio, format string) *cobra.Command {
	var o exportOptions
	forWhom := map[string]string{
		"dot": "for Graphviz", "graphml": "in GraphML, for Gephi, yEd, Cytoscape and networkx",
	}[format]
	cmd := &cobra.Command{
		Use:     format + " TARGET {LOG... | --data DIR}",
		Short:   "Draw one context as a graph " + forWhom,
		Long:    exportGraphHelp,
		Example: "  whet export " + format + " deploy/shop/web audit.log -o web." + format,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("%s: name what to draw: the id of a context, an auditID, or an object such as pod/shop/web-1", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExportGraph(cmd.Context(), std, &o, format, args[0], args[1:])
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

func runExportGraph(ctx context.Context, std *stdio, o *exportOptions, format, target string, inputs []string) error {
	if err := o.check(inputs); err != nil {
		return err
	}
	t, err := why.ParseTarget(target)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	var graph *export.Graph
	if o.data != "" {
		graph, err = o.graphOfData(ctx, std, t)
	} else {
		graph, err = o.graphOfLog(ctx, std, inputs, t)
	}
	if err != nil {
		return err
	}
	return o.write(std, inputs, func(w io.Writer) error {
		if format == "dot" {
			return graph.WriteDOT(w)
		}
		return graph.WriteGraphML(w)
	})
}

// oneContext gathers a context of a run, those that the clock started because of
// it, and the events of all of them.
type oneContext struct {
	id       string
	contexts map[string]*store.Context
	events   []*store.Event
}

// sink takes a run.
func (o *oneContext) sink(cluster string) pipeline.Sink {
	o.contexts = map[string]*store.Context{}
	return pipeline.Sink{
		Context: func(c *pipeline.Context) error {
			if c.ID != o.id && c.Origin != o.id {
				return nil
			}
			if o.contexts[c.ID] == nil {
				o.contexts[c.ID] = &store.Context{Cluster: cluster}
			}
			o.contexts[c.ID].Add(c)
			return nil
		},
		Annotation: func(a *pipeline.Annotation) error {
			if a.Context == o.id || a.Autonomous == o.id {
				o.events = append(o.events, store.EventOf(a, cluster))
			}
			return nil
		},
	}
}

// graph draws the context.
func (o *oneContext) graph() (*export.Graph, error) {
	return export.NewGraph(o.contexts[o.id], func(yield func(*store.Event, error) bool) {
		for _, ev := range o.events {
			if !yield(ev, nil) {
				return
			}
		}
	})
}

// graphOfLog reads the log once where the target is the id of a context, else
// two or three times more, of which all but the last find its id. It holds the
// events of that context alone.
func (o *exportOptions) graphOfLog(ctx context.Context, std *stdio, inputs []string, t why.Target) (*export.Graph, error) {
	if slices.Contains(inputs, audit.Stdin) {
		return nil, usageError("a log from standard input can be read once only: write it to a file, or make a data set (whet analyze --out DIR -)")
	}
	one := &oneContext{id: t.AuditID}
	if uuid.Validate(one.id) == nil {
		if err := o.gather(ctx, std, inputs, one); err != nil {
			return nil, err
		}
		if one.contexts[one.id] != nil {
			return one.graph()
		}
	}
	policy, err := readPolicy(o.policy)
	if err != nil {
		return nil, err
	}
	answer, err := why.Ask(ctx, inputs, std.in, pipeline.Options{Policy: policy}, t, false)
	if err != nil {
		return nil, err
	}
	event, id, err := eventOfAnswer(answer)
	if err != nil {
		return nil, err
	}
	one = &oneContext{id: id}
	if err := o.gather(ctx, std, inputs, one); err != nil {
		return nil, err
	}
	for _, ev := range one.events {
		if ev.AuditID == event && one.contexts[ev.Autonomous] != nil {
			one.id = ev.Autonomous
		}
	}
	return one.graph()
}

func (o *exportOptions) gather(ctx context.Context, std *stdio, inputs []string, one *oneContext) error {
	a, err := o.analyze(ctx, std, inputs, one.sink(o.cluster), false)
	if err == nil {
		warnMalformed(std, a)
	}
	return err
}

// eventOfAnswer gives the auditID of the change that an answer is about, and the
// id of its context.
func eventOfAnswer(answer *why.Answer) (event, context string, err error) {
	chain := &answer.Chains[0]
	if chain.Context == "" {
		return "", "", fmt.Errorf("%s belongs to no context: %s", answer.Target, chain.Broken)
	}
	return chain.Steps[0].AuditID, chain.Context, nil
}

// graphOfData draws a context of a data set.
func (o *exportOptions) graphOfData(ctx context.Context, std *stdio, t why.Target) (*export.Graph, error) {
	data, err := openData(ctx, std, o.data)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	c, err := contextOfData(ctx, data, t.AuditID)
	if c == nil && err == nil {
		c, err = contextOfTarget(ctx, data, t)
	}
	if err != nil {
		return nil, err
	}
	return export.NewGraph(c, data.Events(ctx, ofContexts([]*store.Context{c}, true), store.Page{}))
}

// contextOfTarget finds the context of an event, or of what an object became.
func contextOfTarget(ctx context.Context, data *store.DataSet, t why.Target) (*store.Context, error) {
	answer, err := data.Why(ctx, t, false)
	if err != nil {
		return nil, err
	}
	event, id, err := eventOfAnswer(answer)
	if err != nil {
		return nil, err
	}
	// What the clock started has a context of its own.
	where := store.IsOneOf("auditID", event)
	where.SQL, where.Args = where.SQL+" AND context = ?", append(where.Args, id)
	for ev, err := range data.Events(ctx, where, store.Page{}) {
		if err != nil {
			return nil, err
		}
		id = cmp.Or(ev.Autonomous, id)
	}
	c, err := contextOfData(ctx, data, id)
	if c == nil && err == nil {
		err = fmt.Errorf("the data set lacks the context %s of %s", id, t)
	}
	return c, err
}

// contextOfData gives the context with an id, nil when there is none.
func contextOfData(ctx context.Context, data *store.DataSet, id string) (*store.Context, error) {
	for c, err := range data.Contexts(ctx, store.IsOneOf("id", id), store.Page{Limit: 1}) {
		return c, err
	}
	return nil, nil
}
