package model

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
)

var update = flag.Bool("update", false, "write the golden files")

// TestEventFeatures holds what events of a recording say by themselves against
// a golden file.
func TestEventFeatures(t *testing.T) {
	data, err := os.ReadFile("testdata/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	x := NewExtractor(label.New(label.Options{}))
	var decoder audit.Decoder
	var got bytes.Buffer
	for i, raw := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var ev audit.Event
		if err := decoder.Decode(raw, audit.Position{Line: i + 1}, &ev); err != nil {
			t.Fatal(err)
		}
		var values [featureCount]string
		x.eventFeatures(&ev, &values)
		fmt.Fprintf(&got, "%s %s\n", ev.Verb, ev.RequestURI)
		for f, name := range FeatureNames(false) {
			if values[f] != "" {
				fmt.Fprintf(&got, "    %s: %s\n", name, values[f])
			}
		}
	}
	const golden = "testdata/events.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSplitAgent(t *testing.T) {
	for agent, want := range map[string][3]string{
		"kubectl/v1.37.2 (linux/amd64) kubernetes/4132564":                                                                  {"kubectl", "37", ""},
		"kube-scheduler/v1.36.0 (linux/amd64) kubernetes/4132564/leader-election":                                           {"kube-scheduler", "36", "leader-election"},
		"kube-controller-manager/v1.37.2 (linux/amd64) kubernetes/$Format/system:serviceaccount:kube-system:job-controller": {"kube-controller-manager", "37", "job-controller"},
		"pipeline/4.2 (go-http-client)":                                                                                     {"pipeline", "", ""},
		"hollow-kubelet":                                                                                                    {"hollow-kubelet", "", ""},
		"":                                                                                                                  {"", "", ""},
	} {
		tool, version, part := splitAgent(agent)
		if got := [3]string{tool, version, part}; got != want {
			t.Errorf("%q is split into %q, not %q", agent, got, want)
		}
	}
}

func TestComponent(t *testing.T) {
	for user, want := range map[string]string{
		"alice": "", "system:node:worker1": "node", "system:kube-scheduler": "system:kube-scheduler",
		"system:serviceaccount:kube-system:job-controller": "job-controller", "system:serviceaccount:ci:deployer": "account",
	} {
		if got := component(&audit.Event{User: audit.User{Username: user}}); got != want {
			t.Errorf("%s is the component %q, not %q", user, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Second: "later", 0: "0", 900 * time.Microsecond: "0", time.Millisecond: "1", 4 * time.Millisecond: "2",
		time.Second: "7", time.Hour: "14", 100 * 24 * time.Hour: "16",
	} {
		if got := ago(at.Add(d), at); got != want {
			t.Errorf("%s ago is in class %q, not %q", d, got, want)
		}
	}
}

func TestConfidenceBand(t *testing.T) {
	for c, want := range map[float64]string{0: "", 0.5: "25", 0.97: "49", 1: "50"} {
		if got := confidenceBand(c); got != want {
			t.Errorf("the confidence %v is in the band %q, not %q", c, got, want)
		}
	}
}
