package service

import (
	"errors"
	"os"

	"github.com/whet-k8s/whet/internal/filelock"
)

// lockFile takes the lock of the one process that may have a queue open. It ends
// with the process at the latest.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = filelock.Exclusive(f)
	if err == nil {
		return f, nil
	}
	_ = f.Close() // nothing was written
	if errors.Is(err, filelock.ErrLocked) {
		return nil, errors.New("another whet serves it live: it must end first")
	}
	return nil, err
}
