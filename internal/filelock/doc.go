// Package filelock locks open files between processes, until they let go of
// the lock or end, however they end. Where the system has no such locks, every
// lock is granted: one who writes at a time is then up to the user.
package filelock

import "errors"

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("locked")
