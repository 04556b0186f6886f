package export_test

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// A table for a spreadsheet: what a client chose as its name is no formula.
func ExampleCSV() {
	var table strings.Builder
	w, err := export.NewCSV(&table, "username", "effects")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Row("=HYPERLINK(A1)", "12"); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Flush(); err != nil {
		fmt.Println(err)
	}
	// The rows end in CR and LF.
	fmt.Print(strings.ReplaceAll(table.String(), "\r\n", "\n"))

	// Output:
	// username,effects
	// '=HYPERLINK(A1),12
}

// A context with one effect as a graph.
func ExampleNewGraph() {
	at := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	event := func(id, user, verb, resource, cause string) *store.Event {
		return &store.Event{Context: "c1", Cause: cause, Rule: "follows-owner", Event: &audit.Event{
			AuditID: id, Verb: verb, User: audit.User{Username: user}, HasObject: true, RequestReceived: at,
			Object: audit.ObjectRef{Resource: resource, Namespace: "shop", Name: "web"},
		}}
	}
	events := []*store.Event{
		event("1", "alice", "patch", "deployments", ""),
		event("2", "system:serviceaccount:kube-system:deployment-controller", "create", "replicasets", "1"),
	}
	context := &store.Context{Context: pipeline.Context{ID: "c1", Root: pipeline.Root{AuditID: "1"}}}
	graph, err := export.NewGraph(context, sequence(events))
	if err != nil {
		fmt.Println(err)
		return
	}
	text := map[string]string{}
	for _, n := range graph.Nodes {
		text[n.ID] = n.Text
	}
	for _, e := range graph.Edges {
		fmt.Printf("%s -> %s: %s %s\n", text[e.From], text[e.To], e.Kind, e.Text())
	}

	// Output:
	// alice -> deployment shop/web: request patch
	// deployment-controller -> replicaset shop/web: request create
	// deployment shop/web -> deployment-controller: cause follows-owner
}

// sequence gives events as package store does.
func sequence(events []*store.Event) iter.Seq2[*store.Event, error] {
	return func(yield func(*store.Event, error) bool) {
		for _, ev := range events {
			if !yield(ev, nil) {
				return
			}
		}
	}
}
