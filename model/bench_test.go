package model_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/train"
	"github.com/whet-k8s/whet/pipeline"
)

// linked is a log as a Predictor gets it.
type linked struct {
	assigned []link.Assignment
	added    []link.Assignment
	own      []label.Label
}

// linkRecording links a recording that the repository ships.
func linkRecording(t testing.TB, name string) *linked {
	t.Helper()
	var l linked
	sink := pipeline.Sink{
		Assignment: func(as *link.Assignment) error {
			l.assigned = append(l.assigned, *as)
			return nil
		},
		Annotation: func(a *pipeline.Annotation) error {
			l.added = append(l.added, train.AssignmentOf(a))
			l.own = append(l.own, a.Label)
			return nil
		},
	}
	log := filepath.Join("..", "recordings", name+".jsonl.zst")
	if _, err := pipeline.Run(context.Background(), []string{log}, nil, pipeline.Options{}, sink); err != nil {
		t.Fatal(err)
	}
	return &l
}

// BenchmarkPredictor measures features, network and vote; reading and linking
// the log are not in it.
func BenchmarkPredictor(b *testing.B) {
	m, err := model.Default()
	if err != nil {
		b.Fatal(err)
	}
	l := linkRecording(b, "day.metadata")
	codec := label.New(label.Options{})
	for b.Loop() {
		p := m.NewPredictor(codec, model.PredictorOptions{}, func(model.Prediction) error { return nil })
		for i := range l.assigned {
			p.Assigned(&l.assigned[i])
		}
		for i := range l.added {
			if err := p.Add(uint64(i), &l.added[i], l.own[i]); err != nil {
				b.Fatal(err)
			}
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(l.added)), "ns/line")
}
