package label_test

import (
	"fmt"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
)

func Example() {
	codec := label.New(label.Options{})
	replicas := int32(4)
	ev := &audit.Event{
		RequestURI: "/apis/apps/v1/namespaces/payments/deployments/web/scale",
		Verb:       "patch",
		HasObject:  true,
		Object: audit.ObjectRef{
			Resource: "deployments", Subresource: "scale", Namespace: "payments", Name: "web",
			APIGroup: "apps", APIVersion: "v1",
		},
		Request: &audit.Body{Replicas: &replicas, Patch: "merge", PatchPaths: []string{"spec.replicas"}},
	}
	l := codec.EncodeEvent(ev)
	action, err := codec.Decode(l)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l, action)
	fmt.Println(label.Sentence(ev))
	// Output:
	// 67008 patch apps/v1/deployments/scale, one object in a namespace
	// scale deployment payments/web to 4
}

func ExampleCodec_Propose() {
	codec := label.New(label.Options{})
	request := label.Request{Verb: "create", Resource: "pods", Subresource: "eviction", Namespace: "shop", Name: "cache"}
	for _, p := range codec.Propose(request, label.Facts{}) {
		fmt.Printf("%d %s %s: %s\n", p.Label, p.Action.Verb, p.Action.Resource, p.Reason)
	}
	// Output:
	// 5009 create pods: the request itself
	// 4512 delete pods: eviction is a step of deleting the pod
}
