package query

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// How a text is looked at.
type textOp uint8

const (
	textIn textOp = iota // it is one of the values
	textLess
	textLessEqual
	textGreater
	textGreaterEqual
	textContains
	textPrefix
	textSuffix
	textRegexp // the expression matches somewhere
)

// textTest is a test of one text.
type textTest struct {
	op textOp
	// values are what the text is compared with; of textIn all that fit, else
	// one.
	values []string
	re     *regexp.Regexp
	// pattern is the expression for DuckDB.
	pattern string
}

// holds tells whether a text fits.
func (t *textTest) holds(s string) bool {
	switch t.op {
	case textIn:
		return slices.Contains(t.values, s)
	case textLess:
		return s < t.values[0]
	case textLessEqual:
		return s <= t.values[0]
	case textGreater:
		return s > t.values[0]
	case textGreaterEqual:
		return s >= t.values[0]
	case textContains:
		return strings.Contains(s, t.values[0])
	case textPrefix:
		return strings.HasPrefix(s, t.values[0])
	case textSuffix:
		return strings.HasSuffix(s, t.values[0])
	}
	return t.re.MatchString(s)
}

// holdsEmpty tells whether the empty text fits.
func (t *textTest) holdsEmpty() bool { return t.holds("") }

// The bounds of a regular expression: its length in bytes, and its program in
// Go's instructions, where a class of characters counts its ranges. RE2, which
// runs in DuckDB, takes about four instructions a range and gives up at
// 130,000.
const (
	maxPattern = 1000
	maxProgram = 10_000
)

// regexpTest makes the test of a regular expression that may match anywhere in
// the text. Go and RE2 have the same syntax; so that they also agree on
// classes of characters and on case, DuckDB gets the expression as Go has
// understood it.
func regexpTest(pattern string) (*textTest, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the regular expression is longer than %d bytes", maxPattern)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("the regular expression is wrong: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the regular expression is wrong: %w", err)
	}
	parsed = parsed.Simplify()
	program, err := syntax.Compile(parsed)
	if err != nil {
		return nil, fmt.Errorf("the regular expression is wrong: %w", err)
	}
	size := 0
	for i := range program.Inst {
		size += 1 + len(program.Inst[i].Rune)/2
	}
	if size > maxProgram {
		return nil, fmt.Errorf("the regular expression is too large: repeat less, or use smaller classes of characters")
	}
	return &textTest{op: textRegexp, re: re, pattern: duckPattern(parsed.String())}, nil
}

// duckPattern puts an expression into a group. DuckDB 1.5.6 makes some others
// into a LIKE, and fails where they have characters of several bytes.
func duckPattern(pattern string) string { return "(" + pattern + ")" }

// globTest makes the test of a glob that the whole text fits: * is any text, ?
// one character, and a backslash takes the next character as it is.
func globTest(glob string) (*textTest, error) {
	if len(glob) > maxPattern {
		return nil, fmt.Errorf("the glob is longer than %d bytes", maxPattern)
	}
	parts := globParts(glob)
	literal := func(op textOp, i int) (*textTest, error) {
		return &textTest{op: op, values: []string{parts[i].text}}, nil
	}
	switch shape := globShape(parts); shape {
	case "t":
		return literal(textIn, 0)
	case "t*":
		return literal(textPrefix, 0)
	case "*t":
		return literal(textSuffix, 1)
	case "*t*":
		return literal(textContains, 1)
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, p := range parts {
		switch p.wild {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(p.text))
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("the glob is wrong: %w", err)
	}
	return &textTest{op: textRegexp, re: re, pattern: duckPattern(b.String())}, nil
}

// globPart is a piece of a glob: a text, or a wildcard.
type globPart struct {
	wild byte // '*', '?', or 0
	text string
}

func globParts(glob string) []globPart {
	var parts []globPart
	for i := 0; i < len(glob); i++ {
		c := glob[i]
		switch {
		case c == '*' && len(parts) > 0 && parts[len(parts)-1].wild == '*':
			continue
		case c == '*' || c == '?':
			parts = append(parts, globPart{wild: c})
			continue
		case c == '\\' && i+1 < len(glob):
			i++
			c = glob[i]
		}
		if n := len(parts); n > 0 && parts[n-1].wild == 0 {
			parts[n-1].text += string([]byte{c})
			continue
		}
		parts = append(parts, globPart{text: string([]byte{c})})
	}
	return parts
}

// globShape gives a letter for each part: t for a text, or the wildcard.
func globShape(parts []globPart) string {
	var b strings.Builder
	for _, p := range parts {
		if p.wild == 0 {
			b.WriteByte('t')
		} else {
			b.WriteByte(p.wild)
		}
	}
	return b.String()
}

// hasWildcard tells whether a text is a glob with a wildcard.
func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// How a number is looked at.
type numberOp uint8

const (
	numberIn numberOp = iota
	numberLess
	numberLessEqual
	numberGreater
	numberGreaterEqual
)

// numberTest is a test of a number, a time, a duration, or yes and no.
type numberTest struct {
	op     numberOp
	values []int64
}

func (t *numberTest) holds(n int64) bool {
	switch t.op {
	case numberIn:
		return slices.Contains(t.values, n)
	case numberLess:
		return n < t.values[0]
	case numberLessEqual:
		return n <= t.values[0]
	case numberGreater:
		return n > t.values[0]
	}
	return n >= t.values[0]
}
