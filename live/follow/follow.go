package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// Stdin is the Path that stands for standard input.
const Stdin = "-"

// Options say what a Follower reads. The zero value of a field means its
// default.
type Options struct {
	// Path is the log, the folder, or Stdin.
	Path string
	// Folder tells that Path is a folder, all of whose logs are read.
	Folder bool
	// Stdin is what is read for the Path Stdin. Default is os.Stdin.
	Stdin io.Reader
	// Stream is where the lines go.
	Stream *queue.Stream
	// State is the file that remembers how far each log was read. It is made
	// where there is none, and belongs to one Follower and one queue. Standard
	// input needs none.
	State string
	// Poll is how often files are looked at. Default 200 ms.
	Poll time.Duration
	// Still is how long a rotated file must not have grown for its last line to
	// count as whole. Default 2 s.
	Still time.Duration
	// Log takes what a person who runs the program should know. Default is none.
	Log *slog.Logger
}

// Stats tell how far a Follower is. The counts are of this process.
type Stats struct {
	// Pieces, Lines and Bytes count what was published, Bytes after
	// decompression.
	Pieces, Lines, Bytes int64
	// TooLong counts the lines among them of which only the beginning was kept.
	TooLong int64
	// Logs counts the logs that reading began with, Truncated those that were cut
	// off or written anew.
	Logs, Truncated int64
	// Behind is how many bytes wait to be read, as they lie on disk.
	Behind int64
	// Last is when lines were published last, zero before.
	Last time.Time
	// Err says why the source gives nothing for now, nil when all is well.
	Err error
	// Ended tells that standard input ended.
	Ended bool
}

// pieceBytes is how much is published at once, where lines are not longer.
const pieceBytes = 1 << 20

// Follower follows one source.
type Follower struct {
	options Options
	log     *slog.Logger
	state   state
	open    []*logFile
	looked  map[string]done // by path: files with nothing to be read
	told    map[string]bool // what was logged about paths

	mu    sync.Mutex
	stats Stats
}

// New makes a Follower, and reads its state. An error names the file of the
// state when it cannot be read. That the log is not there is no error: it may
// come.
func New(o Options) (*Follower, error) {
	o.Poll = cmp.Or(o.Poll, 200*time.Millisecond)
	o.Still = cmp.Or(o.Still, 2*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	f := &Follower{options: o, log: o.Log.With("source", o.Path), looked: map[string]done{}, told: map[string]bool{}}
	if o.Path == Stdin {
		return f, nil
	}
	var err error
	if f.options.Path, err = filepath.Abs(o.Path); err != nil {
		return nil, fmt.Errorf("following %s: %w", o.Path, err)
	}
	if err := f.state.read(o.State); err != nil {
		return nil, fmt.Errorf("reading how far %s was read: %w", o.Path, err)
	}
	return f, nil
}

// Run follows the source until ctx ends, and returns nil then. It also returns
// when standard input ends. Whatever is wrong with the source or the queue is
// logged, stands in Stats, and is tried again; an error says that the state
// could not be written at the end.
func (f *Follower) Run(ctx context.Context) error {
	if f.options.Path == Stdin {
		return f.runStdin(ctx)
	}
	defer func() {
		for _, l := range f.open {
			_ = l.file.Close() // only read from
		}
	}()
	for {
		looking, err := f.poll(ctx)
		if ctx.Err() != nil {
			return f.state.write(f.options.State)
		}
		if saveErr := f.state.write(f.options.State); saveErr != nil {
			err = errors.Join(err, saveErr)
		}
		f.fault(err)
		// Looking takes no more than a twentieth of the time, however many files
		// there are.
		select {
		case <-ctx.Done():
		case <-time.After(max(f.options.Poll, 20*looking)):
		}
	}
}

// Stats tells how far the Follower is. It may be called from any goroutine.
func (f *Follower) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// fault keeps what is wrong with the source, nil for nothing, and logs what is
// new.
func (f *Follower) fault(err error) {
	f.mu.Lock()
	before := f.stats.Err
	f.stats.Err = err
	f.mu.Unlock()
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		f.log.Warn("nothing can be read for now", "error", err)
	case err == nil && before != nil:
		f.log.Info("reading goes on")
	}
}

// once logs a warning about a path the first time.
func (f *Follower) once(path, message string) {
	if key := path + "\x00" + message; !f.told[key] {
		f.told[key] = true
		f.log.Warn(message, "path", path)
	}
}

// maxWait bounds how long a queue that is full is left alone.
const maxWait = 2 * time.Second

// publish puts a piece into the queue, and waits for it to have room. A piece
// that is on its way is not given up when ctx ends. An error comes from ctx.
func (f *Follower) publish(ctx context.Context, p pipeline.Piece, lines int) error {
	for {
		err := f.options.Stream.Publish(context.WithoutCancel(ctx), p)
		if err == nil {
			break
		}
		f.fault(err)
		wait := maxWait
		var full *queue.FullError
		if errors.As(err, &full) {
			wait = min(wait, full.RetryAfter)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	f.fault(nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Pieces++
	f.stats.Lines += int64(lines)
	f.stats.Bytes += int64(len(p.Body))
	f.stats.Last = time.Now()
	return nil
}

func (f *Follower) count(change func(*Stats)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.stats)
}
