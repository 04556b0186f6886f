package truth

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// A token also stands in base64: in the claims of a service account's token, and
// in a Secret's data, which may hold such a token again. These are the two
// alphabets.
var alphabets = []struct {
	padded, raw *base64.Encoding
	extra       string // what it has beside letters and digits
}{
	{base64.StdEncoding, base64.RawStdEncoding, "+/"},
	{base64.URLEncoding, base64.RawURLEncoding, "-_"},
}

const (
	// shortestRun is how long the base64 of a token is at least.
	shortestRun = (tokenLength*4 + 2) / 3
	// deepest is how often base64 may stand in base64.
	deepest = 3
)

// changeHidden returns the text with what change makes of what stands in base64,
// encoded again. A token's signature does not fit its new claims.
func changeHidden(text []byte, change func([]byte) []byte) []byte {
	return changeWithin(text, change, deepest)
}

func changeWithin(text []byte, change func([]byte) []byte, depth int) []byte {
	if depth == 0 {
		return text
	}
	var out []byte
	copied := 0
	eachRun(text, "+/-_", func(start, end int) {
		run := text[start:end]
		// Without any of its characters either alphabet reads the run alike; with
		// characters of both it is no base64.
		alphabet := alphabets[0]
		if bytes.ContainsAny(run, alphabets[1].extra) {
			alphabet = alphabets[1]
		}
		plain, err := alphabet.raw.AppendDecode(nil, run)
		if err != nil {
			return
		}
		changed := change(changeWithin(plain, change, depth-1))
		if bytes.Equal(plain, changed) {
			return
		}
		padding := 0
		for end+padding < len(text) && text[end+padding] == '=' {
			padding++
		}
		encoding := alphabet.padded
		switch {
		case start > 0 && text[start-1] == '.' || end < len(text) && text[end] == '.':
			// A segment of a token, whichever of the two alphabets it shows.
			encoding = base64.RawURLEncoding
		case padding == 0 && len(run)%4 != 0:
			encoding = alphabet.raw
		}
		out = encoding.AppendEncode(append(out, text[copied:start]...), changed)
		copied = end + padding
	})
	if copied == 0 {
		return text
	}
	return append(out, text[copied:]...)
}

// findHidden returns the tokens that stand in base64 in the text, wherever in a
// run their base64 begins.
func findHidden(text []byte, depth int) []string {
	if depth == 0 {
		return nil
	}
	var found []string
	for a := range alphabets {
		eachRun(text, alphabets[a].extra, func(start, end int) {
			for shift := 0; shift < 4 && end-start-shift >= shortestRun; shift++ {
				run := text[start+shift : end]
				if len(run)%4 == 1 {
					run = run[:len(run)-1]
				}
				plain, err := alphabets[a].raw.AppendDecode(nil, run)
				if err != nil {
					continue
				}
				found = append(found, FindTokens(plain)...)
				found = append(found, findHidden(plain, depth-1)...)
			}
		})
	}
	return found
}

// eachRun calls visit with where each run of letters, digits and the extra
// characters starts and ends that may hold a token. In a line of JSON what a
// backslash escapes is no part of a run.
func eachRun(text []byte, extra string, visit func(start, end int)) {
	start := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (isAlphanumeric(text[i]) || strings.IndexByte(extra, text[i]) >= 0) {
			continue
		}
		if i-start >= shortestRun {
			visit(start, i)
		}
		start = i + 1
		if i < len(text) && text[i] == '\\' {
			escape := 1
			if i+1 < len(text) && text[i+1] == 'u' {
				escape = len("u003c")
			}
			start, i = i+1+escape, i+escape
		}
	}
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
