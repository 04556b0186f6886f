package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/whet-k8s/whet/internal/durable"
	"github.com/whet-k8s/whet/pipeline"
)

// A checkpoint file is the magic, the number of the last message that was
// taken (8 bytes, little endian), and the state of the session, which carries
// its own sums.
const checkpointMagic = "whet checkpoint 1\n"

// save writes the checkpoint beside the one that is there, and then in its
// place.
func (e *Engine) save() error {
	name := e.options.Checkpoint
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	var size counter
	err := durable.Replace(name, func(w io.Writer) error {
		w = io.MultiWriter(w, &size)
		if _, err := w.Write(binary.LittleEndian.AppendUint64([]byte(checkpointMagic), e.taken)); err != nil {
			return err
		}
		return e.session.Snapshot(w)
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.stats.StateBytes = int64(size)
	e.mu.Unlock()
	return durable.Sync(filepath.Dir(name))
}

// counter counts bytes.
type counter int64

// Write counts them.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
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
