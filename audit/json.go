package audit

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// scanner reads JSON text (RFC 8259) from its beginning to its end, without a
// tree of values: its caller says what it wants where, and skips the rest. It
// accepts what encoding/json accepts, given valid UTF-8, and nothing else. Once
// something does not fit it has failed, reads nothing more, and every loop over
// an object or a list ends.
//
// The methods that read a value start at its first byte and end behind it. null
// counts as absent. A value of a type that is not wanted is skipped where
// lenient is set, and a failure elsewhere.
type scanner struct {
	data     []byte
	pos      int
	depth    int // of the objects and lists that are open
	lenient  bool
	failed   bool
	failedAt int
	open     []byte // the brackets that skip has open
	names    *interner
}

func (s *scanner) fail() {
	if !s.failed {
		s.failed, s.failedAt = true, s.pos
	}
	s.pos = len(s.data)
}

// peek gives the next byte, and 0, which begins nothing, at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) && s.data[s.pos] <= ' ' && isSpace(s.data[s.pos]) {
		s.pos++
	}
}

// end tells that nothing but spaces is left.
func (s *scanner) end() bool {
	s.space()
	if s.pos < len(s.data) {
		s.fail()
	}
	return !s.failed
}

// null takes a null, if there is one.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	s.skip()
	return true
}

// wants tells whether a value begins as it should, and deals with one that
// does not.
func (s *scanner) wants(first byte) bool {
	c := s.peek()
	if c == first {
		return true
	}
	if c == 'n' || s.lenient {
		s.skip()
	} else {
		s.fail()
	}
	return false
}

// object begins an object and tells whether there is a member to read:
//
//	for more := s.object(); more; more = s.more('}') {
//		switch s.name() { … }
//	}
func (s *scanner) object() bool { return s.wants('{') && s.begin('}') }

// list begins a list and tells whether there is an item to read. The loop goes
// on with more(']').
func (s *scanner) list() bool { return s.wants('[') && s.begin(']') }

func (s *scanner) begin(closing byte) bool {
	s.pos++
	s.depth++
	if s.depth > maxDepth {
		s.fail()
		return false
	}
	s.space()
	if s.peek() != closing {
		return !s.failed
	}
	s.pos++
	s.depth--
	return false
}

// more goes on to the next member or item, if there is one.
func (s *scanner) more(closing byte) bool {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return true
	case closing:
		s.pos++
		s.depth--
		return false
	}
	s.fail()
	return false
}

// name takes a member's name and the colon. It may be a part of the data.
func (s *scanner) name() string {
	if s.peek() != '"' {
		s.fail()
		return ""
	}
	name := s.quoted()
	s.space()
	if s.peek() != ':' {
		s.fail()
		return ""
	}
	s.pos++
	s.space()
	return name
}

// text reads a string, which may be a part of the data.
func (s *scanner) text(into *string) {
	if s.wants('"') {
		*into = s.quoted()
	}
}

// quoted takes the string that begins here.
func (s *scanner) quoted() string {
	start := s.pos + 1
	end, plain := stringEnd(s.data, start)
	if end < 0 {
		s.fail()
		return ""
	}
	s.pos = end + 1
	switch {
	case end == start:
		return ""
	case plain:
		// It lives as long as the data, and whoever keeps it copies it.
		return unsafe.String(&s.data[start], end-start) //nolint:gosec // The data does not change meanwhile.
	}
	return unescape(s.data[start:end])
}

// number takes a number as it is written, and "" where there is none.
func (s *scanner) number() string {
	c := s.peek()
	if c != '-' && (c < '0' || c > '9') {
		s.wants('0')
		return ""
	}
	start := s.pos
	s.skip()
	if s.failed {
		return ""
	}
	return string(s.data[start:s.pos])
}

// integer reads a whole number that fits the bits.
func (s *scanner) integer(bits int) int64 {
	at := s.pos
	written := s.number()
	if written == "" {
		return 0
	}
	n, err := strconv.ParseInt(written, 10, bits)
	if err != nil {
		if !s.lenient {
			s.pos = at
			s.fail()
		}
		return 0
	}
	return n
}

// boolean reads true or false, and gives nil for all else.
func (s *scanner) boolean() *bool {
	c := s.peek()
	if c != 't' && c != 'f' {
		s.wants('t')
		return nil
	}
	s.skip()
	value := c == 't'
	return &value
}

// truth takes true or false; anything else is false.
func (s *scanner) truth(to *bool) {
	value := s.boolean()
	*to = value != nil && *value
}

