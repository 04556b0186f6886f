package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

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

// fingerprint tells trainings apart that would not go on alike.
type fingerprint struct {
	Net    nn.Config `json:"net"`
	Window int       `json:"window"`
	Lines  int       `json:"lines"`
	Batch  int       `json:"batch"`
	Rate   float64   `json:"rate"`
	Unseen float64   `json:"unseen"`
	Seed   uint64    `json:"seed"`
}

func (s *state) fingerprint() fingerprint {
	return fingerprint{
		Net: s.model.Net().Config(), Window: s.model.Window, Lines: s.train.Lines(), Batch: s.options.Batch,
		Rate: s.options.Rate, Unseen: s.options.Unseen, Seed: s.options.Seed,
	}
}

// save writes a checkpoint, beside the old one until it is whole.
func (s *state) save(path string) error {
	p := progress{
		Of: s.fingerprint(), History: s.history, Rate: s.trainer.Adam.Rate, Steps: s.trainer.Adam.Steps,
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
	return replaceFile(path, b.Bytes())
}

// replaceFile writes a file so that a kill leaves the old or the new one.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // What failed first is the error to tell.
		return fmt.Errorf("writing %s: %w", path, err)
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
	if want := s.fingerprint(); !sameJSON(p.Of, want) {
		return fmt.Errorf("it is of another training, with %+v, and this one has %+v", p.Of, want)
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

// sameJSON compares two values by what they are in a file.
func sameJSON(a, b any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}
