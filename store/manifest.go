package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/whet-k8s/whet/internal/durable"
	"github.com/whet-k8s/whet/pipeline"
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
	// Inputs are the logs that were read.
	Inputs []input `json:"inputs"`
	// Ordinals is how many events were ever read. The next one has the ordinal
	// after.
	Ordinals int64 `json:"ordinals"`
	// Replaced are files that newer ones took the place of, and that somebody
	// may still read. Left are those that nobody can read who opens the data set
	// now, and Readers is the generation of who does (readers.go).
	Replaced []string `json:"replaced,omitempty"`
	Left     []left   `json:"left,omitempty"`
	Readers  int      `json:"readers,omitempty"`

	fresh bool // it stands for one that is not written yet
}

// segment is one immutable Parquet file.
type segment struct {
	// Path is the file's name within the data set, with slashes.
	Path    string `json:"path"`
	Table   string `json:"table"`
	Cluster string `json:"cluster"`
	Day     string `json:"day,omitempty"`
	Rows    int64  `json:"rows"`
	Size    int64  `json:"size"`
	// Hash is the xxh3 hash of the file.
	Hash string `json:"hash"`
	// First and Last are the earliest and the latest requestReceivedTimestamp
	// of events, and start of contexts.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// From and To are the least and the largest ordinal of events.
	From int64 `json:"from,omitempty"`
	To   int64 `json:"to,omitempty"`
	// Input is the log that a raw segment is of (input.First), Start counts the
	// bytes of the log before it, and Bytes those of its bodies.
	Input string `json:"input,omitempty"`
	Start int64  `json:"start,omitempty"`
	Bytes int64  `json:"bytes,omitempty"`
	// Level is the zstd level that the file was written with.
	Level int `json:"level"`
}

// input is what a run read.
type input struct {
	Cluster string `json:"cluster"`
	// First tells the log by its first event, so that a log that grew is known
	// again.
	First  string `json:"first"`
	Lines  int64  `json:"lines"`
	Bytes  int64  `json:"bytes"`
	Events int64  `json:"events"`
	// RawSize counts the bytes that are kept with KeepAll, and RawHash is their
	// xxh3 hash.
	RawSize int64  `json:"rawSize,omitempty"`
	RawHash string `json:"rawHash,omitempty"`
	// Dropped and SetAside are by noise rule.
	Dropped  map[string]pipeline.Tally `json:"dropped,omitempty"`
	SetAside map[string]int64          `json:"setAside,omitempty"`
}

// readManifest reads the manifest of the data set in dir. An error that is
// fs.ErrNotExist says that there is none, nor anything else of a data set.
func readManifest(dir string) (*manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noManifest(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if m.Version > formatVersion {
		return nil, fmt.Errorf("it has format version %d, and this whet reads up to %d: use a newer whet", m.Version, formatVersion)
	}
	if m.Version < 1 || m.Segments == nil {
		return nil, fmt.Errorf("its %s is damaged: it lacks the version or the segments, which say what the data set is made of; "+
			"put back a copy of it, or name another folder", manifestName)
	}
	paths := slices.Clone(m.Replaced)
	for _, l := range m.Left {
		paths = append(paths, l.Paths...)
	}
	for i := range m.Segments {
		paths = append(paths, m.Segments[i].Path)
	}
	for _, path := range paths {
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return nil, fmt.Errorf("the manifest names the file %q, which is outside the data set", path)
		}
	}
	return &m, nil
}

// noManifest is the error of a folder without a manifest. Segments without one
// are a loss that must not become a greater one: a run that is killed leaves none
// behind without (fileWriter.before).
func noManifest(dir string) error {
	file, err := anySegment(dir)
	switch {
	case err != nil:
		return fmt.Errorf("looking for a data set: %w", err)
	case file != "":
		return fmt.Errorf("it has files of a data set (%s), but its %s is gone, which says what they are: "+
			"put back a copy of it, or name another folder", file, manifestName)
	}
	if beingWritten(dir) {
		return fmt.Errorf("the first run still writes to it, and has kept nothing yet: %w", fs.ErrNotExist)
	}
	return fmt.Errorf("it has no %s, so it is no data set: %w", manifestName, fs.ErrNotExist)
}

// write puts the manifest into dir in place of the one that is there. Placed
// tells that it stands there, even when it may not outlast a loss of power.
func (m *manifest) write(dir string) (placed bool, err error) {
	if m.Segments == nil {
		m.Segments = []segment{} // readManifest refuses a manifest without
	}
	data, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("writing the manifest: %w", err)
	}
	if err := durable.Replace(filepath.Join(dir, manifestName), durable.Bytes(append(data, '\n'))); err != nil {
		return false, fmt.Errorf("writing the manifest: %w", err)
	}
	return true, durable.Sync(dir)
}

// check looks whether a segment is there and whole, without reading all of it.
func (s *segment) check(dir string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(s.Path)))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return errors.New("it is not there")
		}
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != s.Size {
		return fmt.Errorf("it has %d bytes and not the %d that were written", info.Size(), s.Size)
	}
	var head, tail [4]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return err
	}
	if _, err := f.ReadAt(tail[:], s.Size-4); err != nil {
		return err
	}
	if string(head[:]) != "PAR1" || string(tail[:]) != "PAR1" {
		return errors.New("it is no Parquet file any more")
	}
	return nil
}

// size is what the data set's files take, the manifest aside.
func (m *manifest) size() int64 {
	var n int64
	for i := range m.Segments {
		n += m.Segments[i].Size
	}
	return n
}
