package audit

import "bytes"

// maxDepth is how deep brackets may nest in one value, the bound that
// encoding/json has too.
const maxDepth = 10000

// structure follows the brackets of JSON text, fed in pieces, to find where a
// value ends that spans lines. It sees only what it needs to tell a value that
// goes on from one that was cut off: strings, brackets, and where an object or
// array may start. The JSON decoder judges the rest.
type structure struct {
	stack    []byte // the open brackets
	last     byte   // the last byte outside strings that is not a space, 0 between values
	inString bool
	escaped  bool
}

// step takes one byte and tells whether it fits.
func (s *structure) step(c byte) bool {
	if s.inString {
		switch {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.inString = false
		}
		return c != '\n'
	}
	switch c {
	case ' ', '\t', '\r', '\n':
		return true
	case '{', '[':
		return s.push(c)
	case '}', ']':
		return s.pop(c)
	case '"':
		s.inString = true
	}
	s.last = c
	return len(s.stack) > 0
}

func (s *structure) push(c byte) bool {
	fits := false
	switch s.last {
	case 0:
		fits = c == '{'
	case '[', ':':
		fits = true
	case ',':
		fits = s.stack[len(s.stack)-1] == '['
	}
	if !fits || len(s.stack) == maxDepth {
		return false
	}
	s.stack = append(s.stack, c)
	s.last = c
	return true
}

func (s *structure) pop(c byte) bool {
	n := len(s.stack)
	if n == 0 || s.stack[n-1] != c-2 { // '{' and '}', '[' and ']' are two apart
		return false
	}
	s.stack = s.stack[:n-1]
	s.last = c
	if n == 1 {
		s.last = 0
	}
	return true
}

// closed tells that no value is open.
func (s *structure) closed() bool { return len(s.stack) == 0 && !s.inString }

// feed takes a line without its line feed and tells whether it fits and can be
// followed by another line.
func (s *structure) feed(line []byte) bool {
	for _, c := range line {
		if !s.step(c) {
			return false
		}
	}
	return !s.inString
}

// piece is one of several values that stand one after the other in a text, or
// the rest of the text that is no whole value.
type piece struct {
	start, end int
	whole      bool
}

// splitValues cuts a text into the objects it holds. What cannot be cut is the
// last piece.
func splitValues(raw []byte) []piece {
	var out []piece
	var s structure
	start := 0
	for i, c := range raw {
		fits := s.step(c)
		if fits && s.closed() && s.last == 0 && c == '}' {
			out = append(out, trimPiece(raw, piece{start, i + 1, true}))
			start = i + 1
		}
		if !fits {
			break
		}
	}
	if len(bytes.TrimSpace(raw[start:])) > 0 {
		out = append(out, trimPiece(raw, piece{start, len(raw), false}))
	}
	return out
}

func trimPiece(raw []byte, p piece) piece {
	for p.start < p.end && isSpace(raw[p.start]) {
		p.start++
	}
	return p
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
