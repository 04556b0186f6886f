package model

import (
	"bytes"
	_ "embed" // for the default model
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/whet-k8s/whet/model/safetensors"
)

// formatVersion is the version of the model file's format: of the meaning of
// the Header's fields, of the features and of the tensors.
const formatVersion = 2

// A model file is a safetensors file. Its Header stands as JSON in the metadata
// under the key "whet".
const headerKey = "whet"

// maxFile bounds a model file, in bytes.
const maxFile = 256 << 20

// maxWeight bounds the weights. Those of a trained network are below 100.
const maxWeight = 1e4

// defaultModel is what `make model` makes from the recordings.
//
//go:embed default.safetensors
var defaultModel []byte

// Default gives the model that whet is shipped with.
func Default() (*Model, error) { return Read(bytes.NewReader(defaultModel)) }

// Write writes the model file. The same model gives the same bytes.
func (m *Model) Write(w io.Writer) error {
	header, err := json.Marshal(m.Header)
	if err != nil {
		return fmt.Errorf("writing the model's header: %w", err)
	}
	return safetensors.Write(w, map[string]string{"format": "whet", headerKey: string(header)}, m.tensors())
}

func (m *Model) tensors() []safetensors.Tensor {
	var tensors []safetensors.Tensor
	for _, p := range m.net.Params() {
		tensors = append(tensors, safetensors.Tensor{Name: p.Name, Rows: p.Rows, Cols: p.Cols, Data: p.Data})
	}
	return tensors
}

// Read reads a model file. Nothing in it is run. It fails on what is no model
// file of this version of whet, and on one that is cut off, changed, or says of
// its model what cannot be.
func Read(r io.Reader) (*Model, error) {
	metadata, tensors, err := safetensors.Read(r, maxFile)
	if err != nil {
		return nil, err
	}
	var header Header
	if metadata[headerKey] == "" {
		return nil, errors.New("the file is no model of whet: it has no header of it")
	}
	if err := json.Unmarshal([]byte(metadata[headerKey]), &header); err != nil {
		return nil, fmt.Errorf("the model's header: %w", err)
	}
	if header.Format != formatVersion {
		return nil, fmt.Errorf("the model has format %d, and this version of whet reads format %d", header.Format, formatVersion)
	}
	if err := safetensors.Summed(metadata); err != nil {
		return nil, fmt.Errorf("the model: %w", err)
	}
	if err := errors.Join(header.Net.Check(), header.check()); err != nil {
		return nil, fmt.Errorf("the model's header: %w", err)
	}
	size := 0
	for _, t := range tensors {
		size += len(t.Data)
	}
	if size != header.Net.Size() {
		return nil, fmt.Errorf("the model's network has %d weights, and its file %d", header.Net.Size(), size)
	}
	m, err := newModel(header, 0)
	if err != nil {
		return nil, fmt.Errorf("the model's header: %w", err)
	}
	return m, m.setWeights(tensors)
}

// setWeights takes the weights from tensors in the order of the network's.
func (m *Model) setWeights(tensors []safetensors.Tensor) error {
	params := m.net.Params()
	if len(tensors) != len(params) {
		return fmt.Errorf("the model has %d tensors, and its network %d", len(tensors), len(params))
	}
	for i, p := range params {
		t := tensors[i]
		if t.Name != p.Name || t.Rows != p.Rows || t.Cols != p.Cols {
			return fmt.Errorf("the model's tensor %d is %.80q with %d rows of %d, and should be %s with %d rows of %d",
				i, t.Name, t.Rows, t.Cols, p.Name, p.Rows, p.Cols)
		}
		for _, v := range t.Data {
			// That they are numbers package safetensors has seen to.
			if v > maxWeight || v < -maxWeight {
				return fmt.Errorf("the model's tensor %s has the weight %v, and at most %v is allowed", p.Name, v, float64(maxWeight))
			}
		}
		copy(p.Data, t.Data)
	}
	return nil
}
