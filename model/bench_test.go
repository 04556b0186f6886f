package model_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/pipeline"
)

// linked is a log as a Predictor gets it: calls of Assigned and Add in the
// order in which the pipeline makes them.
type linked []call

// call is one of Assigned, or of Add with the event's own label.
type call struct {
	as  link.Assignment
	own label.Label
	add bool
}

// feed makes the calls. Events are tagged with their place in the input.
func (l linked) feed(p *model.Predictor) error {
	next := uint64(0)
	for i := range l {
		c := &l[i]
		if !c.add {
			p.Assigned(&c.as)
			continue
		}
		if err := p.Add(next, &c.as, c.own); err != nil {
			return err
		}
		next++
	}
	return p.Close()
}

// events counts the events.
func (l linked) events() int {
	count := 0
	for i := range l {
		if l[i].add {
			count++
		}
	}
	return count
}

// linkRecording links a recording that the repository ships.
func linkRecording(t testing.TB, name string) linked {
	t.Helper()
	var l linked
	sink := pipeline.Sink{
		Assignment: func(as *link.Assignment) error {
			l = append(l, call{as: *as})
			return nil
		},
		Annotation: func(a *pipeline.Annotation) error {
			l = append(l, call{as: a.Assignment(), own: a.Label, add: true})
			return nil
		},
	}
	log := filepath.Join("..", "recordings", name+".jsonl.zst")
	if _, err := pipeline.Run(context.Background(), []string{log}, nil, pipeline.Options{}, sink); err != nil {
		t.Fatal(err)
	}
	return l
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
		if err := l.feed(p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*l.events()), "ns/line")
}
