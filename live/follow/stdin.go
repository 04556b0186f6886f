package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// runStdin publishes what comes on standard input as soon as it comes. While
// the queue is full nothing more is read, so that whoever writes has to wait.
func (f *Follower) runStdin(ctx context.Context) error {
	type part struct {
		body []byte
		err  error
	}
	parts := make(chan part)
	go func() {
		// A read of standard input cannot be ended; the goroutine stays behind
		// when ctx ends, and with it the program.
		for {
			buf := make([]byte, 64<<10)
			n, err := f.options.Stdin.Read(buf)
			select {
			case parts <- part{buf[:n], err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	in := &stdinLines{f: f}
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-parts:
			if !in.add(ctx, p.body, p.err != nil) {
				return nil
			}
			switch {
			case p.err == nil:
				continue
			case !errors.Is(p.err, io.EOF):
				f.fault(fmt.Errorf("reading standard input: %w", p.err))
			}
			f.count(func(s *Stats) { s.Ended = true })
			f.log.Info("standard input has ended")
			return nil
		}
	}
}

// stdinLines puts the lines of standard input together.
type stdinLines struct {
	f       *Follower
	waiting []byte // a line that has no end yet
	dropped int64  // bytes of it that are not kept
	line    int
}

// add publishes the lines that end in body, last tells that nothing follows. It
// gives false when ctx ended before that was done.
func (s *stdinLines) add(ctx context.Context, body []byte, last bool) bool {
	for len(body) > 0 || last && len(s.waiting) > 0 {
		end := bytes.LastIndexByte(body, '\n') + 1
		if end == 0 && !last {
			s.hold(body)
			return true
		}
		if s.dropped > 0 || len(s.waiting)+end > queue.MaxBody {
			// The long line alone, so that what follows it is kept.
			end = bytes.IndexByte(body, '\n') + 1
		}
		if end == 0 {
			end = len(body)
		}
		s.hold(body[:end])
		body = body[end:]
		if err := s.publish(ctx); err != nil {
			return false // publish gives up with ctx alone
		}
	}
	return true
}

// hold keeps a part of a line, as far as it is not too long.
func (s *stdinLines) hold(body []byte) {
	if s.dropped == 0 && len(s.waiting)+len(body) > queue.MaxBody {
		s.dropped = int64(len(s.waiting) - keptOfLong)
		s.waiting = s.waiting[:keptOfLong]
	}
	if s.dropped > 0 {
		s.dropped += int64(len(body))
		return
	}
	s.waiting = append(s.waiting, body...)
}

func (s *stdinLines) publish(ctx context.Context) error {
	lines := max(bytes.Count(s.waiting, []byte{'\n'}), 1)
	err := s.f.publish(ctx, pipeline.Piece{Source: "stdin", Line: s.line + 1, Body: s.waiting}, lines)
	if err != nil {
		return err
	}
	if s.dropped > 0 {
		s.f.log.Warn("a line is too long to be kept", "line", s.line+1, "most", queue.MaxBody)
		s.f.count(func(st *Stats) { st.TooLong++ })
	}
	s.line += lines
	s.waiting, s.dropped = s.waiting[:0], 0
	return nil
}
