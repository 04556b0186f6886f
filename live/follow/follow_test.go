package follow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/whet-k8s/whet/live/follow"
	"github.com/whet-k8s/whet/live/queue"
)

// world is a log, what writes it, and what follows it.
type world struct {
	t      *testing.T
	dir    string // of the logs
	log    string
	state  string
	stream *queue.Stream
	text   *logText
	change func(*follow.Options)

	follower *follow.Follower
	cancel   context.CancelFunc
	done     chan error
	read     uint64 // the number of the last message that was looked at
	got      []string
	written  int
}

// logText is what a Follower logs.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, queue.Options{})
}

func newWorldIn(t *testing.T, o queue.Options) *world {
	t.Helper()
	o.Dir = t.TempDir()
	q, err := queue.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	stream, err := q.Stream(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := &world{t: t, dir: dir, log: filepath.Join(dir, "audit.log"), state: filepath.Join(t.TempDir(), "state", "follow"), stream: stream, text: new(logText)}
	t.Cleanup(func() {
		if w.cancel != nil {
			w.cancel()
			<-w.done
		}
	})
	return w
}

// start begins to follow, as a process does that begins.
func (w *world) start() {
	w.t.Helper()
	o := follow.Options{
		Path: w.log, Stream: w.stream, State: w.state, Poll: 5 * time.Millisecond, Still: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(w.text, nil)),
	}
	if w.change != nil {
		w.change(&o)
	}
	f, err := follow.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	w.follower, w.cancel, w.done = f, cancel, make(chan error, 1)
	go func() { w.done <- f.Run(ctx) }()
}

func (w *world) stop() {
	w.t.Helper()
	w.cancel()
	if err := <-w.done; err != nil {
		w.t.Fatal(err)
	}
	w.cancel = nil
}

