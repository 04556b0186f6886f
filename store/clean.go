package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/whet-k8s/whet/internal/durable"
)

const temporarySuffix = durable.Suffix

func touch(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// clean removes files that the manifest does not name: a run that was killed
// left them behind.
func clean(dir string, m *manifest) error {
	named := map[string]bool{}
	for i := range m.Segments {
		named[m.Segments[i].Path] = true
	}
	for _, path := range m.Replaced {
		named[path] = true
	}
	for _, l := range m.Left {
		for _, path := range l.Paths {
			named[path] = true
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the data set: %w", err)
	}
	defer root.Close()
	err = eachSegment(root, func(path string) error {
		if named[path] {
			return nil
		}
		return root.Remove(path)
	})
	if err != nil {
		return fmt.Errorf("removing what an earlier run left behind: %w", err)
	}
	return nil
}

// anySegment names a segment that is in the folder, "" where there is none.
func anySegment(dir string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return "", err
	}
	defer root.Close()
	found := ""
	err = eachSegment(root, func(path string) error {
		if found == "" && strings.HasSuffix(path, segmentSuffix) {
			found = path
		}
		return nil
	})
	return found, err
}

// eachSegment calls a function for the segments in the folder of a data set,
// those that were not finished too.
func eachSegment(root *os.Root, each func(path string) error) error {
	for _, table := range []string{tableEvents, tableContexts, tableRaw} {
		err := fs.WalkDir(root.FS(), table, func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || e.IsDir() {
				return err
			}
			if strings.HasSuffix(path, segmentSuffix) || strings.HasSuffix(path, segmentSuffix+temporarySuffix) {
				return each(path)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
