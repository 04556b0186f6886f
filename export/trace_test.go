package export

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/whet-k8s/whet/store"
)

func TestTracesGolden(t *testing.T) {
	for _, name := range []string{"pod.audit", "clock.metadata", "hostile"} {
		var b bytes.Buffer
		for _, data := range traces(t, load(t, name+".jsonl")) {
			if err := WriteTraces(&b, data); err != nil {
				t.Fatal(err)
			}
			checkJSON(t, data)
		}
		golden(t, name+".otlp.jsonl", b.Bytes())
	}
}

// checkJSON reads a line of OTLP/JSON with protobuf's own reader, after the ids
// are put into base64 as that one wants them, and compares.
func checkJSON(t *testing.T, want *tracepb.TracesData) {
	t.Helper()
	var line bytes.Buffer
	if err := WriteTraces(&line, want); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(line.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("a batch is %d lines", n)
	}
	var tree any
	if err := json.Unmarshal(line.Bytes(), &tree); err != nil {
		t.Fatal(err)
	}
	usual, err := json.Marshal(idsToBase64(tree))
	if err != nil {
		t.Fatal(err)
	}
	var got tracepb.TracesData
	if err := protojson.Unmarshal(usual, &got); err != nil {
		t.Fatalf("protobuf refuses %s: %v", usual, err)
	}
	// A span without a status has an empty one in JSON.
	for span := range spans(&got) {
		if span.Status != nil && span.Status.Code == 0 {
			span.Status = nil
		}
	}
	if !proto.Equal(want, &got) {
		t.Errorf("JSON and protobuf differ (-protobuf +JSON):\n%s", cmp.Diff(want, &got, protocmp.Transform()))
	}
}

func idsToBase64(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && (key == "traceId" || key == "spanId" || key == "parentSpanId") {
				id, err := hex.DecodeString(text)
				if err != nil {
					panic(err)
				}
				v[key] = base64.StdEncoding.EncodeToString(id)
				continue
			}
			v[key] = idsToBase64(value)
		}
	case []any:
		for i := range v {
			v[i] = idsToBase64(v[i])
		}
	}
	return v
}

// spans gives all spans of a batch.
func spans(data *tracepb.TracesData) iter.Seq[*tracepb.Span] {
	return func(yield func(*tracepb.Span) bool) {
		for _, r := range data.ResourceSpans {
			for _, s := range r.ScopeSpans {
				for _, span := range s.Spans {
					if !yield(span) {
						return
					}
				}
			}
		}
	}
}

// attribute gives a span's attribute as text, "" where it has none.
func attribute(span *tracepb.Span, key string) string {
	for _, kv := range span.Attributes {
		if kv.Key == key {
			switch v := kv.Value.Value.(type) {
			case *commonpb.AnyValue_StringValue:
				return v.StringValue
			case *commonpb.AnyValue_IntValue:
				return fmt.Sprint(v.IntValue)
			}
		}
	}
	return ""
}

// TestTracesAreTrees holds the rules that Jaeger and Tempo count on: ids that
// are not zero and not used twice, one root a trace, parents that are there, and
// spans that end after they begin.
func TestTracesAreTrees(t *testing.T) {
	for _, name := range []string{"pod.audit.jsonl", "clock.metadata.jsonl", "hostile.jsonl"} {
		l := load(t, name)
		byTrace := map[string][]*tracepb.Span{}
		for _, data := range traces(t, l) {
			for span := range spans(data) {
				byTrace[string(span.TraceId)] = append(byTrace[string(span.TraceId)], span)
			}
		}
		if len(byTrace) != len(l.contexts) {
			t.Errorf("%s: %d traces of %d contexts", name, len(byTrace), len(l.contexts))
		}
		for _, c := range l.contexts {
			list := byTrace[string(traceID(c.ID))]
			if want := 1 + c.Clients + c.Effects; len(list) != want {
				t.Errorf("%s, %s: %d spans for %d requests", name, c.Action, len(list), want)
			}
			checkTree(t, name+", "+c.Action, list)
		}
	}
}

func checkTree(t *testing.T, what string, list []*tracepb.Span) {
	t.Helper()
	ids := map[string]bool{}
	for _, span := range list {
		if len(span.TraceId) != 16 || len(span.SpanId) != 8 || slices.Max(span.SpanId) == 0 || ids[string(span.SpanId)] {
			t.Errorf("%s: the ids %x and %x", what, span.TraceId, span.SpanId)
		}
		ids[string(span.SpanId)] = true
	}
	roots := 0
	for _, span := range list {
		switch {
		case len(span.ParentSpanId) == 0:
			roots++
		case !ids[string(span.ParentSpanId)]:
			t.Errorf("%s: the parent of %s is missing", what, span.Name)
		}
		if span.EndTimeUnixNano < span.StartTimeUnixNano {
			t.Errorf("%s: %s ends before it begins", what, span.Name)
		}
		for _, key := range []string{"http.request.method", "server.address", "server.port", "url.full"} {
			if attribute(span, key) == "" {
				t.Errorf("%s: %s lacks %s, which HTTP client spans need", what, span.Name, key)
			}
		}
	}
	if roots != 1 {
		t.Errorf("%s: %d roots", what, roots)
	}
}

// TestLinkToOrigin wants the trace of what the clock started to link to a span
// that is in the trace of who set the clock.
func TestLinkToOrigin(t *testing.T) {
	var link *tracepb.Span_Link
	ids := map[string]bool{}
	for _, data := range traces(t, load(t, "clock.metadata.jsonl")) {
		for span := range spans(data) {
			ids[string(span.TraceId)+string(span.SpanId)] = true
			for _, l := range span.Links {
				if link != nil {
					t.Error("there are several links")
				}
				link = l
			}
		}
	}
	if link == nil || !ids[string(link.TraceId)+string(link.SpanId)] {
		t.Errorf("the link %v leads to no span", link)
	}
}

