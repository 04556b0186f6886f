package service

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/pipeline"
)

// The defaults of config.Access.
const (
	accessBytes = 64 << 20
	accessFiles = 8
)

// access is one line of the trail: who read what.
type access struct {
	Time time.Time `json:"time"`
	// Client is the name of the client, "" for somebody who showed no credential
	// of one.
	Client string `json:"client"`
	Remote string `json:"remote"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query,omitempty"`
	Status int    `json:"status"`
	Bytes  int64  `json:"bytes"`
	// Seconds is how long the answer took.
	Seconds float64 `json:"seconds"`
	// Begun tells that the answer goes on: another line follows when it ends.
	Begun bool `json:"begun,omitempty"`
	// Refused says why the client may not read.
	Refused string `json:"refused,omitempty"`

	anonymous bool // it showed no credential
}

// trail writes who read what to a file, and begins a new one when it is full.
type trail struct {
	name  string
	most  int64
	files int

	mu   sync.Mutex
	file *os.File
	size int64
	err  error // why the last line was not written
}

func openTrail(o config.Access, name string) (*trail, error) {
	t := &trail{name: cmp.Or(o.File, name), most: cmp.Or(o.MaxBytes, accessBytes), files: cmp.Or(o.Files, accessFiles)}
	if err := t.open(); err != nil {
		return nil, fmt.Errorf("opening the file of who read what: %w", err)
	}
	return t, nil
}

func (t *trail) open() error {
	f, err := os.OpenFile(t.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: t.name, Err: fs.ErrInvalid}
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return err
	}
	t.file, t.size = f, info.Size()
	return nil
}

// write adds a line. What fails stands in failed until a line is written again.
func (t *trail) write(a *access) {
	text, err := json.Marshal(a)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		err = t.add(append(pipeline.EscapeJSON(nil, text), '\n'))
	}
	t.err = err
}

func (t *trail) add(line []byte) error {
	if t.file != nil && t.size > 0 && t.size+int64(len(line)) > t.most {
		if err := t.rotate(); err != nil {
			return err
		}
	}
	if t.file == nil {
		if err := t.open(); err != nil {
			return err
		}
	}
	n, err := t.file.Write(line)
	t.size += int64(n)
	return err
}

// rotate names the file NAME.1, the one of that name NAME.2, and so on. The
// last one goes.
func (t *trail) rotate() error {
	err := t.file.Close()
	t.file = nil
	for i := t.files - 1; i > 0 && err == nil; i-- {
		from := t.name
		if i > 1 {
			from = fmt.Sprintf("%s.%d", t.name, i-1)
		}
		if _, missing := os.Lstat(from); missing != nil {
			continue
		}
		err = os.Rename(from, fmt.Sprintf("%s.%d", t.name, i))
	}
	if t.files == 1 && err == nil {
		err = os.Remove(t.name)
	}
	return err
}

// failed says why the last line was not written, nil when it was.
func (t *trail) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *trail) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	return err
}

// counted is a ResponseWriter that counts.
type counted struct {
	http.ResponseWriter
	status int
	bytes  int64
	begun  func() // called when the answer begins, nil for nothing
}

// Unwrap lets http.ResponseController find the writer below.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader keeps the status.
func (c *counted) WriteHeader(status int) {
	c.begin(status)
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) begin(status int) {
	if c.status != 0 {
		return
	}
	c.status = status
	if c.begun != nil {
		c.begun()
	}
}

// Write counts the bytes.
func (c *counted) Write(p []byte) (int, error) {
	c.begin(http.StatusOK)
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

// hostOf is an address without its port.
func hostOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}
