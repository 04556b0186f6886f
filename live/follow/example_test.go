package follow_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/live/follow"
	"github.com/whet-k8s/whet/live/queue"
)

// A log is read while it is written; what was read is in the queue.
func ExampleFollower() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	q, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := q.Stream(ctx, "prod")
	if err != nil {
		log.Fatal(err)
	}
	name := filepath.Join(dir, "audit.log")
	if err := os.WriteFile(name, []byte("an event\nanother one\nhalf of a th"), 0o600); err != nil {
		log.Fatal(err)
	}
	follower, err := follow.New(follow.Options{Path: name, Stream: stream, State: filepath.Join(dir, "offsets.json")})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- follower.Run(ctx) }()
	m, err := stream.Next(ctx, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, from line %d:\n%s", filepath.Base(m.Piece.Source), m.Piece.Line, m.Piece.Body)
	cancel()
	if err := <-done; err != nil {
		log.Fatal(err)
	}
	// Output:
	// audit.log, from line 1:
	// an event
	// another one
}
