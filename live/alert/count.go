package alert

import (
	"strings"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// Count has a rule tell of many contexts in place of each one: when so many that
// fit have begun within a time, of the same cluster and with the same value of a
// field.
type Count struct {
	// Of is how many contexts, at least 2; 0 tells of each one.
	Of int
	// Within is the time, by when the contexts began.
	Within time.Duration
	// By is a field of contexts.
	By string

	by *query.FieldRef
}

// The bounds of counting.
const (
	maxCount  = 10_000
	maxGroups = 10_000 // of one rule, the ones looked at longest ago go first
)

// group are the contexts of one cluster and value, by id, with when they began.
type group struct {
	began  map[string]time.Time
	newest time.Time
}

// counter counts for one rule. What it has counted ends with the process.
type counter struct {
	groups map[string]*group
}

// add counts a context, and tells whether there are enough now.
func (n *counter) add(c *Count, key string, ctx *store.Context) bool {
	g := n.groups[key]
	if g == nil {
		if len(n.groups) >= maxGroups {
			n.drop()
		}
		g = &group{began: map[string]time.Time{}}
		n.groups[key] = g
	}
	if ctx.Start.After(g.newest) {
		g.newest = ctx.Start
	}
	g.began[ctx.ID] = ctx.Start
	oldest := ctx.ID
	for id, began := range g.began {
		if g.newest.Sub(began) > c.Within {
			delete(g.began, id)
		} else if began.Before(g.began[oldest]) {
			oldest = id
		}
	}
	if len(g.began) > maxCount {
		delete(g.began, oldest)
	}
	return len(g.began) >= c.Of
}

// drop forgets the half of the groups in which nothing was counted for longest.
func (n *counter) drop() {
	var newest time.Time
	for _, g := range n.groups {
		if g.newest.After(newest) {
			newest = g.newest
		}
	}
	span := time.Duration(0)
	for _, g := range n.groups {
		span = max(span, newest.Sub(g.newest))
	}
	for key, g := range n.groups {
		if len(n.groups) > maxGroups/2 && newest.Sub(g.newest) >= span/2 {
			delete(n.groups, key)
		}
	}
}

// keyOf is what the contexts that are counted together share.
func (c *Count) keyOf(ctx *store.Context) string {
	return ctx.Cluster + " by " + strings.Join(c.by.Context(ctx), ", ")
}
