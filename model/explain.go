package model

import (
	"math/rand/v2"
	"slices"
)

// Values gives the line's values of all features, in the order of
// FeatureNames(true). They share the line's memory.
func (l *Line) Values() []string { return l.values[:] }

// Parts lists what a line gives the network beside its features: the lines it
// relates to, and the labels it brings along. Permuted takes these names too.
func Parts() []string { return []string{"edges", "candidates"} }

// Permuted gives a copy of a log in which the values of one feature, or one of
// Parts, are dealt out anew among the lines. What a model gets wrong there and
// not in the log itself, it gets right by that feature. It fails on a name that
// is neither.
func (s *Sequence) Permuted(name string, r *rand.Rand) (*Sequence, error) {
	var features []feature
	if !slices.Contains(Parts(), name) {
		var err error
		if features, err = featuresByName([]string{name}); err != nil {
			return nil, err
		}
	}
	p := &Sequence{Name: s.Name, Lines: slices.Clone(s.Lines), Outside: s.Outside}
	deal := r.Perm(len(p.Lines))
	switch name {
	case "edges":
		for i := range p.Lines {
			// The distance is kept, so that the lines stay within reach.
			from := &s.Lines[deal[i]]
			for e, at := range from.edges {
				p.Lines[i].edges[e] = -1
				if at >= 0 {
					p.Lines[i].edges[e] = p.Lines[i].number - (from.number - at)
				}
			}
		}
		return p, nil
	case "candidates":
		for i := range p.Lines {
			own := p.Lines[i].candidates[ofOwn]
			p.Lines[i].candidates = s.Lines[deal[i]].candidates
			p.Lines[i].candidates[ofOwn] = own
		}
		return p, nil
	}
	for i := range p.Lines {
		p.Lines[i].values[features[0]] = s.Lines[deal[i]].values[features[0]]
	}
	return p, nil
}
