package alert

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/whet-k8s/whet/internal/durable"
)

// The state is a file of JSON, a line each:
//
//	{"version":1}
//	{"fired":{"alert":{…},"key":"…","sinks":["oncall"]}}  an alert, before any sink gets it
//	{"done":{"id":"…","sink":"oncall"}}                   a sink has it, or will not get it
//	{"told":{"key":"…","number":1,"events":12,"time":"…"}}  an alert that nothing is left to do for
//
// Lines are appended, those of alerts synced. Reading it drops what a kill cut
// off at the end, and writes the rest anew without what is of no use any more,
// as does appending when most of it is.
const stateVersion = 1

// The bounds of the state: how many alerts are remembered so that they are not
// repeated, and from which size on, in bytes, it is looked at whether the file
// should be written anew.
const (
	maxTold   = 100_000
	stateSize = 4 << 20
)

// line is a line of the state.
type line struct {
	Version int      `json:"version,omitempty"`
	Fired   *firing  `json:"fired,omitempty"`
	Done    *done    `json:"done,omitempty"`
	Told    *telling `json:"told,omitempty"`
}

// firing is an alert with the sinks that are to get it.
type firing struct {
	Alert *Alert   `json:"alert"`
	Key   string   `json:"key"` // by which the alert is known again
	Sinks []string `json:"sinks"`
}

type done struct {
	ID   string `json:"id"`
	Sink string `json:"sink"`
}

func (f *firing) telling() *telling {
	return &telling{Key: f.Key, Number: f.Alert.Number, Events: f.Alert.Context.Events, Time: f.Alert.Time}
}

// telling is what is remembered of an alert.
type telling struct {
	Key    string    `json:"key"`
	Number int       `json:"number"`
	Events int       `json:"events"`
	Time   time.Time `json:"time"`
}

// waiting is an alert that a sink has not been given.
type waiting struct {
	alert *Alert
	sink  string
}

// state is what an Alerter remembers. It is not safe for several goroutines.
type state struct {
	name string
	log  *slog.Logger
	file *os.File
	size int64
	// whole is the size of the file when it was last written anew.
	whole int64

	known map[string]*telling // by key
	order []string            // keys, the oldest first; some are there no more
	open  []*firing           // with the sinks that have not got it, the oldest first
}

func openState(name string, log *slog.Logger) (*state, error) {
	s := &state{name: name, log: log, known: map[string]*telling{}}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := s.read(data); err != nil {
		return nil, err
	}
	return s, s.rewrite()
}

// read takes up what a file says. A last line without its end is what a kill cut
// off.
func (s *state) read(data []byte) error {
	end := bytes.LastIndexByte(data, '\n') + 1
	if end < len(data) {
		s.log.Warn("the last line of the state of alerts is cut off and left out", "file", s.name)
	}
	if end == 0 {
		return nil
	}
	for n, text := range bytes.Split(data[:end-1], []byte("\n")) {
		var l line
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&l)
		if err == nil && n == 0 && l.Version == 0 {
			err = errors.New("it does not say its version")
		}
		if err != nil {
			return fmt.Errorf("line %d: it is no state of alerts: %w", n+1, err)
		}
		if l.Version > stateVersion {
			return fmt.Errorf("it has version %d, and this whet reads up to %d", l.Version, stateVersion)
		}
		s.apply(&l)
	}
	return nil
}

func (s *state) apply(l *line) {
	switch {
	case l.Fired != nil && l.Fired.Alert != nil:
		s.remember(l.Fired)
	case l.Done != nil:
		s.finish(l.Done)
	case l.Told != nil:
		s.tell(l.Told)
	}
}

func (s *state) remember(f *firing) {
	s.tell(f.telling())
	if len(f.Sinks) > 0 {
		s.open = append(s.open, f)
	}
}

