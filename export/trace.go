package export

import (
	"cmp"
	"context"
	"crypto/sha256"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/whet-k8s/whet/store"
)

// scopeName says in a trace who made its spans.
const scopeName = "github.com/whet-k8s/whet"

// schemaURL names the semantic conventions that the attributes follow.
const schemaURL = "https://opentelemetry.io/schemas/1.37.0"

// DefaultServer is the URL of the API server where nobody names another: the
// name that every cluster gives it. The log does not say by which address a
// client reached the server.
const DefaultServer = "https://kubernetes.default.svc"

// The bounds of what Traces holds and gives at once.
const (
	// maxBatchSpans bounds the spans of a batch, as the OpenTelemetry SDK does
	// (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).
	maxBatchSpans = 512
	// maxBatchBytes bounds a batch in protobuf, far below the 20 MiB that a
	// receiver has to take (OTLP specification, OTLP/HTTP request). A single
	// span larger than that is a batch alone.
	maxBatchBytes = 4 << 20
	// maxGroupEvents and maxGroupContexts bound the contexts whose events are
	// asked for at once. A context of more events is a group alone.
	maxGroupEvents   = 20_000
	maxGroupContexts = 200
)

// TraceOptions say how contexts become traces. The zero value is good.
type TraceOptions struct {
	// Server is the URL of the API server, for server.address, server.port and
	// url.full; "" means DefaultServer. CheckServer tells whether it will do.
	Server string
}

// EventsOf gives the events of contexts in any order: those whose Autonomous is
// the id of one of them, and those without it whose Context is. Unless it is to
// look everywhere, it may leave out what was received before the first context
// began or after the last one ended, since what a context does after its end are
// watches, and few.
type EventsOf func(contexts []*store.Context, everywhere bool) iter.Seq2[*store.Event, error]

// Traces gives contexts as OpenTelemetry traces, in batches of bounded size.
//
// Each context is a trace; its id is the context's UUID. Each request is a span
// of kind client, by the service that sent it, below the request that caused
// it. A request whose cause is not among the events stands below the root of
// the context, and whet.cause names the cause. Ids follow from the input alone,
// so that sending the same context twice gives the same spans. docs/export.md
// lists the attributes.
//
// A context without events, as a data set of contexts alone has it, is one span.
func Traces(ctx context.Context, contexts iter.Seq2[*store.Context, error], eventsOf EventsOf, o TraceOptions) iter.Seq2[*tracepb.TracesData, error] {
	return func(yield func(*tracepb.TracesData, error) bool) {
		b := &batch{}
		server, err := parseServer(cmp.Or(o.Server, DefaultServer))
		if err != nil {
			yield(nil, err)
			return
		}
		var group []*store.Context
		events := 0
		flush := func() bool {
			ok := traceGroup(ctx, group, eventsOf, server, b, yield)
			group, events = group[:0], 0
			return ok
		}
		for c, err := range contexts {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(group) > 0 && (events+c.Events > maxGroupEvents || len(group) == maxGroupContexts) && !flush() {
				return
			}
			group = append(group, c)
			events += c.Events
		}
		if flush() && b.spans > 0 {
			yield(b.take(), nil)
		}
	}
}

// traceGroup adds the traces of a few contexts to the batch, and yields it
// whenever it is full. It is false when nobody wants more.
func traceGroup(ctx context.Context, group []*store.Context, eventsOf EventsOf, server *serverURL, b *batch, yield func(*tracepb.TracesData, error) bool) bool {
	if len(group) == 0 {
		return true
	}
	byContext, err := gather(ctx, group, eventsOf)
	if err != nil {
		yield(nil, err)
		return false
	}
	for _, c := range group {
		for who, span := range spansOf(c, byContext[c.ID], server) {
			size := proto.Size(span)
			if b.full(size) && !yield(b.take(), nil) {
				return false
			}
			b.add(who, span, size)
		}
		delete(byContext, c.ID)
	}
	return true
}

// gather gives the events of contexts by the context. Where a context lacks some
// that it counted, they are looked for everywhere.
func gather(ctx context.Context, group []*store.Context, eventsOf EventsOf) (map[string][]*store.Event, error) {
	byContext := make(map[string][]*store.Event, len(group))
	add := func(contexts []*store.Context, everywhere bool) error {
		for ev, err := range eventsOf(contexts, everywhere) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			id := cmp.Or(ev.Autonomous, ev.Context)
			byContext[id] = append(byContext[id], ev)
		}
		return nil
	}
	if err := add(group, false); err != nil {
		return nil, err
	}
	var short []*store.Context
	for _, c := range group {
		if len(byContext[c.ID]) < c.Events {
			short = append(short, c)
			delete(byContext, c.ID)
		}
	}
	if len(short) == 0 {
		return byContext, nil
	}
	return byContext, add(short, true)
}

