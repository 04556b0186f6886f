package export

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// sender is who sent requests, as a service of OpenTelemetry.
type sender struct {
	cluster         string
	name, namespace string
	node            string // of a kubelet
}

// senderOf names the service behind a username: of a service account its name
// and namespace, of a node kubelet with the node as its instance, of a component
// its name without the prefix system:, and of a person the username.
func senderOf(cluster, username string) sender {
	if account, ok := strings.CutPrefix(username, "system:serviceaccount:"); ok {
		if namespace, name, ok := strings.Cut(account, ":"); ok {
			return sender{cluster: cluster, name: name, namespace: namespace}
		}
	}
	if node, ok := strings.CutPrefix(username, "system:node:"); ok {
		return sender{cluster: cluster, name: "kubelet", node: node}
	}
	name := username
	if actor.KindOf(username) == actor.Component {
		name = strings.TrimPrefix(username, "system:")
	}
	return sender{cluster: cluster, name: cmp.Or(name, actor.Short(username))}
}

// attributes are those of the resource (semantic conventions, service and k8s).
func (s sender) attributes() []*commonpb.KeyValue {
	a := attributes{}
	a.text("service.name", s.name)
	a.text("service.namespace", s.namespace)
	a.text("service.instance.id", s.node)
	a.text("k8s.cluster.name", s.cluster)
	a.text("k8s.namespace.name", s.namespace)
	a.text("k8s.node.name", s.node)
	return a.list
}

// span is a request as a span.
func (t *trace) span(r *request, server *serverURL) *tracepb.Span {
	ev := r.first
	span := &tracepb.Span{
		TraceId: t.id, SpanId: t.spanIDs[r], Name: spanName(ev.Event), Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nanos(r.start()), EndTimeUnixNano: nanos(r.end()),
	}
	if p := t.parent(r); p != nil {
		span.ParentSpanId = t.spanIDs[p]
	}
	a := attributes{}
	httpAttributes(&a, r.last.Event, server)
	objectAttributes(&a, ev.Event)
	t.whetAttributes(&a, r)
	span.Attributes = a.list
	if link := t.link(r); link != nil {
		span.Links = []*tracepb.Span_Link{link}
	}
	finish(span, r)
	return span
}

// link ties what the clock started to the request that set the clock, in the
// trace of the context that it belongs to.
func (t *trace) link(r *request) *tracepb.Span_Link {
	if t.context.Origin == "" || r != t.root || r.first.Cause == "" {
		return nil
	}
	return &tracepb.Span_Link{TraceId: traceID(t.context.Origin), SpanId: spanID(r.first.Cause)}
}

// finish adds the stages as span events and says how the request ended: for a
// client a status of 400 and above is an error (semantic conventions, HTTP
// spans, status), and what the API server says about it is an exception event.
func finish(span *tracepb.Span, r *request) {
	for _, ev := range r.stages {
		if len(r.stages) > 1 {
			span.Events = append(span.Events, &tracepb.Span_Event{TimeUnixNano: nanos(ev.StageTime), Name: valid(string(ev.Stage))})
		}
	}
	status := r.last.Status
	if status.Code < 400 && r.last.Stage != audit.StagePanic {
		return
	}
	span.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	a := attributes{}
	a.text("exception.type", cmp.Or(status.Reason, string(r.last.Stage)))
	a.text("exception.message", status.Message)
	span.Events = append(span.Events, &tracepb.Span_Event{TimeUnixNano: nanos(r.end()), Name: "exception", Attributes: a.list})
}

