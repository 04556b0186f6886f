package noise_test

import (
	"fmt"
	"log"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/noise"
)

func Example() {
	policy, err := noise.Parse("backup.yaml", []byte(`
apiVersion: whet/v1
kind: NoisePolicy
extends: default
rules:
  - id: backup
    reason: The backup job lists everything every night.
    decision: drop
    match:
      verbs: [get, list]
      users: ["system:serviceaccount:backup:*"]
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, resource := range []string{"configmaps", "secrets"} {
		d := policy.Decide(&audit.Event{
			Verb:      "list",
			User:      audit.User{Username: "system:serviceaccount:backup:nightly"},
			HasObject: true,
			Object:    audit.ObjectRef{Resource: resource, APIVersion: "v1"},
		})
		fmt.Printf("%s: %s by %s: %s\n", resource, d.Action, d.Rule, d.Reason)
	}
	// Output:
	// configmaps: drop by backup: The backup job lists everything every night.
	// secrets: keep by protect.secretReads: The request reads secrets.
}
