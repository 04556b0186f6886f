package tail

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// How long a context stays open without an event, and one that only reads, as
// package link has it by default; and how much later than it happened a request
// may be known: an API server holds events back for 30 s, and a live engine
// waits for them.
const (
	idle     = 5 * time.Minute
	readIdle = time.Minute
	grace    = 40 * time.Second
)

// stays is how long a context stays open after its last event.
func stays(c *store.Context) time.Duration {
	if c.ReadOnly {
		return readIdle + grace
	}
	return idle + grace
}

// DataSet follows the data set in dir until ctx ends, and then returns nil. It
// gives what closes from now on, and with Options.Open what begins or grows. A
// data set does not say which contexts have closed: those count as closed that
// did not grow for as long as live mode keeps them open. An error is one of
// found, or of reading.
func DataSet(ctx context.Context, dir string, o Options, found func(*Update) error) error {
	o = o.withDefaults()
	expr, err := query.Parse(o.Query, query.Options{Over: query.Contexts, Now: o.Now()})
	if err != nil {
		return err
	}
	data, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	f := &looking{Options: o, expr: expr, found: found, data: data, known: map[string]*known{}}
	// Whatever closing could complain of, nothing was written.
	defer func() { _ = f.data.Close() }()
	err = f.look(ctx)
	next := time.NewTimer(o.Every)
	defer next.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
		begun := time.Now()
		err = f.again(ctx)
		// Looking takes a fifth of one processor at most.
		next.Reset(max(o.Every, 4*time.Since(begun)))
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// looking is a run of DataSet.
type looking struct {
	Options
	expr  *query.Expr
	found func(*Update) error
	data  *store.DataSet
	// newest is the time that the log had come to at the last look, zero before
	// the first one. The clock on the wall bounds it, since a log may hold any
	// time.
	newest time.Time
	// known are the contexts that may grow, by cluster and id.
	known map[string]*known
}

// known is what is known of a context.
type known struct {
	Update

	seen   time.Time // when it was seen to have grown, on the wall
	closed bool
}

// again looks at the data set once more, where it changed.
func (f *looking) again(ctx context.Context) error {
	changed, err := f.data.Changed()
	if err != nil {
		return err
	}
	if changed {
		newer, err := f.data.Reopen(ctx)
		if err != nil {
			return err
		}
		_ = f.data.Close() // nothing was written
		f.data = newer
		if err := f.look(ctx); err != nil {
			return err
		}
	}
	return f.close()
}

// look finds the contexts that have grown. Of those that are there at the first
// look it gives none.
func (f *looking) look(ctx context.Context) error {
	var newest sql.NullTime
	if err := f.data.DB().QueryRowContext(ctx, `SELECT max("end") FROM contexts`).Scan(&newest); err != nil {
		return fmt.Errorf("reading the data set: %w", err)
	}
	now := f.Now()
	before, first := f.newest, f.newest.IsZero()
	f.newest = newest.Time
	if f.newest.After(now) {
		f.newest = now
	}
	if first {
		before = f.newest
	}
	// What ended before that had closed at the last look.
	horizon := before.Add(-idle - grace)
	for c, err := range f.data.Contexts(ctx, f.where(horizon), store.Page{}) {
		if err != nil {
			return err
		}
		id := c.Cluster + "/" + c.ID
		k := f.known[id]
		if k != nil && k.Events == c.Events {
			continue
		}
		k = &known{Update: Update{*c, true}, seen: now}
		f.known[id] = k
		if !first && f.Open {
			if err := f.found(&k.Update); err != nil {
				return err
			}
		}
		k.closed = first && f.over(k)
	}
	maps.DeleteFunc(f.known, func(_ string, k *known) bool { return k.closed && k.End.Before(horizon) })
	return nil
}

// where is the condition of what ended at a time or later and is wanted.
func (f *looking) where(horizon time.Time) store.Where {
	w := store.Where{SQL: `"end" >= ?`, Args: []any{horizon}}
	if f.Cluster != "" {
		w.SQL, w.Args = w.SQL+" AND cluster = ?", append(w.Args, f.Cluster)
	}
	if own := f.expr.Where(); own.SQL != "" {
		w.SQL, w.Args = w.SQL+" AND ("+own.SQL+")", append(w.Args, own.Args...)
	}
	return w
}

// over tells that a context has closed: the log has come further, or nothing was
// seen of it for long.
func (f *looking) over(k *known) bool {
	return f.newest.Sub(k.End) >= stays(&k.Context) || f.Now().Sub(k.seen) >= stays(&k.Context)
}

// close gives what has closed, in the order of the ends.
func (f *looking) close() error {
	var list []*known
	for _, k := range f.known {
		if !k.closed && f.over(k) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *known) int { return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID)) })
	for _, k := range list {
		k.closed, k.Open = true, false
		if err := f.found(&k.Update); err != nil {
			return err
		}
	}
	return nil
}
