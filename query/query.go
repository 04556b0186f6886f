package query

import (
	"strings"
	"time"

	"github.com/whet-k8s/whet/store"
)

// Options say how a query is meant.
type Options struct {
	// Over says what the query is about.
	Over Over
	// Now is the time that since and until count back from.
	Now time.Time
	// Live tells that contexts are judged while they happen, of which more is
	// known than is stored: reads and power. The query cannot be asked of a data
	// set.
	Live bool
}

// Expr is a query that makes sense. It can be asked of a data set and of a
// stream, with the same answer. It does not change, and may be used by several
// goroutines at once.
type Expr struct {
	text string
	over Over
	root *node // nil for everything
}

// Parse reads a query. The empty query is everything. The error is an *Error,
// which says where the query is wrong.
func Parse(text string, o Options) (*Expr, error) {
	e := &Expr{text: text, over: o.Over}
	if strings.TrimSpace(text) == "" && len(text) <= MaxLength {
		return e, nil
	}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &checker{schema: o.schema(), text: text, now: o.Now}
	if e.root, err = c.any(tree); err != nil {
		return nil, err
	}
	return e, nil
}

// String is the query as it was written.
func (e *Expr) String() string { return e.text }

func (o Options) schema() *schema {
	s := schemaOf(o.Over)
	if o.Live {
		s.columns = append(s.columns, liveColumns()...)
	}
	return s
}

// Over tells what the query is about.
func (e *Expr) Over() Over { return e.over }

// Where gives the query as a condition for the data set's Contexts or Events.
// Its SQL is made of constants; everything that the user wrote is an argument.
func (e *Expr) Where() store.Where {
	if e.root == nil {
		return store.Where{}
	}
	var b builder
	b.node(e.root)
	w := b.where()
	w.From, w.To = e.root.times(schemaOf(e.over).moment()).bounds()
	return w
}

// UsesContext tells whether a query over events looks at their contexts, so
// that Event needs them.
func (e *Expr) UsesContext() bool {
	return e.over == Events && e.root != nil && e.root.usesContext()
}

// Event tells whether an event fits a query over events. The context is the
// one that the event belongs to, nil where there is none; it is not looked at
// unless UsesContext.
func (e *Expr) Event(ev *store.Event, c *store.Context) bool {
	return e.root == nil || e.root.holds(&row{ev: ev, c: c})
}

// Context tells whether a context, with all its parts brought together, fits a
// query over contexts.
func (e *Expr) Context(c *store.Context) bool {
	return e.root == nil || e.root.holds(&row{c: c})
}

// Quote writes a text as a value of the language.
func Quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
