package link

import (
	"fmt"
	"testing"

	"github.com/whet-k8s/whet/audit"
)

// TestNothingHides has a command read many namespaces, and make a pod with many
// paths of its node, before it does what somebody should hear of.
func TestNothingHides(t *testing.T) {
	var r ContextRecord
	note := func(verb, resource, namespace string, host ...string) {
		r.note(&audit.Event{
			Verb: verb, Stage: audit.StageResponseComplete, HasObject: true, Status: audit.Status{Code: 200},
			Object:  audit.ObjectRef{Resource: resource, Namespace: namespace},
			Request: &audit.Body{Pod: audit.PodRefs{Host: host}},
		}, RoleClient, true)
	}
	for n := range 10 * maxPlaces {
		note("list", "pods", fmt.Sprint("n", n))
		note("create", "pods", "x", fmt.Sprint("hostPath /", n))
	}
	note("list", "secrets", "kube-system")
	note("create", "pods", "x", "hostPath /", "privileged")
	if r.Reads[Place{audit.GroupResource{Resource: "secrets"}, "kube-system"}] != 1 || len(r.Reads) != maxPlaces+1 {
		t.Errorf("%d places: %v", len(r.Reads), r.Reads)
	}
	if r.Power["privileged"] != 1 || r.Power["hostPath /"] != 1 || len(r.Power) != maxPower+2 {
		t.Errorf("%v", r.Power)
	}
}
