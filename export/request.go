package export

import (
	"cmp"
	"slices"
	"time"

	"github.com/whet-k8s/whet/store"
)

// request is what a client sent: its events, one a stage, brought together.
type request struct {
	// first is the event of the earliest stage, which has the role and the
	// link; last that of the latest one, which has the outcome.
	first, last *store.Event
	stages      []*store.Event
	// parent is the request that caused this one, nil for the root, and for
	// what caused it when that is not among the events.
	parent *request
}

// requestKey tells requests apart. A client may choose the auditID of what it
// sends, so that the auditID alone does not.
type requestKey struct {
	auditID, username, uri string
	received               int64
}

func keyOf(ev *store.Event) requestKey {
	return requestKey{ev.AuditID, ev.User.Username, ev.RequestURI, ev.RequestReceived.UnixMicro()}
}

// start is when the request was received; of one without that time, when its
// first stage ended.
func (r *request) start() time.Time {
	if t := r.first.RequestReceived; !t.IsZero() {
		return t
	}
	return r.first.StageTime
}

// end is when the last stage ended, never before the start.
func (r *request) end() time.Time {
	if r.last.StageTime.After(r.start()) {
		return r.last.StageTime
	}
	return r.start()
}

// requests brings the events of one context together, in order of start, and
// ties each request to its cause.
func requests(events []*store.Event) []*request {
	byKey := map[requestKey]*request{}
	var list []*request
	for _, ev := range events {
		r := byKey[keyOf(ev)]
		if r == nil {
			r = &request{}
			byKey[keyOf(ev)] = r
			list = append(list, r)
		}
		r.stages = append(r.stages, ev)
	}
	for _, r := range list {
		slices.SortStableFunc(r.stages, func(a, b *store.Event) int { return a.StageTime.Compare(b.StageTime) })
		r.first, r.last = r.stages[0], r.stages[len(r.stages)-1]
	}
	slices.SortStableFunc(list, func(a, b *request) int {
		return cmp.Or(a.start().Compare(b.start()), cmp.Compare(a.first.AuditID, b.first.AuditID))
	})
	tie(list)
	return list
}

// tie finds the parent of every request: of several requests with the auditID of
// the cause the newest one not after the effect. The list is in order of start.
func tie(list []*request) {
	byID := map[string][]*request{}
	for _, r := range list {
		byID[r.first.AuditID] = append(byID[r.first.AuditID], r)
	}
	for _, r := range list {
		if r.first.Cause == "" {
			continue
		}
		causes := byID[r.first.Cause]
		after, _ := slices.BinarySearchFunc(causes, r.start(), func(c *request, t time.Time) int {
			if c.start().After(t) {
				return 1
			}
			return -1
		})
		for _, i := range []int{after - 1, after - 2, after} {
			if i >= 0 && i < len(causes) && causes[i] != r {
				r.parent = causes[i]
				break
			}
		}
	}
	untangle(list)
}

// untangle takes the loops out of the chains of causes, which only auditIDs that
// a client chose can make. A walk that comes back to itself is cut there; one
// that meets an earlier walk need not go on.
func untangle(list []*request) {
	walks := make(map[*request]int, len(list))
	for i, r := range list {
		for r.parent != nil && walks[r] == 0 {
			walks[r] = i + 1
			if walks[r.parent] == i+1 {
				r.parent = nil
				break
			}
			r = r.parent
		}
	}
}
