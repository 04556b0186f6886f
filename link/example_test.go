package link_test

import (
	"fmt"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
)

// A person deletes a Deployment, and the garbage collector deletes its
// ReplicaSet: the log has both requests, the linker ties the second to the
// first.
func Example() {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	event := func(id, user, verb, resource, name string, after time.Duration) *audit.Event {
		return &audit.Event{
			AuditID: id, Verb: verb, Stage: audit.StageResponseComplete,
			User:   audit.User{Username: user},
			Object: audit.ObjectRef{APIGroup: "apps", Resource: resource, Namespace: "shop", Name: name},
			Status: audit.Status{Code: 200}, HasObject: true,
			RequestReceived: start.Add(after), StageTime: start.Add(after + 3*time.Millisecond),
		}
	}
	const controllers = "system:serviceaccount:kube-system:"
	log := []*audit.Event{
		event("1", "alice", "create", "deployments", "web", 0),
		event("2", controllers+"deployment-controller", "create", "replicasets", "web-6b5f", 10*time.Millisecond),
		event("3", "bob", "delete", "deployments", "web", 5*time.Minute),
		event("4", controllers+"generic-garbage-collector", "delete", "replicasets", "web-6b5f", 5*time.Minute+10*time.Millisecond),
	}
	said := map[string]link.Assignment{}
	linker := link.New(link.Options{}, func(a link.Assignment) { said[a.Event.AuditID] = a }, nil)
	for _, ev := range log {
		linker.Add(ev, 0)
	}
	linker.Close()
	for _, id := range []string{"2", "4"} {
		a := said[id]
		fmt.Printf("%s: %s of %s by %s (%s)\n", id, a.Role, a.Cause, a.Root.User.Username, a.Evidence)
	}
	// Output:
	// 2: effect of 1 by alice (a change of its owner)
	// 4: effect of 3 by bob (a change of its owner)
}
