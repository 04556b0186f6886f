package why

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many names like the one asked for are suggested.
const maxNear = 5

// nearest keeps the names most like the one asked for.
type nearest struct {
	name string
	best []nearName
}

type nearName struct {
	namespace, name string
	distance        int
}

// add takes a name of the log into account.
func (n *nearest) add(namespace, name string) {
	if name == "" {
		return
	}
	near := nearName{namespace, name, n.distance(name)}
	if near.distance > len(n.name)/2+1 || slices.Contains(n.best, near) {
		return
	}
	at, _ := slices.BinarySearchFunc(n.best, near, func(a, b nearName) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	if at == maxNear {
		return
	}
	n.best = slices.Insert(n.best, at, near)
	n.best = n.best[:min(len(n.best), maxNear)]
}

// distance says how unlike a name is: little where one is the beginning of
// the other, else the number of edits.
func (n *nearest) distance(name string) int {
	if strings.HasPrefix(name, n.name) || strings.HasPrefix(n.name, name) {
		return 1
	}
	return edits(n.name, name)
}

// names gives the names found, written as targets.
func (n *nearest) names(like Target) []string {
	var list []string
	for _, near := range n.best {
		t := like
		t.Namespace, t.Name = near.namespace, near.name
		if t.Kind == "namespace" {
			t.Namespace = ""
		}
		list = append(list, t.String())
	}
	return list
}

// maxEdits bounds the length of the names that edits compares; Kubernetes
// allows 253 characters.
const maxEdits = 253

// edits is the Levenshtein distance of two names in bytes.
func edits(a, b string) int {
	a, b = a[:min(len(a), maxEdits)], b[:min(len(b), maxEdits)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
