package hub_test

import (
	"context"
	"fmt"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/pipeline"
)

// A reader whose connection broke comes back and says which update was its last.
func ExampleHub_Subscribe() {
	h := hub.New(1000)
	last := h.Newest()
	h.Publish("prod", []pipeline.Context{
		{Action: "scale deployment shop/web to 3", Open: true},
		{Action: "delete pod shop/web-0"},
	})
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	for u := range h.Subscribe(ctx, last) {
		fmt.Println(u.Cluster, u.Context.Action)
		last = u.ID
		break
	}
	for u := range h.Subscribe(ctx, last) {
		fmt.Println(u.Cluster, u.Context.Action)
		leave()
	}
	// Output:
	// prod scale deployment shop/web to 3
	// prod delete pod shop/web-0
}
