package edit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/edit"
)

func TestFind(t *testing.T) {
	s := open(t, copyLog(t, read(t, web)), edit.Options{})
	defer s.close(t)
	f := s.Finder()
	holds := func(i int, text string) bool {
		ev, err := s.Event(i)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(ev.Raw, []byte(text))
	}
	for _, text := range []string{"alice", `"verb":"delete"`, "kube-scheduler", `{"kind":"Event"`, "nobody-has-this", "}\n{"} {
		for from := range s.Len() {
			for _, step := range []int{1, -1} {
				want, ok := from, false
				for k := 1; k <= s.Len() && !ok; k++ {
					want = (from + k*step + k*s.Len()) % s.Len()
					ok = holds(want, text)
				}
				got, found, err := f.Find(context.Background(), text, from, step)
				if err != nil || found != ok || ok && got != want {
					t.Fatalf("%q from %d by %d: %d %v %v, want %d %v", text, from, step, got, found, err, want, ok)
				}
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := f.Find(ctx, "alice", 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was called off: %v", err)
	}
}

// TestFindAcrossBlocks searches a log of many blocks for texts that lie on
// their borders.
func TestFindAcrossBlocks(t *testing.T) {
	line := bytes.TrimSpace(bytes.SplitN(read(t, web), []byte("\n"), 2)[0])
	var log bytes.Buffer
	for log.Len() < 5<<20 {
		fmt.Fprintf(&log, "%s,\"mark\":\"<%07d>\"}\n", line[:len(line)-1], log.Len())
	}
	s := open(t, copyLog(t, log.Bytes()), edit.Options{})
	defer s.close(t)
	f := s.Finder()
	for i := 0; i < s.Len(); i += 97 {
		text := fmt.Sprintf("<%07d>", s.Entry(i).Offset)
		for _, step := range []int{1, -1} {
			if got, ok, err := f.Find(context.Background(), text, s.Len()/2, step); got != i || !ok || err != nil {
				t.Fatalf("%s by %d: %d %v %v, want %d", text, step, got, ok, err, i)
			}
		}
	}
}

func TestPredictions(t *testing.T) {
	s := open(t, copyLog(t, read(t, web)), edit.Options{})
	defer s.close(t)
	s.learn(t)
	var annotations, predicted, labelled strings.Builder
	for i := range s.Len() {
		ev, err := s.Event(i)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&annotations, `{"line":%d,"auditID":%q,"stage":%q,"context":null,"label":65984,"confidence":0.5}`+"\n", i+1, ev.AuditID, ev.Stage)
		fmt.Fprintf(&predicted, `{"line":%d,"auditID":%q,"stage":%q,"context":null,"label":65984,"confidence":0.9,"predicted_confidence":0.5}`+"\n", i+1, ev.AuditID, ev.Stage)
		fmt.Fprintf(&labelled, `%s,"label":1,"predicted_label":65984,"confidence":0.5}`+"\n", ev.Raw[:len(ev.Raw)-1])
	}
	for form, text := range map[string]string{"annotations": annotations.String(), "predicted": predicted.String(), "labelled": labelled.String()} {
		var got []edit.Prediction
		err := s.Predictions().Read(context.Background(), strings.NewReader(text), func(p []edit.Prediction) error {
			got = append(got, p...)
			return nil
		})
		if err != nil || len(got) != s.Len() {
			t.Fatalf("%s: %d predictions, %v", form, len(got), err)
		}
		for i, p := range got {
			if want := (edit.Prediction{Event: i, Label: 65984, Confidence: 0.5}); p != want {
				t.Fatalf("%s: %+v, want %+v", form, p, want)
			}
		}
		s.Predict(got)
	}
	list, err := s.Proposals(0)
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := edit.Choose(list, "t"); !ok || l != 65984 || list[0].Label != l {
		t.Errorf("the model's proposal is %d, %v, and %d goes first", l, ok, list[0].Label)
	}
	s.Predict([]edit.Prediction{{Event: 0, Label: 65984, Confidence: 0.01}})
	if list, err = s.Proposals(0); err != nil || list[0].Label == 65984 {
		t.Errorf("a model that hardly believes itself goes first, %v", err)
	}
	for text, want := range map[string]string{
		annotations.String()[:10]:                              "no prediction",
		`{"line":1,"auditID":"x","stage":"y","label":65984}`:   "another log",
		`{"line":99,"auditID":"x","stage":"y","label":65984}`:  "no event",
		`{"line":1,"auditID":"x","stage":"y"}`:                 "neither",
		`{"line":1,"auditID":"x","stage":"y","label":4401000}`: "label 4401000",
		labelled.String() + labelled.String():                  "more predictions",
	} {
		err := s.Predictions().Read(context.Background(), strings.NewReader(text), func([]edit.Prediction) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%.60s…: the error is %v, want %q", text, err, want)
		}
	}
}

func TestComplete(t *testing.T) {
	s := open(t, copyLog(t, read(t, web)), edit.Options{})
	defer s.close(t)
	names := s.Names()
	ev := &audit.Event{Object: audit.ObjectRef{Namespace: "shop", Name: "web"}}
	for typed, want := range map[string]string{
		"65984":         "patch apps/v1/deployments, one object in a namespace",
		"-1":            "unknown",
		"-2":            "ignored",
		"patch deploy":  "patch apps/v1/deployments, one object in a namespace",
		"PATCH Scale":   "patch apps/v1/deployments/scale, one object in a namespace",
		"deploy/scale":  "get apps/v1/deployments/scale, one object in a namespace",
		"create pods":   "create core/v1/pods, one object in a namespace",
		"conjure pods":  "",
		"delete namesp": "delete core/v1/namespaces, one object in a namespace",
		"":              "",
	} {
		got := ""
		if list := names.Complete(typed, ev); len(list) > 0 {
			got = list[0].String()
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", typed, got, want)
		}
	}
}
