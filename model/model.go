package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model/nn"
)

// Header is what a model file says about its model, apart from the weights.
type Header struct {
	// Format is the version of the file's format.
	Format int `json:"format"`
	// Name tells the model in messages.
	Name string `json:"name"`
	// Net is the shape of the network.
	Net nn.Config `json:"net"`
	// Window is how many lines the network sees at once, Stride how many lines
	// lie between the starts of two windows in prediction.
	Window int `json:"window"`
	Stride int `json:"stride"`
	// Doubt is how many times the share of the label that the linker proposes
	// another label must have to be preferred; at least 1. Where the linker is
	// nearly always right, a network that is sure of something else is often
	// wrong all the same.
	Doubt float64 `json:"doubt"`
	// Features are the names of the features, and Vocabulary their values.
	Features   []string   `json:"features"`
	Vocabulary [][]string `json:"vocabulary"`
	// Classes are the values that each head knows.
	Classes [][]int32 `json:"classes"`
	// Labels are those of the lines trained on, in ascending order.
	Labels []label.Label `json:"labels"`
	// Training says what the model was trained on, and Figures how good it
	// was on what it was not trained on.
	Training Training           `json:"training"`
	Figures  map[string]float64 `json:"figures,omitempty"`
}

// Training says where a model comes from.
type Training struct {
	// Data are the logs trained on.
	Data []TrainingData `json:"data"`
	// Lines counts the lines with a label.
	Lines int `json:"lines"`
	// Epochs is how often they were gone through, and Best the epoch whose
	// weights the model has.
	Epochs int    `json:"epochs"`
	Best   int    `json:"best,omitempty"`
	Seed   uint64 `json:"seed"`
}

// TrainingData is a log that a model was trained on.
type TrainingData struct {
	Name string `json:"name"`
	// SHA256 is the hash of the log's file as it lies on disk, Truth and
	// Contexts are those of the files with a recording's truth; "" where there
	// is no such file.
	SHA256   string `json:"sha256"`
	Truth    string `json:"truth_sha256,omitempty"`
	Contexts string `json:"contexts_sha256,omitempty"`
	Lines    int    `json:"lines"`
}

// The bounds of a Header that are not the network's.
const (
	maxWindow = 2000
	maxLabels = 5000
	maxDoubt  = 1e6
	// maxText bounds the names, in bytes.
	maxText = 4096
)

// check tells what is wrong with what a header says of the training, and with
// the texts in it.
func (h *Header) check() error {
	if len(h.Name) > maxText {
		return fmt.Errorf("the name has %d bytes, and at most %d are allowed", len(h.Name), maxText)
	}
	t := &h.Training
	if t.Lines < 0 || t.Epochs < 0 || t.Best < 0 || t.Best > t.Epochs {
		return fmt.Errorf("it says that the model was trained on %d lines in %d epochs, of which number %d was the best", t.Lines, t.Epochs, t.Best)
	}
	for _, d := range t.Data {
		if d.Lines < 0 || len(d.Name) > maxText {
			return fmt.Errorf("it says that the model was trained on %d lines of %.80q", d.Lines, d.Name)
		}
		for _, sum := range []string{d.SHA256, d.Truth, d.Contexts} {
			if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 0 && len(raw) != sha256.Size {
				return fmt.Errorf("%.80q is no SHA-256 of the training data %.80q", sum, d.Name)
			}
		}
	}
	return nil
}

// Model is a network with what turns lines into its numbers and back.
// Goroutines may predict with it at the same time.
type Model struct {
	Header
	encoder
	known map[label.Label]bool // the labels trained on
}

// Net gives the network, to train it.
func (m *Model) Net() *nn.Net { return m.net }

