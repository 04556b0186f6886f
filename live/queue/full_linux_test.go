package queue_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// smallDisk, in the environment, makes this test's program the one that has a
// small disk to itself: a tmpfs that nobody else sees is mounted on that folder.
const smallDisk = "WHET_QUEUE_TEST_DISK"

const diskBytes = 96 << 20

// onSmallDisk runs a test again, in a process with a disk of its own, and gives
// the folder of the disk there; elsewhere the test is over.
func onSmallDisk(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv(smallDisk); dir != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatalf("keeping mounts to ourselves: %v", err)
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
			t.Fatalf("mounting a small disk: %v", err)
		}
		return dir
	}
	if os.Getuid() != 0 {
		t.Skip("only root may mount a small disk")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m") //nolint:gosec // It is this program.
	cmd.Env = append(os.Environ(), smallDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	text, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("mounts of one's own are not permitted here")
	case strings.Contains(string(text), "mounting a small disk: operation not permitted"):
		t.Skip("mounts are not permitted here")
	case err != nil:
		t.Errorf("%v\n%s", err, text)
	}
	t.Logf("in a process with a small disk:\n%s", text)
	return ""
}

// fill writes until the disk is full, and gives what makes it empty again.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "fill")
	f, err := os.Create(name) //nolint:gosec // It is in a folder of the test.
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDisk fills a real disk to its last byte in the midst of events, in
// several ways in which the queue finds that out, and wants it to refuse and say
// why, to take events again by itself soon after there is room, and to have
// everything that it acknowledged, in order, for a reader that waits all the
// time, and after it was opened again.
//
// A disk that is filled while a piece is on its way is the hardest: the server
// behind the queue takes nothing more from then on.
func TestFullDisk(t *testing.T) {
	dir := onSmallDisk(t)
	if dir == "" {
		return
	}
	for name, meanwhile := range map[string]func(t *testing.T, d *fullDisk){
		"publish": func(t *testing.T, d *fullDisk) { d.refused(t, d.publish(t)) },
		"quiet": func(t *testing.T, d *fullDisk) {
			d.refused(t, d.stream.PublishQuiet(t.Context(), time.Second))
		},
		"release": func(t *testing.T, d *fullDisk) {
			d.refused(t, d.stream.Release(t.Context(), 2))
		},
		// The disk was filled behind the guard's back.
		"enospc":  func(t *testing.T, d *fullDisk) { d.untilRefused(t) },
		"nothing": func(*testing.T, *fullDisk) {},
	} {
		t.Run(name, func(t *testing.T) {
			o := queue.Options{Dir: filepath.Join(dir, name), MinFree: 8 << 20, MaxBytes: 1 << 30}
			if name == "enospc" {
				o.MinFree = -1 << 40
			}
			defer os.RemoveAll(o.Dir)
			d := &fullDisk{dir: dir}
			d.queue = open(t, o)
			d.stream = stream(t, d.queue, "prod")
			for range 4 {
				if err := d.publish(t); err != nil {
					t.Fatal(err)
				}
			}
			came, stop := d.read(t)
			empty := fill(t, dir)
			meanwhile(t, d)
			d.refused(t, d.publish(t))
			d.refused(t, d.stream.Writable(t.Context()))
			empty()
			d.recovers(t)
			for len(d.acknowledged) > 0 {
				if got := <-came; got == d.acknowledged[0] {
					d.acknowledged = d.acknowledged[1:]
				}
			}
			stop()
			stats, err := d.stream.Stats(t.Context())
			if err != nil || stats.Messages < 5 {
				t.Errorf("%+v, %v", stats, err)
			}
			if err := d.stream.Release(t.Context(), stats.Last); err != nil {
				t.Error(err)
			}
			d.queue.Close()
			again, err := stream(t, open(t, o), "prod").Stats(t.Context())
			if err != nil || again.Messages != 0 || again.Last != stats.Last {
				t.Errorf("opened again: %+v, %v", again, err)
			}
		})
	}
}

// fullDisk is a queue on a disk that is full.
type fullDisk struct {
	dir          string
	queue        *queue.Queue
	stream       *queue.Stream
	sent         int
	acknowledged []string // sources
}

// publish sends 100 kB that zstd cannot shrink.
func (d *fullDisk) publish(t *testing.T) error {
	t.Helper()
	d.sent++
	body := make([]byte, 100_000)
	_, _ = rand.Read(body)
	source := fmt.Sprint("piece ", d.sent)
	err := d.stream.Publish(t.Context(), pipeline.Piece{Source: source, Body: body})
	if err == nil {
		d.acknowledged = append(d.acknowledged, source)
	}
	return err
}

func (d *fullDisk) untilRefused(t *testing.T) {
	t.Helper()
	for range 10 {
		if err := d.publish(t); err != nil {
			d.refused(t, err)
			return
		}
	}
	t.Fatal("a full disk took ten pieces")
}

func (d *fullDisk) refused(t *testing.T, err error) {
	t.Helper()
	var full *queue.FullError
	if !errors.As(err, &full) {
		t.Errorf("on a full disk: %v", err)
	}
}

// recovers wants pieces to be taken again soon.
func (d *fullDisk) recovers(t *testing.T) {
	t.Helper()
	begun := time.Now()
	for err := d.publish(t); err != nil; err = d.publish(t) {
		d.refused(t, err)
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("half a minute after there was room: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("taken again after %v", time.Since(begun))
	if err := d.stream.Writable(t.Context()); err != nil {
		t.Errorf("not writable after there was room: %v", err)
	}
}

// read gives the sources of the pieces that a reader gets until it is stopped.
func (d *fullDisk) read(t *testing.T) (came <-chan string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	sources := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for after := uint64(0); ; {
			m, err := d.stream.Next(ctx, after)
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("reading: %v", err)
				}
				return
			}
			after = m.Number
			sources <- m.Piece.Source
		}
	}()
	return sources, func() { cancel(); <-done }
}
