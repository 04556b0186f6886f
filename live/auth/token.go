package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
)

// minToken is the least length of a token in bytes: shorter ones can be tried
// out.
const minToken = 20

// token is a bearer token, as its sum, and when it ends: zero if never.
type token struct {
	sum  [sha256.Size]byte
	ends time.Time
}

// parseTokens reads a file of tokens.
func parseTokens(name string, data []byte) ([]token, error) {
	var list []token
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) > 2 {
			return nil, fmt.Errorf("%s:%d: a line has a token and the time at which it ends, and here is more", name, number)
		}
		if len(fields[0]) < minToken {
			return nil, fmt.Errorf("%s:%d: the token has %d characters, and %d are the least: make one with openssl rand -hex 32",
				name, number, len(fields[0]), minToken)
		}
		t := token{sum: sha256.Sum256([]byte(fields[0]))}
		if len(fields) == 2 {
			var err error
			if t.ends, err = parseEnd(fields[1]); err != nil {
				return nil, fmt.Errorf("%s:%d: the time at which the token ends: %w", name, number, err)
			}
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no token: make one with openssl rand -hex 32", name)
	}
	return list, nil
}

func parseEnd(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither like 2027-01-31T18:00:00Z nor like 2027-01-31", cut(text))
}

// match tells whether the sum is that of a token of the list. It looks at all
// of them.
func match(list []token, sum *[sha256.Size]byte) (found token, ok bool) {
	for _, t := range list {
		if subtle.ConstantTimeCompare(t.sum[:], sum[:]) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}
