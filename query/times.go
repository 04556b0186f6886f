package query

import (
	"math"
	"slices"
	"time"
)

// period is a part of the time in microseconds, both ends included.
type period struct{ from, to int64 }

func always() period { return period{math.MinInt64, math.MaxInt64} }

// times gives the part of the time in which rows that fit must lie, as far as the
// tests of a column tell.
func (n *node) times(of *column) period {
	switch n.kind {
	case nodeNot:
		return always()
	case nodeTest:
		return n.test.times(of)
	}
	p := n.kids[0].times(of)
	for _, kid := range n.kids[1:] {
		other := kid.times(of)
		if n.kind == nodeAnd {
			p = period{max(p.from, other.from), min(p.to, other.to)}
		} else {
			p = period{min(p.from, other.from), max(p.to, other.to)}
		}
	}
	return p
}

func (t *test) times(of *column) period {
	p := always()
	if t.column.sql != of.sql || t.column.context || t.kind != testNumber {
		return p
	}
	switch t.number.op {
	case numberIn:
		p = period{slices.Min(t.number.values), slices.Max(t.number.values)}
	case numberLess, numberLessEqual:
		p.to = t.number.values[0]
	default:
		p.from = t.number.values[0]
	}
	return p
}

// bounds gives the ends, zero where there is none.
func (p period) bounds() (from, to time.Time) {
	if p.from != math.MinInt64 {
		from = time.UnixMicro(p.from).UTC()
	}
	if p.to != math.MaxInt64 {
		to = time.UnixMicro(p.to).UTC()
	}
	return from, to
}
