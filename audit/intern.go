package audit

import (
	"hash/maphash"
	"strings"
)

const (
	// internEntries bounds the table: a cluster has some thousand distinct
	// users, agents, namespaces, resources and label values that repeat, and
	// each object is named by dozens of events that follow each other.
	internEntries = 16384
	// internLength is the longest string worth a place in the table.
	internLength = 256
	// memoEntries bounds a memo: a cluster has some thousand distinct label
	// maps, and far fewer lists of groups.
	memoEntries = 4096
	// memoLength is the longest JSON that a memo remembers, in bytes.
	memoLength = 512
)

// interner gives equal strings one copy. Each string has one place in its
// table, which it loses to the next string with the same place, so that a long
// log in which names come and go keeps what repeats now.
type interner struct {
	seed  maphash.Seed
	table []string
	// lists, maps, selectors and extras are those that were read from the same
	// JSON.
	lists           memo[[]string]
	maps, selectors memo[map[string]string]
	extras          memo[map[string][]string]
}

// intern returns s in memory of its own, shared with earlier equal strings.
func (in *interner) intern(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > internLength {
		return strings.Clone(s)
	}
	if in.table == nil {
		in.seed = maphash.MakeSeed()
		in.table = make([]string, internEntries)
	}
	known := &in.table[maphash.String(in.seed, s)%internEntries]
	if *known != s {
		*known = strings.Clone(s)
	}
	return *known
}

// memo remembers what pieces of JSON say, so that they are read once and share
// one value, which nobody may change. Its table works like an interner's.
type memo[T any] struct {
	seed  maphash.Seed
	table []memory[T]
}

type memory[T any] struct {
	json  string
	value T
}

func (m *memo[T]) get(json []byte) (T, bool) {
	if len(m.table) > 0 && len(json) <= memoLength {
		if known := &m.table[maphash.Bytes(m.seed, json)%memoEntries]; known.json == string(json) {
			return known.value, true
		}
	}
	var none T
	return none, false
}

func (m *memo[T]) put(json []byte, value T) {
	if len(json) > memoLength {
		return
	}
	if m.table == nil {
		m.seed = maphash.MakeSeed()
		m.table = make([]memory[T], memoEntries)
	}
	m.table[maphash.Bytes(m.seed, json)%memoEntries] = memory[T]{string(json), value}
}
