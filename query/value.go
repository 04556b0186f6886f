package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// unquote gives the text that a literal in quotes stands for, or says where,
// in bytes from its beginning, it has an escape that means nothing.
func unquote(quoted string) (text string, at int, err error) {
	inner := quoted[1 : len(quoted)-1]
	if !strings.ContainsRune(inner, '\\') {
		return inner, 0, nil
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			b.WriteByte(inner[i])
			continue
		}
		i++
		switch c := inner[i]; c {
		case '\\', '"', '\'':
			b.WriteByte(c)
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'u':
			r, err := strconv.ParseUint(inner[min(i+1, len(inner)):min(i+5, len(inner))], 16, 16)
			if err != nil || !utf8.ValidRune(rune(r)) || r == 0 {
				return "", i, fmt.Errorf(`behind \u stand four hexadecimal digits of a character, as in \u00e9`)
			}
			b.WriteRune(rune(r))
			i += 4
		default:
			return "", i, fmt.Errorf(`there is no escape \%c: write \\ for a backslash`, c)
		}
	}
	return b.String(), 0, nil
}

// rawText gives what stands between the quotes of a regular expression or of a
// glob, which have escapes of their own.
func rawText(quoted string) string { return quoted[1 : len(quoted)-1] }

// timeLayouts are the ways to write a point in time; without a zone it is UTC.
func timeLayouts() []string {
	return []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
		"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", time.DateOnly,
	}
}

// parseTime reads a point in time, to the microsecond.
func parseTime(s string) (micros int64, err error) {
	for _, layout := range timeLayouts() {
		t, err := time.Parse(layout, s)
		switch {
		case err != nil:
		case t.Nanosecond()%1000 != 0:
			return 0, fmt.Errorf("times go to the microsecond, which is six decimals")
		default:
			return t.UnixMicro(), nil
		}
	}
	return 0, fmt.Errorf("this is no time: write 2026-11-23T18:00:00Z or 2026-11-23")
}

// maxDuration bounds durations and the way back of since to 1,000 years, in
// microseconds.
const maxDuration = 1000 * 366 * 24 * 3600 * 1_000_000

// parseDuration reads a duration such as 90s, 1h30m or 7d, to the microsecond.
func parseDuration(s string) (micros int64, err error) {
	units := map[string]float64{"us": 1, "µs": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6, "d": 24 * 3600e6, "w": 7 * 24 * 3600e6}
	total, rest := 0.0, s
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		n, numErr := strconv.ParseFloat(rest[:digits], 64)
		rest = rest[digits:]
		letters := strings.IndexAny(rest, "0123456789.")
		if letters < 0 {
			letters = len(rest)
		}
		unit, known := units[rest[:letters]]
		if numErr != nil || !known {
			return 0, fmt.Errorf("this is no duration: write 500ms, 30s, 5m, 2h, 7d, 2w, or 1h30m")
		}
		total += n * unit
		rest = rest[letters:]
	}
	switch {
	case s == "":
		return 0, fmt.Errorf("this is no duration: write 30s, 5m or 2h")
	case total > maxDuration:
		return 0, fmt.Errorf("durations end at 1,000 years")
	}
	return int64(total + 0.5), nil
}

// parseNumber reads a whole number.
func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("this is no whole number")
	}
	return n, nil
}

// parseDecimal reads a number with decimals.
func parseDecimal(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != f || f > 1e15 || f < -1e15 {
		return 0, fmt.Errorf("this is no number")
	}
	return f, nil
}