func TestSpanOfFailure(t *testing.T) {
	for _, data := range traces(t, load(t, "pod.audit.jsonl")) {
		for span := range spans(data) {
			code := attribute(span, "http.response.status_code")
			if failed := code >= "400"; failed != (span.Status != nil) || failed != (attribute(span, "error.type") == code) {
				t.Errorf("%s with the code %s: %v", span.Name, code, span.Status)
			}
			if code != "422" {
				continue
			}
			if span.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || attribute(span, "error.type") != "422" ||
				len(span.Events) != 1 || span.Events[0].Name != "exception" || span.Name != "PATCH pods" {
				t.Errorf("got %v", span)
			}
			return
		}
	}
	t.Error("no span has the status 422")
}

func TestTemplate(t *testing.T) {
	for _, c := range []struct{ verb, resource, subresource, want string }{
		{"create", "pods", "", "/api/v1/namespaces/{namespace}/pods"},
		{"create", "pods", "eviction", "/api/v1/namespaces/{namespace}/pods/{name}/eviction"},
		{"patch", "pods", "status", "/api/v1/namespaces/{namespace}/pods/{name}/status"},
		{"delete", "namespaces", "", "/api/v1/namespaces/{name}"},
	} {
		ev := made("1", "u", c.verb, c.resource, "n", "").Event
		ev.Object.Subresource = c.subresource
		if got := template(ev); got != c.want {
			t.Errorf("%s %s/%s: %s, want %s", c.verb, c.resource, c.subresource, got, c.want)
		}
	}
}

func TestSenderOf(t *testing.T) {
	for _, c := range []struct {
		username string
		want     sender
	}{
		{"alice", sender{name: "alice"}},
		{"system:serviceaccount:ci:deployer", sender{name: "deployer", namespace: "ci"}},
		{"system:serviceaccount:odd", sender{name: "system:serviceaccount:odd"}},
		{"system:node:worker1", sender{name: "kubelet", node: "worker1"}},
		{"system:kube-scheduler", sender{name: "kube-scheduler"}},
		{"system:anonymous", sender{name: "system:anonymous"}},
		{"", sender{name: "(nobody)"}},
	} {
		if got := senderOf("", c.username); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.username, got, c.want)
		}
	}
}

func TestCheckServer(t *testing.T) {
	for _, server := range []string{"", "kubernetes", "ftp://x", "https://", "https://x:99999", "https://x/path", "https://u:p@x", "https://x?q"} {
		if CheckServer(server) == nil {
			t.Errorf("%q is taken", server)
		}
	}
	s, err := parseServer("https://[2001:db8::1]:6443/")
	if err != nil || *s != (serverURL{"https://[2001:db8::1]:6443", "2001:db8::1", 6443}) {
		t.Errorf("got %+v, %v", s, err)
	}
}

// TestBatches wants batches within their bounds, and every span in one.
func TestBatches(t *testing.T) {
	const many = 3 * maxBatchSpans / 2
	l := &log{}
	for i := range many {
		c := &store.Context{}
		c.ID, c.Root.AuditID = fmt.Sprintf("c%d", i), fmt.Sprint(i)
		c.Start, c.End = time.Unix(int64(i), 0), time.Unix(int64(i), 0)
		l.contexts = append(l.contexts, c)
	}
	// The first two requests are so long that each fills a batch.
	long := string(bytes.Repeat([]byte("x"), maxBatchBytes/2+1))
	for i := range 2 {
		ev := made(fmt.Sprint(i), "u", "get", "pods", "a", "")
		ev.Context, ev.UserAgent = l.contexts[i].ID, long
		l.events = append(l.events, ev)
	}
	var sizes []int
	total := 0
	for _, data := range traces(t, l) {
		n := 0
		for range spans(data) {
			n++
		}
		sizes = append(sizes, n)
		total += n
		if n > maxBatchSpans || proto.Size(data) > maxBatchBytes+maxBatchBytes/10 {
			t.Errorf("a batch of %d spans, %d bytes", n, proto.Size(data))
		}
	}
	if want := []int{1, maxBatchSpans, many - 1 - maxBatchSpans}; !slices.Equal(sizes, want) || total != many {
		t.Errorf("batches of %v spans, want %v", sizes, want)
	}
}

func TestTracesPassErrors(t *testing.T) {
	broken := errors.New("broken")
	l := load(t, "pod.audit.jsonl")
	for what, seq := range map[string]iter.Seq2[*tracepb.TracesData, error]{
		"contexts": Traces(t.Context(), func(yield func(*store.Context, error) bool) { yield(nil, broken) }, l.eventsOf, TraceOptions{}),
		"events": Traces(t.Context(), all(l.contexts), func([]*store.Context, bool) iter.Seq2[*store.Event, error] {
			return func(yield func(*store.Event, error) bool) { yield(nil, broken) }
		}, TraceOptions{}),
	} {
		var got error
		for _, err := range seq {
			got = err
		}
		if !errors.Is(got, broken) {
			t.Errorf("of the %s: %v", what, got)
		}
	}
}

func BenchmarkTraces(b *testing.B) {
	l := load(b, "pod.audit.jsonl")
	for b.Loop() {
		for range Traces(b.Context(), all(l.contexts), l.eventsOf, TraceOptions{}) {
		}
	}
	b.ReportMetric(float64(len(l.events)*b.N)/b.Elapsed().Seconds(), "events/s")
}
