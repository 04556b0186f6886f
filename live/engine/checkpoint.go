package engine

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/whet-k8s/whet/pipeline"
)

// A checkpoint file is the magic, the number of the last message that was
// taken (8 bytes, little endian), and the state of the session, which carries
// its own sums.
const checkpointMagic = "whet checkpoint 1\n"

// save writes the checkpoint beside the one that is there, and then in its
// place.
func (e *Engine) save() (err error) {
	name := e.options.Checkpoint
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = w.Write(binary.LittleEndian.AppendUint64([]byte(checkpointMagic), e.taken))
	if err == nil {
		err = e.session.Snapshot(w)
	}
	for _, step := range []func() error{w.Flush, f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if info, statErr := f.Stat(); statErr == nil && err == nil {
		e.mu.Lock()
		e.stats.StateBytes = info.Size()
		e.mu.Unlock()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(name+".tmp", name)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes the names in a folder last.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// restore goes on from the checkpoint, or begins where there is none. One of
// another version of whet is left behind: what was open in it is not linked to
// what comes.
func (e *Engine) restore() error {
	data, err := os.ReadFile(e.options.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return e.begin()
	}
	if err != nil {
		return err
	}
	rest, ok := bytes.CutPrefix(data, []byte(checkpointMagic))
	if !ok || len(rest) < 8 {
		return errors.New("it is no checkpoint of whet")
	}
	e.taken = binary.LittleEndian.Uint64(rest)
	e.session, err = pipeline.Resume(bytes.NewReader(rest[8:]), e.options.Pipeline, e.sink())
	if errors.Is(err, pipeline.ErrSessionVersion) {
		e.options.Log.Warn("the state of another version of whet is left behind; contexts that were open do not go on", "error", err)
		return e.begin()
	}
	if err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	return nil
}

// begin begins without a state. What a data set has already, whoever wrote it, is
// from before now.
func (e *Engine) begin() (err error) {
	e.horizon = time.Now()
	e.session, err = pipeline.Start(e.options.Pipeline, e.sink())
	return err
}
