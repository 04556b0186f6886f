package rank

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // for the default model
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model/safetensors"
)

// formatVersion is the version of the model file's format: of the meaning of
// the Header's fields, of the features and of the tensors.
const formatVersion = 2

// A model file is a safetensors file. Its Header stands as JSON in the metadata
// under the key "whet-ranker".
const headerKey = "whet-ranker"

// maxFile bounds a model file, in bytes.
const maxFile = 32 << 20

// Header is what a model file says about its model, apart from the trees.
type Header struct {
	// Format is the version of the file's format.
	Format int `json:"format"`
	// Prior is the head start of what the rules picked.
	Prior float64 `json:"prior"`
	// Features are the names of what the trees ask about.
	Features []string `json:"features"`
	// Curve says how many of the links with a score are right.
	Curve Curve `json:"curve"`
	// Data are the logs trained on, and Choices how many choices were in them.
	Data    []Data `json:"data"`
	Choices int    `json:"choices"`
	Seed    uint64 `json:"seed"`
	// Figures say how good models of one half of the recordings are on the
	// choices of the other half; empty where there is one recording.
	Figures map[string]float64 `json:"figures,omitempty"`
}

// Data is a log that a model was trained on.
type Data struct {
	Name string `json:"name"`
	// SHA256 is the hash of the log's file as it lies on disk, Truth and
	// Contexts are those of the files with the recording's truth. A log of level
	// Request is made from one with bodies, whose hash it has.
	SHA256   string `json:"sha256,omitempty"`
	Truth    string `json:"truth_sha256,omitempty"`
	Contexts string `json:"contexts_sha256,omitempty"`
}

// The bounds of a Header.
const (
	maxPrior = 1e4
	maxText  = 4096
)

// check tells what is wrong with a header from a file, apart from the curve.
func (h *Header) check() error {
	if !(math.Abs(h.Prior) <= maxPrior) {
		return fmt.Errorf("the prior is %v, and at most %v is allowed", h.Prior, maxPrior)
	}
	if h.Choices < 0 {
		return fmt.Errorf("it says that the ranker was trained on %d choices", h.Choices)
	}
	for _, d := range h.Data {
		if len(d.Name) > maxText {
			return fmt.Errorf("the name %.80q… of training data has %d bytes, and at most %d are allowed", d.Name, len(d.Name), maxText)
		}
		for _, sum := range []string{d.SHA256, d.Truth, d.Contexts} {
			if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 0 && len(raw) != sha256.Size {
				return fmt.Errorf("%.80q is no SHA-256 of the training data %.80q", sum, d.Name)
			}
		}
	}
	return nil
}

// Model chooses among candidates. Goroutines may use it at the same time.
type Model struct {
	Header
	forest     *forest
	vocabulary vocabulary
}

// Fit makes a model from examples, which come in groups: the logs of one
// recording each. The curve is measured with models that are trained on half of
// the groups, on the other half. It fails where there are no examples, and when
// ctx ends.
func Fit(ctx context.Context, groups [][]Example, o Options) (*Model, error) {
	halves := [2][]Example{}
	var all []Example
	for i, g := range groups {
		halves[i%2] = append(halves[i%2], g...)
		all = append(all, g...)
	}
	f, err := grow(ctx, all, o)
	if err != nil {
		return nil, fmt.Errorf("fitting the ranker: %w", err)
	}
	m := &Model{forest: f, vocabulary: newVocabulary()}
	m.Header = Header{Format: formatVersion, Prior: o.Prior, Features: featureNames(), Choices: len(all), Seed: o.Seed}
	var tally curveTally
	for i := range halves {
		if len(halves[i]) == 0 || len(halves[1-i]) == 0 {
			continue
		}
		f, err := grow(ctx, halves[i], o)
		if err != nil {
			return nil, fmt.Errorf("fitting the ranker: %w", err)
		}
		tally.add(f, halves[1-i])
	}
	m.Curve = tally.curve()
	if all, right := tally.sums(); all > 0 {
		m.Figures = map[string]float64{"choices": all, "right": right / all}
	}
	return m, nil
}

// Ranker gives a link.Ranker for one linker.
func (m *Model) Ranker() link.Ranker {
	var vectors []vector
	var scores []float32
	return func(c *link.Choice) (int, float64) {
		n := len(c.Candidates)
		vectors, scores = slices.Grow(vectors[:0], n)[:n], slices.Grow(scores[:0], n)[:n]
		m.vocabulary.fill(c, vectors)
		best, share := m.forest.choose(vectors, c.Picked, scores)
		return best, m.Curve.at(share)
	}
}

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
		return fmt.Errorf("writing the ranker's header: %w", err)
	}
	return safetensors.Write(w, map[string]string{"format": "whet", headerKey: string(header)}, m.forest.tensors())
}

// ReadFile reads the model file with a name.
func ReadFile(name string) (*Model, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the ranker: %w", err)
	}
	defer f.Close()
	m, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("reading the ranker %s: %w", name, err)
	}
	return m, nil
}

// Read reads a model file. Nothing in it is run. It fails on what is no ranker
// of this version of whet, and on one that is cut off or changed.
func Read(r io.Reader) (*Model, error) {
	metadata, tensors, err := safetensors.Read(r, maxFile)
	if err != nil {
		return nil, err
	}
	if metadata[headerKey] == "" {
		return nil, errors.New("the file is no ranker of whet: it has no header of it")
	}
	m := &Model{vocabulary: newVocabulary()}
	if err := json.Unmarshal([]byte(metadata[headerKey]), &m.Header); err != nil {
		return nil, fmt.Errorf("the ranker's header: %w", err)
	}
	if m.Format != formatVersion || !slices.Equal(m.Features, featureNames()) {
		return nil, fmt.Errorf("the ranker has format %d with %d features, and this version of whet reads format %d with features of its own",
			m.Format, len(m.Features), formatVersion)
	}
	if err := safetensors.Summed(metadata); err != nil {
		return nil, fmt.Errorf("the ranker: %w", err)
	}
	if err := errors.Join(m.Curve.check(), m.check()); err != nil {
		return nil, fmt.Errorf("the ranker's header: %w", err)
	}
	if m.forest, err = readForest(m.Prior, tensors); err != nil {
		return nil, fmt.Errorf("the ranker: %w", err)
	}
	return m, nil
}
