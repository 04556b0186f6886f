package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// Example reads a log with a damaged line, and puts its events in order.
func Example() {
	log := strings.NewReader(`
{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"b","stage":"ResponseComplete","verb":"create","user":{"username":"system:kube-scheduler"},"objectRef":{"resource":"pods","subresource":"binding","namespace":"shop","name":"web-1"},"requestReceivedTimestamp":"2026-11-23T18:00:00.020000Z","stageTimestamp":"2026-11-23T18:00:00.025000Z"}
{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"create","user":{"username":"mia"},"objectRef":{"resource":"pods","namespace":"shop","name":"web-1"},"requestReceivedTimestamp":"2026-11-23T18:00:00.010000Z","stageTimestamp":"2026-11-23T18:00:00.030000Z"}
{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"c","sta
`)
	reader, err := audit.Open([]string{audit.Stdin}, audit.Options{Stdin: log})
	if err != nil {
		fmt.Println(err)
		return
	}
	var decoder audit.Decoder
	sorter := audit.NewSorter[*audit.Event](audit.DefaultWindow, audit.DefaultMaxHeld)
	for {
		chunk, err := reader.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		batch := decoder.DecodeChunk(chunk)
		for i := range batch.Malformed {
			fmt.Println(batch.Malformed[i].Error())
		}
		for i := range batch.Events {
			sorter.Push(&batch.Events[i], &batch.Events[i])
		}
	}
	sorter.Flush()
	for ev, _, ok := sorter.Pop(); ok; ev, _, ok = sorter.Pop() {
		fmt.Printf("%s %s %s/%s\n", ev.User.Username, ev.Verb, ev.Object.Resource, ev.Object.Name)
	}
	// Output:
	// -:4: truncated: the JSON ends at byte 65 in the middle of a value
	// mia create pods/web-1
	// system:kube-scheduler create pods/web-1
}
