package query

import (
	"strings"

	"github.com/whet-k8s/whet/internal/near"
)

// functionNames are the functions with brackets.
func functionNames() []string { return []string{"exists", "touches", "by", "caused-by"} }

// call makes the test of a function.
func (c *checker) call(f *call) (*node, error) {
	name := strings.ToLower(f.Name)
	at := span{f.Pos.Offset, len(f.Name)}
	switch name {
	case "exists", "touches", "by", "caused-by":
	case "since", "until":
		return nil, c.fail(at, "%s is written without brackets: %s 2h", name, name)
	case "regexp":
		return nil, c.fail(at, "a regular expression stands behind == or !=")
	case "in", "has", "contains":
		return nil, c.fail(at, "a field is missing before %s", f.Name)
	default:
		e := c.fail(at, "there is no function %q", f.Name)
		e.Nearest = near.Word(name, functionNames())
		return nil, e
	}
	if len(f.Args) != 1 {
		return nil, c.fail(at, "%s takes one thing in its brackets", name)
	}
	if name == "exists" {
		t, err := c.field(f.Args[0])
		if err != nil {
			return nil, err
		}
		return c.leaf(at, t)
	}
	text, err := c.argument(f.Args[0])
	if err != nil {
		return nil, err
	}
	switch name {
	case "touches":
		return c.touches(at, text)
	case "by":
		return c.leaf(at, &test{column: c.ofContext("effectsBy"), kind: testKeys, text: text})
	}
	return c.causedBy(at, text)
}

// argument is the value of a function: a text, a glob where it has a wildcard,
// or a regular expression.
func (c *checker) argument(o *operand) (*textTest, error) {
	text := o.Word
	if o.Quoted != "" {
		text = rawText(o.Quoted)
	}
	if o.Key == "" && hasWildcard(text) {
		return c.pattern(o, globTest, text)
	}
	return c.textTest("==", []*operand{o}, nil)
}

// ofContext is a field of the context, also in a query over events.
func (c *checker) ofContext(name string) *column {
	if c.over == Events {
		name = "context." + name
	}
	return c.column(name)
}

// touches looks for a resource by its name with the group, or without.
func (c *checker) touches(at span, text *textTest) (*node, error) {
	touched := c.ofContext("touched")
	n, err := c.leaf(at, &test{column: touched, kind: testKeys, text: text})
	if err != nil || text.op != textIn || strings.Contains(text.values[0], ".") {
		return n, err
	}
	grouped := &textTest{op: textPrefix, values: []string{text.values[0] + "."}}
	other, err := c.leaf(at, &test{column: touched, kind: testKeys, text: grouped})
	return join(nodeOr, n, other), err
}

// causedBy looks for who is behind it. An event of what the clock started has
// the context of whoever set the clock; where that is not known, or the
// context is the clock's own, originActor tells.
func (c *checker) causedBy(at span, text *textTest) (*node, error) {
	actor := c.column("actor")
	n, err := c.leaf(at, &test{column: actor, kind: testText, text: text})
	if err != nil || c.over == Events {
		return n, err
	}
	other, err := c.leaf(at, &test{column: c.column("originActor"), kind: testText, text: text})
	return join(nodeOr, n, other), err
}

// moment makes the test of since and until.
func (c *checker) moment(m *moment) (*node, error) {
	name := strings.ToLower(m.Name)
	at := c.span(m.At)
	text, err := c.literal(m.At)
	if err != nil {
		return nil, err
	}
	micros, err := parseTime(text)
	if back, durationErr := parseDuration(strings.TrimSuffix(text, " ago")); durationErr == nil {
		micros, err = c.now.UnixMicro()-back, nil
	}
	if err != nil {
		return nil, c.fail(at, "%s takes a time or how long ago it was: 2026-11-23T18:00:00Z, 2026-11-23, or 2h", name)
	}
	op := numberGreaterEqual
	if name == "until" {
		op = numberLess
	}
	return c.leaf(at, &test{column: c.schema.moment(), kind: testNumber, number: &numberTest{op: op, values: []int64{micros}}})
}
