package truth

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// A token is "zq", letters and digits drawn by chance, and check characters that
// follow from them. Logs hold much random base64, such as tokens of accounts and
// certificates; the check characters make it improbable (about one chance in
// 10^11 for each character of it) that a stretch of it is taken for a token.
const (
	tokenDrawn  = 9
	tokenCheck  = 3
	tokenLength = 2 + tokenDrawn + tokenCheck
	// tokenPattern matches what may be a token; only the check characters say
	// whether it is one. A kind starts with a capital.
	tokenPattern = `[zZ]q[0-9a-z]{12}` //nolint:gosec // The form of names, no credential.
	tokenLetters = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// NewToken returns a token. It is a DNS label, so every name may hold it, and
// improbable enough in a log that it stands for nothing else.
func NewToken(rng *rand.Rand) string {
	drawn := make([]byte, tokenDrawn)
	for i := range drawn {
		drawn[i] = tokenLetters[rng.IntN(len(tokenLetters))]
	}
	return sealToken(string(drawn))
}

// sealToken returns the token with the drawn letters, which it completes.
func sealToken(drawn string) string {
	sum := checkSum([]byte(drawn))
	return "zq" + drawn + string(sum[:])
}

func checkSum(drawn []byte) [tokenCheck]byte {
	// FNV-1a, as every letter must change all check characters.
	hash := uint32(2166136261)
	for _, c := range drawn {
		hash = (hash ^ uint32(c)) * 16777619
	}
	var sum [tokenCheck]byte
	for i := range sum {
		sum[i] = tokenLetters[hash%uint32(len(tokenLetters))]
		hash /= uint32(len(tokenLetters))
	}
	return sum
}

// FindTokens returns the tokens in data, in lower case, each once, in order: also
// at the start of generated names, and with a capital in kinds.
func FindTokens(data []byte) []string {
	var out []string
	for at := 0; ; {
		q := bytes.IndexByte(data[at:], 'q')
		if q < 0 {
			return out
		}
		start := at + q - 1
		if start < at || !tokenAt(data, start) {
			at += q + 1
			continue
		}
		if t := "z" + string(data[start+1:start+tokenLength]); !slices.Contains(out, t) {
			out = append(out, t)
		}
		at = start + tokenLength
	}
}

func tokenAt(data []byte, start int) bool {
	if start+tokenLength > len(data) || data[start] != 'z' && data[start] != 'Z' {
		return false
	}
	text := data[start+2 : start+tokenLength]
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	sum := checkSum(text[:tokenDrawn])
	return bytes.Equal(text[tokenDrawn:], sum[:])
}

func hasToken(text string) bool { return len(FindTokens([]byte(text))) > 0 }
