package audit

import "strings"

const (
	// internEntries bounds the table: a cluster has some thousand distinct
	// users, agents, namespaces, resources and label values that repeat.
	internEntries = 8192
	// internLength is the longest string worth a place in the table.
	internLength = 256
)

// interner gives equal strings one copy. Its table is bounded: when full it is
// emptied, so that a long log in which names come and go keeps what repeats
// now.
type interner struct {
	table map[string]string
	// lists, maps and selectors are those that were read from the same JSON.
	lists           memo[[]string]
	maps, selectors memo[map[string]string]
}

// intern returns s in memory of its own, shared with earlier equal strings.
func (in *interner) intern(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > internLength {
		return strings.Clone(s)
	}
	if known, ok := in.table[s]; ok {
		return known
	}
	if in.table == nil || len(in.table) >= internEntries {
		in.table = make(map[string]string, 256)
	}
	s = strings.Clone(s)
	in.table[s] = s
	return s
}

const (
	// memoEntries bounds a memo: a cluster has some thousand distinct label
	// maps, and far fewer lists of groups.
	memoEntries = 4096
	// memoLength is the longest JSON that a memo remembers, in bytes.
	memoLength = 512
)

// memo remembers what pieces of JSON say, so that they are read once and share
// one value, which nobody may change. Like an interner it is emptied when full.
type memo[T any] struct {
	table map[string]T
}

func (m *memo[T]) get(raw []byte) (T, bool) {
	v, ok := m.table[string(raw)]
	return v, ok
}

func (m *memo[T]) put(raw []byte, v T) {
	if len(raw) > memoLength {
		return
	}
	if m.table == nil || len(m.table) >= memoEntries {
		m.table = make(map[string]T, 64)
	}
	m.table[string(raw)] = v
}
