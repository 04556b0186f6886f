package query

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/whet-k8s/whet/internal/near"
)

// checker turns the tree of the grammar into the tree of tests, and refuses
// what makes no sense.
type checker struct {
	*schema
	text  string
	now   time.Time
	count int // conditions so far
}

// span is a part of the query, in bytes.
type span struct{ offset, length int }

func (c *checker) fail(at span, format string, args ...any) *Error {
	return &Error{Query: c.text, Offset: at.offset, Length: at.length, Message: fmt.Sprintf(format, args...)}
}

// span gives where an operand stands.
func (c *checker) span(o *operand) span {
	part := c.text[o.Pos.Offset:min(o.EndPos.Offset, len(c.text))]
	return span{o.Pos.Offset, len(strings.TrimRightFunc(part, unicode.IsSpace))}
}

// written is an operand as the user wrote it.
func (c *checker) written(o *operand) string {
	at := c.span(o)
	return c.text[at.offset : at.offset+at.length]
}

func (c *checker) any(a *anyOf) (*node, error) {
	return joined(nodeOr, a.All, c.all)
}

func (c *checker) all(a *allOf) (*node, error) {
	return joined(nodeAnd, a.Conditions, c.condition)
}

// joined makes the node of several parts, and of one part the part itself.
func joined[T any](kind nodeKind, parts []T, check func(T) (*node, error)) (*node, error) {
	kids := make([]*node, 0, len(parts))
	for _, part := range parts {
		kid, err := check(part)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return join(kind, kids...), nil
}

func join(kind nodeKind, kids ...*node) *node {
	if len(kids) == 1 {
		return kids[0]
	}
	return &node{kind: kind, kids: kids}
}

func (c *checker) condition(one *condition) (n *node, err error) {
	switch {
	case one.Any != nil:
		n, err = c.any(one.Any)
	case one.Call != nil:
		n, err = c.call(one.Call)
	case one.Moment != nil:
		n, err = c.moment(one.Moment)
	default:
		n, err = c.comparison(one.Comparison)
	}
	if err != nil {
		return nil, err
	}
	if len(one.Nots)%2 == 1 {
		n = not(n)
	}
	return n, nil
}

// leaf makes the node of a test.
func (c *checker) leaf(at span, t *test) (*node, error) {
	if c.count++; c.count > maxConditions {
		return nil, c.fail(at, "a query has at most %d conditions", maxConditions)
	}
	return &node{test: t}, nil
}

// field finds the field that an operand names.
func (c *checker) field(o *operand) (*test, error) {
	at := c.span(o)
	if o.Word == "" {
		return nil, c.fail(at, "a field is missing here; %s is a value", c.written(o))
	}
	column, key := c.find(o.Word)
	if strings.HasSuffix(o.Word, ".") && o.Key != "" {
		column, key = c.find(strings.TrimSuffix(o.Word, "."))
	}
	if column == nil {
		return nil, c.unknown(o)
	}
	t := &test{column: column, keyed: key != "", key: key}
	if o.Key == "" {
		return t, nil
	}
	if t.keyed || !column.Type.isMap() {
		return nil, c.fail(at, "%s is no map, so that it has no keys", o.Word)
	}
	text, err := c.key(o)
	if err != nil {
		return nil, err
	}
	t.keyed, t.key = true, text
	return t, nil
}

// key is the key in brackets or quotes behind a field.
func (c *checker) key(o *operand) (string, error) {
	offset := o.Pos.Offset + len(o.Word)
	text, quoted := o.Key, o.Key
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSpace(strings.TrimSuffix(inner, "]"))
		quoted = text
		offset += strings.Index(o.Key, text)
	}
	if strings.HasPrefix(quoted, `"`) || strings.HasPrefix(quoted, "'") {
		var at int
		var err error
		if text, at, err = unquote(quoted); err != nil {
			return "", c.fail(span{offset + at, 2}, "%v", err)
		}
	}
	if text == "" {
		return "", c.fail(c.span(o), "the key is empty")
	}
	return text, nil
}

// unknown is the error of a field that there is not.
func (c *checker) unknown(o *operand) *Error {
	at := span{o.Pos.Offset, len(o.Word)}
	e := c.fail(at, "there is no field %q", o.Word)
	switch {
	case c.over == Events && c.column("context."+o.Word) != nil:
		e.Message += " of an event"
		e.Nearest = "context." + o.Word
		return e
	case c.over == Contexts && schemaOf(Events).column(o.Word) != nil:
		e.Message += " of a context; it is one of events (--events)"
		return e
	}
	e.Nearest = near.Word(o.Word, c.names())
	if e.Nearest == "" {
		for _, prefix := range []string{"requestObject.", "responseObject."} {
			if strings.HasPrefix(o.Word, prefix) {
				e.Message += "; this part of the body is not kept"
			}
		}
	}
	return e
}

// isField tells whether an operand names a field.
func (c *checker) isField(o *operand) bool {
	column, _ := c.find(strings.TrimSuffix(o.Word, "."))
	return o.Word != "" && column != nil
}

