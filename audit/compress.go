package audit

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow bounds the memory that a zstd file can ask for: the window of
// zstd --long=27, the largest that zstd reads without being told to.
const maxZstdWindow = 128 << 20

// Decompress gives what is in r, unpacked when it begins as gzip (RFC 1952)
// or zstd (RFC 8878) does. Close frees the decompressor and leaves r open.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	magic, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading the beginning: %w", err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, &damagedError{fmt.Errorf("damaged gzip: %w", err)}
		}
		return &unpacked{"gzip", z, z.Close}, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, &damagedError{fmt.Errorf("damaged zstd: %w", err)}
		}
		return &unpacked{"zstd", z, func() error { z.Close(); return nil }}, nil
	}
	return io.NopCloser(in), nil
}

// damagedError is an error in the compressed data, not in reading it.
type damagedError struct{ err error }

func (e *damagedError) Error() string { return e.err.Error() }
func (e *damagedError) Unwrap() error { return e.err }

// unpacked tells the decompressor's errors from others.
type unpacked struct {
	format string
	r      io.Reader
	close  func() error
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		err = &damagedError{fmt.Errorf("damaged %s: %w", u.format, err)}
	}
	return n, err
}

func (u *unpacked) Close() error { return u.close() }
