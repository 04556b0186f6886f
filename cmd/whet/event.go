package main

import (
	"math"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/store"
)

// eventField is a field of an event as JSON and CSV show it. Its name is that
// of the view events.
type eventField struct {
	name string
	// get gives the value, nil where the field is missing.
	get func(*store.Event) any
}

// eventFields are the fields of an event, in an order for people.
func eventFields() []eventField {
	text := func(name string, get func(*store.Event) string) eventField {
		return eventField{name, func(e *store.Event) any { return orNil(get(e)) }}
	}
	return []eventField{
		{"requestReceivedTimestamp", func(e *store.Event) any { return orNil(e.RequestReceived) }},
		{"stageTimestamp", func(e *store.Event) any { return orNil(e.StageTime) }},
		text("cluster", func(e *store.Event) string { return e.Cluster }),
		text("username", func(e *store.Event) string { return e.User.Username }),
		text("impersonatedUsername", func(e *store.Event) string { return asUser(e).Username }),
		text("verb", func(e *store.Event) string { return e.Verb }),
		{"action", func(e *store.Event) any { return label.Sentence(store.Kept(e.Event)) }},
		text("apiGroup", func(e *store.Event) string { return e.Object.APIGroup }),
		text("apiVersion", func(e *store.Event) string { return e.Object.APIVersion }),
		text("resource", func(e *store.Event) string { return e.Object.Resource }),
		text("subresource", func(e *store.Event) string { return e.Object.Subresource }),
		text("namespace", func(e *store.Event) string { return e.Object.Namespace }),
		text("name", func(e *store.Event) string { return e.Object.Name }),
		text("uid", func(e *store.Event) string { return e.Object.UID }),
		text("resourceVersion", func(e *store.Event) string { return e.Object.ResourceVersion }),
		{"code", func(e *store.Event) any { return orNil(e.Status.Code) }},
		text("status", func(e *store.Event) string { return e.Status.Status }),
		text("reason", func(e *store.Event) string { return e.Status.Reason }),
		text("message", func(e *store.Event) string { return e.Status.Message }),
		text("role", func(e *store.Event) string { return string(e.Role) }),
		text("actor", func(e *store.Event) string { return e.Actor }),
		text("context", func(e *store.Event) string { return e.Context }),
		text("operation", func(e *store.Event) string { return e.Operation }),
		text("cause", func(e *store.Event) string { return e.Cause }),
		text("rival", func(e *store.Event) string { return e.Rival }),
		text("rule", func(e *store.Event) string { return e.Rule }),
		text("evidence", func(e *store.Event) string { return e.Evidence }),
		{"confidence", func(e *store.Event) any { return math.Round(e.Confidence*1e4) / 1e4 }},
		text("autonomous", func(e *store.Event) string { return e.Autonomous }),
		{"label", func(e *store.Event) any { return int64(e.Label) }},
		text("auditID", func(e *store.Event) string { return e.AuditID }),
		text("stage", func(e *store.Event) string { return string(e.Stage) }),
		text("level", func(e *store.Event) string { return string(e.Level) }),
		text("requestURI", func(e *store.Event) string { return e.RequestURI }),
		text("userUID", func(e *store.Event) string { return e.User.UID }),
		{"groups", func(e *store.Event) any { return listOrNil(e.User.Groups) }},
		{"extra", func(e *store.Event) any { return mapOrNil(e.User.Extra) }},
		text("impersonatedUID", func(e *store.Event) string { return asUser(e).UID }),
		{"impersonatedGroups", func(e *store.Event) any { return listOrNil(asUser(e).Groups) }},
		{"sourceIPs", func(e *store.Event) any { return listOrNil(e.SourceIPs) }},
		text("userAgent", func(e *store.Event) string { return e.UserAgent }),
		{"annotations", func(e *store.Event) any { return mapOrNil(e.Annotations) }},
		{"requestObject", func(e *store.Event) any { return bodyFields(e.Request) }},
		{"responseObject", func(e *store.Event) any { return bodyFields(e.Response) }},
		text("file", func(e *store.Event) string { return e.Position.Source }),
		{"line", func(e *store.Event) any { return orNil(e.Position.Line) }},
		{"item", func(e *store.Event) any { return orNil(e.Position.Item) }},
	}
}

func asUser(e *store.Event) audit.User {
	if e.Impersonated == nil {
		return audit.User{}
	}
	return *e.Impersonated
}

// orNil is nil for a value that says nothing.
func orNil[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func listOrNil(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func mapOrNil[V any](m map[string]V) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

// bodyFields gives what a data set keeps of a body, at its place in the
// object, nil without a body.
func bodyFields(b *audit.Body) any {
	if b == nil {
		return nil
	}
	metadata := present(map[string]any{
		"name": orNil(b.Name), "generation": orNil(b.Generation), "labels": mapOrNil(b.Labels),
	})
	spec := present(map[string]any{"nodeName": orNil(b.Pod.NodeName)})
	if b.Replicas != nil {
		spec["replicas"] = *b.Replicas
	}
	if b.Suspend != nil {
		spec["suspend"] = *b.Suspend
	}
	if b.Paused != nil {
		spec["paused"] = *b.Paused
	}
	return present(map[string]any{
		"kind": orNil(b.Kind), "metadata": mapOrNil(metadata), "spec": mapOrNil(spec),
		"images": listOrNil(b.Images), "reason": orNil(b.Reason), "type": orNil(b.Type), "patchPaths": listOrNil(b.PatchPaths),
	})
}

// present leaves out what is nil.
func present(m map[string]any) map[string]any {
	for k, v := range m {
		if v == nil {
			delete(m, k)
		}
	}
	return m
}
