package redact

import (
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// cursor goes through text that is known to be one JSON value.
type cursor struct {
	data []byte
	pos  int
}

func (c *cursor) peek() byte { return c.data[c.pos] }

func (c *cursor) space() {
	for c.pos < len(c.data) && isSpace(c.data[c.pos]) {
		c.pos++
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// open goes into the object or list that begins here and tells whether there is
// something in it:
//
//	for more := c.open(); more; more = c.more() {
//		name := c.name() // in an object
//		… // one value
//	}
func (c *cursor) open() bool {
	c.pos++
	c.space()
	return !c.closed()
}

func (c *cursor) closed() bool {
	if b := c.peek(); b != '}' && b != ']' {
		return false
	}
	c.pos++
	return true
}

// more goes on to the next member or item, if there is one.
func (c *cursor) more() bool {
	c.space()
	if c.closed() {
		return false
	}
	c.pos++ // the comma
	c.space()
	return true
}

// name takes a member's name and the colon.
func (c *cursor) name() string {
	name, _ := decode(c.quoted())
	c.space()
	c.pos++ // the colon
	c.space()
	return name
}

// quoted takes the string that begins here and gives its content as written.
func (c *cursor) quoted() []byte {
	start := c.pos + 1
	for i := start; ; i++ {
		switch c.data[i] {
		case '\\':
			i++
		case '"':
			c.pos = i + 1
			return c.data[start:i]
		}
	}
}

// literal takes a number, true, false or null, as it is written.
func (c *cursor) literal() []byte {
	start := c.pos
	for c.pos < len(c.data) && !isSpace(c.peek()) && c.peek() != ',' && c.peek() != '}' && c.peek() != ']' {
		c.pos++
	}
	return c.data[start:c.pos]
}

// decode gives the text of a string from its content as written, of which it may
// be a part, and for each byte of the text, and its end, the place in the
// content where it is written; nil where the two are the same.
func decode(content []byte) (text string, places []int) {
	plain := 0
	for plain < len(content) && content[plain] != '\\' {
		plain++
	}
	if plain == len(content) {
		return unsafe.String(unsafe.SliceData(content), len(content)), nil //nolint:gosec // The line does not change meanwhile.
	}
	out := make([]byte, 0, len(content))
	places = make([]int, 0, len(content)+1)
	for i := 0; i < len(content); {
		from := i
		if content[i] == '\\' {
			var r rune
			r, i = escape(content, i)
			out = utf8.AppendRune(out, r)
		} else {
			out = append(out, content[i])
			i++
		}
		for len(places) < len(out) {
			places = append(places, from)
		}
	}
	return string(out), append(places, len(content))
}

// escape reads the escape at i and gives the place behind it. Half a surrogate
// pair is the replacement character.
func escape(content []byte, i int) (rune, int) {
	switch c := content[i+1]; c {
	case 'b':
		return '\b', i + 2
	case 'f':
		return '\f', i + 2
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	case 'u':
	default:
		return rune(c), i + 2
	}
	r := unit(content[i+2:])
	i += 6
	if !utf16.IsSurrogate(r) {
		return r, i
	}
	if i+6 <= len(content) && content[i] == '\\' && content[i+1] == 'u' {
		if pair := utf16.DecodeRune(r, unit(content[i+2:])); pair != utf8.RuneError {
			return pair, i + 6
		}
	}
	return utf8.RuneError, i
}

// unit reads four hexadecimal digits.
func unit(digits []byte) rune {
	var r rune
	for _, c := range digits[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = c | 0x20 - 'a' + 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
