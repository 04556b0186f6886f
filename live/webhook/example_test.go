package webhook_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/webhook"
)

// The API servers of the cluster prod send their events, and show a token.
func Example() {
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
	prod, err := q.Stream(context.Background(), "prod")
	if err != nil {
		log.Fatal(err)
	}
	tokens := filepath.Join(dir, "prod.token")
	if err := os.WriteFile(tokens, []byte("9f2c5e8d41b07a63c2d9e5f80a1b7c4d\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	who, err := auth.New(auth.Config{Clients: []auth.Client{
		{Name: "prod-apiserver", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}, TokenFile: tokens},
	}})
	if err != nil {
		log.Fatal(err)
	}
	handler := webhook.New(webhook.Options{
		Auth: who, Stream: func(cluster string) (*queue.Stream, bool) { return prod, cluster == "prod" },
	})

	for _, list := range []string{
		`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"0e4f9a1c","stage":"ResponseComplete"}]}`,
		`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"0e4f9a1c","sta`,
	} {
		request := httptest.NewRequest(http.MethodPost, "/ingest/prod", strings.NewReader(list))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer 9f2c5e8d41b07a63c2d9e5f80a1b7c4d")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		fmt.Println(strings.TrimSpace(answer.Result().Status + " " + answer.Body.String()))
	}
	message, err := prod.Next(context.Background(), 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s", message.Piece.Source, message.Piece.Body)
	// Output:
	// 200 OK
	// 400 Bad Request truncated: the JSON ends at byte 86 in the middle of a value
	// webhook/prod-apiserver: {"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"0e4f9a1c","stage":"ResponseComplete"}
}
