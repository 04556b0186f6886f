// Package durable puts files in place such that a loss of power, a kill or a
// full disk leaves the old file or the new one, whole.
//
//	err := durable.Replace(name, func(w io.Writer) error { … })
//	err = durable.Sync(filepath.Dir(name))
//
// Replace alone suffices against the end of the process. The name of a new file
// is kept by its folder, so that Sync of the folder must follow where the file
// has to outlast the end of the machine.
package durable

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// Suffix is what the name of a file ends in until it is in place.
const Suffix = ".tmp"

// Replace writes a file, which only its owner may read, and puts it in the place
// of the one that is there. After an error that one is as it was.
func Replace(name string, write func(io.Writer) error) error {
	return ReplaceMode(name, 0o600, write)
}

// ReplaceMode is Replace for a file that others may read: a new one has the mode
// as far as the umask lets it.
func ReplaceMode(name string, mode os.FileMode, write func(io.Writer) error) error {
	err := create(name+Suffix, mode, write)
	if err == nil {
		err = os.Rename(name+Suffix, name)
	}
	if err != nil {
		// It is of no use, and takes space where there may be none left.
		_ = os.Remove(name + Suffix)
	}
	return err
}

func create(name string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// Bytes writes data, for Replace.
func Bytes(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// Sync has the content of a file, or the names in a folder, written to the disk.
func Sync(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("syncing %s: %w", name, err)
	}
	return nil
}
