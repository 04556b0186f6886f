package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/whet-k8s/whet/internal/term"
)

// Error says what is wrong with a query, and where.
type Error struct {
	// Query is the text as it was given.
	Query string
	// Offset and Length, in bytes, are the part of Query that is wrong; a
	// Length of 0 means that something is missing at Offset.
	Offset, Length int
	// Message says what is wrong, without the place.
	Message string
	// Nearest is a word that may have been meant, "" where none is near.
	Nearest string
}

// Column is the place of the error in characters, counted from 1 over the
// whole query.
func (e *Error) Column() int {
	return utf8.RuneCountInString(e.Query[:min(e.Offset, len(e.Query))]) + 1
}

// Error gives the message, the line of the query, and carets under what is
// wrong. The query is sanitised, so that the text can be shown on a terminal.
func (e *Error) Error() string {
	before, bad, after := e.line()
	text := fmt.Sprintf("query, column %d: %s", e.Column(), e.Message)
	if e.Nearest != "" {
		text += fmt.Sprintf("; did you mean %s?", e.Nearest)
	}
	indent := strings.Repeat(" ", term.Width(before))
	carets := strings.Repeat("^", max(1, term.Width(bad)))
	return text + "\n  " + before + bad + after + "\n  " + indent + carets
}

// maxAround bounds how much of a query an error shows on either side of what
// is wrong, in characters.
const maxAround = 60

// line gives the line that is wrong in three sanitised parts, of which the
// middle one is wrong.
func (e *Error) line() (before, bad, after string) {
	from := min(e.Offset, len(e.Query))
	to := min(from+e.Length, len(e.Query))
	before, bad, after = e.Query[:from], e.Query[from:to], e.Query[to:]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	bad, _, cut := strings.Cut(bad, "\n")
	if cut {
		after = ""
	}
	after, _, _ = strings.Cut(after, "\n")
	before, bad, after = term.Sanitize(before), term.Sanitize(bad), term.Sanitize(after)
	if r := []rune(before); len(r) > maxAround {
		before = "…" + string(r[len(r)-maxAround:])
	}
	return before, term.Truncate(bad, maxAround), term.Truncate(after, maxAround)
}

// nearest gives the name that differs least from a word, else one that begins
// with it, "" where none is near. Upper and lower case do not count as
// different.
func nearest(word string, names []string) string {
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
