package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/whet-k8s/whet/store"
)

// FieldRef is a field, or a key of one, to count by.
type FieldRef struct {
	column *column
	keyed  bool
	key    string
	over   Over
}

// ParseField reads the name of a field as a query would have it, such as
// username, context.outcome or annotations["k8s.io/deprecated"]. The error is
// an *Error: there is no such field, or it is a time or another quantity, of
// which nearly every row has its own.
func ParseField(text string, over Over) (*FieldRef, error) {
	c := &checker{schema: schemaOf(over), text: text}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	o := onlyOperand(tree)
	if o == nil {
		return nil, c.fail(span{0, len(text)}, "this is no field")
	}
	t, err := c.field(o)
	if err != nil {
		return nil, err
	}
	switch kind := t.valueType(); kind {
	case Time, Duration, Decimal:
		return nil, c.fail(c.span(o), "%s is a %s, of which nearly every row has its own", c.written(o), kind)
	}
	return &FieldRef{column: t.column, keyed: t.keyed, key: t.key, over: over}, nil
}

// onlyOperand is the operand of a query that is nothing else, or nil.
func onlyOperand(tree *anyOf) *operand {
	if len(tree.All) != 1 || len(tree.All[0].Conditions) != 1 {
		return nil
	}
	one := tree.All[0].Conditions[0]
	if len(one.Nots) > 0 || one.Comparison == nil || len(one.Comparison.Steps) > 0 {
		return nil
	}
	return one.Comparison.Left
}

func (f *FieldRef) valueType() Type {
	if f.keyed {
		return f.column.Type.element()
	}
	return f.column.Type
}

// CountSQL gives a statement that counts the rows of a data set that fit, by
// the field: its rows are a text, NULL for the rows where the field is missing,
// and a number, the most frequent first. A row with a list or a map counts for
// each of the elements or keys, and for none where it has none. Limit is how
// many rows there are at most; 0 is no limit. As with Where the SQL is made of
// constants.
func (f *FieldRef) CountSQL(e *Expr, limit int) (statement string, args []any) {
	var b builder
	b.WriteString("SELECT value, count(*) AS rows FROM (SELECT ")
	b.ref(f)
	b.WriteString(" AS value FROM ")
	b.WriteString(map[Over]string{Contexts: "contexts AS one", Events: "events AS one"}[f.over])
	if e.root != nil {
		b.WriteString(" WHERE ")
		b.node(e.root)
	}
	b.WriteString(") GROUP BY value ORDER BY rows DESC, value NULLS LAST")
	if limit > 0 {
		b.WriteString(" LIMIT ")
		b.arg(limit)
	}
	return b.String(), b.args
}

// ref writes the expression of a field's values as texts.
func (b *builder) ref(f *FieldRef) {
	many := f.valueType() == List || f.valueType().isMap()
	if many {
		b.WriteString("unnest(")
	}
	if f.column.context {
		b.WriteString("(SELECT ")
	}
	if many && f.valueType() != List {
		b.WriteString("map_keys(")
	} else if !many {
		b.WriteString("nullif(CAST(")
	}
	if f.keyed {
		b.WriteString("map_extract_value(" + f.column.sql + ", ")
		b.arg(f.key)
		b.WriteByte(')')
	} else {
		b.WriteString(f.column.sql)
	}
	if many && f.valueType() != List {
		b.WriteByte(')')
	} else if !many {
		b.WriteString(" AS VARCHAR), '')")
	}
	if f.column.context {
		b.WriteString(` FROM contexts AS about WHERE about."cluster" = one."cluster" AND about."id" = one."context")`)
	}
	if many {
		b.WriteByte(')')
	}
}

// Event gives the field's values of an event as texts, "" for one that is
// missing, as CountSQL counts them.
func (f *FieldRef) Event(ev *store.Event, c *store.Context) []string { return f.values(&row{ev, c}) }

// Context gives the field's values of a context as texts.
func (f *FieldRef) Context(c *store.Context) []string { return f.values(&row{c: c}) }

// UsesContext tells whether Event needs the context.
func (f *FieldRef) UsesContext() bool { return f.column.context }

func (f *FieldRef) values(r *row) []string {
	v, kind := f.column.get(r), f.valueType()
	if f.keyed {
		v = v.behind(f.key)
	}
	switch {
	case kind == List:
		return v.list
	case kind.isMap():
		return v.keys()
	case !v.ok:
		return []string{""}
	case kind == Bool:
		return []string{strconv.FormatBool(v.number == 1)}
	case kind == Number:
		return []string{strconv.FormatInt(v.number, 10)}
	}
	return []string{v.text}
}

// ValuesSQL gives, for whoever completes a query, an expression over the
// columns of the view contexts or events that has a field's values as texts, a
// row each: the elements of a list, and the keys of a map. For a function it
// gives what the function may be asked with. The SQL is made of constants. The
// error names a field that is not there, or that is a time or another quantity,
// whose values nobody would choose from.
//
// Of a query over events the fields of the context are not among the columns:
// ask for them over contexts.
func ValuesSQL(over Over, name string) (string, error) {
	switch name {
	case "by":
		name = "effectsBy"
	case "touches":
		name = "touched"
	case "caused-by":
		name = "actor"
	}
	f, err := ParseField(name, over)
	if err != nil {
		return "", err
	}
	if f.keyed {
		return "", fmt.Errorf("%s is a key, not a field", name)
	}
	if f.column.context {
		return "", fmt.Errorf("the field %s is one of contexts", f.column.Name)
	}
	var b builder
	b.ref(f)
	return b.String(), nil
}

// ValueCounts is how often each value was there.
type ValueCounts map[string]int64

// Add counts values.
func (c ValueCounts) Add(values []string) {
	for _, v := range values {
		c[v]++
	}
}

// ValueCount is a value, "" where the field is missing, and how many rows have
// it.
type ValueCount struct {
	Value string
	Rows  int64
}

// Sorted gives the most frequent values first, in the order of CountSQL, at
// most limit of them; 0 is no limit.
func (c ValueCounts) Sorted(limit int) []ValueCount {
	list := make([]ValueCount, 0, len(c))
	for v, n := range c {
		list = append(list, ValueCount{v, n})
	}
	slices.SortFunc(list, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), boolCompare(a.Value == "", b.Value == ""), cmp.Compare(a.Value, b.Value))
	})
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list
}

// boolCompare puts false before true.
func boolCompare(a, b bool) int { return int(boolValue(a).number - boolValue(b).number) }
