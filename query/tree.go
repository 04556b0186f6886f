package query

import (
	"maps"
	"slices"
)

// node is a part of the tree of a query: a test, or others joined.
type node struct {
	kind nodeKind
	kids []*node // of a test none, of not one
	test *test
}

type nodeKind uint8

const (
	nodeTest nodeKind = iota
	nodeAnd
	nodeOr
	nodeNot
)

// test is a condition on one field. It is false where the field is missing.
type test struct {
	column *column
	keyed  bool // the field is a map, and the test is about the value behind key
	key    string
	kind   testKind
	text   *textTest
	number *numberTest
}

type testKind uint8

const (
	testExists testKind = iota
	testText            // of a list: of one of its elements
	testNumber
	testKeys // of a map: of one of its keys
)

func not(n *node) *node { return &node{kind: nodeNot, kids: []*node{n}} }

func (n *node) holds(r *row) bool {
	switch n.kind {
	case nodeAnd:
		for _, kid := range n.kids {
			if !kid.holds(r) {
				return false
			}
		}
		return true
	case nodeOr:
		for _, kid := range n.kids {
			if kid.holds(r) {
				return true
			}
		}
		return false
	case nodeNot:
		return !n.kids[0].holds(r)
	}
	return n.test.holds(r)
}

func (t *test) holds(r *row) bool {
	v := t.column.get(r)
	kind := t.column.Type
	if t.keyed {
		v, kind = v.behind(t.key), kind.element()
	}
	switch t.kind {
	case testExists:
		return v.ok || len(v.list)+len(v.texts)+len(v.counts)+len(v.lists) > 0
	case testNumber:
		return v.ok && t.number.holds(v.number)
	case testKeys:
		return slices.ContainsFunc(v.keys(), t.text.holds)
	}
	if kind == List {
		return slices.ContainsFunc(v.list, t.text.holds)
	}
	return v.ok && t.text.holds(v.text)
}

// behind gives what a map has behind a key.
func (v value) behind(key string) value {
	if n, ok := v.counts[key]; ok {
		return numberValue(n)
	}
	if list, ok := v.lists[key]; ok {
		return value{list: list}
	}
	return textValue(v.texts[key])
}

// keys gives the keys of a map, in no order.
func (v value) keys() []string {
	keys := slices.Collect(maps.Keys(v.texts))
	keys = slices.AppendSeq(keys, maps.Keys(v.counts))
	return slices.AppendSeq(keys, maps.Keys(v.lists))
}

// element is the type of what stands behind the keys of a map.
func (t Type) element() Type {
	switch t {
	case Counts:
		return Number
	case Lists:
		return List
	}
	return Text
}

// usesContext tells whether a query over events looks at their contexts.
func (n *node) usesContext() bool {
	if n.kind == nodeTest {
		return n.test.column.context
	}
	for _, kid := range n.kids {
		if kid.usesContext() {
			return true
		}
	}
	return false
}
