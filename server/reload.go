package server

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// reloadEvery is how often Watch looks unless told otherwise.
	reloadEvery = 500 * time.Millisecond
	// reloadRest is how long Watch rests after it opened a data set, in times of
	// what opening took, so that it takes a fifth of one processor at most.
	reloadRest = 4
	// heldLive bounds the contexts that are held in memory of a data set that
	// changes all the time: reading them takes some ten microseconds each, and
	// happens each time.
	heldLive = 20_000
)

// shown is a data set that requests are answered from.
type shown struct {
	*api
	// uses counts the requests, and one for being the newest. The last one
	// closes what the server has opened.
	uses  int
	owned bool
}

// take gives the newest data set to a request, which drops it at its end.
func (s *Server) take() *shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.uses++
	return s.current
}

func (s *Server) drop(old *shown) {
	s.mu.Lock()
	old.uses--
	last := old.uses == 0 && old.owned
	s.mu.Unlock()
	if last {
		// Nothing was written that closing could lose.
		_ = old.data.Close()
	}
}

// show has requests answered from another data set from now on.
func (s *Server) show(a *api) {
	s.mu.Lock()
	old := s.current
	s.current = &shown{api: a, uses: 1, owned: true}
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	s.drop(old)
}

// newest is what is shown now, and what is closed when that changes.
func (s *Server) newest() (*api, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.api, s.changed
}

// Watch has the server show what is written to the data set from now on, and
// contexts of Options.Hub as soon as they are told, until ctx ends, and then
// returns nil. Requests that have begun keep the data set as
// it was. What fails is told by Options.Log and tried again; meanwhile the
// server shows what it has. It is to be called once; at its end answers of /live
// end, too.
func (s *Server) Watch(ctx context.Context) error {
	defer close(s.ended)
	if h := s.options.Hub; h != nil {
		var listening sync.WaitGroup
		defer listening.Wait()
		listening.Go(func() { s.overlay.listen(ctx, h, s.begun) })
	}
	every := cmp.Or(s.options.Reload, reloadEvery)
	wait := time.NewTimer(every)
	defer wait.Stop()
	failing := false
	var rested time.Time // when it may look again
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.overlay.wake:
			wait.Reset(max(time.Until(rested), 0))
			continue
		case <-wait.C:
		}
		begun := time.Now()
		err := s.reload(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			s.options.Log.Error("the data set cannot be read anew; what is shown grows old", "error", err)
		case err == nil && failing:
			s.options.Log.Info("the data set was read anew again")
		}
		failing = err != nil
		s.mu.Lock()
		s.stale = err
		s.mu.Unlock()
		rest := reloadRest * time.Since(begun)
		rested = time.Now().Add(rest)
		wait.Reset(max(every, rest))
	}
}

// Stale says why Watch cannot show what is new for now, nil when it can.
func (s *Server) Stale() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stale
}

// Close lets go of what Watch has opened. It is to be called when Watch has
// ended and no request comes any more.
func (s *Server) Close() {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	s.drop(current)
}

// tell has answers of /live say that there is something new.
func (s *Server) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// reload shows the data set as it is on disk now, where it changed, and what the
// hub told of and is not on disk yet.
func (s *Server) reload(ctx context.Context) error {
	now, _ := s.newest()
	changed, err := now.data.Changed()
	if err != nil {
		return err
	}
	if !changed {
		if changed, err = s.overlayNow(ctx, now, false); err == nil && changed {
			s.tell()
		}
		return err
	}
	data, err := now.data.Reopen(ctx)
	if err != nil {
		return fmt.Errorf("opening it: %w", err)
	}
	a, err := s.look(ctx, data, heldLive)
	if err != nil {
		_ = data.Close() // nothing was written
		return fmt.Errorf("reading it: %w", err)
	}
	if _, err := s.overlayNow(ctx, a, true); err != nil {
		_ = data.Close() // the same
		return err
	}
	s.show(a)
	return nil
}
