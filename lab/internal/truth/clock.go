package truth

import (
	"encoding/json"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

// cronJob names a CronJob.
type cronJob struct{ namespace, name string }

// setting is a command that set a CronJob's clock, and when.
type setting struct {
	at      time.Time
	command int
}

// tick matches the name of what a CronJob's schedule made: the CronJob's own
// name, a dash and the scheduled time in minutes since the Unix epoch.
var tick = regexp.MustCompile(`(` + tokenPattern + `[-0-9a-z]*?)-[0-9]{8}\b`)

// findClocks notes which commands set the clocks of CronJobs: those that made
// them, gave them another schedule or time zone, or let them run again. It
// reads this from what the API server answered to the actors, not from what
// the controller did. It also notes when they deleted a CronJob.
func (a *attributor) findClocks(events []*Event) {
	var writes []*Event
	for _, e := range events {
		_, actor := a.byUser[e.User.Username]
		if actor && e.ObjectRef.Resource == "cronjobs" && e.Changes() && e.ResponseStatus.Code < 400 {
			writes = append(writes, e)
		}
	}
	sort.SliceStable(writes, func(x, y int) bool { return writes[x].Received.Before(writes[y].Received) })
	a.clocks, a.ends = map[cronJob][]setting{}, map[cronJob][]time.Time{}
	type state struct {
		Schedule, TimeZone string
		Suspend            bool
	}
	known := map[cronJob]state{}
	for _, e := range writes {
		if e.Verb == "delete" {
			of := cronJob{e.ObjectRef.Namespace, e.ObjectRef.Name}
			a.ends[of] = append(a.ends[of], e.Received)
			continue
		}
		var object struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     state
		}
		// What is no CronJob, such as a list of them, sets no clock.
		if err := json.Unmarshal(e.ResponseObject, &object); err != nil || object.Kind != "CronJob" {
			continue
		}
		key := cronJob{e.ObjectRef.Namespace, object.Metadata.Name}
		was, now := known[key], object.Spec
		known[key] = now
		sets := was.Schedule != now.Schedule || was.TimeZone != now.TimeZone || was.Suspend && !now.Suspend
		if command := a.during(a.byUser[e.User.Username], e.Received); command >= 0 && (sets || e.Verb == "create") {
			a.clocks[key] = append(a.clocks[key], setting{e.Received, command})
		}
	}
}

// setter returns the command that had set a CronJob's clock at the time, or -1.
func (a *attributor) setter(of cronJob, t time.Time) int {
	list := a.clocks[of]
	n := sort.Search(len(list), func(i int) bool { return list[i].at.After(t) })
	if n == 0 {
		return -1
	}
	return list[n-1].command
}

// ended says whether a line is a deletion that follows somebody's deleting the
// CronJob: what its ticks had made goes with it. The rest of what happens then
// may still be a tick's work.
func (a *attributor) ended(of cronJob, e *Event) bool {
	if e.Verb != "delete" && !strings.HasSuffix(e.User.Username, ":generic-garbage-collector") {
		return false
	}
	for _, at := range a.ends[of] {
		again := func(s setting) bool { return s.at.After(at) && !s.at.After(e.Received) }
		if !at.After(e.Received) && !slices.ContainsFunc(a.clocks[of], again) {
			return true
		}
	}
	return false
}

// ticking returns the CronJob whose tick made the line, if one did: the name of
// the Job stands in it.
func ticking(e *Event) (cronJob, bool) {
	if e.ObjectRef.Resource == "cronjobs" {
		return cronJob{}, false
	}
	for _, text := range [][]byte{[]byte(e.ObjectRef.Name), e.RequestObject} {
		if m := tick.FindSubmatch(text); m != nil {
			return cronJob{e.ObjectRef.Namespace, string(m[1])}, true
		}
	}
	return cronJob{}, false
}

// reported returns the CronJob about which its controller reads or writes: what
// the controller does for a CronJob it does by the CronJob's clock, also where
// a Job made by hand or a pause is what it finds when it looks.
func reported(e *Event) (cronJob, bool) {
	if !strings.HasSuffix(e.User.Username, ":cronjob-controller") {
		return cronJob{}, false
	}
	name := e.ObjectRef.Name
	switch e.ObjectRef.Resource {
	case "cronjobs":
	case "events":
		// An Event is called after its object, with a time behind the last dot.
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
			name = name[:dot]
		}
	default:
		return cronJob{}, false
	}
	return cronJob{e.ObjectRef.Namespace, name}, true
}
