package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/internal/filelock"
)

// Create makes an empty data set in dir where there is none, so that it can be
// opened before anything is written to it. One that is there stays as it is.
func Create(dir string) error {
	if err := create(dir); err != nil {
		return fmt.Errorf("making the data set %s: %w", dir, err)
	}
	return nil
}

func create(dir string) error {
	if _, err := readManifest(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l, m, err := openForWriting(dir)
	if err != nil {
		return err
	}
	defer l.release()
	_, err = m.write(dir)
	return err
}

// Changed tells whether something was written to the data set since it was
// opened. It costs no more than a look at one file.
func (d *DataSet) Changed() (bool, error) {
	now, err := stampOf(d.dir)
	if err != nil {
		return false, fmt.Errorf("looking at the data set %s: %w", d.dir, err)
	}
	return !now.same(d.stamp), nil
}

// Reopen opens the data set as it is now, beside this one, which stays as it is
// until it is closed.
func (d *DataSet) Reopen(ctx context.Context) (*DataSet, error) { return Open(ctx, d.dir) }

// stamp tells one manifest from the next: each is a new file.
type stamp struct{ info fs.FileInfo }

func stampOf(dir string) (stamp, error) {
	info, err := os.Stat(filepath.Join(dir, manifestName))
	return stamp{info}, err
}

func (s stamp) same(other stamp) bool {
	return os.SameFile(s.info, other.info) && s.info.ModTime().Equal(other.info.ModTime()) && s.info.Size() == other.info.Size()
}

// BeingFilled tells that nothing is in the data set yet, and that somebody writes
// to it.
func (d *DataSet) BeingFilled() bool { return len(d.manifest.Segments) == 0 && beingWritten(d.dir) }

// beingWritten tells whether somebody writes to the data set in dir.
func beingWritten(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, writerName), os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	defer filelock.Close(f) // nothing is written
	return errors.Is(filelock.Exclusive(f), filelock.ErrLocked)
}
