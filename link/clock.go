package link

import (
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// A component acts on its own when a time has come or a measure has changed:
// a CronJob's schedule, an autoscaler's metrics, a node that went silent, a
// token that is about to expire. Such an action opens a context of its own,
// an autonomous one, that points to the context which set the clock.

// tick tells whether a component's request is such an action, and by which
// rule. explained says that a cause was found.
func (l *Linker) tick(r *request, explained bool) (rule string, ok bool) {
	ev := r.event
	if !isWrite(ev.Verb) || ev.Status.Code >= 400 {
		return "", false
	}
	switch {
	case ev.Verb == "create" && ev.Object.Resource == "jobs" && r.object != nil:
		return "cronjob-tick", r.object.ownedBy("cronjobs") || !explained && scheduled(r.object.key.name)
	case ev.Object.Subresource == "scale":
		return "autoscaled", true
	case ev.Object.Resource == "nodes" && ev.Object.Subresource == "" && !explained && r.actor.class == classControlPlane:
		return "node-watched", true
	case ev.Object.Subresource == "token" && r.actor.class == classNode:
		return "token-renewed", l.renews(r)
	}
	return "", false
}

// scheduled tells the names that the CronJob controller gives to Jobs: a dash
// and the scheduled time in minutes since the Unix epoch
// (pkg/controller/cronjob/utils.go, getJobName).
func scheduled(name string) bool {
	dash := strings.LastIndexByte(name, '-')
	if len(name)-dash-1 != len("29000000") {
		return false
	}
	_, err := strconv.ParseUint(name[dash+1:], 10, 32)
	return err == nil
}

func (o *object) ownedBy(resource string) bool {
	for _, w := range o.owners {
		if w.key.resource == resource {
			return true
		}
	}
	return false
}

// renewAfter is younger than any token a kubelet renews: it does so after 80 %
// of a token's life, which is ten minutes at least
// (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken).
const renewAfter = 8 * 60 * second

// renews tells whether a kubelet asks for a token for a pod that has had one
// for long.
func (l *Linker) renews(r *request) bool {
	o := l.index.byUID[boundPod(r.event)]
	if o == nil || o.tokens < 2 {
		return false
	}
	made := o.own.last(kindCreated | kindBound)
	return made != nil && r.received-made.received > renewAfter
}

// newTick opens the autonomous context that a component's request starts.
// Origin is the context that set the clock, nil when it is unknown.
func newTick(root *audit.Event, origin *contextState) *contextState {
	return &contextState{id: autonomousID(root), root: root, origin: origin, autonomous: true}
}
