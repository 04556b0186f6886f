package evaluate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
)

// maxLine bounds a line of a truth or annotations file, in bytes.
const maxLine = 1 << 20

// Role says what a line is to a command.
type Role string

// The roles of truth and annotations. RoleUnscored stands in truth only, for
// lines of which the recording cannot tell; annotations have RoleDropped for
// lines that a noise rule drops.
const (
	RoleRoot       Role = "root"
	RoleClient     Role = "client"
	RoleEffect     Role = "effect"
	RoleBackground Role = "background"
	RoleUnscored   Role = "unscored"
	RoleDropped    Role = "dropped"
)

// Line is what the truth says of one line of the log.
type Line struct {
	// Line counts the log's lines from 1.
	Line    int    `json:"line"`
	AuditID string `json:"auditID"`
	// Stage is that of the event, "" in a truth that does not say it.
	Stage string `json:"stage"`
	// Context is the id of the command, "" for none.
	Context string `json:"context"`
	Role    Role   `json:"role"`
	User    string `json:"user"`
	Verb    string `json:"verb"`
	// Resource is "" for a request that names none, such as discovery.
	Resource    string `json:"resource"`
	Subresource string `json:"subresource"`
}

// Command is what the truth says of one command.
type Command struct {
	Context  string `json:"context"`
	User     string `json:"user"`
	Command  string `json:"command"`
	RootLine int    `json:"root_line"`
	// Principals counts the command's requests that change something.
	Principals int `json:"principals"`
}

// Truth is what is known about a recording.
type Truth struct {
	Lines    []Line
	Commands map[string]Command
	// RootLabels are the labels of the commands' roots, by the commands'
	// ids; nil where the recording's log is not beside the truth.
	RootLabels map[string]label.Label
}

