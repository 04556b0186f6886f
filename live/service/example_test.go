package service_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/service"
)

// A live server follows a log and answers until its context ends.
func ExampleService() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	conf, err := config.Parse(filepath.Join(dir, "whet.yaml"), []byte(`
apiVersion: whet/v1
kind: ServeConfig
data: data
listen: 127.0.0.1:0
clusters:
- name: prod
  sources: [{folder: logs}]
`))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := service.Open(ctx, service.Options{Config: conf})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	r, err := http.Get(s.URL() + "healthz")
	if err != nil {
		log.Fatal(err)
	}
	r.Body.Close()
	fmt.Println(r.Status)
	cancel()
	fmt.Println(<-done)
	// Output:
	// 200 OK
	// <nil>
}
