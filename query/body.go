package query

import (
	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/store"
)

// bodyField is a field that is kept of a body: its path, and the same path in
// the view's struct as an SQL suffix.
type bodyField struct {
	path string
	sql  string
	kind Type
	doc  string
	get  func(*audit.Body) value
}

// bodyFields are the fields of store's bodyType.
func bodyFields() []bodyField {
	return []bodyField{
		{"kind", `."kind"`, Text, "The kind of the object.", func(b *audit.Body) value { return textValue(b.Kind) }},
		{"metadata.name", `."metadata"."name"`, Text, "The name of the object.", func(b *audit.Body) value { return textValue(b.Name) }},
		{"metadata.generation", `."metadata"."generation"`, Number, "How often its spec has changed.", func(b *audit.Body) value { return positiveValue(b.Generation) }},
		{"metadata.labels", `."metadata"."labels"`, Texts, "The labels of the object.", func(b *audit.Body) value { return value{texts: b.Labels} }},
		{"spec.replicas", `."spec"."replicas"`, Number, "How many replicas are asked for.", func(b *audit.Body) value { return pointerValue(b.Replicas, numberValue) }},
		{"spec.suspend", `."spec"."suspend"`, Bool, "Whether a Job or CronJob is suspended.", func(b *audit.Body) value { return pointerValue(b.Suspend, boolValue) }},
		{"spec.paused", `."spec"."paused"`, Bool, "Whether a Deployment is paused.", func(b *audit.Body) value { return pointerValue(b.Paused, boolValue) }},
		{"spec.nodeName", `."spec"."nodeName"`, Text, "The node of a pod.", func(b *audit.Body) value { return textValue(b.Pod.NodeName) }},
		{"images", `."images"`, List, "The images of the containers, of the pod or of the pod template.", func(b *audit.Body) value { return value{list: b.Images} }},
		{"reason", `."reason"`, Text, "The reason that an Event or a Status gives.", func(b *audit.Body) value { return textValue(b.Reason) }},
		{"type", `."type"`, Text, "The type of an Event or of a Secret.", func(b *audit.Body) value { return textValue(b.Type) }},
		{"patchPaths", `."patchPaths"`, List, "What a patch sets: spec.replicas, or /spec/replicas of a JSON patch.", func(b *audit.Body) value { return value{list: b.PatchPaths} }},
	}
}

func pointerValue[T any](p *T, of func(T) value) value {
	if p == nil {
		return value{}
	}
	return of(*p)
}

// bodyColumns are the fields of requestObject and responseObject.
func bodyColumns() []column {
	var columns []column
	for _, b := range []struct {
		name string
		body func(*store.Event) *audit.Body
	}{
		{"requestObject", func(e *store.Event) *audit.Body { return e.Request }},
		{"responseObject", func(e *store.Event) *audit.Body { return e.Response }},
	} {
		for _, f := range bodyFields() {
			columns = append(columns, column{
				Field: Field{Name: b.name + "." + f.path, Type: f.kind, Doc: f.doc},
				sql:   `"` + b.name + `"` + f.sql,
				get: func(r *row) value {
					if body := b.body(r.ev); body != nil {
						return f.get(body)
					}
					return value{}
				},
			})
		}
	}
	return columns
}
