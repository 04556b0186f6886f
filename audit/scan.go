package audit

import (
	"bytes"
	"fmt"
)

// rawPrefix is how much of a line over the limit a Malformed keeps, in bytes.
const rawPrefix = 1024

const truncatedValue = "truncated: the input ends inside the value that starts here"

// lineScanner cuts the bytes of one source into records. It holds what was
// read and not yet given out.
type lineScanner struct {
	maxLine int

	buf      []byte
	searched int   // buf[:searched] beyond the current line's start has no line feed
	offset   int64 // of buf[0] in the source
	line     int   // of buf[0], from 1

	// skipping says that buf[0] is in the middle of a line over the limit.
	skipping bool
	// open is the value over several lines that starts at buf[0].
	open *openValue
	// aloneUntil is the offset up to which lines stand alone, because the
	// value over several lines that seemed to start there is none, for the
	// reason in brokenReason. newlyBroken says that none of them is reported
	// yet.
	aloneUntil   int64
	brokenReason string
	newlyBroken  bool
}

// openValue is a value that began with an earlier line.
type openValue struct {
	structure
	fed   int // how many bytes of buf belong to it so far
	lines int
}

// span is a Record by its place in the scanner's buffer.
type span struct {
	start, end  int
	line, lines int
	reason      string
	run         bool // lines of a broken value, which are reported together
}

// cut is what a scan found: records, and how much of the buffer they take.
type cut struct {
	spans        []span
	used         int
	lines, blank int
}

// scan finds the records that are complete in the buffer. With eof it takes
// all that is there.
func (s *lineScanner) scan(eof bool) cut {
	var c cut
	pos := 0
	for pos < len(s.buf) {
		if s.open != nil {
			next, ok := s.goOn(&c, pos, eof)
			if !ok {
				break
			}
			pos = next
			continue
		}
		end, next, ok := s.lineEnd(pos, eof)
		if !ok {
			if s.skipping || len(s.buf)-pos > s.maxLine {
				pos = s.startSkipping(&c, pos)
			}
			break
		}
		if s.skipping {
			s.skipping = false
			s.line++
			pos = next
			continue
		}
		if !s.single(&c, pos, end, next) {
			s.open = &openValue{}
			continue
		}
		pos = next
	}
	c.used = pos
	return c
}

// lineEnd finds the end of the line at pos, and where the next starts.
func (s *lineScanner) lineEnd(pos int, eof bool) (end, next int, ok bool) {
	from := max(pos, s.searched)
	if i := bytes.IndexByte(s.buf[from:], '\n'); i >= 0 {
		return from + i, from + i + 1, true
	}
	s.searched = len(s.buf)
	return len(s.buf), len(s.buf), eof
}

// startSkipping reports a line over the limit and drops what is there of it.
func (s *lineScanner) startSkipping(c *cut, pos int) int {
	if !s.skipping {
		s.skipping = true
		c.lines++
		c.spans = append(c.spans, span{
			start: pos, end: min(pos+rawPrefix, len(s.buf)), line: s.line, lines: 1, reason: s.tooLong(),
		})
	}
	return len(s.buf)
}

func (s *lineScanner) tooLong() string {
	return fmt.Sprintf("line longer than %d bytes", s.maxLine)
}

// single takes the line buf[pos:end] as a record, unless it starts a value
// that goes on in the next line: then it gives false.
func (s *lineScanner) single(c *cut, pos, end, next int) bool {
	line := trimSpace(s.buf[pos:end])
	alone := s.offset+int64(pos) < s.aloneUntil
	switch {
	case len(line) == 0:
		c.blank++
	case end-pos > s.maxLine:
		c.spans = append(c.spans, span{
			start: pos, end: min(pos+rawPrefix, end), line: s.line, lines: 1, reason: s.tooLong(),
		})
	case alone && s.brokenReason != "" && !looksWhole(line):
		s.broken(c, pos, end)
	case !alone && startsValue(line) && next > end:
		return false
	default:
		c.spans = append(c.spans, span{start: pos, end: end, line: s.line, lines: 1})
	}
	c.lines++
	s.line++
	return true
}

// broken adds a line of a broken value to the record of its other lines.
func (s *lineScanner) broken(c *cut, pos, end int) {
	if n := len(c.spans); n > 0 {
		last := &c.spans[n-1]
		if last.run && !s.newlyBroken && last.line+last.lines == s.line {
			last.end = end
			last.lines++
			return
		}
	}
	s.newlyBroken = false
	c.spans = append(c.spans, span{
		start: pos, end: end, line: s.line, lines: 1, reason: s.brokenReason, run: true,
	})
}

// goOn feeds lines to the open value, which starts at pos, until it closes. It
// gives the place to go on from, or false when it needs more input.
func (s *lineScanner) goOn(c *cut, pos int, eof bool) (int, bool) {
	v := s.open
	for {
		at := pos + v.fed
		if at >= len(s.buf) {
			if eof {
				return s.giveUp(pos, at, truncatedValue), true
			}
			return pos, false
		}
		end, next, ok := s.lineEnd(at, eof)
		if !ok && len(s.buf)-pos <= s.maxLine {
			return pos, false
		}
		if end-pos > s.maxLine {
			return s.giveUp(pos, end, fmt.Sprintf("value over several lines longer than %d bytes", s.maxLine)), true
		}
		if !v.feed(s.buf[at:end]) {
			return s.breakOff(pos, at, end, next), true
		}
		v.fed = next - pos
		v.lines++
		if v.closed() {
			c.spans = append(c.spans, span{start: pos, end: end, line: s.line, lines: v.lines})
			c.lines += v.lines
			s.line += v.lines
			s.open = nil
			return next, true
		}
	}
}

// breakOff ends the open value at the line buf[at:end], which does not fit. The
// line may be the first of another value: then it is looked at anew.
func (s *lineScanner) breakOff(pos, at, end, next int) int {
	line := trimSpace(s.buf[at:end])
	switch {
	case s.open.lines == 0:
		return s.giveUp(pos, next, "")
	case len(line) > 0 && line[0] == '{':
		return s.giveUp(pos, at, "the value that starts here is broken off before its end")
	case next == end:
		return s.giveUp(pos, next, truncatedValue)
	}
	return s.giveUp(pos, next, "the value that starts here is broken off before its end")
}

// giveUp makes the lines of the open value, up to the place given, stand
// alone.
func (s *lineScanner) giveUp(pos, until int, reason string) int {
	s.open = nil
	s.aloneUntil = s.offset + int64(until)
	s.brokenReason, s.newlyBroken = reason, true
	s.searched = 0
	return pos
}

// drop takes the first n bytes out of the buffer.
func (s *lineScanner) drop(n int) {
	if n == 0 {
		return // copying a long line onto itself with each read takes seconds
	}
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	s.advance(n)
}

// advance notes that the buffer begins n bytes later in the source.
func (s *lineScanner) advance(n int) {
	s.offset += int64(n)
	s.searched = max(0, s.searched-n)
}

// looksWhole tells a line that may hold a whole object.
func looksWhole(line []byte) bool { return line[0] == '{' && line[len(line)-1] == '}' }

// startsValue tells a line after which pretty-printed JSON goes on.
func startsValue(line []byte) bool {
	if line[0] != '{' {
		return false
	}
	switch line[len(line)-1] {
	case '{', '[', ',':
		return true
	}
	return false
}

// trimSpace cuts JSON's spaces off both ends.
func trimSpace(line []byte) []byte {
	for len(line) > 0 && isSpace(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}
