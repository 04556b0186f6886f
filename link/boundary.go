package link

import (
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// A command's end shows as a pause. A program sends its requests within a few
// milliseconds, on a busy machine within some hundred; people and scripts take
// longer to start the next one, but not always. Between the two the requests
// themselves tell: what kubectl calls itself in fieldManager, what it reads
// before it writes, what it never mixes.
const (
	// certainPause is the shortest pause that can end a command.
	certainPause = 60_000 // microseconds
	// returnPause ends a command that comes back to what it changed, or goes on
	// after it changed the one thing it is for.
	returnPause = 120_000
	// surveyPause ends a command that lists after it read or changed something.
	surveyPause = 100_000
	// bundlePause ends a command that may change several things in a row.
	bundlePause = 320_000
	// brisk is how long a request takes on a machine that is not busy. On a
	// busy one pauses grow as the requests do.
	brisk = 5_000
)

// newCommand tells whether a request begins another command than the one in
// progress.
func (l *Linker) newCommand(cmd *command, e *entry) bool {
	pause := e.received - cmd.last
	switch {
	case pause > l.gap, len(cmd.contexts) > maxPrincipals:
		return true
	case len(cmd.contexts) == 0 && (len(cmd.reads) > maxReads || e.received-cmd.begun > maxSurvey):
		// What polls without a pause and never changes anything must not
		// wait for ever to be decided.
		return true
	}
	if cmd.requests > 0 {
		pause = pause * brisk / max(brisk, cmd.spent/micros(cmd.requests))
	}
	if pause < certainPause {
		return false
	}
	if len(cmd.contexts) == 0 {
		return cmd.answered(e.event, pause)
	}
	return cmd.changed(e.event, pause)
}

// answered tells whether a request, after a pause, cannot follow on what a
// command has read so far: it lists, reads the same once more, or deletes what
// was only looked at. A delete reads nothing but lists.
func (cmd *command) answered(ev *audit.Event, pause micros) bool {
	if ev.Verb == "list" && pause > surveyPause {
		return true
	}
	key := keyOfRequest(ev)
	for _, r := range cmd.reads {
		if key.name == "" || r.event.Verb != "get" || keyOfRequest(r.event) != key {
			continue
		}
		if isDelete(ev) || (ev.Verb == "get" && r.event.RequestURI == ev.RequestURI) {
			return true
		}
	}
	return false
}

// changed tells whether a request, after a pause, cannot follow on what a
// command has changed so far.
func (cmd *command) changed(ev *audit.Event, pause micros) bool {
	if cmd.objects[keyOfRequest(ev)] != nil && pause > returnPause {
		return true
	}
	switch {
	case ev.Verb == "list" && pause > surveyPause, isReview(ev.Object.Resource):
		return true
	case isWrite(ev.Verb) && (isDelete(ev) != cmd.deletes || ev.FieldManager() != cmd.manager):
		return true
	case changesOne(cmd.manager) || cmd.deletes:
		// A delete of several sends them at once.
		return pause > returnPause
	}
	return pause > bundlePause
}

// isDelete tells requests that ask for objects to go.
func isDelete(ev *audit.Event) bool {
	return ev.Verb == "delete" || ev.Verb == "deletecollection" || ev.Object.Subresource == "eviction"
}

// changesOne tells the field managers of kubectl's commands that change one
// object as a rule: all but apply
// (staging/src/k8s.io/kubectl/pkg/cmd/*, fieldManager).
func changesOne(manager string) bool {
	return strings.HasPrefix(manager, "kubectl-") && manager != "kubectl-client-side-apply"
}