// batch gathers spans by the service that sent them.
type batch struct {
	data   *tracepb.TracesData
	scopes map[sender]*tracepb.ScopeSpans
	spans  int
	bytes  int
}

func (b *batch) full(size int) bool {
	return b.spans == maxBatchSpans || b.spans > 0 && b.bytes+size > maxBatchBytes
}

func (b *batch) add(who sender, span *tracepb.Span, size int) {
	if b.data == nil {
		b.data, b.scopes = &tracepb.TracesData{}, map[sender]*tracepb.ScopeSpans{}
	}
	scope := b.scopes[who]
	if scope == nil {
		scope = &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: scopeName}, SchemaUrl: schemaURL}
		b.scopes[who] = scope
		b.data.ResourceSpans = append(b.data.ResourceSpans, &tracepb.ResourceSpans{
			Resource:   &resourcepb.Resource{Attributes: who.attributes()},
			ScopeSpans: []*tracepb.ScopeSpans{scope}, SchemaUrl: schemaURL,
		})
	}
	scope.Spans = append(scope.Spans, span)
	b.spans++
	b.bytes += size
}

// take gives what was gathered and begins anew.
func (b *batch) take() *tracepb.TracesData {
	data := b.data
	*b = batch{}
	return data
}

// spansOf gives the spans of a context with who sent them, in order of start.
func spansOf(c *store.Context, events []*store.Event, server *serverURL) iter.Seq2[sender, *tracepb.Span] {
	return func(yield func(sender, *tracepb.Span) bool) {
		list := requests(events)
		if len(list) == 0 {
			yield(senderOf(c.Cluster, c.Actor.Username), contextSpan(c))
			return
		}
		t := newTrace(c, list)
		for _, r := range list {
			if !yield(senderOf(c.Cluster, r.first.User.Username), t.span(r, server)) {
				return
			}
		}
	}
}

// trace knows what the spans of one context share.
type trace struct {
	context *store.Context
	id      []byte
	root    *request
	spanIDs map[*request][]byte
}

// newTrace finds the root and numbers the spans. The first request with an
// auditID has the span id of that auditID alone, so that another trace can
// link to it.
func newTrace(c *store.Context, list []*request) *trace {
	t := &trace{context: c, id: traceID(c.ID), spanIDs: make(map[*request][]byte, len(list))}
	taken := make(map[string]bool, len(list))
	for _, r := range list {
		id := r.first.AuditID
		if taken[id] {
			k := keyOf(r.first)
			id += "\x00" + k.username + "\x00" + k.uri + "\x00" + strconv.FormatInt(k.received, 10)
		}
		taken[r.first.AuditID] = true
		t.spanIDs[r] = spanID(id)
		if t.root == nil && r.first.AuditID == c.Root.AuditID {
			t.root = r
		}
	}
	if t.root == nil {
		t.root = list[0]
	}
	t.root.parent = nil
	return t
}

// parent gives the span that another stands below, nil for the root.
func (t *trace) parent(r *request) *request {
	switch {
	case r == t.root:
		return nil
	case r.parent == nil:
		return t.root
	}
	return r.parent
}

// traceID is the UUID of the context.
func traceID(context string) []byte {
	if id, err := uuid.Parse(context); err == nil && id != uuid.Nil {
		return id[:]
	}
	sum := sha256.Sum256([]byte("whet trace\x00" + context))
	return sum[:16]
}

// spanID makes the 8 bytes that name a span in its trace, which must not all be
// zero (OTLP, trace.proto).
func spanID(name string) []byte {
	sum := sha256.Sum256([]byte("whet span\x00" + name))
	id := sum[:8]
	if slices.Max(id) == 0 {
		id[7] = 1
	}
	return id
}

// nanos is a time as OTLP has it: nanoseconds since 1970, 0 for what is before
// and what does not fit.
func nanos(t time.Time) uint64 {
	if t.Year() < 1970 || t.Year() > 2261 {
		return 0
	}
	return uint64(t.UnixNano())
}
