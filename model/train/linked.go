package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/pipeline"
)

// linked is what the linker said of a log, by line.
type linked map[int]said

type said struct {
	evaluate.Annotation
	confidence float64
}

// link links a log.
func (l *Links) link(ctx context.Context, o pipeline.Options) (linked, error) {
	lines := linked{}
	keep := func(a *pipeline.Annotation) error {
		number := a.Label
		lines[a.Line] = said{
			Annotation: evaluate.Annotation{Line: a.Line, AuditID: a.AuditID, Context: a.Context, Role: evaluate.Role(a.Role), Label: &number},
			confidence: a.Confidence,
		}
		return nil
	}
	if _, err := pipeline.Run(ctx, []string{l.Log}, nil, o, pipeline.Sink{Annotation: keep}); err != nil {
		return nil, fmt.Errorf("reading the log %s: %w", l.Log, err)
	}
	return lines, nil
}

func (lines linked) score(truth *evaluate.Truth) (evaluate.Figures, error) {
	return evaluate.Score(truth, func(yield func(evaluate.Annotation, error) bool) {
		for _, l := range lines {
			if !yield(l.Annotation, nil) {
				return
			}
		}
	})
}

// count counts the effects of hard attribution and those of them that are in
// the wrong context, and all links by confidence. A context stands for the
// command of its first line that is a command's own.
func (lines linked) count(truth *evaluate.Truth) (hard, wrong int, bins []LinkBin) {
	stands := map[string]string{}
	for _, t := range truth.Lines {
		a := lines[t.Line]
		if a.Context != "" && t.Resource != "" && (t.Role == evaluate.RoleRoot || t.Role == evaluate.RoleClient) && stands[a.Context] == "" {
			stands[a.Context] = t.Context
		}
	}
	for _, least := range linkEdges() {
		bins = append(bins, LinkBin{Least: least})
	}
	for _, t := range truth.Lines {
		if t.Role != evaluate.RoleEffect || t.Resource == "" {
			continue
		}
		a := lines[t.Line]
		right := a.Context != "" && stands[a.Context] == t.Context
		if !strings.HasSuffix(t.User, ":namespace-controller") {
			hard++
			if !right {
				wrong++
			}
		}
		if a.Role != evaluate.RoleEffect {
			continue
		}
		at, found := slices.BinarySearch(linkEdges(), a.confidence)
		if !found {
			at--
		}
		b := &bins[at]
		b.Links++
		b.Promised += a.confidence
		if right {
			b.Right++
		}
	}
	for i := range bins {
		bins[i].Promised /= max(float64(bins[i].Links), 1)
	}
	return hard, wrong, bins
}

// LinkLevels are the levels at which links are measured, as the names of logs
// end.
func LinkLevels() []string { return []string{"metadata", "request", "audit"} }

// SumLinks adds up the measurements of all logs of a level. The figures of
// package evaluate are left out.
func SumLinks(trials []LinkTrial, level string) LinkMeasurement {
	all := LinkMeasurement{Name: level}
	for _, least := range linkEdges() {
		all.Bins = append(all.Bins, LinkBin{Least: least})
	}
	for _, t := range trials {
		for _, l := range t.Logs {
			if !strings.HasSuffix(l.Name, "."+level) {
				continue
			}
			all.Hard += l.Hard
			all.WrongByRules += l.WrongByRules
			all.WrongRanked += l.WrongRanked
			for i, b := range l.Bins {
				into := &all.Bins[i]
				sum := into.Promised*float64(into.Links) + b.Promised*float64(b.Links)
				into.Links += b.Links
				into.Right += b.Right
				into.Promised = sum / max(float64(into.Links), 1)
			}
		}
	}
	return all
}
