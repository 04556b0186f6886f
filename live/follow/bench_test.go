package follow_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/follow"
	"github.com/whet-k8s/whet/live/queue"
)

// BenchmarkFollow measures reading a log that is there, into a queue that syncs
// before each acknowledgement. The compression of the lines is part of it.
func BenchmarkFollow(b *testing.B) {
	line := `{"kind":"Event","auditID":"2b1f","verb":"get","user":{"username":"alice"}}` + strings.Repeat(" ", 3000) + "\n"
	dir := b.TempDir()
	name := filepath.Join(dir, "audit.log")
	text := strings.Repeat(line, 20_000)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		q, err := queue.Open(queue.Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		stream, err := q.Stream(b.Context(), "c")
		if err != nil {
			b.Fatal(err)
		}
		f, err := follow.New(follow.Options{Path: name, Stream: stream, State: filepath.Join(b.TempDir(), "state")})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		for f.Stats().Lines < 20_000 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		q.Close()
	}
}
