package edit_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
)

// TestCommandsWithSeveralObjects wants the label of the command's root to be
// proposed for what follows from each of its objects, and that of the object's
// own request beside it.
func TestCommandsWithSeveralObjects(t *testing.T) {
	s := open(t, copyLog(t, read(t, filepath.Join("..", "..", "recordings", "crowd.metadata.jsonl.zst"))), edit.Options{})
	defer s.close(t)
	s.learn(t)
	both := 0
	for i := 0; i < s.Len(); i += 7 {
		list, err := s.Proposals(i)
		if err != nil {
			t.Fatal(err)
		}
		var linker, object label.Label
		for _, p := range list {
			for _, r := range p.Reasons {
				switch r.Source {
				case edit.FromLinker:
					linker = p.Label
				case edit.FromContext:
					object = p.Label
				}
			}
		}
		if object == 0 || object == linker {
			continue
		}
		both++
		if got, ok := edit.Choose(list, "l"); !ok || got != linker {
			t.Fatalf("l gives %d, not %d", got, linker)
		}
	}
	if both < 15 {
		t.Errorf("%d events have a label of their command and another one of their object", both)
	}
}

// TestModelOfItsOwn lets the model that whet comes with label the log.
func TestModelOfItsOwn(t *testing.T) {
	m, err := model.Default()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, copyLog(t, read(t, web)), edit.Options{})
	defer s.close(t)
	err = s.Analyse(context.Background(), edit.Analysis{
		Model:       m,
		Opinions:    func(opinions []edit.Opinion, _ int64) error { return s.Learn(opinions) },
		Predictions: func(p []edit.Prediction) error { s.Predict(p); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Proposals(8)
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := edit.Choose(list, "t"); !ok || l != 65984 {
		t.Errorf("the model's label is %d, %v", l, ok)
	}
	if list, err = s.Proposals(0); err != nil {
		t.Fatal(err)
	}
	if l, ok := edit.Choose(list, "t"); ok {
		t.Errorf("background has the model's label %d", l)
	}
}
