package model

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/label"
)

func TestRankedGivesTheLinkerTheBenefitOfTheDoubt(t *testing.T) {
	for name, test := range map[string]struct {
		votes    map[label.Label]float64
		proposed label.Label
		doubt    float64
		want     []Scored
	}{
		"agreed":              {map[label.Label]float64{1: 1.8, 2: 0.2}, 1, 10, []Scored{{1, 0.9}, {2, 0.1}}},
		"another, not enough": {map[label.Label]float64{1: 0.2, 2: 1.2, 3: 0.6}, 1, 10, []Scored{{1, 0.1}, {2, 0.6}, {3, 0.3}}},
		"another, enough":     {map[label.Label]float64{1: 0.1, 2: 1.9}, 1, 10, []Scored{{2, 0.95}, {1, 0.05}}},
		"no doubt":            {map[label.Label]float64{1: 0.9, 2: 1.1}, 1, 1, []Scored{{2, 0.55}, {1, 0.45}}},
		"nothing proposed":    {map[label.Label]float64{1: 0.9, 2: 1.1}, NoLabel, 10, []Scored{{2, 0.55}, {1, 0.45}}},
		"no vote for it":      {map[label.Label]float64{2: 2}, 1, 10, []Scored{{2, 1}}},
		"a tie":               {map[label.Label]float64{7: 1, 3: 1}, NoLabel, 10, []Scored{{3, 0.5}, {7, 0.5}}},
	} {
		t.Run(name, func(t *testing.T) {
			whole := tally{weight: 1}
			other := tally{weight: 1}
			for l, share := range test.votes {
				whole.add(l, share/2)
				other.add(l, share/2)
			}
			whole.merge(&other)
			if diff := cmp.Diff(test.want, whole.ranked(test.proposed, test.doubt)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
