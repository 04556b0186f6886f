package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http/httptest"
	"os"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/server"
	"github.com/whet-k8s/whet/store"
)

// Who deleted something, and what followed?
func ExampleNew() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "whet-example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := store.Append(ctx, dir, store.WriterOptions{})
	if err != nil {
		log.Fatal(err)
	}
	account, err := pipeline.Run(ctx, []string{"../recordings/day.audit.jsonl.zst"}, nil, pipeline.Options{}, w.Sink())
	if err != nil {
		log.Fatal(err)
	}
	if _, err := w.Commit(ctx, account); err != nil {
		log.Fatal(err)
	}

	data, err := store.Open(ctx, dir)
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	handler, err := server.New(ctx, data, server.Options{Listen: "127.0.0.1:8080"})
	if err != nil {
		log.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "http://127.0.0.1:8080/api/v1/contexts?query=verb==delete&sort=-effects&limit=2", nil))
	var page struct {
		Items []struct {
			Actor   struct{ Name string }
			Action  string
			Effects int
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil {
		log.Fatal(err)
	}
	for _, c := range page.Items {
		fmt.Printf("%s: %s, and %d requests followed\n", c.Actor.Name, c.Action, c.Effects)
	}
	// Output:
	// dave: delete namespace data-lake, and 105 requests followed
	// frank: delete namespace platform, and 103 requests followed
}
