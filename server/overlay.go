package server

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/store"
)

const (
	// maxOverlaid bounds the contexts that are shown before they are in the data
	// set; of more the newest are.
	maxOverlaid = 5000
	// overlaidFor is how long one is shown that is not heard of again: it should
	// be in the data set by then.
	overlaidFor = 2 * time.Minute
)

// overlay are the contexts that the hub told of and the data set may not have.
type overlay struct {
	mu      sync.Mutex
	list    map[[2]string]*overlaid // by cluster and id
	changed bool
	wake    chan struct{} // has room for one
}

func newOverlay() *overlay {
	return &overlay{list: map[[2]string]*overlaid{}, wake: make(chan struct{}, 1)}
}

type overlaid struct {
	context *store.Context
	update  uint64 // which of the hub's it came with
	heard   time.Time
}

// listen collects what a hub tells after an update, until ctx ends.
func (o *overlay) listen(ctx context.Context, h *hub.Hub, after uint64) {
	for u := range h.Subscribe(ctx, after) {
		c := &store.Context{Context: u.Context, Cluster: u.Cluster}
		key := [2]string{c.Cluster, c.ID}
		o.mu.Lock()
		if !u.Preview && o.list[key] == nil {
			o.mu.Unlock()
			continue // the data set has it
		}
		o.list[key] = &overlaid{c, u.ID, time.Now()}
		o.changed = true
		if len(o.list) > 2*maxOverlaid {
			o.tidy()
		}
		o.mu.Unlock()
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// take gives what is to be shown, and whether that is something else than the
// last time.
func (o *overlay) take() (list []*store.Context, changed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tidy()
	changed, o.changed = o.changed, false
	for _, c := range o.list {
		list = append(list, c.context)
	}
	return list, changed
}

// drop forgets what the data set has.
func (o *overlay) drop(known map[[2]string]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key := range known {
		delete(o.list, key)
	}
}

// tidy forgets what is old, and of what is too much what was heard of first.
func (o *overlay) tidy() {
	limit := time.Now().Add(-overlaidFor)
	keys := make([][2]string, 0, len(o.list))
	for key, c := range o.list {
		if c.heard.Before(limit) {
			delete(o.list, key)
			o.changed = true
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) <= maxOverlaid {
		return
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Compare(o.list[a].update, o.list[b].update) })
	for _, key := range keys[:len(keys)-maxOverlaid] {
		delete(o.list, key)
	}
	o.changed = true
}

// overlayNow shows what the hub told of and the data set does not have, where
// that is something else than before; fresh is a data set that shows nothing of
// it yet.
func (s *Server) overlayNow(ctx context.Context, a *api, fresh bool) (changed bool, err error) {
	list, changed := s.overlay.take()
	if again := fresh && len(list) > 0; !changed && !again {
		return false, nil
	}
	known, err := a.data.Overlay(ctx, list)
	if err != nil {
		return false, err
	}
	s.overlay.drop(known)
	facts := *a.facts.Load()
	if err := a.look(ctx, &facts); err != nil {
		return false, err
	}
	a.facts.Store(&facts)
	return changed, nil
}
