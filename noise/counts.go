package noise

import (
	"cmp"
	"slices"
)

// Tally is how many events there were, and how many bytes they had in the
// log.
type Tally struct {
	Events int64
	Bytes  int64
}

func (t *Tally) add(o Tally) {
	t.Events += o.Events
	t.Bytes += o.Bytes
}

// Counts adds up what a policy decided. The zero value is ready to use; one
// goroutine at a time may use it, and Merge brings the counts of several
// together. The tallies of its rows add up to every event given to Add.
type Counts struct {
	byRule map[countKey]*Tally
}

type countKey struct {
	action Action
	rule   string
}

// Row is what one rule decided, over all events.
type Row struct {
	Action Action
	// Rule is as in Decision: "" for events that no rule matched.
	Rule string
	Tally
}

// Add counts one event and its bytes.
func (c *Counts) Add(d Decision, bytes int) {
	c.tally(countKey{d.Action, d.Rule}).add(Tally{1, int64(bytes)})
}

// Merge adds the counts of o.
func (c *Counts) Merge(o *Counts) {
	for key, t := range o.byRule {
		c.tally(key).add(*t)
	}
}

func (c *Counts) tally(key countKey) *Tally {
	t := c.byRule[key]
	if t == nil {
		if c.byRule == nil {
			c.byRule = make(map[countKey]*Tally)
		}
		t = new(Tally)
		c.byRule[key] = t
	}
	return t
}

// Total returns the tally of all events.
func (c *Counts) Total() Tally {
	var sum Tally
	for _, t := range c.byRule {
		sum.add(*t)
	}
	return sum
}

// Of returns the tally of the events that the policy decided to keep, to set
// aside or to drop.
func (c *Counts) Of(a Action) Tally {
	var sum Tally
	for key, t := range c.byRule {
		if key.action == a {
			sum.add(*t)
		}
	}
	return sum
}

// Rows returns a row for each rule that decided at least once: first what is
// dropped, then what is set aside, then what is kept, the most bytes first.
func (c *Counts) Rows() []Row {
	rows := make([]Row, 0, len(c.byRule))
	for key, t := range c.byRule {
		rows = append(rows, Row{Action: key.action, Rule: key.rule, Tally: *t})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Action, a.Action), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Rule, b.Rule))
	})
	return rows
}