// contextSpan stands for a whole context whose events were not kept.
func contextSpan(c *store.Context) *tracepb.Span {
	ev := &audit.Event{Verb: c.Verb, HasObject: c.Resource != "", Object: audit.ObjectRef{
		APIGroup: c.APIGroup, Resource: c.Resource, Subresource: c.Subresource, Namespace: c.Namespace, Name: c.Name,
	}}
	span := &tracepb.Span{
		TraceId: traceID(c.ID), SpanId: spanID(c.Root.AuditID), Name: spanName(ev), Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nanos(c.Start), EndTimeUnixNano: max(nanos(c.Start), nanos(c.End)),
	}
	a := attributes{}
	objectAttributes(&a, ev)
	a.text("user.name", c.Actor.Username)
	a.texts("user.roles", c.Actor.Groups)
	a.text("whet.audit.id", c.Root.AuditID)
	a.text("whet.context.id", c.ID)
	a.text("whet.operation.id", c.Operation)
	a.text("whet.action", c.Action)
	a.integer("whet.label", int64(c.Label))
	a.integer("whet.effects", int64(c.Effects))
	span.Attributes = a.list
	return span
}

// spanName is the method and what the request is about, without names, so that
// there are few (semantic conventions, HTTP spans, name).
func spanName(ev *audit.Event) string {
	method := cmp.Or(methodOf(ev.Verb), "HTTP")
	if !ev.HasObject || ev.Object.Resource == "" {
		return method
	}
	target := pipeline.ResourceName(audit.GroupResource{Group: ev.Object.APIGroup, Resource: ev.Object.Resource})
	if ev.Object.Subresource != "" {
		target += "/" + ev.Object.Subresource
	}
	return valid(method + " " + target)
}

// methodOf is the HTTP method that the API server makes a verb of, "" for one
// that is none (staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go).
// The verb of a request that is not about a resource is the method in lower case.
func methodOf(verb string) string {
	switch verb {
	case "get", "list", "watch":
		return "GET"
	case "create", "post":
		return "POST"
	case "update", "put":
		return "PUT"
	case "patch":
		return "PATCH"
	case "delete", "deletecollection":
		return "DELETE"
	case "head", "options", "connect", "trace":
		return strings.ToUpper(verb)
	}
	return ""
}

// httpAttributes are those of an HTTP client span.
func httpAttributes(a *attributes, ev *audit.Event, server *serverURL) {
	path, query, _ := strings.Cut(ev.RequestURI, "?")
	a.text("http.request.method", cmp.Or(methodOf(ev.Verb), "_OTHER"))
	if ev.Status.Code != 0 {
		a.integer("http.response.status_code", int64(ev.Status.Code))
	}
	switch {
	case ev.Stage == audit.StagePanic:
		a.text("error.type", "panic")
	case ev.Status.Code >= 400:
		a.text("error.type", strconv.Itoa(int(ev.Status.Code)))
	}
	a.text("server.address", server.host)
	a.integer("server.port", server.port)
	a.text("url.full", server.base+ev.RequestURI)
	a.text("url.path", path)
	a.text("url.query", query)
	a.text("url.template", template(ev))
	a.text("user_agent.original", ev.UserAgent)
	if len(ev.SourceIPs) > 0 {
		a.text("client.address", ev.SourceIPs[0])
	}
	a.text("user.name", ev.User.Username)
	a.text("user.id", ev.User.UID)
	a.texts("user.roles", ev.User.Groups)
}

// template is the path with placeholders for names, "" for what is about no
// resource.
func template(ev *audit.Event) string {
	o := &ev.Object
	if !ev.HasObject || o.Resource == "" {
		return ""
	}
	path := "/api/" + o.APIVersion
	if o.APIGroup != "" {
		path = "/apis/" + o.APIGroup + "/" + o.APIVersion
	}
	if o.Namespace != "" && o.Resource != "namespaces" {
		path += "/namespaces/{namespace}"
	}
	path += "/" + o.Resource
	// The path of a create ends before the name, which the body has.
	if o.Name != "" && (ev.Verb != "create" || o.Subresource != "") {
		path += "/{name}"
	}
	if o.Subresource != "" {
		path += "/" + o.Subresource
	}
	return path
}

