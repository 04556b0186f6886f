package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// Options say how an Engine works. The zero value of a field means its default.
type Options struct {
	// DataSet is the folder of the data set, Checkpoint the file that holds the
	// state between two processes. Both are made where there are none, and
	// belong together: a checkpoint is of no use with another data set.
	DataSet, Checkpoint string
	// Store says what the data set keeps, and names the cluster. KeepAll is an
	// error.
	Store store.WriterOptions
	// Pipeline is what a Session takes.
	Pipeline pipeline.Options
	// Every is how long a checkpoint is put off after something came. Default
	// 1 s.
	Every time.Duration
	// Grace is how much later than others an event may come: when nothing came
	// for longer, time goes on without it. It must be longer than sources hold
	// events back; an API server's webhook does so for 30 s by default
	// (--audit-webhook-batch-max-wait). Default 35 s.
	Grace time.Duration
	// Ahead is how much later than its piece came into the queue an event may be
	// from. What is from further ahead counts as malformed, since it would let time
	// pass for all others. Default 1 h.
	Ahead time.Duration
	// Contexts is called at each checkpoint with the contexts that grew, redacted
	// and as they are in the data set by then: at least once for each state, also
	// when the process is killed, since what was told before it is told again. It
	// runs in the goroutine of Run. An error fails the checkpoint, which is tried
	// again. It may be nil.
	Contexts func([]pipeline.Context) error
	// Preview is called after a checkpoint with the open contexts to which events
	// came that are not decided about yet, as those contexts would be if nothing
	// else came: at rest that is seconds before Contexts has them. The same may be
	// told again, or turn out otherwise; contexts that only read are left out,
	// since they often turn out to be the beginning of a change. It is left out
	// where it would take more than a fifth of the time, while messages wait for
	// longer than a second, and where the state is so large that a second one
	// would take too much memory. It may be nil.
	Preview func([]pipeline.Context)
	// Writing is held while something is written to the data set, which one may do
	// at a time: engines that share a data set share it. Nil for none.
	Writing sync.Locker
	// Log takes what a person who runs the engine should know. Default is none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Every = cmp.Or(o.Every, time.Second)
	o.Grace = cmp.Or(o.Grace, 35*time.Second)
	o.Ahead = cmp.Or(o.Ahead, time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

const (
	// maxWaiting bounds the events that are decided about and not in the data set
	// yet; beyond it a checkpoint is made at once.
	maxWaiting = 50_000
	// late is how much older than the newest event one must be for the data set
	// to be asked whether it has it. What is younger came in this process, or
	// before horizon, and its repetitions are known by the session, or by the
	// queue.
	late = time.Minute
	// stateShare bounds the time that writing the state takes: it is put off for
	// so many times as long as it took last. Under load that leaves it out of most
	// checkpoints, since the state is then large, and another process reads a few
	// messages more.
	stateShare = 10
	// checkpointShare bounds the time that checkpoints take in the same way,
	// within checkpointRest: contexts that grow are written anew each time, so
	// that fewer checkpoints are less work.
	checkpointShare = 4
	checkpointRest  = 3 * time.Second
)

// Engine analyses the stream of one cluster.
type Engine struct {
	options Options
	stream  *queue.Stream
	session *pipeline.Session
	taken   uint64 // the number of the last message that the session took
	saved   uint64 // the same, of the state in the file

	nextCheckpoint time.Time     // when the next one may be made, unless much waits
	nextState      time.Time     // when the state may be written again
	behind         time.Duration // how long the last message had waited

	// A process before this one has seen the messages up to known, and no event
	// after horizon.
	known   uint64
	horizon time.Time

	// What the data set does not have yet. After a commit that failed it may have
	// it all the same.
	events   []pipeline.Annotation
	contexts map[string]pipeline.Context
	order    []string // of contexts
	unsure   bool
	commit   func(context.Context, *store.Writer, *pipeline.Accounting) error

	untold     []pipeline.Context // what the data set has and Contexts has not got
	unreleased bool               // the queue holds what is saved

	links map[Link]int64

	redacted    func(pipeline.Context) pipeline.Context
	previewed   uint64 // saved, of the last preview
	nextPreview time.Time
	looking     bool              // a preview is being made
	told        map[string]uint64 // by id, taken when Contexts got it, if Preview may not know it
	outlooks    chan outlook
	previews    sync.WaitGroup

	mu    sync.Mutex
	stats Stats
}

// Open makes an Engine that goes on where the checkpoint says, or begins anew
// where there is none. An error says so when the checkpoint cannot be read.
func Open(stream *queue.Stream, o Options) (*Engine, error) {
	e := &Engine{options: o.withDefaults(), stream: stream, contexts: map[string]pipeline.Context{}, links: map[Link]int64{}}
	e.told, e.outlooks, e.commit = map[string]uint64{}, make(chan outlook, 1), commit
	if o.Store.Keep == store.KeepAll {
		return nil, errors.New("an engine cannot keep the bytes of the log")
	}
	if err := e.restore(); err != nil {
		return nil, fmt.Errorf("reading the checkpoint %s: %w", o.Checkpoint, err)
	}
	e.saved = e.taken
	e.horizon = later(e.horizon, e.session.Newest())
	e.stats.Taken, e.stats.Saved = e.taken, e.taken
	e.look()
	return e, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (e *Engine) sink() pipeline.Sink {
	return pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			e.events = append(e.events, *a)
			e.countLink(a)
			return nil
		},
		Context: func(c *pipeline.Context) error {
			if _, known := e.contexts[c.ID]; !known {
				e.order = append(e.order, c.ID)
			}
			e.contexts[c.ID] = *c
			return nil
		},
	}
}

// Run analyses what comes until ctx ends, makes a last checkpoint then, and
// returns nil. A checkpoint that fails, because the disk is full or somebody
// else writes to the data set, is tried again; until it succeeds nothing more is
// taken, so that the queue fills and refuses in the end. An error is that of the
// last checkpoint, or of a queue that cannot be read; the next Engine goes on
// from the last checkpoint.
func (e *Engine) Run(ctx context.Context) error {
	before, err := e.stream.Stats(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	e.known = before.Last
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	messages := make(chan *queue.Message)
	var reading sync.WaitGroup
	reading.Go(func() { e.read(ctx, messages, cancel) })
	err = e.loop(ctx, messages)
	e.previews.Wait()
	cancel(nil)
	reading.Wait()
	if err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	e.nextState = time.Time{}
	return e.checkpoint(context.WithoutCancel(ctx))
}

// read hands over the messages of the stream in order. What fails is the cause
// of the end of ctx.
func (e *Engine) read(ctx context.Context, messages chan<- *queue.Message, fail context.CancelCauseFunc) {
	for after := e.taken; ; {
		m, err := e.stream.Next(ctx, after)
		if err != nil {
			fail(err)
			return
		}
		after = m.Number
		select {
		case messages <- m:
		case <-ctx.Done():
			return
		}
	}
}

// loop takes messages and makes checkpoints until ctx ends.
func (e *Engine) loop(ctx context.Context, messages <-chan *queue.Message) error {
	due := time.NewTicker(e.options.Every)
	defer due.Stop()
	came := time.Now()
	for stuck := false; ; {
		next := messages
		if stuck {
			next = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case found := <-e.outlooks:
			e.show(found)
			continue
		case m := <-next:
			if m.Quiet == 0 {
				came = time.Now()
			}
			if err := e.take(ctx, m); err != nil {
				return err
			}
			if len(e.events) < maxWaiting {
				continue
			}
		case <-due.C:
			e.noteQuiet(ctx, time.Since(came))
			if !stuck && time.Now().Before(e.nextCheckpoint) {
				continue
			}
		}
		stuck = !e.tryCheckpoint(ctx)
		if !stuck {
			e.tryPreview(ctx)
		}
	}
}

// noteQuiet lets time pass in the stream when nothing came for longer than
// events may be held back.
func (e *Engine) noteQuiet(ctx context.Context, quiet time.Duration) {
	if quiet <= e.options.Grace || e.session.Idle() {
		return
	}
	if err := e.stream.PublishQuiet(ctx, quiet-e.options.Grace); err != nil && ctx.Err() == nil {
		e.options.Log.Warn("the queue takes no note of the time", "error", err)
	}
}

// tryCheckpoint makes a checkpoint where there is something to save, and tells
// whether nothing is left to be saved.
func (e *Engine) tryCheckpoint(ctx context.Context) bool {
	if e.taken == e.saved && len(e.untold) == 0 && !e.unreleased {
		return true
	}
	err := e.checkpoint(ctx)
	if ctx.Err() != nil {
		return false
	}
	e.mu.Lock()
	before := e.stats.Err
	e.stats.Err = err
	e.mu.Unlock()
	switch {
	case err != nil:
		e.options.Log.Error("the checkpoint failed and is tried again", "error", err)
	case before != nil:
		e.options.Log.Info("the checkpoint succeeded again")
	}
	return err == nil
}

// take analyses one message.
func (e *Engine) take(ctx context.Context, m *queue.Message) error {
	var got pipeline.Received
	var err error
	if m.Quiet > 0 {
		err = e.session.Advance(e.session.Newest().Add(m.Quiet))
	} else {
		// A piece is taken whole or not at all.
		m.Piece.Until = m.Published.Add(e.options.Ahead)
		got, err = e.session.Add(context.WithoutCancel(ctx), m.Piece)
	}
	if err != nil {
		return fmt.Errorf("analysing message %d: %w", m.Number, err)
	}
	for i := range got.Malformed {
		e.options.Log.Warn("malformed event", "place", got.Malformed[i].Error())
	}
	e.taken, e.behind = m.Number, time.Since(m.Published)
	if m.Number <= e.known {
		e.horizon = later(e.horizon, e.session.Newest())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.Taken = e.taken
	e.stats.Published = m.Published
	e.stats.Events += int64(got.Events)
	e.stats.Repeated += int64(got.Repeated)
	e.stats.Malformed += int64(len(got.Malformed))
	return nil
}

// checkpoint saves what was found and, unless that is put off, where to go on.
func (e *Engine) checkpoint(ctx context.Context) error {
	begun := time.Now()
	if err := e.session.Grown(); err != nil {
		return fmt.Errorf("looking at open contexts: %w", err)
	}
	if err := e.store(ctx); err != nil {
		return err
	}
	// Telling comes before the state is saved, so that a process that dies between
	// the two finds the same contexts again and tells them.
	if err := e.tell(); err != nil {
		return err
	}
	if begun.After(e.nextState) {
		if err := e.saveState(ctx); err != nil {
			return err
		}
	}
	e.look()
	took := time.Since(begun)
	e.nextCheckpoint = time.Now().Add(min(checkpointShare*took, checkpointRest))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.Saved = e.taken
	e.stats.Checkpoints++
	e.stats.LastCheckpoint = took
	return nil
}

// tell tells which contexts grew.
func (e *Engine) tell() error {
	if e.options.Contexts != nil && len(e.untold) > 0 {
		if err := e.options.Contexts(e.untold); err != nil {
			return fmt.Errorf("telling which contexts grew: %w", err)
		}
	}
	if e.options.Preview != nil {
		for i := range e.untold {
			e.told[e.untold[i].ID] = e.taken
		}
	}
	e.untold = nil
	return nil
}

// saveState writes where to go on, and lets the queue forget what came before.
func (e *Engine) saveState(ctx context.Context) error {
	begun := time.Now()
	if err := e.save(); err != nil {
		return fmt.Errorf("writing the checkpoint %s: %w", e.options.Checkpoint, err)
	}
	e.saved, e.unreleased = e.taken, true
	e.pruneTold()
	if err := e.stream.Release(ctx, e.saved); err != nil {
		return err
	}
	e.unreleased = false
	e.nextState = time.Now().Add(stateShare * time.Since(begun))
	return nil
}

// forget lets go of what is in the data set.
func (e *Engine) forget() {
	clear(e.contexts)
	clear(e.events)
	e.events, e.order, e.unsure = e.events[:0], e.order[:0], false
}

// store puts what was found into the data set. The contexts that grew, as they
// are there, are then to be told.
func (e *Engine) store(ctx context.Context) error {
	if len(e.events) == 0 && len(e.contexts) == 0 {
		return nil
	}
	if e.options.Writing != nil {
		e.options.Writing.Lock()
		defer e.options.Writing.Unlock()
	}
	o := e.options.Store
	o.Quick = true
	if !e.unsure {
		o.NewAfter = later(e.horizon, e.session.Newest().Add(-late))
	}
	w, err := store.Append(ctx, e.options.DataSet, o)
	if err != nil {
		return fmt.Errorf("saving events: %w", err)
	}
	sink := w.Sink()
	for i := range e.events {
		// A copy, since the data set redacts what it is given, and a checkpoint
		// that fails is tried again.
		a := e.events[i]
		if err = sink.Annotation(&a); err != nil {
			break
		}
	}
	grown := make([]pipeline.Context, 0, len(e.order))
	for _, id := range e.order {
		if err != nil {
			break
		}
		c := w.Redacted(e.contexts[id])
		err = sink.Context(&c)
		grown = append(grown, c)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("saving events: %w", err), w.Abort())
	}
	e.unsure = true
	if err := e.commit(ctx, w, &pipeline.Accounting{Events: int64(len(e.events))}); err != nil {
		return fmt.Errorf("saving events: %w", err)
	}
	e.forget()
	e.untold = append(e.untold, grown...)
	return nil
}

func commit(ctx context.Context, w *store.Writer, account *pipeline.Accounting) error {
	_, err := w.Commit(ctx, account)
	return err
}
