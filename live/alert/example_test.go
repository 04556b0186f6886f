package alert_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/whet-k8s/whet/live/alert"
	"github.com/whet-k8s/whet/pipeline"
)

// A rule of one's own, and a file that alerts go to.
func ExampleAlerter() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "alerts.jsonl")
	config, err := alert.Parse("alerts.yaml", []byte(`
defaults: false
sinks:
- {name: disk, kind: file, path: `+out+`}
rules:
- name: production-scaled-away
  severity: high
  query: subresource == scale and namespace ~ "prod-*" and action ~ "* to 0"
  except: [oncall-bot]
  summary: "{actor} scaled {name} away"
`))
	if err != nil {
		log.Fatal(err)
	}
	a, err := alert.Open(alert.Options{Config: config, State: filepath.Join(dir, "state")})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	err = a.Contexts("eu", []pipeline.Context{{
		ID: "4e65af0c-7138-5116-883f-09c8d0d38c94", Actor: pipeline.Actor{Username: "carol"},
		Action: "scale deployment prod-shop/web to 0", Subresource: "scale", Namespace: "prod-shop", Name: "web",
	}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	go func() {
		for a.Stats().Sinks["disk"].Delivered == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		stop()
	}()
	if err := a.Run(ctx); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		log.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `"summary":"`)
	summary, _, _ := strings.Cut(rest, `"`)
	fmt.Println(summary)
	// Output: carol scaled web away
}
