package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/nn"
)

// recording reads a log of a recording that the repository ships.
func recording(t testing.TB, name string) Data {
	t.Helper()
	sources, err := Recordings(filepath.Join("..", "..", "recordings", name))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sources, func(s Source) bool { return s.Name == name+".metadata" })
	d, err := Load(t.Context(), sources[i])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// quick is a plan that takes a second.
func quick(kind nn.Kind) Plan {
	p := Plan{Shape: DefaultShape(), Options: Options{Epochs: 4, Rate: 0.01, Seed: 5, Unseen: 0.05, Workers: 2}, Validation: 0.2}
	p.Shape.Kind, p.Shape.Width, p.Shape.Hidden, p.Shape.Layers = kind, 16, 16, 1
	p.Shape.Window, p.Shape.Stride = 20, 10
	return p
}

// part gives the first lines of a log.
func part(d Data, lines int) Data { return d.with(d.Sequence.Slice(0, lines)) }

func weights(m *model.Model) []byte {
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// TestTrainingLearns trains on the first part of a log, and expects labels of
// the last part that the most frequent label alone does not give.
func TestTrainingLearns(t *testing.T) {
	d := recording(t, "crowd")
	training, test := Holdback(d.Sequence, 0.5, 60)
	for _, kind := range []nn.Kind{nn.Relational, nn.BiLSTM} {
		m, history, err := quick(kind).Train(t.Context(), []Data{d.with(training.Slice(0, 2000))})
		if err != nil {
			t.Fatal(err)
		}
		if first, last := history[0], history[len(history)-1]; last.Loss >= first.Loss {
			t.Errorf("%s: the loss went from %v to %v", kind, first.Loss, last.Loss)
		}
		measured, err := Measure(m, test.Slice(0, 1000))
		if err != nil {
			t.Fatal(err)
		}
		if f := measured.Voted.Figures(); f.Accuracy < 0.9 {
			t.Errorf("%s: the accuracy on other lines is %v", kind, f.Accuracy)
		}
	}
}

// TestTrainingIsReproducible trains with one goroutine and with three, and in
// two goes with a checkpoint between them, and expects the same model.
func TestTrainingIsReproducible(t *testing.T) {
	data := []Data{part(recording(t, "crowd"), 800)}
	plan := quick(nn.Relational)
	whole, history, err := plan.Train(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	more := plan
	more.Options.Workers = 3
	other, _, err := more.Train(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(whole), weights(other)) {
		t.Error("three goroutines make another model than two")
	}

	parted := plan
	parted.Options.Checkpoint, parted.Options.Resume = filepath.Join(t.TempDir(), "checkpoint"), true
	ctx, stop := context.WithCancel(t.Context())
	parted.Options.Progress = func(e Epoch) {
		if e.Number == 2 {
			stop()
		}
	}
	if _, _, err := parted.Train(ctx, data); !errors.Is(err, context.Canceled) {
		t.Fatalf("the error of a training that was stopped is %v", err)
	}
	again, resumed, err := parted.Train(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(whole), weights(again)) {
		t.Error("a training that was stopped and went on makes another model")
	}
	if len(resumed) != len(history) {
		t.Errorf("the history has %d epochs, not %d", len(resumed), len(history))
	}
}

func TestCheckpointOfAnotherTraining(t *testing.T) {
	data := []Data{part(recording(t, "crowd"), 300)}
	plan := quick(nn.Relational)
	plan.Options.Epochs = 1
	plan.Options.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	if _, _, err := plan.Train(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	plan.Options.Resume = true
	seed, truth, labelled := plan, slices.Clone(data), slices.Clone(data)
	seed.Options.Seed++
	truth[0].About.Truth = strings.Repeat("0", 64)
	labelled[0] = data[0].with(data[0].Sequence.Slice(0, 300))
	labelled[0].Sequence.Lines = slices.Clone(labelled[0].Sequence.Lines)
	for i := range labelled[0].Sequence.Lines {
		if l := &labelled[0].Sequence.Lines[i]; l.Target != model.NoLabel {
			l.Target = 65936
		}
	}
	for want, c := range map[string]struct {
		plan Plan
		data []Data
	}{"differs in: seed": {seed, data}, "differs in: data": {plan, truth}, "labels": {plan, labelled}} {
		if _, _, err := c.plan.Train(t.Context(), c.data); err == nil || !strings.Contains(err.Error(), "another training") || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, and should tell %q", err, want)
		}
	}
	if err := os.WriteFile(plan.Options.Checkpoint, []byte("not a checkpoint"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := plan.Train(t.Context(), data); err == nil || !strings.Contains(err.Error(), plan.Options.Checkpoint) {
		t.Errorf("the error is %v", err)
	}
}

// TestRunningAway trains with a rate at which the weights overflow.
func TestRunningAway(t *testing.T) {
	plan := quick(nn.Relational)
	plan.Options.Rate = 1e30
	if _, _, err := plan.Train(t.Context(), []Data{part(recording(t, "crowd"), 300)}); err == nil || !strings.Contains(err.Error(), "the weights have run away") {
		t.Errorf("the error is %v", err)
	}
}

// TestHeader wants the header to say which epoch was the best, and the figures
// of what was held back.
func TestHeader(t *testing.T) {
	m, history, err := quick(nn.Relational).Train(t.Context(), []Data{part(recording(t, "crowd"), 1000)})
	if err != nil {
		t.Fatal(err)
	}
	best := m.Training.Best
	if best < 1 || best > len(history) || !history[best-1].Best || m.Figures["validation_loss"] != history[best-1].Validation {
		t.Errorf("epoch %d is said to be the best of %+v, with %v", best, history, m.Figures)
	}
	if m.Figures["validation_lines"] < 100 || m.Figures["validation_accuracy"] <= 0 || m.Figures["validation_macro_f1"] <= 0 {
		t.Errorf("the figures are %v", m.Figures)
	}
	if d := m.Training.Data[0]; len(d.SHA256) != 64 || len(d.Truth) != 64 || len(d.Contexts) != 64 || d.Name != "crowd.metadata" {
		t.Errorf("the data is %+v", d)
	}
}

// TestStudyGoesOn wants trials that had ended only to be measured again, and
// every trial to be handed over.
func TestStudyGoesOn(t *testing.T) {
	plan := quick(nn.Relational)
	plan.Options.Epochs, plan.Options.Resume = 1, true
	trained := 0
	plan.Options.Progress = func(Epoch) { trained++ }
	var handed []string
	s := Study{Plan: plan, Data: []Data{part(recording(t, "crowd"), 800)}, Checkpoints: t.TempDir(), Done: func(t Trial) error {
		handed = append(handed, FileName(t.Name))
		return nil
	}}
	var figures [2]Figures
	for i := range figures {
		trials, err := s.Folds(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		figures[i] = trials[0].All.Voted.Figures()
	}
	if trained != 2 || figures[0] != figures[1] {
		t.Errorf("%d trainings of two trials, %+v and %+v", trained, figures[0], figures[1])
	}
	if want := []string{"fold-1-of-2", "fold-2-of-2"}; !slices.Equal(handed[:2], want) || len(handed) != 4 {
		t.Errorf("handed over: %q", handed)
	}
}

func TestRankOf(t *testing.T) {
	// The linker's label stands first, with the second largest share.
	votes := []model.Scored{{Label: 1, Score: 0.2}, {Label: 2, Score: 0.7}, {Label: 3, Score: 0.1}}
	for l, want := range map[label.Label]int{1: 2, 2: 1, 3: 3, 4: 0} {
		if got := rankOf(votes, l); got != want {
			t.Errorf("label %d has the rank %d, want %d", l, got, want)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	data := []Data{part(recording(t, "crowd"), 300)}
	for want, change := range map[string]func(*Plan){
		`named "nosuch"`:       func(p *Plan) { p.HoldOut = "nosuch" },
		"nothing is left":      func(p *Plan) { p.HoldOut = "crowd" },
		"making a model: netw": func(p *Plan) { p.Shape.Width = 0 },
	} {
		p := quick(nn.Relational)
		change(&p)
		if _, _, err := p.Train(t.Context(), data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, and should tell %q", err, want)
		}
	}
}

// TestNothingLeaks holds for every kind of split that no window of what is
// trained on shows a line that is measured.
func TestNothingLeaks(t *testing.T) {
	d := recording(t, "crowd")
	const window = 25
	plan := quick(nn.Relational)
	plan.Shape.Window = window
	study := Study{Plan: plan, Data: []Data{d}}
	before, after := Holdback(d.Sequence, 0.3, window)
	trials := append(study.folds(5, plan), trial{name: "hold back", train: []Data{d.with(before)}, test: []*model.Sequence{after}})
	for _, tr := range trials {
		measured := map[int]bool{}
		first, last := math.MaxInt, 0
		for _, s := range tr.test {
			for i := range s.Lines {
				measured[s.Lines[i].At] = true
				first, last = min(first, s.Lines[i].At), max(last, s.Lines[i].At)
			}
		}
		for _, d := range tr.train {
			s := d.Sequence
			if len(s.Lines) == 0 {
				continue
			}
			for i := range s.Lines {
				if measured[s.Lines[i].At] {
					t.Fatalf("%s: line %d is trained on and measured", tr.name, s.Lines[i].At)
				}
			}
			if end := s.Lines[len(s.Lines)-1].At; end < first && first-end < window {
				t.Errorf("%s: only %d lines lie before what is measured", tr.name, first-end)
			}
			if begin := s.Lines[0].At; begin > last && begin-last < window {
				t.Errorf("%s: only %d lines lie after what is measured", tr.name, begin-last)
			}
		}
	}
	lines := 0
	for _, tr := range study.folds(5, plan) {
		for _, s := range tr.test {
			lines += len(s.Lines)
		}
	}
	if lines != len(d.Sequence.Lines) {
		t.Errorf("the folds measure %d of %d lines", lines, len(d.Sequence.Lines))
	}
}

// TestFiguresAgreeWithEvaluate computes the figures of the linker's labels here
// and in package evaluate.
func TestFiguresAgreeWithEvaluate(t *testing.T) {
	d := recording(t, "crowd")
	truth, err := evaluate.Load(t.Context(), d.Source.Truth)
	if err != nil {
		t.Fatal(err)
	}
	confusion := NewConfusion()
	var all []evaluate.Annotation
	for i := range d.Sequence.Lines {
		l := &d.Sequence.Lines[i]
		said := l.Proposed()
		if l.Target != model.NoLabel {
			confusion.Add(l.Target, said)
		}
		all = append(all, evaluate.Annotation{Line: l.At, Label: &said})
	}
	for _, o := range d.Sequence.Outside {
		confusion.Add(o.Target, o.Own)
		all = append(all, evaluate.Annotation{Line: o.At, Label: &o.Own})
	}
	want, err := evaluate.Score(truth, func(yield func(evaluate.Annotation, error) bool) {
		for _, a := range all {
			if !yield(a, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := confusion.Figures()
	if math.Abs(got.Accuracy-want.LabelAccuracy.Value) > 6e-5 || math.Abs(got.MacroF1-want.LabelMacroF1.Value) > 6e-5 {
		t.Errorf("accuracy %v and macro F1 %v; package evaluate says %v and %v", got.Accuracy, got.MacroF1, want.LabelAccuracy.Value, want.LabelMacroF1.Value)
	}
}

func TestConfusion(t *testing.T) {
	c := NewConfusion()
	for _, p := range []struct{ want, said label.Label }{{1, 1}, {1, 1}, {1, 2}, {2, 2}, {3, 2}} {
		c.Add(p.want, p.said)
	}
	half := NewConfusion()
	half.Merge(c)
	want := map[label.Label]Outcome{1: {Hit: 2, Missed: 1}, 2: {Hit: 1, Wrong: 2}, 3: {Missed: 1}}
	if diff := cmp.Diff(want, half.Classes()); diff != "" {
		t.Error(diff)
	}
	f := half.Figures()
	if f.Accuracy != 0.6 || f.Lines != 5 || f.Classes != 3 || math.Abs(f.MacroF1-(0.8+0.5)/3) > 1e-12 ||
		math.Abs(f.MacroPrecision-(1+1./3)/3) > 1e-12 || math.Abs(f.MacroRecall-(2./3+1)/3) > 1e-12 {
		t.Errorf("figures: %+v", f)
	}
	if diff := cmp.Diff([]Mistake{{1, 2, 1}}, c.Mistakes(1)); diff != "" {
		t.Error(diff)
	}
}

func TestStudies(t *testing.T) {
	day, crowd := part(recording(t, "day"), 1500), part(recording(t, "crowd"), 1500)
	plan := quick(nn.Relational)
	plan.Options.Epochs, plan.Validation = 1, 0
	plan.Shape.Drop = slices.DeleteFunc(model.FeatureNames(true), func(name string) bool { return name == "verb" || name == "role" })
	s := Study{Plan: plan, Data: []Data{day, crowd}, Repeat: 2}
	trials, err := s.LeaveOneOut(t.Context(), "all")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tr := range trials {
		names = append(names, tr.Name+": "+tr.Logs[0].Name)
	}
	want := []string{"day, seed 5: day.metadata", "day, seed 6: day.metadata", "crowd, seed 5: crowd.metadata", "crowd, seed 6: crowd.metadata"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if slices.ContainsFunc(trials[0].Model.Training.Data, func(d model.TrainingData) bool { return d.Name == "day.metadata" }) {
		t.Error("the recording that is left out was trained on")
	}
	s.Repeat = 1
	if trials, err = s.Folds(t.Context(), 2); err != nil || len(trials) != 2 || len(trials[0].Logs) != 2 {
		t.Errorf("two folds give %d trials, %v", len(trials), err)
	}
	for what, count := range map[string]int{"window": 7, "split": 9, "features": 1 + len(model.FeatureNames(true))} {
		if what == "features" && testing.Short() {
			continue
		}
		if trials, err = s.Sweep(t.Context(), what); err != nil || len(trials) != count {
			t.Errorf("the sweep over %s gives %d trials, not %d: %v", what, len(trials), count, err)
		}
	}
	if _, err := s.Sweep(t.Context(), "nosuch"); err == nil {
		t.Error("a sweep over nothing ran")
	}
	if _, err := s.LeaveOneOut(t.Context(), "nosuch"); err == nil {
		t.Error("a recording that is not there was left out")
	}
	if _, err := s.Folds(t.Context(), 1); err == nil {
		t.Error("one fold ran")
	}
}

func TestLabelAt(t *testing.T) {
	codec := label.New(label.Options{})
	for raw, want := range map[string]label.Label{
		`{"label":65936}`: 65936, `{"label":-1}`: model.NoLabel, `{"label":null}`: model.NoLabel, `{}`: model.NoLabel,
		`{"whet":{"label":3},"label":4400}`: 4400, `{"label":"65936"}`: 65936, `{"label":-2}`: label.Ignored,
	} {
		if got, err := labelAt(codec, []byte(raw), "label"); err != nil || got != want {
			t.Errorf("%s has the label %d, %v", raw, got, err)
		}
	}
	for _, raw := range []string{`{"label":"x"}`, `{"label":1.5}`, `{"label":`, `{"label":3}`, `{"label":99999999999}`, `{"label":[]}`} {
		if _, err := labelAt(codec, []byte(raw), "label"); err == nil {
			t.Errorf("%s was taken", raw)
		}
	}
}

func TestRecordings(t *testing.T) {
	folder := filepath.Join("..", "..", "recordings")
	in, err := Recordings(folder)
	if err != nil {
		t.Fatal(err)
	}
	fit, err := Recordings(filepath.Join(folder, "c*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(in) < 8 || len(fit) != 2 || fit[0].Name != "crowd.audit" || fit[1].Group != "crowd" {
		t.Errorf("%d logs in the folder, %v for the pattern", len(in), fit)
	}
	if _, err := Recordings(filepath.Join(folder, "nosuch")); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("the error is %v", err)
	}
	about, err := fit[0].hashes()
	if err != nil || len(about.SHA256) != 64 || len(about.Truth) != 64 || len(about.Contexts) != 64 {
		t.Errorf("the hashes are %+v, %v", about, err)
	}
	files, err := fit[0].Files()
	if err != nil || len(files) != 4 {
		t.Errorf("the files are %q, %v", files, err)
	}
}

func TestSpread(t *testing.T) {
	if mean, deviation := Spread([]float64{1, 3}); mean != 2 || deviation != 1 {
		t.Errorf("mean %v, deviation %v", mean, deviation)
	}
	if mean, deviation := Spread(nil); mean != 0 || deviation != 0 {
		t.Errorf("mean %v, deviation %v of nothing", mean, deviation)
	}
}

func ExamplePlan() {
	prefix := filepath.Join("..", "..", "recordings", "crowd")
	data, err := LoadAll(context.Background(), []Source{{Name: "crowd", Log: prefix + ".metadata.jsonl.zst", Truth: prefix}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	before, after := Holdback(data[0].Sequence, 0.3, 60)
	plan := Plan{Shape: DefaultShape(), Options: Options{Epochs: 2}, Validation: 0.1}
	m, history, err := plan.Train(context.Background(), []Data{{Source: data[0].Source, Sequence: before}})
	if err != nil {
		fmt.Println(err)
		return
	}
	measured, err := Measure(m, after)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(history), "epochs; nine in ten lines are right:", measured.Voted.Figures().Accuracy > 0.9)
	// Output: 2 epochs; nine in ten lines are right: true
}
