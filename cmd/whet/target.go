package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/internal/durable"
)

// target is a file that a command writes when its work is done, and the flag
// that names it.
type target struct{ flag, name string }

// reserve looks whether files can be written, before the work for them begins:
// none may be an input or one of the others, and their folders must take new
// files. Targets without a name are passed over.
func reserve(inputs []string, targets ...target) error {
	for i, t := range targets {
		if t.name == "" {
			continue
		}
		for _, input := range inputs {
			if sameFile(t.name, input) || sameFile(t.name+durable.Suffix, input) {
				return usageError("%s %s is also an input", t.flag, t.name)
			}
		}
		for _, other := range targets[:i] {
			if other.name != "" && (sameFile(t.name, other.name) || filepath.Clean(t.name) == filepath.Clean(other.name)) {
				return usageError("%s and %s are one file: %s", other.flag, t.flag, t.name)
			}
		}
		if err := t.writable(); err != nil {
			return fmt.Errorf("looking whether %s can be written: %w", t.flag, err)
		}
	}
	return nil
}

// writable tells whether write can work.
func (t target) writable() error {
	switch info, err := os.Stat(t.name); {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder", t.name)
	case err == nil && !info.Mode().IsRegular():
		return nil // a device or a pipe, in whose folder nothing is made
	}
	f, err := os.CreateTemp(filepath.Dir(t.name), filepath.Base(t.name)+".*"+durable.Suffix)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Remove(f.Name())
}

// write writes the file: whole, or what was there before stays. It gives the
// number of bytes.
func (t target) write(write func(io.Writer) error) (size int64, err error) {
	counted := func(w io.Writer) error {
		c := &counter{w: w}
		defer func() { size = c.n }()
		return write(c)
	}
	name := t.name
	if link, err := filepath.EvalSymlinks(name); err == nil {
		name = link // so that a link stays one
	}
	if info, statErr := os.Stat(name); statErr == nil && !info.Mode().IsRegular() {
		err = writeThrough(name, counted)
	} else {
		err = durable.ReplaceMode(name, 0o666, counted)
	}
	if err != nil {
		return size, fmt.Errorf("writing %s %s: %w", t.flag, t.name, err)
	}
	return size, nil
}

// writeThrough writes to a device or a pipe.
func writeThrough(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
