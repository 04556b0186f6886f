package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// keptOfLong is how much is kept of a line that is too long.
const keptOfLong = 4 << 10

// drain publishes the lines that a file holds beyond what was read; with last
// set also one without an end.
func (f *Follower) drain(ctx context.Context, l *logFile, last bool) error {
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("looking at %s: %w", l.path, err)
	}
	if info.Size() == l.size && !last {
		return nil
	}
	if info.Size() != l.size {
		l.grew = time.Now()
		if l.size < 0 {
			l.grew = info.ModTime()
		}
	}
	if err := f.verify(l, info.Size()); err != nil {
		return err
	}
	r, err := l.reader(l.track.Offset)
	if err != nil {
		return f.damaged(l, info.Size(), err)
	}
	defer r.Close()
	rest, err := f.lines(ctx, l, r, last)
	if err != nil && ctx.Err() == nil {
		return f.damaged(l, info.Size(), err)
	}
	if err != nil {
		return err
	}
	l.size = l.track.Offset + rest
	if l.packed || l.track.Offset > info.Size() {
		l.size = info.Size() // a copy that is still being written
	}
	return nil
}

// damaged is called for a file that cannot be read to its end. Of a compressed
// one that is how it is.
func (f *Follower) damaged(l *logFile, size int64, err error) error {
	if !l.packed {
		return err
	}
	l.size = size
	f.once(l.path, "the rest of the file cannot be read: "+err.Error())
	return nil
}

// verify sees whether a file is still the log that it was.
func (f *Follower) verify(l *logFile, size int64) error {
	if l.packed || l.track.Length == 0 && size >= l.track.Offset {
		return nil
	}
	head, err := l.head()
	if err != nil {
		return err
	}
	if l.track.Length > 0 && !l.track.begins(head) {
		f.log.Warn("the log was truncated or written anew, and is read from its beginning; what was not read of it is lost unless there is a copy",
			"path", l.path, "read", l.track.Offset)
		f.count(func(s *Stats) { s.Truncated++ })
		info, err := l.file.Stat()
		if err != nil {
			return fmt.Errorf("looking at %s: %w", l.path, err)
		}
		own := inodeOf(info)
		t := f.state.find(head, own)
		if t == nil {
			t = f.state.add(&track{})
		}
		t.inode, t.Seen, l.track = own, today(), t
		return nil
	}
	if size < l.track.Offset && !l.gone {
		f.log.Warn("the log was cut off, and is read on from its end", "path", l.path, "read", l.track.Offset, "size", size)
		f.count(func(s *Stats) { s.Truncated++ })
		l.track.Offset = size
	}
	return nil
}

// lines publishes whole lines until there are no more, and gives how many bytes
// of a line without an end are left.
func (f *Follower) lines(ctx context.Context, l *logFile, r io.Reader, last bool) (rest int64, err error) {
	c := newCutter(r, pieceBytes, queue.MaxBody)
	saved := time.Now()
	for {
		body, cut, ended, err := c.next(last)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", l.path, err)
		}
		if len(body) > 0 {
			if err := f.piece(ctx, l, body, cut); err != nil {
				return 0, err
			}
			if time.Since(saved) > time.Second {
				saved = time.Now()
				if err := f.state.write(f.options.State); err != nil {
					f.log.Warn("cannot remember how far the log was read", "error", err)
				}
			}
		}
		if ended {
			return c.left, nil
		}
	}
}

// piece publishes lines and moves the offset behind them.
func (f *Follower) piece(ctx context.Context, l *logFile, body []byte, cut int64) error {
	lines := bytes.Count(body, []byte{'\n'})
	if body[len(body)-1] != '\n' {
		lines++
	}
	if err := f.publish(ctx, pipeline.Piece{Source: l.path, Line: l.track.Line + 1, Body: body}, lines); err != nil {
		return err
	}
	if cut > 0 {
		f.log.Warn("a line is too long to be kept", "path", l.path, "line", l.track.Line+1, "bytes", int64(len(body))+cut, "most", queue.MaxBody)
		f.count(func(s *Stats) { s.TooLong++ })
	}
	l.track.Offset += int64(len(body)) + cut
	l.track.Line += lines
	if l.track.Length < headBytes {
		if head, err := l.head(); err == nil {
			l.track.learn(head)
		}
	}
	if info, err := l.file.Stat(); err == nil && !l.packed {
		f.count(func(s *Stats) { s.Behind = max(info.Size()-l.track.Offset, 0) })
	}
	return nil
}

// cutter cuts what it reads behind the ends of lines.
type cutter struct {
	r    io.Reader
	most int // bytes of a line
	buf  []byte
	used int // bytes of buf that were given
	left int64
}

// newCutter makes a cutter that gives about size bytes at once, and no more than
// most of a line.
func newCutter(r io.Reader, size, most int) *cutter {
	return &cutter{r: r, most: most, buf: make([]byte, 0, size)}
}

// next gives whole lines, which are valid until it is called again. Of a line
// that is too long it gives the beginning, and cut counts the bytes that it
// leaves out. When the input has ended, left counts the bytes behind the last
// line; with last set they are a line too.
func (c *cutter) next(last bool) (body []byte, cut int64, ended bool, err error) {
	c.buf = append(c.buf[:0], c.buf[c.used:]...)
	c.used = 0
	for {
		if len(c.buf) == cap(c.buf) {
			if end := bytes.LastIndexByte(c.buf, '\n') + 1; end > 0 {
				c.used = end
				return c.buf[:end], 0, false, nil
			}
			if cap(c.buf) >= c.most {
				return c.skip(last)
			}
			grown := make([]byte, len(c.buf), min(2*cap(c.buf), c.most))
			copy(grown, c.buf)
			c.buf = grown
		}
		n, err := c.r.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		if errors.Is(err, io.EOF) {
			end := bytes.LastIndexByte(c.buf, '\n') + 1
			if last {
				end = len(c.buf)
			}
			c.used = end
			c.left = int64(len(c.buf) - end)
			return c.buf[:end], 0, true, nil
		}
		if err != nil {
			return nil, 0, false, err
		}
	}
}

// kept is how much is kept of a line that is too long.
func (c *cutter) kept() int { return min(keptOfLong, c.most/2) }

// skip passes over the rest of a line that fills the buffer.
func (c *cutter) skip(last bool) (body []byte, cut int64, ended bool, err error) {
	length := int64(len(c.buf))
	rest := make([]byte, min(64<<10, c.most/2))
	for {
		n, err := c.r.Read(rest)
		if end := bytes.IndexByte(rest[:n], '\n') + 1; end > 0 {
			c.buf = append(c.buf[:c.kept()-1], '\n')
			c.buf = append(c.buf, rest[end:n]...)
			c.used = c.kept()
			return c.buf[:c.kept()], length + int64(end) - int64(c.kept()), false, nil
		}
		length += int64(n)
		switch {
		case errors.Is(err, io.EOF) && last:
			c.used = len(c.buf)
			return c.buf[:c.kept()], length - int64(c.kept()), true, nil
		case errors.Is(err, io.EOF):
			c.used, c.left = len(c.buf), length
			return nil, 0, true, nil
		case err != nil:
			return nil, 0, false, err
		}
	}
}