// newModel makes a model from a header, with weights drawn by the seed.
func newModel(h Header, seed uint64) (*Model, error) {
	m := &Model{Header: h, known: map[label.Label]bool{}}
	var err error
	if m.vocabulary, err = newVocabulary(h.Features, h.Vocabulary); err != nil {
		return nil, err
	}
	if len(h.Classes) != headCount {
		return nil, fmt.Errorf("there are classes for %d heads, not %d", len(h.Classes), headCount)
	}
	copy(m.heads.classes[:], h.Classes)
	if err := m.heads.check(); err != nil {
		return nil, err
	}
	switch c := h.Net; {
	case h.Window < 1 || h.Window > maxWindow:
		return nil, fmt.Errorf("the window is %d lines, and must be between 1 and %d", h.Window, maxWindow)
	case h.Stride < 1 || h.Stride > h.Window:
		return nil, fmt.Errorf("the stride is %d lines, and must be between 1 and the window's %d", h.Stride, h.Window)
	case !(h.Doubt >= 1 && h.Doubt <= maxDoubt):
		return nil, fmt.Errorf("the doubt is %v, and must be between 1 and %v", h.Doubt, maxDoubt)
	case len(h.Labels) < 1 || len(h.Labels) > maxLabels:
		return nil, fmt.Errorf("there are %d labels, and must be between 1 and %d", len(h.Labels), maxLabels)
	case m.heads.checkLabels(h.Labels) != nil:
		return nil, m.heads.checkLabels(h.Labels)
	case c.Rows != m.vocabulary.total || c.Features != len(h.Features) || c.Edges != 0 && c.Edges != edgeCount || c.Candidates != 0 && c.Candidates != candidateCount:
		return nil, fmt.Errorf("the network (%d rows, %d features, %d edges, %d candidates) does not fit the vocabulary (%d rows, %d features)",
			c.Rows, c.Features, c.Edges, c.Candidates, m.vocabulary.total, len(h.Features))
	}
	if !slices.Equal(h.Net.Classes, m.heads.counts()) {
		return nil, fmt.Errorf("the network's heads have %v classes, and there are values for %v", h.Net.Classes, m.heads.counts())
	}
	if m.net, err = nn.New(h.Net, seed); err != nil {
		return nil, err
	}
	for _, l := range h.Labels {
		m.known[l] = true
	}
	return m, nil
}

// Shape says how a new model is to look.
type Shape struct {
	Name string
	Kind nn.Kind
	// Relations gives the network the features of relations, the lines that a
	// line relates to, and candidates. Without, it sees what the seed's does.
	Relations bool
	// Drop are names of features to do without.
	Drop           []string
	Width, Hidden  int
	Layers         int
	Window, Stride int
	Dropout, Focus float64
	// Doubt is the Header's.
	Doubt float64
	// AtLeast is how often a value must occur to be in the vocabulary.
	AtLeast int
}

// Create makes an untrained model for the sequences: their values and labels
// become its vocabulary and classes.
func Create(s Shape, sequences []*Sequence, seed uint64) (*Model, error) {
	h := Header{Format: formatVersion, Name: s.Name, Window: s.Window, Stride: s.Stride, Doubt: s.Doubt}
	for _, name := range FeatureNames(s.Relations) {
		if !slices.Contains(s.Drop, name) {
			h.Features = append(h.Features, name)
		}
	}
	v, err := buildVocabulary(h.Features, sequences, s.AtLeast)
	if err != nil {
		return nil, err
	}
	h.Vocabulary = v.values
	h.Labels = labelsIn(sequences)
	if len(h.Labels) == 0 {
		return nil, fmt.Errorf("no line of the %d logs has a label to learn from", len(sequences))
	}
	heads := newHeads(h.Labels)
	h.Classes = heads.classes[:]
	h.Net = nn.Config{
		Kind: s.Kind, Rows: v.total, Features: len(h.Features), Width: s.Width, Hidden: s.Hidden, Layers: s.Layers,
		Classes: heads.counts(), Dropout: s.Dropout, Focus: s.Focus,
	}
	if s.Relations {
		h.Net.Edges, h.Net.Candidates = edgeCount, candidateCount
	}
	return newModel(h, seed)
}
