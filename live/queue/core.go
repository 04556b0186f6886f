package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// core is the server of a queue. One that could not write to the disk once takes
// nothing any more, even when there is room again; another one is opened in its
// place.
type core struct {
	server  *server.Server
	conn    *nats.Conn
	js      jetstream.JetStream
	streams map[string]jetstream.Stream // by cluster; Queue.mu guards it
}

// maxStore is more than any disk has.
const maxStore = 1 << 60

// openCore opens the files of the queue.
func openCore(o Options, troubles chan<- trouble) (*core, error) {
	c := &core{streams: map[string]jetstream.Stream{}}
	if err := c.open(o, troubles); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *core) open(o Options, troubles chan<- trouble) (err error) {
	c.server, err = server.NewServer(&server.Options{
		ServerName: "whet", DontListen: true, NoLog: true, NoSigs: true, MaxPayload: maxPayload,
		JetStream: true, StoreDir: o.Dir,
		// The bounds of the streams and of the disk are enough. Its own one, three
		// quarters of what is free when it begins, would refuse the streams that
		// there are on a disk that is nearly full.
		JetStreamMaxStore: maxStore,
		SyncAlways:        o.SyncEvery == 0, SyncInterval: o.SyncEvery,
	})
	if err != nil {
		return err
	}
	c.server.SetLoggerV2(listener{c, troubles, o.Log}, false, false, false)
	c.server.Start()
	// It does not say why it could not begin, but does not become ready either.
	if !c.server.JetStreamEnabled() {
		return errors.New("the queue's files cannot be opened or written to")
	}
	if !c.server.ReadyForConnections(startTime) {
		return errors.New("the queue did not become ready")
	}
	if c.conn, err = nats.Connect("", nats.InProcessServer(c.server), nats.MaxReconnects(-1)); err != nil {
		return err
	}
	c.js, err = jetstream.New(c.conn)
	return err
}

func (c *core) close() {
	if c.conn != nil {
		c.conn.Close()
	}
	if c.server != nil {
		c.server.Shutdown()
		c.server.WaitForShutdown()
	}
}

// stream opens the stream of a cluster, which is made where there is none.
func (c *core) stream(ctx context.Context, cluster string, o Options) (jetstream.Stream, error) {
	name := streamName(cluster)
	stream, err := c.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: o.MaxBytes,
		Duplicates: repeatTime, AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the stream of cluster %q: %w", cluster, err)
	}
	return stream, nil
}

// current gives the server, and why it is being replaced, nil when it is not.
func (q *Queue) current() (*core, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken == nil && !q.core.server.JetStreamEnabled() {
		// It stops by itself when the disk is full.
		q.renew(q.core, errStopped)
	}
	return q.core, q.broken
}

// handle gives the stream of a cluster in a server.
func (q *Queue) handle(c *core, cluster string) jetstream.Stream {
	q.mu.Lock()
	defer q.mu.Unlock()
	return c.streams[cluster]
}

// errStopped says that the server has given up.
var errStopped = errors.New("the queue could not write to the disk")

// fail replaces a server that failed by another one, in the background.
func (q *Queue) fail(c *core, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.renew(c, cause)
}

// renew does what fail does. The caller holds q.mu.
func (q *Queue) renew(c *core, cause error) {
	if q.core != c || q.broken != nil || q.closed {
		return
	}
	q.broken = cause
	q.options.Log.Error("the queue failed and is opened again; nothing is taken until it is", "error", cause)
	q.renewing.Go(func() { q.replace(c) })
}

// watchEvery is how often the server is looked at.
const watchEvery = 500 * time.Millisecond

// watch replaces a server that has stopped or could not write: it leaves those
// who publish without an answer.
func (q *Queue) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-q.end:
			return
		case <-tick.C:
			_, _ = q.current()
		case t := <-q.troubles:
			q.fail(t.core, t.err)
		}
	}
}

// renewPause is how long a queue that cannot be opened again is left alone.
const renewPause = time.Second

// replace opens another server in the place of one that failed, until that
// succeeds.
func (q *Queue) replace(old *core) {
	old.close()
	for {
		next, err := q.reopen()
		q.mu.Lock()
		if err == nil {
			q.core, q.broken = next, nil
			close(q.renewed)
			q.renewed = make(chan struct{})
			for _, s := range q.streams {
				s.forgive()
			}
			q.mu.Unlock()
			q.options.Log.Info("the queue is open again")
			return
		}
		if q.broken.Error() != err.Error() {
			q.broken = err
			q.options.Log.Error("the queue cannot be opened again yet", "error", err)
		}
		q.mu.Unlock()
		select {
		case <-q.end:
			return
		case <-time.After(renewPause):
		}
	}
}

// reopen opens a server with the streams that are known.
func (q *Queue) reopen() (*core, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	c, err := openCore(q.options, q.troubles)
	if err != nil {
		return nil, fmt.Errorf("opening the queue again: %w", err)
	}
	q.mu.Lock()
	streams := make([]*Stream, 0, len(q.streams))
	for _, s := range q.streams {
		streams = append(streams, s)
	}
	q.mu.Unlock()
	for _, s := range streams {
		stream, err := c.stream(ctx, s.cluster, q.options)
		if err == nil {
			c.streams[s.cluster] = stream
			err = goOn(ctx, stream, s.newest())
		}
		if err != nil {
			c.close()
			return nil, fmt.Errorf("opening the queue again: %w", err)
		}
	}
	return c, nil
}

// goOn has an empty stream count on after a number. It forgets which one was the
// last when it could not write that down.
func goOn(ctx context.Context, stream jetstream.Stream, last uint64) error {
	info, err := stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("looking at a stream: %w", err)
	}
	if info.State.LastSeq >= last || info.State.Msgs > 0 {
		return nil
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSequence(last+1)); err != nil {
		return fmt.Errorf("going on after message %d: %w", last, err)
	}
	return nil
}

// use calls f with a stream's handle, and again with that of the next server
// when the one it was given is replaced.
func (s *Stream) use(ctx context.Context, f func(jetstream.Stream) error) error {
	for {
		c, broken := s.queue.current()
		var err error
		if broken == nil {
			if err = f(s.queue.handle(c, s.cluster)); err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return err
			}
		}
		renewed, gone := s.queue.awaited(c)
		if gone {
			continue
		}
		if renewed == nil {
			return err
		}
		select {
		case <-renewed:
		case <-s.queue.end:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errClosed = errors.New("the queue is closed")

// awaited gives what is closed when another server has taken the place of one,
// nil where nothing is wrong with it, and whether that has happened.
func (q *Queue) awaited(c *core) (renewed <-chan struct{}, gone bool) {
	_, broken := q.current()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.core != c:
		return nil, true
	case broken == nil:
		return nil, false
	}
	return q.renewed, false
}
