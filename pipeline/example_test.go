package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
)

// What one user changed, and how much followed.
func ExampleRun() {
	options := pipeline.Options{Select: func(root *audit.Event) bool { return root.User.Username == "erin" }}
	shown := 0
	sink := pipeline.Sink{Context: func(c *pipeline.Context) error {
		if c.ReadOnly {
			return nil
		}
		if shown++; shown <= 3 {
			fmt.Printf("%s: %s (%d), then %d requests by others\n", c.Actor.Username, c.Action, c.Outcome.Code, c.Effects)
		}
		return nil
	}}
	account, err := pipeline.Run(context.Background(), []string{"../recordings/day.audit.jsonl.zst"}, nil, options, sink)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d lines read, %d malformed\n", account.Lines, account.MalformedLines)
	// Output:
	// erin: create namespace data (201), then 2 requests by others
	// erin: label namespace data (tier) (200), then 0 requests by others
	// erin: delete namespace data (200), then 71 requests by others
	// 9905 lines read, 0 malformed
}

// A log that comes in pieces, and a process that ends between two of them.
func ExampleSession() {
	log1, err := os.ReadFile("testdata/session/first.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	log2, err := os.ReadFile("testdata/session/second.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	sink := pipeline.Sink{Context: func(c *pipeline.Context) error {
		fmt.Printf("%s: %s, then %d requests by others\n", c.Actor.Username, c.Action, c.Effects)
		return nil
	}}
	s, err := pipeline.Start(pipeline.Options{}, sink)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Add(context.Background(), pipeline.Piece{Source: "webhook", Body: log1}); err != nil {
		log.Fatal(err)
	}
	var state bytes.Buffer
	if err := s.Snapshot(&state); err != nil {
		log.Fatal(err)
	}

	if s, err = pipeline.Resume(&state, pipeline.Options{}, sink); err != nil {
		log.Fatal(err)
	}
	if _, err := s.Add(context.Background(), pipeline.Piece{Source: "webhook", Body: log2}); err != nil {
		log.Fatal(err)
	}
	if err := s.Advance(s.Newest().Add(time.Hour)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// dave: create pod shop-test/cache, then 11 requests by others
	// dave: get pod shop-test/cache, then 0 requests by others
	// dave: change pod shop-test/cache, then 0 requests by others
	// dave: annotate pod shop-test/cache, then 0 requests by others
	// dave: delete pod shop-test/cache, then 6 requests by others
}
