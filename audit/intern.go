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

// internAll interns a list into a new one, and keeps nil as nil.
func (in *interner) internAll(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = in.intern(s)
	}
	return out
}

// internMap copies a map with its keys and short values interned, and gives
// nil for an empty one.
func (in *interner) internMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[in.intern(k)] = in.intern(v)
	}
	return out
}
