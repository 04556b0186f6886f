package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/internal/durable"
	"github.com/whet-k8s/whet/model/nn"
	"github.com/whet-k8s/whet/model/safetensors"
)

// A checkpoint is a safetensors file: the weights, the two means of Adam and
// the best weights so far, each under a prefix, and in the metadata what else a
// training needs to go on as if it had never stopped.
const (
	checkpointKey = "whet-checkpoint"
	prefixWeight  = "weight/"
	prefixFirst   = "first/"
	prefixSecond  = "second/"
	prefixBest    = "best/"
)

// maxCheckpoint bounds a checkpoint file, in bytes.
const maxCheckpoint = 1 << 30

// progress is what a checkpoint knows besides matrices.
type progress struct {
	// Of tells which training it is a checkpoint of.
	Of        fingerprint `json:"of"`
	History   []Epoch     `json:"history"`
	Rate      float64     `json:"rate"`
	Steps     int         `json:"steps"`
	BestLoss  float64     `json:"best_loss,omitempty"`
	SinceBest int         `json:"since_best"`
	SinceCut  int         `json:"since_cut"`
}

// fingerprint tells trainings apart that would not go on alike: for each thing
// that decides how one goes, a digest of it.
type fingerprint map[string]string

func (s *state) fingerprint() (fingerprint, error) {
	m, o := s.model, s.options
	validation := 0
	if s.validation != nil {
		validation = s.validation.Lines()
	}
	f := fingerprint{}
	for name, value := range map[string]any{
		"network": m.Net().Config(), "window": m.Window, "features": m.Features, "vocabulary": m.Vocabulary, "labels": m.Labels,
		"data": m.Training.Data, "lines": []int{s.train.Lines(), validation}, "batch": o.Batch, "rate": o.Rate, "hide": o.Unseen,
		"seed": o.Seed, "plateau": o.Plateau, "patience": o.Patience,
	} {
		b, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("naming the training: %w", err)
		}
		sum := sha256.Sum256(b)
		f[name] = hex.EncodeToString(sum[:8])
	}
	return f, nil
}

// unlike names what two trainings do not have in common.
func (f fingerprint) unlike(other fingerprint) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name] != other[name] {
			names = append(names, name)
		}
	}
	return names
}

// save writes a checkpoint, beside the old one until it is whole.
func (s *state) save(path string) error {
	of, err := s.fingerprint()
	if err != nil {
		return err
	}
	p := progress{
		Of: of, History: s.history, Rate: s.trainer.Adam.Rate, Steps: s.trainer.Adam.Steps,
		SinceBest: s.sinceBest, SinceCut: s.sinceCut,
	}
	if !math.IsInf(s.bestLoss, 1) {
		p.BestLoss = s.bestLoss
	}
	metadata, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the checkpoint %s: %w", path, err)
	}
	var tensors []safetensors.Tensor
	add := func(prefix string, p *nn.Param, data []float32) {
		tensors = append(tensors, safetensors.Tensor{Name: prefix + p.Name, Rows: p.Rows, Cols: p.Cols, Data: data})
	}
	for i, p := range s.model.Net().Params() {
		add(prefixWeight, p, p.Data)
		add(prefixFirst, p, s.trainer.Adam.First[i].Data)
		add(prefixSecond, p, s.trainer.Adam.Second[i].Data)
		if s.best != nil {
			add(prefixBest, p, s.best[i])
		}
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, map[string]string{checkpointKey: string(metadata)}, tensors); err != nil {
		return fmt.Errorf("writing the checkpoint %s: %w", path, err)
	}
	if err := durable.Replace(path, durable.Bytes(b.Bytes())); err != nil {
		return fmt.Errorf("writing the checkpoint: %w", err)
	}
	return nil
}

// load goes on from a checkpoint. It fails on one of another training.
func (s *state) load(r io.Reader) error {
	metadata, tensors, err := safetensors.Read(r, maxCheckpoint)
	if err != nil {
		return err
	}
	var p progress
	if err := json.Unmarshal([]byte(metadata[checkpointKey]), &p); err != nil {
		return fmt.Errorf("it is no checkpoint: %w", err)
	}
	want, err := s.fingerprint()
	if err != nil {
		return err
	}
	if other := want.unlike(p.Of); len(other) > 0 {
		return fmt.Errorf("it is of another training, which differs in: %s", strings.Join(other, ", "))
	}
	byName := map[string][]float32{}
	for _, t := range tensors {
		byName[t.Name] = t.Data
	}
	var best [][]float32
	for i, param := range s.model.Net().Params() {
		for prefix, to := range map[string][]float32{
			prefixWeight: param.Data, prefixFirst: s.trainer.Adam.First[i].Data, prefixSecond: s.trainer.Adam.Second[i].Data,
		} {
			if len(byName[prefix+param.Name]) != len(to) {
				return fmt.Errorf("its tensor %s has %d numbers, not %d", prefix+param.Name, len(byName[prefix+param.Name]), len(to))
			}
			copy(to, byName[prefix+param.Name])
		}
		if b := byName[prefixBest+param.Name]; len(b) == len(param.Data) {
			best = append(best, slices.Clone(b))
		}
	}
	if len(best) == len(s.model.Net().Params()) {
		s.best, s.bestLoss = best, p.BestLoss
	}
	s.history, s.sinceBest, s.sinceCut = p.History, p.SinceBest, p.SinceCut
	s.trainer.Adam.Rate, s.trainer.Adam.Steps = p.Rate, p.Steps
	return nil
}
