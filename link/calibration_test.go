package link

import (
	"context"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/whet-k8s/whet/evaluate"
)

// TestCalibration compares what confidences promise with the share of right
// links, over all recordings, with bodies and without; -v prints both. A
// promise may be too modest, but not more than five hundredths too bold, or
// two standard errors where there are few links.
func TestCalibration(t *testing.T) {
	type bin struct{ links, right int }
	bins := map[float64]*bin{}
	for _, name := range []string{"day", "crowd", "medium", "v136", "short"} {
		truth, err := evaluate.Load(context.Background(), filepath.Join("..", "recordings", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []string{"audit", "metadata"} {
			said, _, _ := run(recording(t, name+"."+level), Options{})
			stands := map[string]string{}
			for _, line := range truth.Lines {
				if a := said[line.Line]; a.Context != "" && (line.Role == "root" || line.Role == "client") && line.Resource != "" && stands[a.Context] == "" {
					stands[a.Context] = line.Context
				}
			}
			for _, line := range truth.Lines {
				a := said[line.Line]
				if line.Role != "effect" || line.Resource == "" || a.Role != RoleEffect {
					continue
				}
				key := math.Round(a.Confidence*20) / 20
				if bins[key] == nil {
					bins[key] = &bin{}
				}
				bins[key].links++
				if stands[a.Context] == line.Context {
					bins[key].right++
				}
			}
		}
	}
	for _, promised := range slices.Sorted(maps.Keys(bins)) {
		b := bins[promised]
		share := float64(b.right) / float64(b.links)
		t.Logf("confidence %.2f: %6d links, %.3f right", promised, b.links, share)
		if slack := max(0.05, 2*math.Sqrt(promised*(1-promised)/float64(b.links))); share < promised-slack {
			t.Errorf("confidence %.2f promises more than the %.3f of %d links that are right", promised, share, b.links)
		}
	}
}
