package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/internal/filelock"
)

// The names of the files that are locked: by the writer, by who merges segments
// beside him, and by all who read, so that nothing is removed under them.
const (
	writerName  = "writer.lock"
	mergeName   = "merge.lock"
	readersName = "readers.lock"
)

// lock is a lock on a file, which ends with the process at the latest.
type lock struct {
	file *os.File // nil where the data set cannot be written to
}

// busyError is filelock.ErrLocked for the one who wants to write, with who does.
type busyError struct{ who string }

func (e *busyError) Error() string {
	return "another whet" + e.who + " is writing to this data set: try again when it has finished"
}

func (e *busyError) Unwrap() error { return filelock.ErrLocked }

// lockExclusive takes a lock for one, and gives filelock.ErrLocked when it is taken.
func lockExclusive(name string) (*lock, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := filelock.Exclusive(f); err != nil {
		f.Close()
		return nil, err
	}
	return &lock{f}, nil
}

// lockShared takes a lock that many may have at once. A data set on a medium
// that cannot be written to needs none.
func lockShared(name string) (*lock, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		return &lock{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := filelock.Shared(f); err != nil {
		f.Close()
		return nil, err
	}
	return &lock{f}, nil
}

func (l *lock) release() {
	if l.file == nil {
		return
	}
	_ = filelock.Close(l.file) // there is nothing to lose in the file
}

// lockWriter takes the lock of the one who writes.
func lockWriter(name string) (*lock, error) {
	l, err := lockExclusive(name)
	if errors.Is(err, filelock.ErrLocked) {
		who := ""
		if b, err := os.ReadFile(name); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
				who = fmt.Sprintf(" (process %d)", pid)
			}
		}
		return nil, &busyError{who}
	}
	if err != nil {
		return nil, err
	}
	if err := l.file.Truncate(0); err == nil {
		// The number is only for the message above.
		_, _ = l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return l, nil
}
