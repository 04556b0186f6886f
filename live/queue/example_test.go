package queue_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// What was published is there when the queue is opened again, until it is
// released.
func ExampleQueue() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	q, err := queue.Open(queue.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	stream, err := q.Stream(ctx, "prod/eu-1")
	if err != nil {
		log.Fatal(err)
	}
	body := []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}`)
	if err := stream.Publish(ctx, pipeline.Piece{Source: "webhook", Body: body}); err != nil {
		log.Fatal(err)
	}
	q.Close()

	if q, err = queue.Open(queue.Options{Dir: dir}); err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	if stream, err = q.Stream(ctx, "prod/eu-1"); err != nil {
		log.Fatal(err)
	}
	m, err := stream.Next(ctx, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("message %d from %s: %s\n", m.Number, m.Piece.Source, m.Piece.Body)
	if err := stream.Release(ctx, m.Number); err != nil {
		log.Fatal(err)
	}
	// Output: message 1 from webhook: {"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}
}
