package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// formatVersion is the version of the layout that this code writes, and the
// newest that it reads.
const formatVersion = 1

const manifestName = "manifest.json"

// The tables of a data set; a segment holds rows of one.
const (
	tableEvents   = "events"
	tableContexts = "contexts"
)

// manifest says what a data set holds. It is the only file that changes, and
// only by a rename, so that it names whole files at any time.
type manifest struct {
	Version  int       `json:"version"`
	Segments []segment `json:"segments"`
	// RawBytes counts the bytes of the logs that were read, Events their
	// events, and Dropped those that noise rules dropped.
	RawBytes int64 `json:"rawBytes"`
}

// segment is one immutable Parquet file.
type segment struct {
	// Path is the file's name within the data set, with slashes.
	Path    string `json:"path"`
	Table   string `json:"table"`
	Cluster string `json:"cluster"`
	// Day is the UTC date of the rows' times.
	Day  string `json:"day"`
	Rows int64  `json:"rows"`
	Size int64  `json:"size"`
	// First and Last are the earliest and the latest requestReceivedTimestamp
	// of events, and start of contexts.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// readManifest reads the manifest of the data set in dir. An error that is
// fs.ErrNotExist says that there is none.
func readManifest(dir string) (*manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is no data set: %w", dir, err)
		}
		return nil, fmt.Errorf("reading the manifest of the data set: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("reading the manifest %s: %w", filepath.Join(dir, manifestName), err)
	}
	if m.Version > formatVersion {
		return nil, fmt.Errorf("the data set %s has format version %d, and this whet reads up to %d: use a newer whet",
			dir, m.Version, formatVersion)
	}
	return &m, nil
}

// write puts the manifest into dir in place of the one that is there.
func (m *manifest) write(dir string) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	temporary := filepath.Join(dir, manifestName+".tmp")
	if err := writeSynced(temporary, append(data, '\n')); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	if err := os.Rename(temporary, filepath.Join(dir, manifestName)); err != nil {
		return fmt.Errorf("putting the manifest in place: %w", err)
	}
	return syncFolder(dir)
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if syncErr := f.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// syncFolder makes the names in a folder last.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}
