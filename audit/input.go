package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// input is an open source. It opens its file at the first Read, since opening
// a pipe can wait too.
type input struct {
	source source
	stdin  io.Reader     // what to read for standard input
	count  *atomic.Int64 // bytes read before decompression, of all sources
	file   *os.File
	in     io.ReadCloser
	ioErr  error // an error in reading the file, not in its compression
}

// Read gives decompressed bytes. An error in compressed data is a
// damagedError.
func (s *input) Read(p []byte) (int, error) {
	if s.in == nil {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	n, err := s.in.Read(p)
	if err != nil && err != io.EOF && s.ioErr != nil {
		err = s.ioErr
	}
	return n, err
}

func (s *input) open() error {
	raw := s.stdin
	if s.source.path != "" {
		f, err := os.Open(s.source.path)
		if err != nil {
			return err
		}
		s.file, raw = f, f
	}
	in, err := Decompress(countingReader{s, raw})
	if err != nil {
		if s.ioErr != nil {
			return s.ioErr
		}
		return err
	}
	s.in = in
	return nil
}

// Close closes what Read opened, and leaves standard input open.
func (s *input) Close() error {
	var errs []error
	if s.in != nil {
		errs = append(errs, s.in.Close())
	}
	if s.file != nil {
		errs = append(errs, s.file.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing %s: %w", printable(s.source.name), err)
	}
	return nil
}

// waits tells a source on which a read can wait for ever.
func (s *input) waits() bool { return s.source.path == "" || s.source.size == 0 }

// countingReader counts the bytes of an input and keeps its error, so that a
// failing disk is not taken for damaged data.
type countingReader struct {
	input *input
	r     io.Reader
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.input.count.Add(int64(n))
	if err != nil && err != io.EOF {
		c.input.ioErr = err
	}
	return n, err
}

// readContext reads like io.Reader, and gives up when ctx ends: the read then
// goes on alone, and nothing more can be read of r.
func readContext(ctx context.Context, r io.Reader, p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	own := make([]byte, min(len(p), 64<<10))
	done := make(chan result, 1)
	go func() {
		n, err := r.Read(own)
		done <- result{n, err}
	}()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case got := <-done:
		return copy(p, own[:got.n]), got.err
	}
}
