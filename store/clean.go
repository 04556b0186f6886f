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
	for _, table := range []string{tableEvents, tableContexts, tableRaw} {
		err := fs.WalkDir(root.FS(), table, func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || e.IsDir() {
				return err
			}
			ours := strings.HasSuffix(path, segmentSuffix) || strings.HasSuffix(path, segmentSuffix+temporarySuffix)
			if named[path] || !ours {
				return nil
			}
			return root.Remove(path)
		})
		if err != nil {
			return fmt.Errorf("removing what an earlier run left behind: %w", err)
		}
	}
	return nil
}
