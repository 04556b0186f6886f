package auth

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
)

// watched is what one or more files say together, read again when they change.
type watched[T any] struct {
	names []string
	parse func([][]byte) (T, error)
	// keep tells that what the files said stays in force without them.
	keep bool

	value T
	raw   [][]byte // what value was parsed from; nil when a file was missing
	fault string   // what is wrong with the files now, "" when nothing is
}

// load reads the files for the first time.
func (w *watched[T]) load() error {
	raw, err := w.read()
	if err != nil {
		return err
	}
	w.value, err = w.parse(raw)
	w.raw = raw
	return err
}

func (w *watched[T]) read() ([][]byte, error) {
	var raw [][]byte
	for _, name := range w.names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		raw = append(raw, data)
	}
	return raw, nil
}

// refresh reads the files again and tells whether they say something else. What
// cannot be used changes nothing; a file that is gone takes back what it said,
// unless keep is set. Each change is logged once.
func (w *watched[T]) refresh(log *slog.Logger) bool {
	raw, err := w.read()
	if err == nil && w.same(raw) {
		w.fault = ""
		return false
	}
	if err == nil {
		var value T
		if value, err = w.parse(raw); err == nil {
			w.value, w.raw, w.fault = value, raw, ""
			log.Info("credentials were read again", "files", strings.Join(w.names, ", "))
			return true
		}
	}
	if err.Error() != w.fault {
		w.fault = err.Error()
		log.Error("credentials could not be read again", "error", err)
	}
	if !errors.Is(err, fs.ErrNotExist) || w.keep || w.raw == nil {
		return false
	}
	var none T
	w.value, w.raw = none, nil
	return true
}

func (w *watched[T]) same(raw [][]byte) bool {
	if len(raw) != len(w.raw) {
		return false
	}
	for i := range raw {
		if !bytes.Equal(raw[i], w.raw[i]) {
			return false
		}
	}
	return true
}