func (c *checker) comparison(cmp *comparison) (*node, error) {
	switch steps := cmp.Steps; len(steps) {
	case 0:
		return c.bare(cmp.Left)
	case 1:
		if order(steps[0].Op) != 0 && steps[0].Right != nil && !c.isField(cmp.Left) && c.isField(steps[0].Right) {
			return c.ordered(steps[0].Right, flipped(steps[0]), cmp.Left)
		}
		if right := steps[0].Right; right != nil && !c.isField(cmp.Left) && c.isField(right) {
			at := c.span(cmp.Left)
			return nil, c.fail(at, "the field stands at the left: %s %s %s", c.written(right), steps[0].Op, c.written(cmp.Left))
		}
		return c.step(cmp.Left, steps[0])
	case 2:
		return c.chain(cmp.Left, steps[0], steps[1])
	default:
		return nil, c.fail(span{steps[2].Pos.Offset, len(steps[2].Op)}, "a comparison has at most three parts: join several with and")
	}
}

// bare is a field alone, which must be yes or no.
func (c *checker) bare(o *operand) (*node, error) {
	t, err := c.field(o)
	if err != nil {
		return nil, err
	}
	if t.column.Type != Bool {
		return nil, c.fail(c.span(o), "%s is a %s: compare it with something, or write exists(%s)", c.written(o), t.valueType(), c.written(o))
	}
	t.kind, t.number = testNumber, &numberTest{values: []int64{1}}
	return c.leaf(c.span(o), t)
}

// order is 1 for operators of order that want less on the left, -1 for those
// that want more, and 0 for all others.
func order(op string) int {
	switch op {
	case "<", "<=":
		return 1
	case ">", ">=":
		return -1
	}
	return 0
}

// flipped is a step as it reads from its right side.
func flipped(s *step) *step {
	turned := *s
	turned.Op = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[s.Op]
	return &turned
}

// chain is a field between two bounds.
func (c *checker) chain(left *operand, first, second *step) (*node, error) {
	if order(first.Op) == 0 || order(second.Op) == 0 {
		return nil, c.fail(span{second.Pos.Offset, max(1, len(second.Op))}, "only <, <=, > and >= can stand on both sides of a field: join other comparisons with and")
	}
	if order(first.Op) != order(second.Op) {
		return nil, c.fail(span{second.Pos.Offset, len(second.Op)}, "both signs around a field must point the same way")
	}
	low, err := c.ordered(first.Right, flipped(first), left)
	if err != nil {
		return nil, err
	}
	high, err := c.ordered(first.Right, second, second.Right)
	if err != nil {
		return nil, err
	}
	return join(nodeAnd, low, high), nil
}

// ordered compares a field with a bound.
func (c *checker) ordered(field *operand, s *step, bound *operand) (*node, error) {
	turned := *s
	turned.Right = bound
	return c.step(field, &turned)
}

// step compares a field with a value, or with several.
func (c *checker) step(left *operand, s *step) (*node, error) {
	t, err := c.field(left)
	if err != nil {
		return nil, err
	}
	n, err := c.compare(left, t, s)
	if err != nil {
		return nil, err
	}
	if s.Not != (s.Op == "!=") {
		n = not(n)
	}
	return n, nil
}

// compare makes the positive test of a step.
func (c *checker) compare(left *operand, t *test, s *step) (*node, error) {
	op := strings.ToLower(s.Op)
	at := span{s.Pos.Offset, len(s.Op)}
	if s.In {
		at.length = len("in")
	}
	if s.Not && op != "contains" && op != "has" && !s.In {
		return nil, c.fail(span{s.Pos.Offset, 3}, "not stands before the comparison: not %s %s …", c.written(left), s.Op)
	}
	if op == "has" {
		return c.has(left, t, s)
	}
	if t.valueType().isMap() {
		return nil, c.fail(c.span(left), "%s is a %s: name a key, as in %s[\"key\"], or write has", c.written(left), t.column.Type, c.written(left))
	}
	values := s.List
	if !s.In {
		values = []*operand{s.Right}
		op = map[bool]string{true: "==", false: op}[op == "!="]
	} else {
		op = "=="
	}
	if len(values) > maxList {
		return nil, c.fail(c.span(values[maxList]), "a list has at most %d values", maxList)
	}
	switch kind := t.valueType(); kind {
	case Text, List:
		return c.textStep(t, op, at, values)
	default:
		return c.numberStep(t, op, at, values)
	}
}

// valueType is the type of what the test looks at.
func (t *test) valueType() Type {
	if t.keyed {
		return t.column.Type.element()
	}
	return t.column.Type
}

