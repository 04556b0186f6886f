package truth

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNewTokensAreFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		token := NewToken(rng)
		text := `{"q":"zq` + token + `-5d4f-x","kind":"` + Capital(token) + `List"}`
		if got := FindTokens([]byte(text)); len(got) != 1 || got[0] != token {
			t.Fatalf("FindTokens(%s) = %q; want %s", text, got, token)
		}
	}
}

// A log holds megabytes of random text, in which nothing may look like a token.
func TestRandomTextHoldsNoToken(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	letters := tokenLetters + strings.ToUpper(tokenLetters[10:]) + "-_"
	for range 50 {
		text := make([]byte, 20*tokenLength)
		for i := range text {
			text[i] = letters[rng.IntN(len(letters))]
			if i%tokenLength == 0 {
				text[i] = 'z'
			}
			if i%tokenLength == 1 {
				text[i] = 'q'
			}
		}
		if got := FindTokens(text); len(got) > 0 {
			t.Errorf("%q is taken for a token", got)
		}
	}
	for _, text := range []string{"q", "zq", "q" + sealToken("aaaaaaaa1")[1:], sealToken("aaaaaaaa1")[:tokenLength-1], "zqaaaaaaaa1000"} {
		if got := FindTokens([]byte(text)); len(got) > 0 {
			t.Errorf("FindTokens(%s) = %q; want none", text, got)
		}
	}
}
