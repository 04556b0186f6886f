//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// flock locks a file: for one at once or not at all, or for many after waiting
// for the one.
func flock(f *os.File, exclusive bool) error {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX | syscall.LOCK_NB
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		case err != nil:
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		default:
			return nil
		}
	}
}

// isReadOnly tells the error of a file system that cannot be written to.
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
