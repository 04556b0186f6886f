package model

import (
	"cmp"
	"fmt"
	"slices"
)

// Vocabulary numbers the values of each feature. Row 0 of a feature stands for
// every value that it does not know, row 1 for none.
type Vocabulary struct {
	features []feature
	names    []string
	// values are those of each feature, the most frequent first.
	values [][]string
	// rows give the row of the embedding for a value, and first the row of a
	// feature's unseen values.
	rows  []map[string]int32
	first []int32
	total int
}

// The rows that every feature has.
const (
	rowUnseen = 0
	rowAbsent = 1
	ownRows   = 2
)

// The bounds of a vocabulary: how many values a feature may have, and how long
// they may be. A value beyond them counts as unseen.
const (
	maxValues      = 1000
	maxValueLength = 120
)

// buildVocabulary counts the values of the features in the sequences. A value
// that occurs less than atLeast times counts as unseen, so that the network
// learns what to make of such values.
func buildVocabulary(names []string, sequences []*Sequence, atLeast int) (*Vocabulary, error) {
	features, err := featuresByName(names)
	if err != nil {
		return nil, err
	}
	values := make([][]string, len(features))
	for i, f := range features {
		counts := map[string]int{}
		for _, s := range sequences {
			for j := range s.Lines {
				counts[s.Lines[j].values[f]]++
			}
		}
		for value, count := range counts {
			if value != "" && count >= atLeast && len(value) <= maxValueLength {
				values[i] = append(values[i], value)
			}
		}
		slices.SortFunc(values[i], func(a, b string) int {
			return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
		})
		values[i] = values[i][:min(len(values[i]), maxValues)]
	}
	return newVocabulary(names, values)
}

// newVocabulary numbers the values.
func newVocabulary(names []string, values [][]string) (*Vocabulary, error) {
	features, err := featuresByName(names)
	if err != nil {
		return nil, err
	}
	if len(values) != len(names) {
		return nil, fmt.Errorf("the vocabulary has %d features, their names are %d", len(values), len(names))
	}
	v := &Vocabulary{features: features, names: names, values: values}
	for i, name := range names {
		list := values[i]
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("the feature %q stands there twice", name)
		}
		if len(list) > maxValues {
			return nil, fmt.Errorf("the vocabulary of %s has %d values, more than %d", name, len(list), maxValues)
		}
		v.first = append(v.first, int32(v.total))
		rows := make(map[string]int32, len(list)+1)
		for j, value := range list {
			if _, twice := rows[value]; twice || value == "" {
				return nil, fmt.Errorf("the vocabulary of %s has %q twice, or empty", name, value)
			}
			rows[value] = int32(v.total + ownRows + j)
		}
		rows[""] = int32(v.total + rowAbsent)
		v.rows = append(v.rows, rows)
		v.total += ownRows + len(list)
	}
	return v, nil
}

// encode writes the rows of a line's values.
func (v *Vocabulary) encode(l *Line, rows []int32) {
	for i, f := range v.features {
		row, known := v.rows[i][l.values[f]]
		if !known {
			row = v.first[i] + rowUnseen
		}
		rows[i] = row
	}
}
