package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-json"
)

// Malformed is a piece of the input that gives no event: a line, a value over
// several lines, or an item of an EventList. It is an error, so that Decode
// can return it; its text is safe to print on a terminal.
type Malformed struct {
	Position
	// Reason says in words what is wrong. What it cites of the input is quoted
	// and short.
	Reason string
	// Lines counts the physical lines that the piece takes, 0 for an item of a
	// list and for a value that shares its line with an earlier one.
	Lines int
	// Raw is the piece as the input had it, of a line over the limit its
	// beginning. It may be kept, but not changed.
	Raw []byte
}

// Error gives the place and the reason: FILE:LINE: reason.
func (m *Malformed) Error() string {
	place := printable(m.Source) + ":" + strconv.Itoa(m.Line)
	if m.Item > 0 {
		place += ": item " + strconv.Itoa(m.Item)
	}
	return place + ": " + m.Reason
}

// quoteLength bounds how much of the input a reason cites, in bytes.
const quoteLength = 64

// quote puts a piece of the input in quotes, cut short and with everything
// escaped that is not printable ASCII.
func quote(s string) string {
	if len(s) > quoteLength {
		return strconv.QuoteToASCII(s[:quoteLength]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// printable escapes what a terminal might act upon.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.QuoteToGraphic(s)
	}
	return s
}

// reason turns an error of the JSON decoder into words for the owner of a log.
func reason(err error) error {
	var typeErr *json.UnmarshalTypeError
	var syntaxErr *json.SyntaxError
	switch {
	case errors.As(err, &typeErr) && typeErr.Field == "":
		return fmt.Errorf("not an audit event: %s where an object belongs", article(typeErr.Value))
	case errors.As(err, &typeErr):
		return fmt.Errorf("%s: %s where %s belongs", printable(typeErr.Field),
			article(typeErr.Value), article(jsonType(typeErr)))
	case errors.As(err, &syntaxErr) && isCut(err):
		return fmt.Errorf("truncated: the JSON ends at byte %d in the middle of a value", syntaxErr.Offset)
	case errors.As(err, &syntaxErr):
		return fmt.Errorf("invalid JSON at byte %d: %w", syntaxErr.Offset, err)
	}
	return fmt.Errorf("invalid JSON: %w", err)
}

// isCut tells the syntax error of JSON that ends too early.
func isCut(err error) bool {
	return strings.Contains(err.Error(), "unexpected end of JSON input")
}

// jsonType names the JSON type that a Go type decodes from.
func jsonType(err *json.UnmarshalTypeError) string {
	switch kind := err.Type.Kind().String(); kind {
	case "struct", "map", "ptr":
		return "object"
	case "slice":
		return "array"
	case "int32", "int64":
		return "integer of " + strconv.Itoa(err.Type.Bits()) + " bits"
	default:
		return kind
	}
}

func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeio", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// invalidUTF8 gives the offset of the first byte that is not UTF-8.
func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(raw)
}
