package query

import (
	"fmt"
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