// Load reads the recording PREFIX: PREFIX.truth.jsonl and PREFIX.contexts.jsonl,
// either as they are or compressed with zstd under the same name and ".zst". For
// the labels of roots it reads PREFIX.metadata.jsonl or PREFIX.audit.jsonl, where
// one of them is there. It fails on a file that is missing or cannot be read,
// on a line that is no truth, and on a line of a command that has no entry.
func Load(ctx context.Context, prefix string) (*Truth, error) {
	truth := &Truth{Commands: map[string]Command{}}
	err := readJSONLines(prefix+".contexts.jsonl", func(c Command) error {
		if c.Context == "" {
			return errors.New("a command without a context")
		}
		if _, twice := truth.Commands[c.Context]; twice {
			return fmt.Errorf("the command %q stands there twice", c.Context)
		}
		truth.Commands[c.Context] = c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the commands of recording %q: %w", prefix, err)
	}
	lines := map[int]bool{}
	err = readJSONLines(prefix+".truth.jsonl", func(l Line) error {
		switch {
		case l.Line < 1:
			return fmt.Errorf("line %d: lines count from 1", l.Line)
		case lines[l.Line]:
			return fmt.Errorf("log line %d stands there twice", l.Line)
		}
		if _, known := truth.Commands[l.Context]; !known && l.isOfCommand() {
			return fmt.Errorf("log line %d is of the command %q, which the commands lack", l.Line, l.Context)
		}
		lines[l.Line] = true
		truth.Lines = append(truth.Lines, l)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the truth of recording %q: %w", prefix, err)
	}
	if truth.RootLabels, err = rootLabels(ctx, prefix, truth.Commands); err != nil {
		return nil, fmt.Errorf("reading the log of recording %q: %w", prefix, err)
	}
	return truth, nil
}

// Files are the names of the files of a recording that Load reads, as they lie
// on disk. Log is "" where none is beside the truth.
type Files struct{ Contexts, Truth, Log string }

// FilesOf finds the files of the recording PREFIX. It fails where a file with
// the truth is missing.
func FilesOf(prefix string) (Files, error) {
	var f Files
	var err error
	if f.Contexts, err = find(prefix + ".contexts.jsonl"); err != nil {
		return f, fmt.Errorf("looking for the commands of recording %q: %w", prefix, err)
	}
	if f.Truth, err = find(prefix + ".truth.jsonl"); err != nil {
		return f, fmt.Errorf("looking for the truth of recording %q: %w", prefix, err)
	}
	if f.Log, err = logOf(prefix); err != nil {
		return f, fmt.Errorf("looking for the log of recording %q: %w", prefix, err)
	}
	return f, nil
}

// logOf finds a log of the recording, "" without one.
func logOf(prefix string) (string, error) {
	for _, name := range []string{".metadata.jsonl", ".audit.jsonl"} {
		found, err := find(prefix + name)
		if !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
	}
	return "", nil
}

// isOfCommand tells the lines that belong to a command.
func (l *Line) isOfCommand() bool {
	return l.Role == RoleRoot || l.Role == RoleClient || l.Role == RoleEffect
}

// find gives the path of a file or of its compressed twin, and fs.ErrNotExist
// where neither is there.
func find(path string) (string, error) {
	for _, p := range []string{path, path + ".zst"} {
		switch _, err := os.Stat(p); {
		case err == nil:
			return p, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	return "", fmt.Errorf("neither %s nor %s.zst: %w", path, path, fs.ErrNotExist)
}

func readJSONLines[T any](path string, each func(T) error) error {
	path, err := find(path)
	if err != nil {
		return err
	}
	file, err := os.Open(path) //nolint:gosec // The user names the recording.
	if err != nil {
		return err
	}
	defer file.Close()
	for value, err := range jsonLines[T](file) {
		if err == nil {
			err = each(value.value)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, value.at, err)
		}
	}
	return nil
}

// numbered is a value and the line it stands in.
type numbered[T any] struct {
	at    int
	value T
}

// jsonLines decodes a JSON value a line, and unpacks zstd. The sequence ends
// with its first error.
func jsonLines[T any](r io.Reader) iter.Seq2[numbered[T], error] {
	return func(yield func(numbered[T], error) bool) {
		at := 0
		plain, done, err := unpack(r)
		if err != nil {
			yield(numbered[T]{}, err)
			return
		}
		defer done()
		lines := bufio.NewScanner(plain)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			at++
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			item := numbered[T]{at: at}
			err := json.Unmarshal(lines.Bytes(), &item.value)
			if !yield(item, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(numbered[T]{at: at + 1}, err)
		}
	}
}

// zstdMagic begins every zstd frame (RFC 8878, section 3.1.1).
const zstdMagic = "\x28\xb5\x2f\xfd"

// unpack gives what r holds, unpacked where it is zstd, and what to call at the
// end.
func unpack(r io.Reader) (io.Reader, func(), error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	magic, err := buffered.Peek(len(zstdMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	if string(magic) != zstdMagic {
		return buffered, func() {}, nil
	}
	decoder, err := zstd.NewReader(buffered)
	if err != nil {
		return nil, nil, err
	}
	return decoder, decoder.Close, nil
}

// rootLabels reads the labels of the commands' roots from the recording's log.
func rootLabels(ctx context.Context, prefix string, commands map[string]Command) (map[string]label.Label, error) {
	path, err := logOf(prefix)
	if err != nil || path == "" {
		return nil, err
	}
	roots := make(map[int]string, len(commands))
	for id, c := range commands {
		roots[c.RootLine] = id
	}
	reader, err := audit.Open([]string{path}, audit.Options{})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	codec := label.New(label.Options{})
	labels := make(map[string]label.Label, len(commands))
	var decoder audit.Decoder
	for {
		chunk, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return labels, nil
		}
		if err != nil {
			return nil, err
		}
		for _, record := range chunk.Records {
			id, isRoot := roots[record.Line]
			if !isRoot {
				continue
			}
			var ev audit.Event
			at := audit.Position{Source: path, Line: record.Line, Offset: record.Offset}
			if err := decoder.Decode(record.Raw, at, &ev); err != nil {
				return nil, fmt.Errorf("the root of command %q: %w", id, err)
			}
			labels[id] = codec.EncodeEvent(&ev)
		}
	}
}
