package engine_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
)

// A source publishes events, and the contexts they make are told as they grow.
func ExampleEngine() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	q, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	stream, err := q.Stream(ctx, "default")
	if err != nil {
		log.Fatal(err)
	}
	told := make(chan string, 1)
	e, err := engine.Open(stream, engine.Options{
		DataSet: filepath.Join(dir, "data"), Checkpoint: filepath.Join(dir, "checkpoint"),
		Contexts: func(list []pipeline.Context) error {
			told <- list[0].Actor.Username + ": " + list[0].Action
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()

	event := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"0e4f9a1c-6d1b-4c7e-9f53-2a8b7c6d5e4f",
		"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-0","verb":"delete","user":{"username":"alice"},
		"objectRef":{"resource":"pods","namespace":"shop","name":"web-0","apiVersion":"v1"},"responseStatus":{"code":200},
		"requestReceivedTimestamp":"2026-11-23T18:00:00.000000Z","stageTimestamp":"2026-11-23T18:00:00.004000Z"}`
	if err := stream.Publish(ctx, pipeline.Piece{Source: "webhook", Body: []byte(event)}); err != nil {
		log.Fatal(err)
	}
	// Instead of waiting until the log has been quiet for long enough.
	if err := stream.PublishQuiet(ctx, 10e9); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-told)
	stop()
	if err := <-done; err != nil {
		log.Fatal(err)
	}
	// Output: alice: delete pod shop/web-0
}
