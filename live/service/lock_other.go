//go:build !linux && !darwin && !freebsd

package service

import "os"

// lockFile opens the file where the system has no locks.
func lockFile(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) }