// has looks for an element of a list, or for a key of a map.
func (c *checker) has(left *operand, t *test, s *step) (*node, error) {
	kind := t.valueType()
	if kind != List && !kind.isMap() {
		return nil, c.fail(c.span(left), "%s is a %s, and only lists and maps have something: write ==, ~ or contains", c.written(left), kind)
	}
	var err error
	if t.text, err = c.textTest("==", []*operand{s.Right}, nil); err != nil {
		return nil, err
	}
	t.kind = testText
	if kind.isMap() {
		t.kind = testKeys
	}
	return c.leaf(c.span(left), t)
}

func (c *checker) textStep(t *test, op string, at span, values []*operand) (*node, error) {
	if order(op) != 0 && t.valueType() == List {
		return nil, c.fail(at, "a list has no order: write ==, in, ~ or contains, which look for one of its elements")
	}
	known := t.column.Values
	if op != "==" {
		known = nil
	}
	var err error
	if t.text, err = c.textTest(op, values, known); err != nil {
		return nil, err
	}
	t.kind = testText
	return c.leaf(at, t)
}

// textTest makes the test of a text. Known are the values that there can be,
// nil where there can be any.
func (c *checker) textTest(op string, values []*operand, known []string) (*textTest, error) {
	first := values[0]
	if first.Regexp != "" && len(values) == 1 {
		if op != "==" && op != "~" {
			return nil, c.fail(c.span(first), "a regular expression stands behind == or !=")
		}
		return c.pattern(first, regexpTest, rawText(first.Regexp))
	}
	if op == "~" {
		if first.Quoted != "" {
			return c.pattern(first, globTest, rawText(first.Quoted))
		}
		return c.pattern(first, globTest, first.Word)
	}
	t := &textTest{op: map[string]textOp{
		"==": textIn, "<": textLess, "<=": textLessEqual, ">": textGreater, ">=": textGreaterEqual, "contains": textContains,
	}[op]}
	for _, v := range values {
		text, err := c.literal(v)
		if err != nil {
			return nil, err
		}
		if op == "==" && strings.Contains(v.Word, "*") {
			return nil, c.fail(c.span(v), "== and in take a text as it is: write ~ %s for a glob, or quotes round it", text)
		}
		if known != nil && !slices.Contains(known, text) {
			e := c.fail(c.span(v), "it is always one of %s", strings.Join(known, ", "))
			e.Nearest = near.Word(text, known)
			return nil, e
		}
		t.values = append(t.values, text)
	}
	return t, nil
}

// pattern makes the test of a regular expression or of a glob.
func (c *checker) pattern(o *operand, make func(string) (*textTest, error), text string) (*textTest, error) {
	if text == "" {
		return nil, c.fail(c.span(o), "the pattern is empty")
	}
	t, err := make(text)
	if err != nil {
		return nil, c.fail(c.span(o), "%v", err)
	}
	return t, nil
}

// literal is the text that a value stands for.
func (c *checker) literal(o *operand) (string, error) {
	at := c.span(o)
	switch {
	case o.Regexp != "":
		return "", c.fail(at, "a regular expression stands alone behind == or !=")
	case o.Key != "":
		return "", c.fail(at, "this is a value and has no key; write it in quotes")
	case o.Word != "":
		return o.Word, nil
	}
	text, bad, err := unquote(o.Quoted)
	switch {
	case err != nil:
		return "", c.fail(span{at.offset + bad, 2}, "%v", err)
	case text == "":
		return "", c.fail(at, "an empty text counts as missing: write exists(…) or not exists(…)")
	}
	return text, nil
}

// numberStep compares a number, a time, a duration, or yes and no.
func (c *checker) numberStep(t *test, op string, at span, values []*operand) (*node, error) {
	kind := t.valueType()
	ops := map[string]numberOp{"==": numberIn, "<": numberLess, "<=": numberLessEqual, ">": numberGreater, ">=": numberGreaterEqual}
	numberOp, ok := ops[op]
	if kind == Bool && op != "==" {
		return nil, c.fail(at, "%s is yes or no: write it alone, with not before it, or == true", t.column.Name)
	}
	if !ok {
		return nil, c.fail(at, "%s is a %s, and %s is for texts", t.column.Name, kind, op)
	}
	t.kind, t.number = testNumber, &numberTest{op: numberOp}
	for _, v := range values {
		text, err := c.literal(v)
		if err != nil {
			return nil, err
		}
		n, err := parseValue(kind, text)
		if err != nil {
			return nil, c.fail(c.span(v), "%s is a %s: %v", t.column.Name, kind, err)
		}
		t.number.values = append(t.number.values, n)
	}
	return c.leaf(at, t)
}

// parseValue reads a value of a type as a test keeps it.
func parseValue(kind Type, text string) (int64, error) {
	switch kind {
	case Time:
		return parseTime(text)
	case Duration:
		return parseDuration(text)
	case Decimal:
		f, err := parseDecimal(text)
		return decimalValue(f).number, err
	case Bool:
		switch strings.ToLower(text) {
		case "true", "yes":
			return 1, nil
		case "false", "no":
			return 0, nil
		}
		return 0, fmt.Errorf("write true or false")
	}
	return parseNumber(text)
}
