package export

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline"
)

// labelled analyses a log of testdata, gives each event a label under the key
// "model" in its Raw as a function says, and passes it on.
func labelled(t *testing.T, name string, labelOf func(*pipeline.Annotation) string, each func(*pipeline.Annotation)) {
	t.Helper()
	sink := pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
		copied := *a
		copied.Raw = append([]byte(strings.TrimSuffix(string(a.Raw), "}")), labelOf(a)+"}"...)
		each(&copied)
		return nil
	}}
	options := pipeline.Options{KeepRaw: true}
	if _, err := pipeline.Run(t.Context(), []string{"testdata/" + name}, nil, options, sink); err != nil {
		t.Fatal(err)
	}
}

// TestLabelledAgrees gives the log the labels that the linker would, and wants
// the contexts that the linker found, with the numbers that it counted.
func TestLabelledAgrees(t *testing.T) {
	l := NewLabelled("model")
	labelled(t, "pod.audit.jsonl", func(a *pipeline.Annotation) string { return fmt.Sprintf(`,"model":%d`, a.Label) }, func(a *pipeline.Annotation) {
		if err := l.Add(a); err != nil {
			t.Fatal(err)
		}
		if no, err := l.Unclassified(a); err != nil || no {
			t.Errorf("line %d is unclassified: %v", a.Line, err)
		}
	})
	got, want := l.Actions(), load(t, "pod.audit.jsonl").contexts
	for _, c := range want {
		c.Cluster = ""
		// Only the rules of a live server ask for these, and no export has them.
		c.Reads, c.Power = nil, nil
	}
	for _, c := range got {
		c.ReadOnly = false
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the labelled log gives other contexts (-linker +labels):\n%s", diff)
	}
	if l.Events() != 2*26 {
		t.Errorf("%d events with a label", l.Events())
	}
}

func TestLabelledUnclassified(t *testing.T) {
	codec := label.New(label.Options{})
	for _, c := range []struct {
		name, member string
		want         bool
	}{
		{"no label", ``, true},
		{"null", `,"model":null`, true},
		{"unknown", `,"model":-1`, true},
		{"ignored", `,"model":-2`, false},
		{"the label of something else", `,"model":119232`, true},
		{"a text", `,"model":"119232"`, true},
		{"the own one", `,"model":OWN`, false},
		{"that of the root", `,"model":"ROOT"`, false},
		{"another key", `,"label":OWN`, true},
	} {
		l := NewLabelled("model")
		n := 0
		labelled(t, "pod.audit.jsonl", func(a *pipeline.Annotation) string {
			return strings.NewReplacer("OWN", fmt.Sprint(codec.EncodeEvent(a.Event)), "ROOT", fmt.Sprint(a.Label)).Replace(c.member)
		}, func(a *pipeline.Annotation) {
			got, err := l.Unclassified(a)
			if err != nil {
				t.Fatal(err)
			}
			if got {
				n++
			}
		})
		if want := map[bool]int{true: 26}[c.want]; n != want {
			t.Errorf("%s: %d of 26 events are unclassified, want %d", c.name, n, want)
		}
	}
}

// TestLabelledGroups gives the watch and the token of a context another label:
// what carries it is an action only where a request is what the label names.
func TestLabelledGroups(t *testing.T) {
	l := NewLabelled("model")
	labelled(t, "pod.audit.jsonl", func(a *pipeline.Annotation) string {
		switch a.Event.Object.Subresource {
		case "token":
			return fmt.Sprintf(`,"model":%d`, label.New(label.Options{}).EncodeEvent(a.Event))
		case "binding":
			return `,"model":119232`
		}
		return fmt.Sprintf(`,"model":%d`, a.Label)
	}, func(a *pipeline.Annotation) {
		if err := l.Add(a); err != nil {
			t.Fatal(err)
		}
	})
	var got []string
	for _, c := range l.Actions() {
		got = append(got, fmt.Sprintf("%s: %s, %d events", c.Actor.Username, c.Action, c.Events))
	}
	want := []string{
		"dave: create pod shop-test/cache, 13 events",
		"system:node:worker1: create token for serviceaccount shop-test/default of pod cache, 1 events",
		"dave: set image of pod shop-test/cache to y, 2 events",
		"dave: annotate pod shop-test/cache (note), 2 events",
		"dave: delete pod shop-test/cache, 7 events",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLabelledWrongLabel(t *testing.T) {
	for _, member := range []string{`,"model":"pods"`, `,"model":1.5`, `,"model":[1]`, `,"model":99999999999999999999`, `,"model":{`} {
		l := NewLabelled("model")
		labelled(t, "pod.audit.jsonl", func(*pipeline.Annotation) string { return member }, func(a *pipeline.Annotation) {
			if err := l.Add(a); err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("testdata/pod.audit.jsonl line %d: ", a.Line)) {
				t.Errorf("%s: got %v", member, err)
			}
		})
	}
}
