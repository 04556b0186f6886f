package engine

import (
	"maps"
	"math"
	"time"

	"github.com/whet-k8s/whet/pipeline"
)

// Stats tell how far an Engine is.
type Stats struct {
	// Taken is the number of the last message that was analysed, Saved that of
	// the last one whose outcome is in the data set.
	Taken, Saved uint64
	// Published is when the message that was analysed last came into the queue,
	// zero before the first one.
	Published time.Time
	// Events, Repeated and Malformed count what this process read.
	Events, Repeated, Malformed int64
	// Checkpoints counts them, LastCheckpoint is how long the last one took, and
	// StateBytes how large the state in it is.
	Checkpoints    int64
	LastCheckpoint time.Duration
	StateBytes     int64

	// What follows is as of the last checkpoint. Dropped and SetAside count the
	// events that noise rules dropped and set aside, by rule, since the state was
	// begun.
	Dropped, SetAside map[string]int64
	// Links counts the events that were linked to their cause, in this process.
	Links map[Link]int64
	// Open counts open contexts. Idle tells that time would change nothing any
	// more: nothing waits, and nothing is open. Newest is the latest stageTimestamp.
	Open   int
	Idle   bool
	Newest time.Time

	// Err says why the last checkpoint failed, nil when it did not. Nothing
	// more is taken until one succeeds.
	Err error
}

// Link is how an event was linked to its cause.
type Link struct {
	// Rule is the linker's rule.
	Rule string
	// Confidence is in tenths, rounded down, from 0 to 10.
	Confidence int
}

// Stats tells how far the Engine is. It may be called from any goroutine. The
// maps are not to be changed.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// countLink counts an event that has a cause.
func (e *Engine) countLink(a *pipeline.Annotation) {
	if a.Cause != "" {
		// What is a little below a tenth because of its binary form counts as it.
		e.links[Link{a.Rule, int(math.Floor(a.Confidence*10 + 1e-9))}]++
	}
}

// look fills in what is known to the session alone, whose goroutine this is.
func (e *Engine) look() {
	account := e.session.Accounting()
	dropped := make(map[string]int64, len(account.Dropped))
	for rule, tally := range account.Dropped {
		dropped[rule] = tally.Events
	}
	setAside, links := maps.Clone(account.SetAside), maps.Clone(e.links)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.Dropped, e.stats.SetAside, e.stats.Links = dropped, setAside, links
	e.stats.Open, e.stats.Idle, e.stats.Newest = e.session.Open(), e.session.Idle(), e.session.Newest()
}
