package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestExportToCollector sends the traces of a recording to a collector on
// loopback, and counts what arrives.
func TestExportToCollector(t *testing.T) {
	t.Setenv(headersVariable, "x-scope-orgid=lab%20one,authorization=Basic%20eA==")
	spans, batches := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		batches++
		if r.Header.Get("X-Scope-OrgID") != "lab one" || r.Header.Get("Authorization") != "Bearer y" {
			t.Errorf("the headers are %v", r.Header)
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(z)
		data := &tracepb.TracesData{}
		if err != nil || proto.Unmarshal(body, data) != nil {
			t.Errorf("the body is not OTLP: %v", err)
		}
		for _, resource := range data.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				spans += len(scope.Spans)
			}
		}
	}))
	defer server.Close()
	var out, messages bytes.Buffer
	args := []string{"export", "otlp", "--endpoint", server.URL, "--header", "Authorization: Bearer y", "../../recordings/day.metadata.jsonl.zst"}
	code := run(t.Context(), args, &stdio{in: strings.NewReader(""), out: &out, err: &messages})
	if code != 0 || out.Len() > 0 || !strings.Contains(messages.String(), "Sent 7,9") {
		t.Errorf("status %d, printed %q and %q", code, out.String(), messages.String())
	}
	if spans < 7900 || batches < spans/512 {
		t.Errorf("%d spans in %d batches", spans, batches)
	}
}
