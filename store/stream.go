package store

import "github.com/whet-k8s/whet/pipeline"

// EventOf makes the row of an event straight from a run of the pipeline, with
// all that the log said.
func EventOf(a *pipeline.Annotation, cluster string) *Event {
	return &Event{
		Event: a.Event, Cluster: cluster,
		Context: a.Context, Operation: a.Operation, Actor: a.Actor, Role: a.Role,
		Cause: a.Cause, Rival: a.Rival, Rule: a.Rule, Evidence: a.Evidence, Confidence: a.Confidence,
		Autonomous: a.Autonomous, Label: a.Label,
	}
}

// Add brings a further part into a context that came in parts. The zero
// Context takes the first part as it is.
func (c *Context) Add(part *pipeline.Context) {
	if c.ID == "" {
		c.Context = *part
		return
	}
	merge(&c.Context, part)
}
