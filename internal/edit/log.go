package edit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/internal/filelock"
)

// maxZstdWindow bounds the memory that a compressed log can ask for, as it
// does where logs are only read.
const maxZstdWindow = 128 << 20

// Log is an audit log that is read at any place. It stays the file it was when
// it was opened, also when a rotation gives its name to another. Its methods
// may be called from any goroutine.
type Log struct {
	name     string
	original *os.File // locked for as long as the session lasts
	file     *os.File // original, or the unpacked copy of it
	size     int64
}

// OpenLog opens the log with this name and keeps others from editing it. A log
// compressed with gzip or zstd is unpacked into a temporary file, which is gone
// when the Log is closed; progress is then called now and then with the bytes
// read and their total, and may be nil. The error is ErrLocked where another
// session has the log open.
func OpenLog(ctx context.Context, name string, progress func(read, total int64)) (*Log, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	l := &Log{name: name, original: f, file: f}
	if err := l.prepare(ctx, progress); err != nil {
		_ = l.Close() // it was only read
		return nil, err
	}
	return l, nil
}

func (l *Log) prepare(ctx context.Context, progress func(read, total int64)) error {
	info, err := l.original.Stat()
	if err != nil {
		return fmt.Errorf("looking at the log: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file: one log is edited at a time, and it is read more than once", l.name)
	}
	// Some file systems lock only what is open for writing; the lock of the
	// journal then has to do.
	if err := filelock.Exclusive(l.original); errors.Is(err, filelock.ErrLocked) {
		return fmt.Errorf("%s: %w", l.name, ErrLocked)
	}
	l.size = info.Size()
	unpack, err := unpacker(l.original)
	if err != nil || unpack == nil {
		return wrapUnpack(l.name, err)
	}
	defer unpack.Close()
	if l.file, err = temporary(); err != nil {
		return err
	}
	l.size, err = copyAll(ctx, l.file, unpack, func() {
		if progress != nil {
			// Where the decompressor has come to is only for the eye.
			at, _ := l.original.Seek(0, io.SeekCurrent)
			progress(at, info.Size())
		}
	})
	return wrapUnpack(l.name, err)
}

func wrapUnpack(name string, err error) error {
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", name, err)
	}
	return nil
}

// unpacker gives the reader that unpacks a file, nil for one that is plain.
func unpacker(f *os.File) (io.ReadCloser, error) {
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic[:], []byte{0x1f, 0x8b}): // RFC 1952
		return gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
	case bytes.Equal(magic[:], []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878
		z, err := zstd.NewReader(f, zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, nil
}

// temporary makes a file without a name, where the system can do that.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "whet-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file for the unpacked log: %w", err)
	}
	// A system that keeps open files from being removed does so on Close.
	_ = os.Remove(f.Name())
	return f, nil
}

// copyAll copies until the end and calls step after each piece.
func copyAll(ctx context.Context, w io.Writer, r io.Reader, step func()) (int64, error) {
	buffer := make([]byte, 1<<20)
	var written int64
	for {
		if err := ctx.Err(); err != nil {
			return written, err
		}
		n, err := io.ReadFull(r, buffer)
		if _, err := w.Write(buffer[:n]); err != nil {
			return written, err
		}
		written += int64(n)
		step()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
}

// Name is the log's name as the user gave it, Base its last element.
func (l *Log) Name() string { return l.name }

// Base is the last element of the log's name.
func (l *Log) Base() string { return filepath.Base(l.name) }

// Size is how many bytes the log had when it was opened, after decompression.
func (l *Log) Size() int64 { return l.size }

// Reader reads the log from its beginning to where it ended when it was
// opened. Readers are independent of each other.
func (l *Log) Reader() *io.SectionReader { return io.NewSectionReader(l.file, 0, l.size) }

// ReadAt reads bytes of the log, after decompression, as io.ReaderAt says.
func (l *Log) ReadAt(p []byte, offset int64) (int, error) { return l.file.ReadAt(p, offset) }

// Close closes the log, lets others edit it, and removes what was unpacked.
func (l *Log) Close() error {
	if l.file != l.original && l.file != nil {
		_ = l.file.Close()
		_ = os.Remove(l.file.Name()) // gone already where that is possible
	}
	return filelock.Close(l.original)
}
