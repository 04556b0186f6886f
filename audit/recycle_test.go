package audit

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decodeFile decodes a file chunk by chunk; each is what is done with a chunk and
// its batch.
func decodeFile(t *testing.T, path string, each func(*Reader, *Chunk, *Batch)) {
	t.Helper()
	r, err := Open([]string{path}, Options{ChunkBytes: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	var b Batch
	for {
		c, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		d.DecodeInto(&b, c)
		each(r, c, &b)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestRecycle gives each chunk back at once, overwritten, and wants the events
// that come without that.
func TestRecycle(t *testing.T) {
	text := bytes.Join(fixtures(t), []byte("\n"))
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var want, got []Event
	decodeFile(t, path, func(_ *Reader, _ *Chunk, b *Batch) {
		want = append(want, b.Events...)
	})
	reused := 0
	seen := map[*byte]bool{}
	decodeFile(t, path, func(r *Reader, c *Chunk, b *Batch) {
		got = append(got, b.Events...)
		if buffer := c.buffer; buffer != nil {
			if seen[&buffer[0]] {
				reused++
			}
			seen[&buffer[0]] = true
			for i := range buffer {
				buffer[i] = '#'
			}
		}
		r.Recycle(c)
		if c.Records != nil {
			t.Error("the chunk still has records")
		}
	})
	for i := range want {
		want[i].Raw = nil
	}
	for i := range got {
		got[i].Raw = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recycling changes the events (-without +with): %s", diff)
	}
	if len(want) < 50 || reused == 0 {
		t.Errorf("%d events, %d buffers reused: the test says little", len(want), reused)
	}
}

// TestRecycleKeepsNoLongLine: the memory of one long line must not stay.
func TestRecycleKeepsNoLongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	text := append(bytes.Repeat([]byte("x"), 100<<10), '\n')
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	decodeFile(t, path, func(r *Reader, c *Chunk, _ *Batch) {
		r.Recycle(c)
		if len(r.free) > 0 {
			t.Errorf("a buffer of %d bytes is kept", cap(<-r.free))
		}
	})
}
