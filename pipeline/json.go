package pipeline

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendJSONString appends s as a JSON string. Beyond what JSON asks for it
// escapes every character that is not printable: control characters of all
// sorts, those that override the direction of text or have no width, and line
// separators. Bytes that are not UTF-8 become U+FFFD.
func AppendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if strconv.IsPrint(r) && r != '"' && r != '\\' && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		b = append(b, s[done:i]...)
		b = appendEscape(b, r)
		i += n
		done = i
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, `\n`...)
	case '\t':
		return append(b, `\t`...)
	case '\r':
		return append(b, `\r`...)
	}
	if r >= 0x10000 {
		high, low := utf16.EncodeRune(r)
		return appendHex(appendHex(b, high), low)
	}
	return appendHex(b, r)
}

func appendHex(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// EscapeJSON appends JSON text with every character that is not printable
// escaped, which within strings leaves its meaning as it was. Elsewhere JSON
// has only spaces of that sort, which are left.
func EscapeJSON(b, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' {
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if strconv.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b = append(b, text[i:i+n]...)
		} else {
			b = appendEscape(b, r)
		}
		i += n
	}
	return b
}
