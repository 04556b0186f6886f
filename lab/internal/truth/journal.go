// Package truth says which line of an audit log belongs to which command, from
// what the recorder did and not from what the lines look like to a linker.
//
// The recorder puts random tokens in all names that a chain of steps uses, so a
// line belongs to the chain whose token it holds. Within a chain the step is
// known by time, because steps wait for silence. A client's requests are known
// by who sent them and when, because an actor runs one command at a time. What
// cannot be told this way is marked unscored; nothing is guessed. [Attribute]
// does this; [Rename] then replaces the tokens by ordinary names that collide,
// and [Check] proves the result sound.
package truth

import (
	"math/rand/v2"
	"regexp"
	"time"
)

// Journal is what the recorder did.
type Journal struct {
	Commands []Command `json:"commands"`
	Chains   []Chain   `json:"chains"`
	// Lab is the user that the lab itself acts as.
	Lab string `json:"lab"`
	// Spaces are shared namespaces' tokens, which belong to no chain.
	Spaces []Token `json:"spaces"`
}

// Command is one step that was run.
type Command struct {
	// Chain and Step count from 0. The making of a chain's own namespace is step
	// -1, and its deleting the step after the scenario's last.
	Chain int `json:"chain"`
	Step  int `json:"step"`
	// User is the user name as the audit log has it.
	User string `json:"user"`
	// Text is the command line, or the request of a call.
	Text   string `json:"text"`
	Status int    `json:"status"`
	// Start and End enclose the requests. Settled is when silence had come.
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Settled time.Time `json:"settled"`
	// Clock says that what happens from Settled on is caused by the clock.
	Clock bool `json:"clock"`
	// Rapid says that nobody waited for silence before the next step.
	Rapid bool `json:"rapid"`
}

// Chain is a scenario that was played once.
type Chain struct {
	Scenario string `json:"scenario"`
	// Mode is how chains were run: alone, apart, together or rapid.
	Mode string `json:"mode"`
	// Exclusive says that nothing else happened in the whole cluster meanwhile.
	Exclusive bool      `json:"exclusive"`
	Tokens    []Token   `json:"tokens"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
}

// Token is a random name and what it names.
type Token struct {
	Text string `json:"text"`
	// Namespace says that the token names a namespace.
	Namespace bool `json:"namespace"`
	// Space is the token of the namespace in which the objects live; empty for
	// a namespace's own token and in the cluster.
	Space string `json:"space"`
}

// tokenForm matches tokens where they stand in a line: also at the start of
// generated names, and with a capital in kinds.
var tokenForm = regexp.MustCompile(`[zZ]q[0-9a-z]{10}`)

// NewToken returns a token. It is a DNS label, so every name may hold it, and
// improbable enough in a log that it stands for nothing else.
func NewToken(rng *rand.Rand) string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	b := []byte("zq__________")
	for i := 2; i < len(b); i++ {
		b[i] = letters[rng.IntN(len(letters))]
	}
	return string(b)
}

// FindTokens returns the texts in data that look like tokens, in lower case,
// each once, in order.
func FindTokens(data []byte) []string {
	var out []string
	for _, m := range tokenForm.FindAll(data, -1) {
		t := string(m)
		if t[0] == 'Z' {
			t = "z" + t[1:]
		}
		known := false
		for _, o := range out {
			known = known || o == t
		}
		if !known {
			out = append(out, t)
		}
	}
	return out
}
