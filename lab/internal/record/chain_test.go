package record

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/scenario"
	"github.com/whet-k8s/whet/lab/internal/truth"
)

// newTestChain returns a chain of two people in a cluster that is only an empty
// audit log, in which kubectl is a shell script.
func newTestChain(t *testing.T, script string) *chain {
	t.Helper()
	dir := t.TempDir()
	lab, log := filepath.Join(dir, "lab"), filepath.Join(dir, "audit.log")
	for path, text := range map[string]string{lab: "#!/bin/sh\n" + script + "\n", log: ""} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // The script must run.
			t.Fatal(err)
		}
	}
	r := &recorder{
		plan: &Plan{Settle: scenario.Duration(50 * time.Millisecond)}, work: dir, tail: newTail(log),
		options: Options{Lab: lab, Progress: func(text string) { t.Log(text) }},
		journal: truth.Journal{Chains: []truth.Chain{{}}},
	}
	return &chain{
		r: r, phase: &Phase{Mode: Together}, scene: &scenario.Scenario{Name: "x"}, rng: rand.New(rand.NewPCG(1, 1)),
		people: [2]*actor{r.newActor("alice", &cluster.Access{}), r.newActor("bob", &cluster.Access{})}, values: map[string]string{}, tokens: []string{"zqaaaaaaaa1suw"},
	}
}

func TestStepsThatStartTogetherOverlap(t *testing.T) {
	steps := []scenario.Step{{Run: "kubectl scale", By: "first"}, {Run: "kubectl label", By: "second", Meanwhile: true}, {Run: "kubectl delete", By: "first"}}
	c := newTestChain(t, "sleep 0.3")
	if err := c.step(context.Background(), 0, 2, steps); err != nil {
		t.Fatal(err)
	}
	if err := c.step(context.Background(), 2, 1, steps); err != nil {
		t.Fatal(err)
	}
	cmds := c.r.journal.Commands
	if len(cmds) != 3 || cmds[0].End.Before(cmds[1].Start) || cmds[0].User == cmds[1].User || cmds[0].Step == cmds[1].Step {
		t.Fatalf("the commands %+v do not overlap", cmds)
	}
	for i, want := range []bool{true, false, false} {
		if cmds[i].Rapid != want || cmds[i].Restless {
			t.Errorf("command %d: rapid %v, restless %v; want rapid %v", i, cmds[i].Rapid, cmds[i].Restless, want)
		}
	}
	if cmds[2].Start.Before(cmds[1].Settled) {
		t.Error("the third step does not wait for silence")
	}
}

// One person cannot do two things at once.
func TestStepsOfOnePersonFollowEachOther(t *testing.T) {
	c := newTestChain(t, "sleep 0.1")
	c.people[1] = c.people[0]
	if err := c.step(context.Background(), 0, 2, []scenario.Step{{Run: "kubectl scale", By: "first"}, {Run: "kubectl label", By: "second", Meanwhile: true}}); err != nil {
		t.Fatal(err)
	}
	if cmds := c.r.journal.Commands; cmds[1].Start.Before(cmds[0].End) || !cmds[0].Rapid {
		t.Errorf("the commands %+v overlap, or the first is taken for settled", cmds)
	}
}

func TestAHangingStepSaysWhatItPrinted(t *testing.T) {
	c := newTestChain(t, `echo "$*"; echo no route >&2; sleep 60`)
	err := c.step(context.Background(), 0, 1, []scenario.Step{{Run: "kubectl get pods", By: "first", Timeout: scenario.Duration(300 * time.Millisecond)}})
	for _, want := range []string{"kubectl get pods", "took longer than 300ms", "  get pods", "  no route"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q in it", err, want)
		}
	}
}