// skip takes a value of any type, as strictly as if it were wanted.
func (s *scanner) skip() {
	s.open = s.open[:0]
	for {
		if !s.skipSimple() {
			return
		}
		for {
			if len(s.open) == 0 {
				return
			}
			s.space()
			c := s.peek()
			top := s.open[len(s.open)-1]
			if c == ',' {
				s.pos++
				s.space()
				if top == '{' {
					s.skipName()
				}
				break
			}
			if c != top+2 { // '{' and '}', '[' and ']' are two apart
				s.fail()
				return
			}
			s.pos++
			s.open = s.open[:len(s.open)-1]
		}
	}
}

// skipName takes a member's name and the colon.
func (s *scanner) skipName() {
	if s.peek() != '"' {
		s.fail()
		return
	}
	end, _ := stringEnd(s.data, s.pos+1)
	if end < 0 {
		s.fail()
		return
	}
	s.pos = end + 1
	if s.peek() != ':' {
		s.space()
		if s.peek() != ':' {
			s.fail()
			return
		}
	}
	s.pos++
	s.space()
}

// skipSimple takes a string, a number, a literal or an empty object or list;
// of others it takes the brackets up to the first value in them. It gives false
// when it fails.
func (s *scanner) skipSimple() bool {
	for {
		end := -1
		c := s.peek()
		switch c {
		case '"':
			if end, _ = stringEnd(s.data, s.pos+1); end >= 0 {
				end++
			}
		case '{', '[':
			if s.depth+len(s.open) == maxDepth {
				break
			}
			s.pos++
			s.space()
			if s.peek() == c+2 {
				s.pos++
				return true
			}
			s.open = append(s.open, c)
			if c == '{' {
				s.skipName()
			}
			continue
		case 't':
			end = literalEnd(s.data, s.pos, "true")
		case 'f':
			end = literalEnd(s.data, s.pos, "false")
		case 'n':
			end = literalEnd(s.data, s.pos, "null")
		default:
			end = numberEnd(s.data, s.pos)
		}
		if end < 0 {
			s.fail()
			return false
		}
		s.pos = end
		return true
	}
}

func literalEnd(data []byte, i int, literal string) int {
	end := i + len(literal)
	if end > len(data) || string(data[i:end]) != literal {
		return -1
	}
	return end
}

// numberEnd gives the end of the number that begins at i, and -1 if none does.
func numberEnd(data []byte, i int) int {
	if i < len(data) && data[i] == '-' {
		i++
	}
	from := i
	i = digitsEnd(data, i)
	if i == from || data[from] == '0' && i > from+1 {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		from = i + 1
		if i = digitsEnd(data, from); i == from {
			return -1
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		from = i + 1
		if from < len(data) && (data[from] == '+' || data[from] == '-') {
			from++
		}
		if i = digitsEnd(data, from); i == from {
			return -1
		}
	}
	return i
}

func digitsEnd(data []byte, i int) int {
	for i < len(data) && data[i] >= '0' && data[i] <= '9' {
		i++
	}
	return i
}

// stringEnd gives the place of the quote that ends the string whose content
// begins at i, and -1 if there is none or the content is not as it must be.
// Plain tells that it holds no escapes.
func stringEnd(data []byte, i int) (end int, plain bool) {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	plain = true
	for {
		// Eight bytes at a time, up to one that is a quote, a backslash or a
		// control character: where subtracting carries into the highest bit.
		for i+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i:])
			quote, escape := w^ones*'"', w^ones*'\\'
			found := ((quote-ones)&^quote | (escape-ones)&^escape | (w-ones*' ')&^w) & highs
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		if i >= len(data) || data[i] < ' ' {
			return -1, false
		}
		switch data[i] {
		case '"':
			return i, plain
		case '\\':
			plain = false
			n := escapeLength(data[i:])
			if n == 0 {
				return -1, false
			}
			i += n
		default: // in the last seven bytes
			i++
		}
	}
}

// escapeLength is the length of the escape that begins b, 0 if it is none.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := unicodeEscape(b); ok {
			return 6
		}
	}
	return 0
}

// unicodeEscape reads a \uXXXX at the beginning of b.
func unicodeEscape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape gives the text of a string whose escapes stringEnd has seen. Half a
// surrogate pair becomes the replacement character.
func unescape(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		r, ok := unicodeEscape(b[i:])
		if !ok {
			out = append(out, simpleEscape(b[i+1]))
			i += 2
			continue
		}
		i += 6
		if utf16.IsSurrogate(r) {
			second, _ := unicodeEscape(b[i:])
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				i += 6
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
