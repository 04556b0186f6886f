package follow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/whet-k8s/whet/internal/durable"
)

const (
	stateVersion = 1
	// headBytes is how many bytes at the beginning a log is known by at most,
	// and leastHead how many are enough to know it without its inode.
	headBytes = 1024
	leastHead = 64
	// forgetAfter is how long a log is remembered that no file holds any more:
	// somebody may put its compressed form there.
	forgetAfter = 7 * 24 * time.Hour
)

// inode is what a file system knows a file by, zero where it does not tell.
type inode struct {
	Device uint64 `json:"device"`
	Number uint64 `json:"inode"`
}

// track is a log, and how far it was read.
type track struct {
	inode
	// Length is how many bytes at its beginning Sum is the SHA-256 sum of. They
	// are 0 before anything was read.
	Length int    `json:"length"`
	Sum    string `json:"sum,omitempty"`
	// Offset and Line count the bytes and the lines that were published.
	Offset int64 `json:"offset"`
	Line   int   `json:"line"`
	// Ignored tells a log that is not read: it was rotated away before it was
	// followed.
	Ignored bool `json:"ignored,omitempty"`
	// Seen is when a file held the log last.
	Seen time.Time `json:"seen"`
}

// holds tells whether a file that begins with head and has an inode is the log.
func (t *track) holds(head []byte, file inode) bool {
	same := file == t.inode && file != inode{}
	if t.Length == 0 {
		return same
	}
	return (same || t.Length >= leastHead) && t.begins(head)
}

// begins tells whether a file that begins with head begins as the log does.
func (t *track) begins(head []byte) bool {
	return len(head) >= t.Length && sum(head[:t.Length]) == t.Sum
}

// learn knows the log by more of its beginning.
func (t *track) learn(head []byte) {
	if n := min(int64(len(head)), t.Offset); int(n) > t.Length {
		t.Length, t.Sum = int(n), sum(head[:n])
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// state is what outlives the process: a JSON file.
type state struct {
	tracks []*track
	// begun tells that there was a state before.
	begun   bool
	written []byte
}

type stateFile struct {
	Version int      `json:"version"`
	Logs    []*track `json:"logs"`
}

func (s *state) read(name string) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var file stateFile
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s is damaged; without it the log is read from its beginning: %w", name, err)
	}
	if file.Version != stateVersion {
		return fmt.Errorf("%s has version %d, and this whet knows %d", name, file.Version, stateVersion)
	}
	s.tracks, s.begun, s.written = file.Logs, true, data
	return nil
}

// write puts the state on disk, where it changed.
func (s *state) write(name string) error {
	data, err := json.Marshal(stateFile{Version: stateVersion, Logs: s.tracks})
	if err != nil {
		return fmt.Errorf("describing how far logs were read: %w", err)
	}
	if string(data) == string(s.written) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("remembering how far logs were read: %w", err)
	}
	if err := durable.Replace(name, durable.Bytes(data)); err != nil {
		return fmt.Errorf("remembering how far logs were read: %w", err)
	}
	s.written = data
	return nil
}

// forget lets go of logs that no file has held for long. It is for when every
// file was looked at.
func (s *state) forget() {
	s.tracks = slices.DeleteFunc(s.tracks, func(t *track) bool { return time.Since(t.Seen) > forgetAfter })
}

// find gives the track of a file, nil for a new log. The inode decides between
// a file and its copy.
func (s *state) find(head []byte, file inode) *track {
	var found *track
	for _, t := range s.tracks {
		if t.holds(head, file) && (found == nil || t.inode == file) {
			found = t
		}
	}
	return found
}

func (s *state) add(t *track) *track {
	s.tracks = append(s.tracks, t)
	return t
}
