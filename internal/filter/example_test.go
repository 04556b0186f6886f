package filter_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/whet-k8s/whet/internal/filter"
)

func ExampleRun() {
	const audit = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete","requestURI":"/healthz","verb":"get","user":{"username":"system:anonymous"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-23T18:00:00.000000Z"}
{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"2","stage":"ResponseComplete","requestURI":"/metrics","verb":"get","user":{"username":"system:anonymous"},"responseStatus":{"code":403},"requestReceivedTimestamp":"2026-11-23T18:00:01.000000Z"}
`
	report, err := filter.Run(context.Background(), filter.Options{
		Inputs: []string{"-"},
		In:     strings.NewReader(audit),
		Out:    os.Stdout,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range report.Counts.Rows() {
		fmt.Printf("%s %s: %d\n", row.Action, row.Rule, row.Events)
	}
	// Output:
	// {"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"2","stage":"ResponseComplete","requestURI":"/metrics","verb":"get","user":{"username":"system:anonymous"},"responseStatus":{"code":403},"requestReceivedTimestamp":"2026-11-23T18:00:01.000000Z"}
	// drop 2: 1
	// keep protect.refused: 1
}