// k8sPrefix is what the semantic conventions call a resource, "" for those that
// they do not name.
func k8sPrefix(o *audit.ObjectRef) string {
	switch pipeline.ResourceName(audit.GroupResource{Group: o.APIGroup, Resource: o.Resource}) {
	case "pods", "nodes", "replicationcontrollers", "resourcequotas":
		return "k8s." + strings.TrimSuffix(o.Resource, "s")
	case "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch":
		return "k8s." + strings.TrimSuffix(o.Resource, "s")
	case "horizontalpodautoscalers.autoscaling":
		return "k8s.hpa"
	}
	return ""
}

// objectAttributes name the object that a request is about.
func objectAttributes(a *attributes, ev *audit.Event) {
	if !ev.HasObject {
		return
	}
	o, name := &ev.Object, pipeline.NameOf(ev)
	namespace := o.Namespace
	if o.Resource == "namespaces" && o.APIGroup == "" {
		namespace = cmp.Or(name, namespace)
	}
	a.text("k8s.namespace.name", namespace)
	if prefix := k8sPrefix(o); prefix != "" {
		a.text(prefix+".name", name)
		a.text(prefix+".uid", o.UID)
	}
	a.text("whet.verb", ev.Verb)
	a.text("whet.object.group", o.APIGroup)
	a.text("whet.object.resource", o.Resource)
	a.text("whet.object.subresource", o.Subresource)
	a.text("whet.object.name", name)
}

// whetAttributes say what was found out about a request.
func (t *trace) whetAttributes(a *attributes, r *request) {
	ev := r.first
	if ev.Impersonated != nil {
		a.text("whet.impersonated.name", ev.Impersonated.Username)
	}
	a.text("whet.action", label.Sentence(ev.Event))
	a.text("whet.audit.id", ev.AuditID)
	a.text("whet.context.id", t.context.ID)
	a.text("whet.operation.id", ev.Operation)
	a.text("whet.role", string(ev.Role))
	a.text("whet.cause", ev.Cause)
	a.text("whet.rule", ev.Rule)
	a.text("whet.evidence", ev.Evidence)
	a.number("whet.confidence", ev.Confidence)
	a.integer("whet.label", int64(ev.Label))
	a.text("log.file.path", ev.Position.Source)
	if ev.Position.Line > 0 {
		a.integer("whet.log.line", int64(ev.Position.Line))
	}
}

// attributes gathers attributes; texts that are empty are left out.
type attributes struct{ list []*commonpb.KeyValue }

func (a *attributes) add(key string, value *commonpb.AnyValue) {
	a.list = append(a.list, &commonpb.KeyValue{Key: key, Value: value})
}

func (a *attributes) text(key, value string) {
	if value != "" {
		a.add(key, textValue(value))
	}
}

func (a *attributes) texts(key string, values []string) {
	if len(values) == 0 {
		return
	}
	array := &commonpb.ArrayValue{}
	for _, v := range values {
		array.Values = append(array.Values, textValue(v))
	}
	a.add(key, &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: array}})
}

func (a *attributes) integer(key string, value int64) {
	a.add(key, &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}})
}

func (a *attributes) number(key string, value float64) {
	a.add(key, &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: value}})
}

func textValue(s string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: valid(s)}}
}

// valid makes a text UTF-8, which protobuf asks for.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// serverURL is the API server's URL in parts.
type serverURL struct {
	base string // scheme and host
	host string
	port int64
}

// CheckServer says what is wrong with the URL of an API server.
func CheckServer(server string) error {
	_, err := parseServer(server)
	return err
}

func parseServer(server string) (*serverURL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("the URL of the API server: %w", err)
	}
	port := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if port == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("the URL of the API server: write https://HOST or https://HOST:PORT, not %s", u.Redacted())
	}
	n, err := strconv.ParseUint(cmp.Or(u.Port(), port), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("the URL of the API server: %w", err)
	}
	return &serverURL{base: u.Scheme + "://" + u.Host, host: u.Hostname(), port: int64(n)}, nil
}
