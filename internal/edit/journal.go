package edit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/internal/filelock"
)

// ErrLocked is the error of a log or a journal that another session has open.
var ErrLocked = errors.New("it is being edited elsewhere; one session at a time may")

const (
	// journalKind and journalVersion begin a journal.
	journalKind    = "whet label edit"
	journalVersion = 1
)

// header is the first line of a journal: which log it is about.
type header struct {
	Journal string `json:"journal"`
	Version int    `json:"version"`
	// Log is the log's name, for whoever reads the journal.
	Log string `json:"log"`
	// Bytes and Sum are the length and the SHA-256 of the log after
	// decompression, Events counts its events.
	Bytes  int64  `json:"bytes"`
	Sum    string `json:"sha256"`
	Events int    `json:"events"`
	Key    string `json:"key"`
}

// record is a further line of a journal. Events count from 1, ranges include
// both ends.
type record struct {
	// Decide gives ranges of events a label: first, last, label. Remove takes
	// the label away: first, last. By says who does so.
	Decide [][3]int64 `json:"decide,omitempty"`
	Remove [][2]int64 `json:"remove,omitempty"`
	By     string     `json:"by,omitempty"`
	// Automatic gives ranges of events their own label until it is decided.
	Automatic [][2]int64 `json:"automatic,omitempty"`
	// Undo takes the newest Decide or Remove back that still stands, Redo the
	// newest Undo, if nothing was decided since.
	Undo bool `json:"undo,omitempty"`
	Redo bool `json:"redo,omitempty"`
}

// The values of record.By.
const (
	byPerson   = "person"
	byAccepted = "accepted"
)

// Journal is the file that holds the decisions of a session, a JSON object a
// line. What append has returned from is on the disk.
type Journal struct {
	file   *os.File
	name   string
	header *header // nil until there is one
	end    int64   // behind the last whole line
	broken error   // set when the file holds more than it should
}

// OpenJournal opens the journal with this name, or makes an empty one. Nobody
// else can open it until it is closed: the error is then ErrLocked. What a
// crash left of a line is cut off.
func OpenJournal(name string) (*Journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	j := &Journal{file: f, name: name}
	if err = filelock.Exclusive(f); errors.Is(err, filelock.ErrLocked) {
		_ = f.Close() // it belongs to another session
		return nil, fmt.Errorf("%s: %w", name, ErrLocked)
	}
	if err == nil {
		err = j.readHeader()
	}
	if err != nil {
		_ = j.Close() // nothing was written
		return nil, fmt.Errorf("the journal %s: %w", name, err)
	}
	return j, nil
}

// Name is the journal's file name.
func (j *Journal) Name() string { return j.name }

// readHeader reads the first line. A file without a whole line is a new
// journal, since a header that was written in part was never told of.
func (j *Journal) readHeader() error {
	line, err := bufio.NewReader(j.file).ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		if len(line) > 0 && !bytes.HasPrefix([]byte(`{"journal":"`+journalKind), line[:min(len(line), 12+len(journalKind))]) {
			return errors.New("this is another file, and it is left as it is")
		}
		return nil
	}
	if err != nil {
		return err
	}
	h := &header{}
	if err := json.Unmarshal(line, h); err != nil || h.Journal != journalKind {
		return errors.New("this is another file, and it is left as it is")
	}
	if h.Version != journalVersion {
		return fmt.Errorf("it has version %d, and this whet reads version %d", h.Version, journalVersion)
	}
	j.header = h
	j.end = int64(len(line))
	return nil
}

// begin writes the header of a new journal.
func (j *Journal) begin(h *header) error {
	h.Journal, h.Version = journalKind, journalVersion
	if err := j.write(h); err != nil {
		return err
	}
	j.header = h
	// The name of a new file is safe once its folder is.
	folder, err := os.Open(filepath.Dir(j.name))
	if err != nil {
		return fmt.Errorf("saving the journal's folder: %w", err)
	}
	// Some file systems cannot sync a folder; the file itself is safe.
	_ = folder.Sync()
	return folder.Close()
}

// replay gives all records in order to do, and cuts a torn last line off.
func (j *Journal) replay(do func(*record) error) error {
	if _, err := j.file.Seek(j.end, io.SeekStart); err != nil {
		return err
	}
	reader := bufio.NewReaderSize(j.file, 256<<10)
	for number := 2; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return j.file.Truncate(j.end)
		}
		if err != nil {
			return err
		}
		var r record
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&r); err != nil {
			return fmt.Errorf("line %d is damaged: %w", number, err)
		}
		if err := do(&r); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		j.end += int64(len(line))
	}
}

// write appends a line and returns when the disk has it. After an error the
// journal is as it was before; where that cannot be, nothing more is written.
func (j *Journal) write(v any) error {
	if j.broken != nil {
		return j.broken
	}
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing to the journal: %w", err)
	}
	line = append(line, '\n')
	_, err = j.file.WriteAt(line, j.end)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		if cut := j.file.Truncate(j.end); cut != nil {
			j.broken = fmt.Errorf("the journal %s could neither be written nor cut back (%w): start again", j.name, cut)
		}
		return fmt.Errorf("saving to the journal %s: %w", j.name, err)
	}
	j.end += int64(len(line))
	return nil
}

// Close closes the journal and lets others open it. A journal in which nothing
// was ever written is removed.
func (j *Journal) Close() error {
	if j.header == nil {
		if info, err := j.file.Stat(); err == nil && info.Size() == 0 {
			_ = os.Remove(j.name) // an empty file does no harm
		}
	}
	return filelock.Close(j.file)
}

// New tells whether nothing was ever written into the journal.
func (j *Journal) New() bool { return j.header == nil }
