package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// sentence says in plain words who did what, when, from where, with which
// outcome, and what followed.
func sentence(c *store.Context) string {
	var b strings.Builder
	b.WriteString(actor.Short(c.Actor.Username))
	if c.Actor.Impersonated != "" {
		b.WriteString(", acting as " + actor.Short(c.Actor.Impersonated) + ",")
	}
	if c.Autonomous() {
		b.WriteString(" was started by the clock that " + actor.Short(c.OriginActor) + " had set, and did")
	} else {
		b.WriteString(" did")
	}
	fmt.Fprintf(&b, ": %s, at %s", c.Action, fullDay(c.Start))
	if c.Actor.SourceIP != "" && !c.Autonomous() {
		b.WriteString(" from " + c.Actor.SourceIP)
	}
	b.WriteString(". " + outcomeWords(c) + " " + followed(c))
	return b.String()
}

// outcomeWords says how the root ended.
func outcomeWords(c *store.Context) string {
	switch c.Outcome.Word() {
	case pipeline.OutcomeOK:
		return "It succeeded."
	case pipeline.OutcomeRefused:
		return fmt.Sprintf("It was refused (%d): the API server did not allow it.", c.Outcome.Code)
	case pipeline.OutcomeNotFound:
		return "It failed: there was no such object (404)."
	case pipeline.OutcomeExists:
		return "It failed: the object was there already (409)."
	case pipeline.OutcomeConflict:
		return "It failed: somebody else had changed the object (409)."
	case pipeline.OutcomeInvalid:
		return "It failed: the API server found it invalid (422)."
	case pipeline.OutcomeTooMany:
		return "It was turned away: the API server had too many requests (429)."
	case pipeline.OutcomeUnknown:
		return "The log does not say how it ended."
	}
	return fmt.Sprintf("It failed (%d).", c.Outcome.Code)
}

// followed says what components did because of it.
func followed(c *store.Context) string {
	if c.Effects == 0 {
		if c.ReadOnly {
			return "It only read, and nothing followed from it."
		}
		return "Nothing followed from it."
	}
	components := map[string]bool{}
	for username := range c.EffectsBy {
		components[actor.ComponentOf(username)] = true
	}
	text := plural(c.Effects, "request") + " by " + plural(len(components), "component") + " followed within " + length(c.Duration())
	if c.Deletes > 0 {
		// A pod is asked to go twice: by who deletes it, and by its node.
		text += fmt.Sprintf("; %s among them", plural(c.Deletes, "delete request"))
	}
	if c.Failed > 0 {
		text += fmt.Sprintf("; %d of the requests that followed failed", c.Failed)
	}
	return text + "."
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// length is a duration as people say it, rounded as the web app rounds
// (web/src/lib/time.ts): 351 ms, 4.2 s, 42 s, 2 min 42 s.
func length(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", max(0, d.Microseconds()))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < time.Hour:
		return inTwo(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return inTwo(d, time.Hour, "h", time.Minute, "min")
	}
	return inTwo(d, 24*time.Hour, "d", time.Hour, "h")
}

// inTwo is a duration in a large unit and a small one, without the small one
// where nothing is left.
func inTwo(d, large time.Duration, largeUnit string, small time.Duration, smallUnit string) string {
	d = d.Round(small)
	text := fmt.Sprintf("%d %s", d/large, largeUnit)
	if rest := d % large / small; rest > 0 {
		text += fmt.Sprintf(" %d %s", rest, smallUnit)
	}
	return text
}
