//go:build unix

package store

import (
	"errors"
	"syscall"
)

// isReadOnly tells the error of a file system that cannot be written to.
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
