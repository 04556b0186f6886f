package link

import (
	"slices"
	"strconv"
	"strings"
)

// eventReport is an Event that a component recorded about an object.
type eventReport struct {
	username, name string
	// at is when the component recorded it, received when it reached the API
	// server, which may be much later.
	at, received micros
}

// reportMemory is how long an Event is remembered, more than the look ahead.
const reportMemory = 10 * second

// observeReport notes an Event at its first sight. client-go names an Event
// after the object, a dot and the nanoseconds since the Unix epoch at which it
// was recorded, in hexadecimal digits (k8s.io/client-go/tools/record,
// recorderImpl.makeEvent).
func (n *podNames) observeReport(it *item, a *actor) {
	ev := it.event
	if ev.Object.Resource != "events" || ev.Verb != "create" || a.class == classNode || a.class == classPerson {
		return
	}
	dot := strings.LastIndexByte(ev.Object.Name, '.')
	if dot <= 0 {
		return
	}
	nanos, err := strconv.ParseInt(ev.Object.Name[dot+1:], 16, 64)
	if err != nil {
		return
	}
	list := n.reports[ev.Object.Namespace]
	for len(list) > 0 && list[0].received < it.received-reportMemory {
		list = list[1:]
	}
	n.reports[ev.Object.Namespace] = append(list, eventReport{a.username, ev.Object.Name[:dot], nanos / 1000, it.received})
}

// reported finds the first Event about the named object that the client of a
// request recorded after its end, and tells how long after; it gives -1 and
// NoAge for none.
func (n *podNames) reported(r *request, name string) (at int, after micros) {
	// Half a millisecond is for clocks of two machines.
	const early = second / 2000
	at, after = -1, NoAge
	for i, report := range slices.Backward(n.reports[r.event.Object.Namespace]) {
		if report.received < r.received {
			break // Those before came before the request did.
		}
		if report.username == r.actor.username && report.name == name && report.at >= r.done-early && report.at-r.done <= after {
			at, after = i, report.at-r.done
		}
	}
	return at, after
}

// used takes the Event out that tells of a pod made without a name, so that it
// tells of no other.
func (n *podNames) used(r *request) {
	if len(r.object.owners) == 0 {
		return
	}
	ns := r.event.Object.Namespace
	if at, _ := n.reported(r, r.object.owners[0].key.name); at >= 0 {
		n.reports[ns] = slices.Delete(n.reports[ns], at, at+1)
	}
}
