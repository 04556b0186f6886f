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

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// exportLogs are logs cut from the recordings: what somebody did with a pod, an
// autoscaler that somebody set up, and requests that nobody explains.
func exportLogs() []string {
	return []string{
		"../../export/testdata/pod.audit.jsonl", "../../export/testdata/clock.metadata.jsonl", "../../export/testdata/unknown.metadata.jsonl",
	}
}

// dayLog is a log of 9,905 events, at Metadata level.
const dayLog = "../../recordings/day.metadata.jsonl.zst"

// dataOfDay makes a data set of dayLog.
func dataOfDay(t *testing.T, keep store.Keep) string {
	t.Helper()
	return dataOf(t, keep, dayLog)
}

// dataOf makes a data set of logs.
func dataOf(t *testing.T, keep store.Keep, logs ...string) string {
	t.Helper()
	dir := t.TempDir()
	w, err := store.Append(t.Context(), dir, store.WriterOptions{Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	account, err := pipeline.Run(t.Context(), logs, nil, pipeline.Options{}, w.Sink())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	return dir
}

// exported runs whet export and gives its status, output and messages.
func exported(t *testing.T, args ...string) (code int, out, messages string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"export"}, args...), &stdio{in: strings.NewReader(""), out: &stdout, err: &stderr})
	return code, stdout.String(), stderr.String()
}

// TestExportOfDataSet wants of a data set what its log gives.
func TestExportOfDataSet(t *testing.T) {
	data := dataOf(t, store.KeepEvents, exportLogs()...)
	for _, args := range [][]string{
		{"csv"}, {"csv", "--where", "verb == patch"}, {"otlp"}, {"otlp", "--where", "effects > 20"},
		{"dot", "pod/shop-test/cache"}, {"dot", "deae0733-ad2e-410e-a48c-38162802036b"},
		{"graphml", "567f2128-6678-53e8-9fa9-d1b7abfedbd3"},
	} {
		code, ofData, messages := exported(t, append(args, "--data", data)...)
		if code != 0 || messages != "" {
			t.Errorf("%v: status %d, %s", args, code, messages)
		}
		code, ofLog, messages := exported(t, append(args, exportLogs()...)...)
		if code != 0 {
			t.Errorf("%v: status %d, %s", args, code, messages)
		}
		if ofData != ofLog || ofLog == "" {
			t.Errorf("%v: %d bytes of the data set, %d other ones of the log", args, len(ofData), len(ofLog))
		}
	}
	code, events, _ := exported(t, "unclassified", "--data", data)
	_, lines, _ := exported(t, append([]string{"unclassified"}, exportLogs()...)...)
	if n := strings.Count(lines, "\n"); code != 0 || n == 0 || strings.Count(events, `"rule":"unknown"`) != n {
		t.Errorf("status %d, %d unclassified lines, and of the data set:\n%s", code, n, events)
	}
	code, _, messages := exported(t, "dot", "--data", data, "00000000-0000-4000-8000-00000000ffff")
	if code != exitFailed || !strings.Contains(messages, "no event of the") {
		t.Errorf("an id that is not there: status %d, %s", code, messages)
	}
}

// TestExportOfContexts has a data set without events, of which each trace is one
// span.
func TestExportOfContexts(t *testing.T) {
	code, out, messages := exported(t, "otlp", "--data", dataOf(t, store.KeepContexts, exportLogs()...), "--where", "effects > 10")
	contexts := strings.Count(out, `"whet.context.id"`)
	if code != 0 || contexts == 0 || strings.Count(out, `"spanId"`) != contexts || strings.Contains(out, "parentSpanId") {
		t.Errorf("status %d, %s, %d contexts in:\n%s", code, messages, contexts, out)
	}
}

// TestExportToCollector sends traces to a collector on
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
	args := append([]string{"otlp", "--endpoint", server.URL, "--header", "Authorization: Bearer y"}, exportLogs()...)
	code, out, messages := exported(t, args...)
	if code != 0 || out != "" || !strings.Contains(messages, "Sent 54 spans.") {
		t.Errorf("status %d, printed %q and %q", code, out, messages)
	}
	if spans != 54 || batches != 1 {
		t.Errorf("%d spans in %d batches", spans, batches)
	}
}
