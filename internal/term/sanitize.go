package term

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Sanitize makes a text safe to print on one line of a terminal. What is not
// printable is written as an escape that can be read: control characters (so
// that no escape sequence and no line feed gets through), characters that
// override the direction of text, that have no width, or that no font shows,
// and bytes that are not UTF-8.
func Sanitize(s string) string { return sanitize(s, false) }

// SanitizeLines is Sanitize for a text of several lines: it leaves the line
// feeds.
func SanitizeLines(s string) string { return sanitize(s, true) }

func sanitize(s string, lines bool) string {
	at := unsafe(s, lines)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteString(s[:at])
	for i := at; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x`)
			b.WriteString(hex(uint32(s[i]), 2))
		case strconv.IsPrint(r) || (lines && r == '\n'):
			b.WriteString(s[i : i+n])
		default:
			writeEscape(&b, r)
		}
		i += n
	}
	return b.String()
}

// unsafe gives the offset of the first rune that must be escaped, or -1.
func unsafe(s string, lines bool) int {
	for i := 0; i < len(s); {
		if c := s[i]; (c >= ' ' && c < 0x7f) || (lines && c == '\n') {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && n == 1) || !strconv.IsPrint(r) {
			return i
		}
		i += n
	}
	return -1
}

func writeEscape(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r < 0x80:
		b.WriteString(`\x` + hex(uint32(r), 2))
	case r < 0x10000:
		b.WriteString(`\u` + hex(uint32(r), 4))
	default:
		b.WriteString(`\U` + hex(uint32(r), 8))
	}
}

func hex(v uint32, digits int) string {
	s := strconv.FormatUint(uint64(v), 16)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}
