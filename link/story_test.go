package link

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// groups of the resources that stories speak of.
var groups = map[string]string{
	"deployments": "apps", "replicasets": "apps", "statefulsets": "apps", "daemonsets": "apps",
	"jobs": "batch", "cronjobs": "batch", "horizontalpodautoscalers": "autoscaling",
	"leases": "coordination.k8s.io", "foos": "example.org", "endpointslices": "discovery.k8s.io",
	"poddisruptionbudgets": "policy",
}

// parseStory reads events at the level Metadata, one a line:
//
//	SECONDS USER VERB RESOURCE[/SUBRESOURCE] [NAMESPACE/]NAME [CODE] [KEY=VALUE …]
//
// NAME "-" is none. Keys: took (seconds, default 0.004), stage, as
// (impersonated user), agent, uri, id (auditID), node (a binding's target),
// owner (KIND:NAME:UID), uid, replicas.
func parseStory(tb testing.TB, text string) []*audit.Event {
	tb.Helper()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var events []*audit.Event
	for n, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		seconds := func(s string) time.Duration {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				tb.Fatalf("line %d: %v", n+1, err)
			}
			return time.Duration(v * float64(time.Second)).Round(time.Microsecond)
		}
		ev := &audit.Event{
			Position: audit.Position{Line: len(events) + 1}, Level: audit.LevelMetadata, Stage: audit.StageResponseComplete,
			AuditID: fmt.Sprint("id-", len(events)+1), User: audit.User{Username: f[1]}, Verb: f[2], UserAgent: "client/v1",
			HasObject: true, Status: audit.Status{Code: 200}, RequestReceived: start.Add(seconds(f[0])),
		}
		ev.Object.Resource, ev.Object.Subresource, _ = strings.Cut(f[3], "/")
		ev.Object.APIGroup = groups[ev.Object.Resource]
		ev.Object.Name = f[4]
		if ns, name, ok := strings.Cut(f[4], "/"); ok {
			ev.Object.Namespace, ev.Object.Name = ns, name
		}
		ev.Object.Name = strings.TrimPrefix(ev.Object.Name, "-")
		ev.RequestURI = "/" + f[3] + "/" + f[4]
		took := 4 * time.Millisecond
		for _, word := range f[5:] {
			key, value, ok := strings.Cut(word, "=")
			if !ok {
				code, err := strconv.Atoi(word)
				if err != nil {
					tb.Fatalf("line %d: %v", n+1, err)
				}
				ev.Status.Code = int32(code)
				continue
			}
			switch key {
			case "took":
				took = seconds(value)
			case "stage":
				ev.Stage = audit.Stage(value)
			case "as":
				ev.Impersonated = &audit.User{Username: value}
			case "agent":
				ev.UserAgent = value
			case "uri":
				ev.RequestURI = value
			case "id":
				ev.AuditID = value
			default:
				setBody(tb, ev, key, value)
			}
		}
		ev.StageTime = ev.RequestReceived.Add(took)
		events = append(events, ev)
	}
	return events
}

func setBody(tb testing.TB, ev *audit.Event, key, value string) {
	tb.Helper()
	if ev.Request == nil {
		ev.Request = &audit.Body{}
	}
	switch key {
	case "node":
		ev.Request.Target = &audit.InvolvedObject{Kind: "Node", Name: value}
	case "pod":
		ev.Request.Target = &audit.InvolvedObject{Kind: "Pod", UID: value}
	case "target":
		kind, name, _ := strings.Cut(value, ":")
		ev.Request.Target = &audit.InvolvedObject{Kind: kind, APIVersion: "apps/v1", Name: name}
	case "owner":
		p := strings.Split(value, ":")
		ev.Request.Owners = []audit.Owner{{Kind: p[0], Name: p[1], UID: p[2], Controller: true}}
	case "uid":
		ev.Response = &audit.Body{Kind: "Object", UID: value, Name: ev.Object.Name, Owners: ev.Request.Owners}
	default:
		tb.Fatalf("no key %q", key)
	}
}

// TestStories links logs made by hand and compares what is said of them with
// the golden files. They show what recordings show too rarely.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories in testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := story(parseStory(t, string(text)))
			golden(t, strings.TrimSuffix(file, ".txt")+".golden", got)
		})
	}
}
