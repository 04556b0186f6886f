package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// watcher remembers when a reader was first told of a context.
type watcher struct {
	mu    sync.Mutex
	first map[string]time.Time // by the name of the deployment that its root made
}

func newWatcher() *watcher { return &watcher{first: map[string]time.Time{}} }

// told gives when the context that made a deployment was first told.
func (w *watcher) told(name string) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.first[name]
	return at, ok
}

// follow reads what whet tells while it happens, and comes back when whet ends
// an answer, until ctx ends.
func (w *watcher) follow(ctx context.Context, source *whet) {
	for last := ""; ctx.Err() == nil; {
		// Whoever comes back names what he had; an error is met again, or ends ctx.
		_ = w.read(ctx, source, &last)
		_ = sleep(ctx, 200*time.Millisecond)
	}
}

func (w *watcher) read(ctx context.Context, source *whet, last *string) error {
	path := "/api/v1/live"
	if *last != "" {
		path += "?after=" + *last
	}
	resp, err := source.open(ctx, path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20)
	event := ""
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "id":
			*last = value
		case "event":
			event = value
		case "data":
			if event == "context" {
				w.take([]byte(value))
			}
		}
	}
	return lines.Err()
}

func (w *watcher) take(data []byte) {
	var c struct {
		Verb, Resource, Name string
	}
	if json.Unmarshal(data, &c) != nil || c.Verb != "create" || c.Resource != "deployments" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.first[c.Name]; !known {
		w.first[c.Name] = time.Now()
	}
}

// event is what is read of an event in the API server's log.
type event struct {
	AuditID        string
	Stage          string
	Verb           string
	StageTimestamp time.Time
	ObjectRef      struct{ Resource, Subresource, Name string }
}

// eachEvent reads the API server's log.
func eachEvent(log string, take func(*event)) error {
	f, err := os.Open(log)
	if err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("reading the audit log: %w", err)
		}
		take(&e)
	}
	return lines.Err()
}

// requestEnds gives when the requests that made deployments ended.
func requestEnds(log string) (map[string]time.Time, error) {
	ended := map[string]time.Time{}
	err := eachEvent(log, func(e *event) {
		if e.Verb == "create" && e.ObjectRef.Resource == "deployments" && e.ObjectRef.Subresource == "" && e.Stage == "ResponseComplete" {
			ended[e.ObjectRef.Name] = e.StageTimestamp
		}
	})
	return ended, err
}
