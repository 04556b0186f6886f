package query

import (
	"strings"

	"github.com/whet-k8s/whet/store"
)

// builder writes the SQL of a tree. It writes constants of this package only;
// what the user wrote becomes an argument.
type builder struct {
	strings.Builder
	args []any
}

func (b *builder) where() store.Where { return store.Where{SQL: b.String(), Args: b.args} }

// arg writes the place of an argument.
func (b *builder) arg(v any) {
	b.WriteByte('?')
	b.args = append(b.args, v)
}

// node writes a condition that is true where the node holds, and false or NULL
// elsewhere. With and, or, and a not that takes NULL as false, the whole is
// then true exactly where the tree holds.
func (b *builder) node(n *node) {
	switch n.kind {
	case nodeAnd:
		b.joined(n.kids, " AND ")
	case nodeOr:
		b.joined(n.kids, " OR ")
	case nodeNot:
		b.WriteByte('(')
		b.node(n.kids[0])
		b.WriteString(" IS NOT TRUE)")
	default:
		b.own(func() { b.test(n.test) }, n.test.column.context)
	}
}

// joined writes nodes with a word between them. Those that are about the
// event's context, and want it to be there, share one look at the contexts.
func (b *builder) joined(kids []*node, word string) {
	b.WriteByte('(')
	var about []*node
	first := true
	for _, kid := range kids {
		if kid.needsContext() {
			about = append(about, kid)
			continue
		}
		if !first {
			b.WriteString(word)
		}
		first = false
		b.node(kid)
	}
	if len(about) > 0 {
		if !first {
			b.WriteString(word)
		}
		b.own(func() { b.inside(about, word) }, true)
	}
	b.WriteByte(')')
}

// inside writes nodes within a look at the contexts.
func (b *builder) inside(kids []*node, word string) {
	for i, kid := range kids {
		if i > 0 {
			b.WriteString(word)
		}
		b.WriteByte('(')
		switch kid.kind {
		case nodeAnd:
			b.inside(kid.kids, " AND ")
		case nodeOr:
			b.inside(kid.kids, " OR ")
		default:
			b.test(kid.test)
		}
		b.WriteByte(')')
	}
}

// own writes a condition, within a look at the contexts where it is about them.
func (b *builder) own(condition func(), context bool) {
	if !context {
		condition()
		return
	}
	b.WriteString(`("cluster", "context") IN (SELECT "cluster", "id" FROM contexts WHERE `)
	condition()
	b.WriteByte(')')
}

// needsContext tells whether the node is about an event's context alone, and
// cannot hold without one.
func (n *node) needsContext() bool {
	switch n.kind {
	case nodeTest:
		return n.test.column.context
	case nodeNot:
		return false
	}
	for _, kid := range n.kids {
		if !kid.needsContext() {
			return false
		}
	}
	return true
}

// test writes a condition on a field.
func (b *builder) test(t *test) {
	kind := t.column.Type
	expr := func() { b.WriteString(t.column.sql) }
	if t.keyed {
		kind = kind.element()
		expr = func() {
			b.WriteString("map_extract_value(" + t.column.sql + ", ")
			b.arg(t.key)
			b.WriteByte(')')
		}
	}
	switch t.kind {
	case testExists:
		b.exists(kind, expr)
	case testNumber:
		b.number(t.number, kind, expr)
	case testKeys:
		b.anyText(t.text, func() { b.WriteString("map_keys(" + t.column.sql + ")") })
	default:
		if kind == List {
			b.anyText(t.text, expr)
			return
		}
		b.WriteByte('(')
		if t.text.holdsEmpty() {
			expr()
			b.WriteString(" <> '' AND ")
		}
		if t.column.id && t.text.op == textIn {
			is := store.IsOneOf(strings.Trim(t.column.sql, `"`), t.text.values...)
			b.WriteString(is.SQL)
			b.args = append(b.args, is.Args...)
		} else {
			b.text(t.text, expr)
		}
		b.WriteByte(')')
	}
}

func (b *builder) exists(kind Type, expr func()) {
	b.WriteByte('(')
	switch kind {
	case Text:
		expr()
		b.WriteString(" <> ''")
	case List:
		b.WriteString("len(")
		expr()
		b.WriteString(") > 0")
	case Texts, Counts, Lists:
		b.WriteString("cardinality(")
		expr()
		b.WriteString(") > 0")
	default:
		expr()
		b.WriteString(" IS NOT NULL")
	}
	b.WriteByte(')')
}

// signs are the operators of order in SQL, by those of texts and of numbers.
func (op textOp) sign() string {
	return [...]string{textLess: " < ", textLessEqual: " <= ", textGreater: " > ", textGreaterEqual: " >= "}[op]
}

func (op numberOp) sign() string {
	return [...]string{numberLess: " < ", numberLessEqual: " <= ", numberGreater: " > ", numberGreaterEqual: " >= "}[op]
}

// text writes the test of a text.
func (b *builder) text(t *textTest, expr func()) {
	call := func(function string, arg any) {
		b.WriteString(function + "(")
		expr()
		b.WriteString(", ")
		b.arg(arg)
		b.WriteByte(')')
	}
	switch t.op {
	case textIn:
		expr()
		b.in(len(t.values), func(i int) { b.arg(t.values[i]) })
	case textContains:
		call("contains", t.values[0])
	case textPrefix:
		call("starts_with", t.values[0])
	case textSuffix:
		call("ends_with", t.values[0])
	case textRegexp:
		call("regexp_matches", t.pattern)
	default:
		expr()
		b.WriteString(t.op.sign())
		b.arg(t.values[0])
	}
}

// in writes the comparison with one value, or with several.
func (b *builder) in(n int, value func(i int)) {
	if n == 1 {
		b.WriteString(" = ")
		value(0)
		return
	}
	b.WriteString(" IN (")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		value(i)
	}
	b.WriteByte(')')
}

// anyText writes the test of one of the elements of a list.
func (b *builder) anyText(t *textTest, list func()) {
	if t.op == textIn && len(t.values) == 1 {
		b.WriteString("list_contains(")
		list()
		b.WriteString(", ")
		b.arg(t.values[0])
		b.WriteByte(')')
		return
	}
	b.WriteString("(len(list_filter(")
	list()
	b.WriteString(", lambda one : ")
	b.text(t, func() { b.WriteString("one") })
	b.WriteString(")) > 0)")
}

// number writes the test of a number, a time, a duration, or yes and no.
func (b *builder) number(t *numberTest, kind Type, expr func()) {
	value := func(i int) { b.arg(t.values[i]) }
	switch kind {
	case Time:
		value = func(i int) {
			b.WriteString("make_timestamp(")
			b.arg(t.values[i])
			b.WriteByte(')')
		}
	case Bool:
		value = func(i int) { b.arg(t.values[i] == 1) }
	case Decimal:
		inner := expr
		expr = func() {
			b.WriteString("CAST(round(")
			inner()
			b.WriteString(" * 10000) AS BIGINT)")
		}
	}
	b.WriteByte('(')
	expr()
	if t.op == numberIn {
		b.in(len(t.values), value)
	} else {
		b.WriteString(t.op.sign())
		value(0)
	}
	b.WriteByte(')')
}
