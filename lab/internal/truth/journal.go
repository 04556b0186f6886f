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

import "time"

// Journal is what the recorder did.
type Journal struct {
	Commands []Command `json:"commands"`
	Chains   []Chain   `json:"chains"`
	// Lab is the user that the lab itself acts as.
	Lab string `json:"lab"`
	// Spaces are shared namespaces' tokens, which belong to no chain.
	Spaces []Token `json:"spaces"`
	// Suffixes are what scenarios put behind a name to make another name of it.
	Suffixes []string `json:"suffixes"`
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
	// Restless says that silence was waited for and did not come in time.
	Restless bool `json:"restless,omitempty"`
}

// unsettled says that the next step may have started before all that the command
// caused had happened.
func (c *Command) unsettled() bool { return c.Rapid || c.Restless }

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
