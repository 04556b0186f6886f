// Package near finds the word that somebody may have meant.
package near

import (
	"slices"
	"strings"
)

// Word gives the name that differs least from a word, else one that begins with
// it, "" where none is near. Upper and lower case do not count as different.
func Word(word string, names []string) string {
	word = strings.ToLower(word)
	best, least := "", len(word)/3+1
	for _, name := range names {
		if d := distance(word, strings.ToLower(name), least); d < least || d == least && best == "" {
			best, least = name, d
		}
	}
	if best == "" && len(word) > 2 {
		begins := func(name string) bool { return strings.HasPrefix(strings.ToLower(name), word) }
		if i := slices.IndexFunc(names, begins); i >= 0 {
			return names[i]
		}
	}
	return best
}

// distance counts the letters to insert, to delete, to change, or to swap with
// their neighbours to make a from b; above the bound it may give any number
// above it.
func distance(a, b string, bound int) int {
	if len(a) > len(b)+bound || len(b) > len(a)+bound {
		return bound + 1
	}
	older := make([]int, len(b)+1)
	old := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := old[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, old[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(b)]
}
