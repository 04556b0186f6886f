//go:build unix

package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Exclusive locks f for its process alone. It does not wait: the error is
// ErrLocked where another lock is held, by whoever opened the file.
func Exclusive(f *os.File) error { return lock(f, syscall.LOCK_EX|syscall.LOCK_NB) }

// Shared locks f for one of many, after waiting for an exclusive lock to go.
func Shared(f *os.File) error { return lock(f, syscall.LOCK_SH) }

func lock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrLocked
		case err != nil:
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		default:
			return nil
		}
	}
}

// Close lets go of the lock and closes f. Closing alone would leave the lock to
// a process that another goroutine is just starting, which has the file open
// too until it runs its program.
func Close(f *os.File) error {
	// It fails for a file that is closed, which closing says better.
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	return f.Close()
}