// line makes the next line of the log, without its end.
func (w *world) line() string {
	w.written++
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"%08d-83d6-4e2c-b7a1-8d6a4c8f5e10","stage":"ResponseComplete"}`, w.written)
}

func (w *world) lines(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(w.line() + "\n")
	}
	return b.String()
}

func (w *world) write(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)); err != nil {
		w.t.Fatal(err)
	}
}

// pack compresses a file and removes it, as a rotation does.
func (w *world) pack(name string) {
	w.t.Helper()
	plain := filepath.Join(w.dir, name)
	data, err := os.ReadFile(plain)
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data)
	if err := z.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.write(name+".gz", b.String())
	if err := os.Remove(plain); err != nil {
		w.t.Fatal(err)
	}
}

// take looks at what was published so far.
func (w *world) take() {
	w.t.Helper()
	stats, err := w.stream.Stats(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for w.read < stats.Last {
		m, err := w.stream.Next(w.t.Context(), w.read)
		if err != nil {
			w.t.Fatal(err)
		}
		w.read = m.Number
		w.got = append(w.got, strings.Split(strings.TrimSuffix(string(m.Piece.Body), "\n"), "\n")...)
	}
}

// wait waits until so many lines were published.
func (w *world) wait(n int) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if w.take(); len(w.got) >= n {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d lines came, want %d; %+v\n%s", len(w.got), n, w.follower.Stats(), w.text)
		}
	}
}

// want stops, and wants each line that was written once, in the order in which
// they were.
func (w *world) want() {
	w.t.Helper()
	w.wait(w.written)
	w.stop()
	w.take()
	all := w.written
	w.written = 0
	for i := range all {
		if line := w.line(); i >= len(w.got) || w.got[i] != line {
			w.t.Fatalf("line %d of %d (%d came): %.120q, want %.120q\n%s", i+1, all, len(w.got), w.got[min(i, len(w.got)-1)], line, w.text)
		}
	}
	if len(w.got) != all {
		w.t.Errorf("%d lines came, want %d: %.200q", len(w.got), all, w.got[all:])
	}
}

const stamped = "audit-2026-11-23T18-00-00.000.log"

// TestFollow has logs rotated in every way. Each line that is written must come
// once, in order.
func TestFollow(t *testing.T) {
	tests := map[string]func(w *world){
		"grows": func(w *world) {
			for range 5 {
				w.write("audit.log", w.lines(3))
				w.wait(w.written)
			}
		},
		"a line comes in parts": func(w *world) {
			line := w.line() + "\n"
			w.write("audit.log", w.lines(0)+line[:20])
			time.Sleep(100 * time.Millisecond)
			w.write("audit.log", line[20:50])
			time.Sleep(50 * time.Millisecond)
			w.write("audit.log", line[50:]+w.lines(2))
		},
		"renamed and created": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(5)
			w.write("audit.log", w.lines(10))
			w.rename("audit.log", stamped)
			w.write("audit.log", w.lines(10))
		},
		"renamed while it is written": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(10)
			w.rename("audit.log", stamped)
			w.write(stamped, w.lines(5))
			w.wait(15)
			w.write("audit.log", w.lines(10))
		},
		"removed with lines unread": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(10)
			w.write("audit.log", w.lines(10))
			if err := os.Remove(w.log); err != nil {
				w.t.Fatal(err)
			}
			w.wait(20)
			w.write("audit.log", w.lines(3))
		},
		"without an end of line when rotated": func(w *world) {
			w.write("audit.log", w.lines(3)+w.line())
			w.wait(3)
			w.rename("audit.log", stamped)
			w.wait(4)
			w.write("audit.log", w.lines(3))
		},
		"rotated three times unseen": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(10)
			w.stop()
			w.write("audit.log", w.lines(5))
			for i := range 3 {
				w.rename("audit.log", fmt.Sprintf("audit-2026-11-23T1%d-00-00.000.log", i))
				w.write("audit.log", w.lines(7))
			}
			w.start()
		},
		"numbered and compressed unseen": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(10)
			w.stop()
			w.write("audit.log", w.lines(5))
			w.rename("audit.log", "audit.log.2")
			w.write("audit.log.1", w.lines(5))
			w.write("audit.log", w.lines(5))
			w.pack("audit.log.2")
			w.start()
		},
		"compressed after it was read": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(10)
			w.rename("audit.log", stamped)
			w.write("audit.log", w.lines(5))
			w.wait(15)
			w.pack(stamped)
			time.Sleep(200 * time.Millisecond)
		},
		"copied and truncated": func(w *world) {
			w.write("audit.log", w.lines(10))
			w.wait(10)
			data, err := os.ReadFile(w.log)
			if err != nil {
				w.t.Fatal(err)
			}
			// The copy has a line more, which nobody had read before the log was
			// truncated.
			w.write("audit.log.1", string(data)+w.lines(1))
			if err := os.Truncate(w.log, 0); err != nil {
				w.t.Fatal(err)
			}
			w.wait(11)
			w.write("audit.log", w.lines(20))
		},
		"written anew, and longer, in place": func(w *world) {
			w.write("audit.log", w.lines(3))
			w.wait(3)
			w.stop()
			if err := os.WriteFile(w.log, []byte(w.lines(30)), 0o600); err != nil {
				w.t.Fatal(err)
			}
			w.start()
		},
		"older ones are left alone": func(w *world) {
			w.stop()
			if err := os.Remove(w.state); err != nil {
				w.t.Fatal(err)
			}
			w.write("audit.log.1", "old\n")
			w.write("audit-2026-11-22T18-00-00.000.log", "older\n")
			w.write("audit-policy.log", "of somebody else\n")
			w.start()
			w.write("audit.log", w.lines(3))
			w.wait(3)
			w.rename("audit.log.1", "audit.log.2")
			w.write("audit-policy.log", "of somebody else\n")
			w.rename("audit.log", "audit.log.1")
			w.write("audit.log", w.lines(3))
		},
		"a folder for a while": func(w *world) {
			w.write("audit.log", w.lines(3))
			w.wait(3)
			w.rename("audit.log", stamped)
			if err := os.Mkdir(w.log, 0o700); err != nil {
				w.t.Fatal(err)
			}
			w.fault("audit.log is a folder, not a log")
			if err := os.Remove(w.log); err != nil {
				w.t.Fatal(err)
			}
			w.fault("there is no file ")
			w.write("audit.log", w.lines(3))
		},
		"a pipe with the name of a rotated log": func(w *world) {
			if err := syscall.Mkfifo(filepath.Join(w.dir, "audit.log.1"), 0o600); err != nil {
				w.t.Fatal(err)
			}
			w.write("audit.log", w.lines(3))
		},
		"a thousand restarts' worth of state": func(w *world) {
			for range 20 {
				w.write("audit.log", w.lines(2))
				w.wait(w.written)
				w.stop()
				w.write("audit.log", w.lines(1))
				w.start()
			}
		},
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start()
			w.write("audit.log", "")
			script(w)
			w.want()
		})
	}
}

// fault waits until the Follower says what is wrong.
func (w *world) fault(want string) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := w.follower.Stats().Err
		if want == "" && err == nil || err != nil && strings.Contains(err.Error(), want) {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the source's error is %v, want %q", err, want)
		}
	}
}

// TestKilled copies the state as it is at some moment, which is what a killed
// process leaves behind, and wants no line to be missing.
func TestKilled(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.write("audit.log", w.lines(10))
	w.wait(10)
	var old []byte
	for ; len(old) == 0 || !bytes.Contains(old, []byte(`"line":10`)); time.Sleep(time.Millisecond) {
		old, _ = os.ReadFile(w.state)
	}
	w.write("audit.log", w.lines(10))
	w.wait(20)
	w.rename("audit.log", stamped)
	w.write("audit.log", w.lines(10))
	w.wait(30)
	w.stop()
	if err := os.WriteFile(w.state, old, 0o600); err != nil {
		t.Fatal(err)
	}
	w.start()
	// Ten of the old log come again, under another name; those of the new one,
	// which come again under the same name, the queue recognises.
	w.wait(40)
	slices.Sort(w.got)
	if got := slices.Compact(w.got); len(got) != 30 {
		t.Errorf("%d different lines came, want 30", len(got))
	}
}

// TestFolder follows a folder with several logs, one of them compressed, and
// other files.
func TestFolder(t *testing.T) {
	w := newWorld(t)
	w.change = func(o *follow.Options) { o.Path, o.Folder = w.dir, true }
	w.write("audit-2026-11-22T18-00-00.000.log", w.lines(5))
	w.pack("audit-2026-11-22T18-00-00.000.log")
	w.write(stamped, w.lines(5)+w.line())
	w.write("audit.log", w.lines(5))
	w.write("notes.txt", "nothing of interest\n")
	w.write(".hidden", "nothing either\n")
	if err := os.Mkdir(filepath.Join(w.dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"audit-2026-11-22T18-00-00.000.log.gz", stamped} {
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(w.dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	w.wait(16)
	w.write("audit.log", w.lines(5))
	w.wait(21)
	w.write("other.jsonl", w.lines(5))
	w.wait(26)
	w.rename("audit.log", "audit-2026-11-24T18-00-00.000.log")
	w.write("audit.log", w.lines(5))
	w.want()
	if !strings.Contains(w.text.String(), "holds no audit events") || strings.Contains(w.text.String(), "hidden") {
		t.Errorf("the log says %s", w.text)
	}
}

// TestMissing follows a log in a folder that is not there yet.
func TestMissing(t *testing.T) {
	w := newWorld(t)
	w.log = filepath.Join(w.dir, "later", "audit.log")
	w.start()
	w.fault("no such file or directory")
	if err := os.Mkdir(filepath.Join(w.dir, "later"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.write("later/audit.log", w.lines(2))
	w.wait(2)
	w.fault("")
	if !strings.Contains(w.text.String(), "reading goes on") {
		t.Errorf("the log says %s", w.text)
	}
}

// TestLongLine wants the beginning of a line that is too long, and the lines
// around it whole.
func TestLongLine(t *testing.T) {
	for _, source := range []string{"file", "stdin"} {
		t.Run(source, func(t *testing.T) {
			w := newWorld(t)
			first, second := w.lines(1), w.lines(2)
			text := first + strings.Repeat("x", queue.MaxBody+100_000) + "\n" + second
			if source == "stdin" {
				w.change = func(o *follow.Options) { o.Path, o.Stdin = follow.Stdin, strings.NewReader(text) }
			}
			w.write("audit.log", text)
			w.start()
			w.wait(4)
			if len(w.got) != 4 || w.got[0]+"\n" != first || strings.Trim(w.got[1], "x") != "" || len(w.got[1]) > 5000 || w.got[2]+"\n"+w.got[3]+"\n" != second {
				t.Errorf("%d lines: %.100q", len(w.got), w.got)
			}
			for deadline := time.Now().Add(5 * time.Second); w.follower.Stats().TooLong != 1; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%+v", w.follower.Stats())
				}
			}
		})
	}
}

// TestStdin wants every line of standard input at once, and the last one
// without its end.
func TestStdin(t *testing.T) {
	w := newWorld(t)
	r, in := io.Pipe()
	w.change = func(o *follow.Options) { o.Path, o.Stdin = follow.Stdin, r }
	w.start()
	for range 3 {
		text := w.lines(2)
		if _, err := in.Write([]byte(text[:len(text)-40])); err != nil {
			t.Fatal(err)
		}
		w.wait(w.written - 1)
		if _, err := in.Write([]byte(text[len(text)-40:])); err != nil {
			t.Fatal(err)
		}
		w.wait(w.written)
	}
	if _, err := in.Write([]byte(w.line())); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := <-w.done; err != nil || !w.follower.Stats().Ended {
		t.Errorf("%v, %+v", err, w.follower.Stats())
	}
	w.done <- nil
	w.want()
}

// TestFull follows with a queue that is full, and wants the rest once it has
// room.
func TestFull(t *testing.T) {
	w := newWorldIn(t, queue.Options{MaxAge: time.Second})
	w.start()
	w.write("audit.log", w.lines(1))
	w.wait(1)
	time.Sleep(1100 * time.Millisecond)
	w.write("audit.log", w.lines(1))
	w.fault("try again in")
	if err := w.stream.Release(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	w.wait(2)
	w.fault("")
	w.want()
}

func TestDamagedState(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{"", "{", `{"version":99}`} {
		if err := os.WriteFile(filepath.Join(w.dir, "state"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := follow.New(follow.Options{Path: w.log, State: filepath.Join(w.dir, "state")})
		if err == nil || !strings.Contains(err.Error(), filepath.Join(w.dir, "state")) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := follow.New(follow.Options{Path: w.log, State: w.dir}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
}
