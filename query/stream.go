package query

import (
	"cmp"
	"maps"
	"slices"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// StreamOptions say how a Stream works. The zero value is good.
type StreamOptions struct {
	// Cluster is the name of the cluster that the log is of.
	Cluster string
	// MaxContexts bounds the contexts that wait for more parts of them.
	// Default 50,000.
	MaxContexts int
	// MaxEvents and MaxBytes bound the events that wait for their context, by
	// number and by bytes of JSON. Default 100,000 and 64 MiB.
	MaxEvents int
	MaxBytes  int
	// NeedContext has events wait for their context although the query does
	// not ask about it.
	NeedContext bool
}

// Stream asks a query of a run of the pipeline.
//
// A context can go on after a pause, and what it counts then changes. So a
// Stream judges contexts, and events whose query asks about their context, when
// the run is over, with all parts brought together; other events it judges at
// once. So that memory stays bounded in a long run, it judges the older half of
// what waits when that becomes too much.
type Stream struct {
	expr    *Expr
	options StreamOptions
	found   func(*store.Event, *store.Context) error

	contexts map[string]*store.Context
	events   []*store.Event
	bytes    int // of events
	early    int
}

// NewStream makes a Stream that gives what fits to found: of a query over
// contexts a context, in the order of their start, and of one over events an
// event, in the order of the log, with its context where that was needed and
// there is one. An error of found ends the run.
func NewStream(e *Expr, o StreamOptions, found func(*store.Event, *store.Context) error) *Stream {
	o.MaxContexts = cmp.Or(o.MaxContexts, 50_000)
	o.MaxEvents = cmp.Or(o.MaxEvents, 100_000)
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.NeedContext = o.NeedContext || e.UsesContext()
	return &Stream{expr: e, options: o, found: found, contexts: map[string]*store.Context{}}
}

// Sink gives the functions that pipeline.Run calls. Close comes after the run.
func (s *Stream) Sink() pipeline.Sink {
	switch {
	case s.expr.Over() == Contexts:
		return pipeline.Sink{Context: s.context}
	case s.options.NeedContext:
		return pipeline.Sink{Context: s.context, Annotation: s.event}
	}
	return pipeline.Sink{Annotation: s.event}
}

// Close judges what still waits.
func (s *Stream) Close() error {
	if s.expr.Over() == Contexts {
		return s.judgeContexts(len(s.contexts))
	}
	return s.judgeEvents(len(s.events))
}

// Early is how many events or contexts were judged before all of their context
// was there, because too much waited. What they were judged by may have been
// too little.
func (s *Stream) Early() int { return s.early }

// context takes a part of a context.
func (s *Stream) context(part *pipeline.Context) error {
	c := s.contexts[part.ID]
	if c == nil {
		if part.Part > 1 {
			s.early++
			if s.expr.Over() == Contexts {
				return nil // what came before has been judged
			}
		}
		c = &store.Context{Cluster: s.options.Cluster}
		s.contexts[part.ID] = c
	}
	c.Add(part)
	if len(s.contexts) <= s.options.MaxContexts {
		return nil
	}
	if s.expr.Over() == Contexts {
		return s.judgeContexts(len(s.contexts) / 2)
	}
	return s.judgeOlder()
}

// event takes an event, which it judges at once or later.
func (s *Stream) event(a *pipeline.Annotation) error {
	ev := store.EventOf(a, s.options.Cluster)
	if !s.options.NeedContext {
		if s.expr.Event(ev, nil) {
			return s.found(ev, nil)
		}
		return nil
	}
	s.events = append(s.events, ev)
	s.bytes += ev.Position.Size
	if len(s.events) > s.options.MaxEvents || s.bytes > s.options.MaxBytes {
		return s.judgeOlder()
	}
	return nil
}

// judgeOlder judges the older half of the events that wait, and lets go of the
// contexts that none of the others belongs to.
func (s *Stream) judgeOlder() error {
	half := (len(s.events) + 1) / 2
	for _, ev := range s.events[:half] {
		if ev.Context != "" && s.contexts[ev.Context] == nil {
			s.early++
		}
	}
	if err := s.judgeEvents(half); err != nil {
		return err
	}
	wanted := make(map[string]bool, len(s.contexts))
	for _, ev := range s.events {
		wanted[ev.Context] = true
	}
	maps.DeleteFunc(s.contexts, func(id string, _ *store.Context) bool { return !wanted[id] })
	return nil
}

// judgeEvents judges the first n events that wait.
func (s *Stream) judgeEvents(n int) error {
	for _, ev := range s.events[:n] {
		s.bytes -= ev.Position.Size
		if c := s.contexts[ev.Context]; s.expr.Event(ev, c) {
			if err := s.found(ev, c); err != nil {
				return err
			}
		}
	}
	s.events = slices.Delete(s.events, 0, n)
	return nil
}

// judgeContexts judges the n contexts that began first.
func (s *Stream) judgeContexts(n int) error {
	list := slices.SortedFunc(maps.Values(s.contexts), func(a, b *store.Context) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	for _, c := range list[:n] {
		delete(s.contexts, c.ID)
		if s.expr.Context(c) {
			if err := s.found(nil, c); err != nil {
				return err
			}
		}
	}
	return nil
}
