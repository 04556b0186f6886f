package why_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/pipeline/why"
)

// Who deleted this pod, which nobody meant to delete?
func ExampleAsk() {
	target, err := why.ParseTarget("pod/data/web-api-dd7dd68c6-mvdgb")
	if err != nil {
		log.Fatal(err)
	}
	answer, err := why.Ask(context.Background(), []string{"../../recordings/day.audit.jsonl.zst"}, nil, pipeline.Options{}, target, false)
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range answer.Chains[0].Steps {
		fmt.Printf("%s: %s\n", step.User, step.Action)
	}
	// Output:
	// system:node:worker1: delete pod data/web-api-dd7dd68c6-mvdgb
	// system:serviceaccount:kube-system:replicaset-controller: delete pod data/web-api-dd7dd68c6-mvdgb
	// system:serviceaccount:kube-system:deployment-controller: update replicaset data/web-api-dd7dd68c6
	// alice: roll back deployment data/web-api
}

// TestEveryDeletedPodHasAnAnswer asks for each pod that somebody deleted, and
// wants a chain that ends with a person, and never goes forward in time by more
// than an answer can overtake its cause in the log.
func TestEveryDeletedPodHasAnAnswer(t *testing.T) {
	const recording = "../../recordings/day.metadata.jsonl.zst"
	deleted := map[string]bool{}
	_, err := pipeline.Run(context.Background(), []string{recording}, nil, pipeline.Options{}, pipeline.Sink{
		Assignment: func(as *link.Assignment) error {
			ref := as.Event.Object
			if as.Event.Verb == "delete" && ref.Resource == "pods" && len(deleted) < 6 {
				deleted["pod/"+ref.Namespace+"/"+ref.Name] = true
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	for name := range deleted {
		target, err := why.ParseTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := why.Ask(context.Background(), []string{recording}, nil, pipeline.Options{}, target, true)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, chain := range answer.Chains {
			last := chain.Steps[len(chain.Steps)-1]
			if chain.Broken != "" || last.Role == link.RoleEffect || last.Cause != "" {
				t.Errorf("%s: the chain ends with %+v (%s)", name, last, chain.Broken)
			}
			for i := 1; i < len(chain.Steps); i++ {
				if chain.Steps[i].AuditID != chain.Steps[i-1].Cause {
					t.Errorf("%s: step %d is not the cause of the one before", name, i)
				}
			}
		}
	}
}

func TestNotFound(t *testing.T) {
	target, err := why.ParseTarget("pod/nowhere/at-all")
	if err != nil {
		t.Fatal(err)
	}
	_, err = why.Ask(context.Background(), []string{"../../recordings/crowd.metadata.jsonl.zst"}, nil, pipeline.Options{}, target, false)
	var notFound *why.NotFoundError
	if !errors.As(err, &notFound) || notFound.Target != target {
		t.Errorf("error %v, want one that says that the pod was not found", err)
	}
}