// tell remembers an alert, and forgets the oldest of too many.
func (s *state) tell(t *telling) {
	if s.known[t.Key] == nil {
		s.order = append(s.order, t.Key)
	}
	s.known[t.Key] = t
	for len(s.known) > maxTold {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
}

// finish takes an alert off what waits for a sink.
func (s *state) finish(d *done) {
	for i, f := range s.open {
		if f.Alert.ID != d.ID {
			continue
		}
		var left []string
		for _, sink := range f.Sinks {
			if sink != d.Sink {
				left = append(left, sink)
			}
		}
		if len(left) == 0 {
			s.open = append(s.open[:i:i], s.open[i+1:]...)
		} else {
			s.open[i] = &firing{f.Alert, f.Key, left}
		}
		return
	}
}

// told gives what is remembered of the last alert that had a key.
func (s *state) told(key string) (telling, bool) {
	t := s.known[key]
	if t == nil {
		return telling{}, false
	}
	return *t, true
}

// waiting lists what sinks have not been given, the oldest first.
func (s *state) waiting() []waiting {
	var list []waiting
	for _, f := range s.open {
		for _, sink := range f.Sinks {
			list = append(list, waiting{f.Alert, sink})
		}
	}
	return list
}

func (s *state) forget(w waiting) { s.finish(&done{w.alert.ID, w.sink}) }

// add notes alerts, and returns when they last. After an error nothing is
// noted.
func (s *state) add(list []firing) error {
	var text bytes.Buffer
	for i := range list {
		if err := writeLine(&text, &line{Fired: &list[i]}); err != nil {
			return err
		}
	}
	if err := s.append(text.Bytes(), true); err != nil {
		return err
	}
	for i := range list {
		s.remember(&list[i])
	}
	s.tidy()
	return nil
}

// done notes that a sink has an alert.
func (s *state) done(id, sink string) error {
	d := &done{id, sink}
	s.finish(d)
	var text bytes.Buffer
	if err := writeLine(&text, &line{Done: d}); err != nil {
		return err
	}
	if err := s.append(text.Bytes(), false); err != nil {
		return err
	}
	s.tidy()
	return nil
}

// append writes at the end of the file, and takes back what it could not write
// whole.
func (s *state) append(text []byte, sync bool) error {
	if s.file == nil {
		return fs.ErrClosed
	}
	n, err := s.file.WriteAt(text, s.size)
	if err == nil && sync {
		err = s.file.Sync()
	}
	if err != nil {
		// What is beyond the size is written over by the next one, too.
		_ = s.file.Truncate(s.size)
		return err
	}
	s.size += int64(n)
	return nil
}

// tidy writes the file anew when most of it is of no use any more. Where that
// fails it stays as it is.
func (s *state) tidy() {
	if s.size < max(stateSize, 4*s.whole) {
		return
	}
	if err := s.rewrite(); err != nil {
		s.log.Warn("the state of alerts could not be written anew", "file", s.name, "error", err)
		s.whole = s.size // it is tried again when it has grown as much once more
	}
}

// rewrite puts a file with what is of use in the place of the one that is there.
func (s *state) rewrite() (err error) {
	f, err := os.OpenFile(s.name+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	size, err := s.writeAll(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(s.name+".tmp", s.name)
	}
	if err != nil {
		_ = f.Close() // it is of no use
		return err
	}
	if s.file != nil {
		_ = s.file.Close() // the new one has all that it had
	}
	s.file, s.size, s.whole = f, size, size
	return durable.Sync(filepath.Dir(s.name))
}

func (s *state) writeAll(f io.Writer) (int64, error) {
	var text bytes.Buffer
	err := writeLine(&text, &line{Version: stateVersion})
	waits := map[string]bool{}
	for _, w := range s.open {
		waits[w.Key] = true
	}
	for _, key := range s.order {
		if t := s.known[key]; t != nil && !waits[key] && err == nil {
			err = writeLine(&text, &line{Told: t})
		}
	}
	for _, w := range s.open {
		if err == nil {
			err = writeLine(&text, &line{Fired: w})
		}
	}
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(f)
	n, err := text.WriteTo(out)
	if err == nil {
		err = out.Flush()
	}
	return n, err
}

func (s *state) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Sync()
	if closeErr := s.file.Close(); err == nil {
		err = closeErr
	}
	s.file = nil
	return err
}

func writeLine(to *bytes.Buffer, l *line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	to.Write(append(text, '\n'))
	return nil
}
