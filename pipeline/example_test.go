package pipeline_test

import (
	"context"
	"fmt"
	"log"

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
