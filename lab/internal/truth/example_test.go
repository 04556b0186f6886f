package truth_test

import (
	"fmt"
	"time"

	"github.com/whet-k8s/whet/lab/internal/truth"
)

// Alice runs a pod whose name is a token; the kubelet's answer holds the token.
func ExampleAttribute() {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	journal := &truth.Journal{
		Chains:   []truth.Chain{{Scenario: "pod", Mode: "alone", Tokens: []truth.Token{{Text: "zq012345678n2m"}}}},
		Commands: []truth.Command{{User: "alice", Text: "kubectl run zq012345678n2m", Start: noon, End: noon.Add(time.Second), Settled: noon.Add(5 * time.Second)}},
	}
	var events []*truth.Event
	for _, line := range []string{
		`{"auditID":"a","verb":"create","user":{"username":"alice"},"objectRef":{"resource":"pods","name":"zq012345678n2m"},"requestReceivedTimestamp":"2026-11-23T12:00:00.500000Z"}`,
		`{"auditID":"b","verb":"patch","user":{"username":"system:node:n"},"objectRef":{"resource":"pods","subresource":"status","name":"zq012345678n2m"},"requestReceivedTimestamp":"2026-11-23T12:00:02.000000Z"}`,
	} {
		e, err := truth.ReadEvent([]byte(line))
		if err != nil {
			fmt.Println(err)
			return
		}
		events = append(events, e)
	}
	found, err := truth.Attribute(events, journal, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range found.Lines {
		fmt.Println(*l.Context, l.Role, l.User, l.Verb)
	}
	// Output:
	// c0000 root alice create
	// c0000 effect system:node:n patch
}
