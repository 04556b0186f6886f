package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/whet-k8s/whet/internal/filelock"
)

// Who reads a data set locks a file, so that nothing is removed under him. Of a
// data set that somebody always reads, nothing could ever be removed; so the file
// changes. The manifest names the generation of readers that open it now. When
// files are replaced a new generation begins, and what the older ones may still
// read is removed when nobody of theirs is left, the oldest generation first.

// left are files that the readers of a generation, and of those before it, may
// still read, and nobody who opens the data set now.
type left struct {
	Readers int      `json:"readers"`
	Paths   []string `json:"paths"`
}

// maxLeft bounds the generations that are waited for.
const maxLeft = 32

// readersFile is the file that a generation of readers locks.
func readersFile(generation int) string {
	if generation == 0 {
		return readersName
	}
	return fmt.Sprintf("readers-%d.lock", generation)
}

// isReadersFile tells a file that a generation of readers locks.
func isReadersFile(name string) bool {
	var generation int
	if name == readersName {
		return true
	}
	_, err := fmt.Sscanf(name, "readers-%d.lock", &generation)
	return err == nil && name == readersFile(generation)
}

const (
	// openTries is how often a reader tries to catch a generation that stays, and
	// openWait how long it waits in between.
	openTries = 200
	openWait  = 10 * time.Millisecond
)

// lockReading takes the lock of the generation that reads now, and gives the
// manifest that it goes with.
func lockReading(dir string) (*lock, *manifest, error) {
	m, err := readManifest(dir)
	for range openTries {
		if err != nil {
			return nil, nil, err
		}
		l, lockErr := lockShared(filepath.Join(dir, readersFile(m.Readers)))
		switch {
		case errors.Is(lockErr, filelock.ErrLocked):
			// Somebody looks whether this generation reads.
			time.Sleep(openWait)
		case lockErr != nil:
			return nil, nil, lockErr
		}
		locked := m.Readers
		if m, err = readManifest(dir); err == nil && lockErr == nil && m.Readers == locked {
			return l, m, nil
		}
		if lockErr == nil {
			l.release()
		}
	}
	return nil, nil, errors.New("it changes all the time: try again")
}

// retire has nobody who opens the data set from now on read what was replaced:
// with this manifest a new generation of readers begins. While too many are
// waited for, none does.
func (m *manifest) retire(dir string) error {
	if len(m.Replaced) == 0 || len(m.Left) >= maxLeft {
		return nil
	}
	// Nobody is to find the new generation without its file.
	if err := touch(filepath.Join(dir, readersFile(m.Readers+1))); err != nil {
		return err
	}
	m.Left = append(m.Left[:len(m.Left):len(m.Left)], left{m.Readers, m.Replaced})
	m.Replaced = nil
	m.Readers++
	return nil
}

// removeReplaced removes the files that newer ones took the place of, as far as
// nobody reads them any more. What cannot be removed stays in the manifest, and
// the next who writes tries again: what was written is in place, whatever comes
// of this.
func removeReplaced(dir string, m *manifest) {
	gone := 0
	for gone < len(m.Left) && removeLeft(dir, m.Left[gone]) {
		gone++
	}
	if gone == 0 {
		return
	}
	m.Left = m.Left[gone:]
	// The next who writes finds the rest as it is.
	_, _ = m.write(dir)
}

// removeLeft removes what a generation left, and the file that it locked. It
// gives false where somebody still reads.
func removeLeft(dir string, old left) bool {
	name := filepath.Join(dir, readersFile(old.Readers))
	l, err := lockExclusive(name)
	if err != nil {
		return false
	}
	defer l.release()
	for _, path := range old.Paths {
		err := os.Remove(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	err = os.Remove(name)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}
