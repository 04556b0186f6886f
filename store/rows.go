package store

import (
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
)

// Event is an event of the log with what was found out about it: a row of the
// view events. An Event that comes from a stream holds all that the log said;
// one that comes from a data set what docs/dataset.md lists, with nothing in
// its Raw and of the bodies only the fields that are kept.
type Event struct {
	*audit.Event

	// Cluster is the name of the cluster that the log is of.
	Cluster string

	// Context and Operation are ids, "" for what belongs to no context.
	Context   string
	Operation string
	// Actor is the username of the context's root, "" without a context.
	Actor string
	Role  link.Role
	// Cause and Rival are auditIDs (link.Assignment), "" where there is none.
	Cause, Rival string
	// Rule and Evidence say why; for what the noise policy set aside or
	// dropped, Rule is the noise rule.
	Rule, Evidence string
	Confidence     float64
	// Autonomous is the id of the context that the clock started with this
	// event, "" for all others.
	Autonomous string
	Label      label.Label
}

// Context is a context with all its parts brought together: a row of the view
// contexts.
type Context struct {
	pipeline.Context

	// Cluster is the name of the cluster that the log is of.
	Cluster string `json:"cluster"`
}

// Duration is how long the context went on.
func (c *Context) Duration() time.Duration { return max(c.End.Sub(c.Start), 0) }

// Autonomous tells whether the clock started the context.
func (c *Context) Autonomous() bool { return c.Origin != "" }
