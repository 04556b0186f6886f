package report

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/train"
)

// Weight says how much a model relies on a feature.
type Weight struct {
	Feature string `json:"feature"`
	// Loss is the accuracy that is lost when the feature's values are dealt
	// out anew among the lines.
	Loss float64 `json:"loss"`
}

// Importance measures a model on a log once for each feature, with the values
// of that feature dealt out anew, and gives the features it relies on most
// first. The seed decides how they are dealt out.
func Importance(ctx context.Context, m *model.Model, s *model.Sequence, seed uint64) ([]Weight, error) {
	measured, err := train.Measure(m, s)
	if err != nil {
		return nil, err
	}
	base := measured.Voted.Figures().Accuracy
	names := slices.Clone(m.Features)
	if m.Net().Config().Candidates > 0 {
		names = append(names, model.Parts()...)
	}
	var weights []Weight
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("measuring the importance of features: %w", err)
		}
		r := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // No secret depends on it.
		permuted, err := s.Permuted(name, r)
		if err != nil {
			return nil, err
		}
		if measured, err = train.Measure(m, permuted); err != nil {
			return nil, err
		}
		weights = append(weights, Weight{name, base - measured.Voted.Figures().Accuracy})
	}
	slices.SortStableFunc(weights, func(a, b Weight) int { return cmp.Compare(b.Loss, a.Loss) })
	return weights, nil
}
