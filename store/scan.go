package store

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
)

// text scans a VARCHAR into a string type; NULL is "".
type text[T ~string] struct{ into *T }

func (t text[T]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t.into = ""
	case string:
		*t.into = T(v)
	default:
		return fmt.Errorf("a text came as %T", v)
	}
	return nil
}

// number scans an integer; NULL is 0.
type number[T ~int | ~int32 | ~int64] struct{ into *T }

func (n number[T]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n.into = 0
	case int32:
		*n.into = T(v)
	case int64:
		*n.into = T(v)
	default:
		return fmt.Errorf("a number came as %T", v)
	}
	return nil
}

// moment scans a TIMESTAMP; NULL is the zero time.
type moment struct{ into *time.Time }

func (m moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m.into = time.Time{}
	case time.Time:
		*m.into = v.UTC()
	default:
		return fmt.Errorf("a time came as %T", v)
	}
	return nil
}

// texts scans a list of texts; NULL and an empty list are nil.
type texts struct{ into *[]string }

func (t texts) Scan(v any) error {
	list, err := textList(v)
	*t.into = list
	return err
}

func textList(v any) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	values, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("a list came as %T", v)
	}
	var list []string
	for _, v := range values {
		s, _ := v.(string)
		list = append(list, s)
	}
	return list, nil
}

// mapOf scans a MAP with keys of text; NULL and an empty map are nil.
type mapOf[V any] struct {
	into  *map[string]V
	value func(any) (V, error)
}

func (m mapOf[V]) Scan(v any) error {
	got, err := toMap(v, m.value)
	*m.into = got
	return err
}

func toMap[V any](v any, value func(any) (V, error)) (map[string]V, error) {
	if v == nil {
		return nil, nil
	}
	pairs, ok := v.(duckdb.OrderedMap)
	if !ok {
		return nil, fmt.Errorf("a map came as %T", v)
	}
	if pairs.Len() == 0 {
		return nil, nil
	}
	got := make(map[string]V, pairs.Len())
	values := pairs.Values()
	for i, k := range pairs.Keys() {
		key, _ := k.(string)
		one, err := value(values[i])
		if err != nil {
			return nil, err
		}
		got[key] = one
	}
	return got, nil
}

func textValue(v any) (string, error) {
	s, _ := v.(string)
	return s, nil
}

func countValue(v any) (int, error) {
	n, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("a count came as %T", v)
	}
	return int(n), nil
}

// scanContext reads a row of contextColumns.
func scanContext(rows *sql.Rows) (*Context, error) {
	c := new(Context)
	var outcome string
	var duration int64
	counts := func(into *map[string]int) mapOf[int] { return mapOf[int]{into, countValue} }
	err := rows.Scan(
		text[string]{&c.Cluster}, text[string]{&c.ID}, text[string]{&c.Operation}, text[string]{&c.Actor.Username},
		texts{&c.Actor.Groups}, text[string]{&c.Actor.Impersonated}, text[string]{&c.Actor.UserAgent},
		text[string]{&c.Actor.SourceIP}, text[string]{&c.Action}, number[label.Label]{&c.Label},
		text[string]{&c.Verb}, text[string]{&c.APIGroup}, text[string]{&c.Resource}, text[string]{&c.Subresource},
		text[string]{&c.Namespace}, text[string]{&c.Name}, number[int32]{&c.Outcome.Code}, text[string]{&outcome},
		text[string]{&c.Outcome.Reason}, text[string]{&c.Outcome.Message}, moment{&c.Start}, moment{&c.End},
		number[int64]{&duration}, number[int]{&c.Clients}, number[int]{&c.Effects}, number[int]{&c.Failed},
		number[int]{&c.Events}, number[int]{&c.Deletes}, counts(&c.EffectsBy), counts(&c.Touched),
		text[string]{&c.Origin}, text[string]{&c.OriginActor}, &c.ReadOnly,
		text[string]{&c.Root.AuditID}, text[string]{&c.Root.File}, number[int]{&c.Root.Line}, number[int]{&c.Root.Item},
	)
	c.Part = 1
	return c, err
}

// scanEvent reads a row of eventColumns, with other columns before them.
func scanEvent(rows *sql.Rows, before ...any) (*Event, error) {
	ev := &Event{Event: new(audit.Event)}
	e := ev.Event
	var as audit.User
	var extra any
	var request, response any
	err := rows.Scan(append(before,
		text[string]{&ev.Cluster}, text[string]{&e.AuditID}, text[audit.Stage]{&e.Stage}, text[audit.Level]{&e.Level},
		text[string]{&e.Verb}, text[string]{&e.RequestURI}, moment{&e.RequestReceived}, moment{&e.StageTime},
		text[string]{&e.User.Username}, text[string]{&e.User.UID}, texts{&e.User.Groups}, &extra,
		text[string]{&as.Username}, text[string]{&as.UID}, texts{&as.Groups}, texts{&e.SourceIPs},
		text[string]{&e.UserAgent}, text[string]{&e.Object.APIGroup}, text[string]{&e.Object.APIVersion},
		text[string]{&e.Object.Resource}, text[string]{&e.Object.Subresource}, text[string]{&e.Object.Namespace},
		text[string]{&e.Object.Name}, text[string]{&e.Object.UID}, text[string]{&e.Object.ResourceVersion},
		number[int32]{&e.Status.Code}, text[string]{&e.Status.Status}, text[string]{&e.Status.Reason},
		text[string]{&e.Status.Message}, mapOf[string]{&e.Annotations, textValue}, &request, &response,
		text[string]{&ev.Context}, text[string]{&ev.Operation}, text[string]{&ev.Actor}, text[link.Role]{&ev.Role},
		text[string]{&ev.Cause}, text[string]{&ev.Rival}, text[string]{&ev.Rule}, text[string]{&ev.Evidence},
		&ev.Confidence, text[string]{&ev.Autonomous}, number[label.Label]{&ev.Label},
		text[string]{&e.Position.Source}, number[int]{&e.Position.Line}, number[int]{&e.Position.Item},
	)...)
	if err != nil {
		return nil, err
	}
	if e.User.Extra, err = extraMap(extra); err != nil {
		return nil, err
	}
	if as.Username != "" || as.UID != "" || as.Groups != nil {
		e.Impersonated = &as
	}
	e.HasObject = e.Object != audit.ObjectRef{}
	if e.Request, err = body(request); err != nil {
		return nil, err
	}
	e.Response, err = body(response)
	return ev, err
}

// extraMap reads user.extra.
func extraMap(v any) (map[string][]string, error) { return toMap(v, textList) }

// body turns a value of bodyType into what is left of the body.
func body(v any) (*audit.Body, error) {
	top, _ := v.(map[string]any)
	if top == nil {
		return nil, nil
	}
	meta, _ := top["metadata"].(map[string]any)
	spec, _ := top["spec"].(map[string]any)
	b := new(audit.Body)
	b.Kind, _ = top["kind"].(string)
	b.Name, _ = meta["name"].(string)
	b.Generation, _ = meta["generation"].(int64)
	if n, ok := spec["replicas"].(int32); ok {
		b.Replicas = &n
	}
	if yes, ok := spec["suspend"].(bool); ok {
		b.Suspend = &yes
	}
	if yes, ok := spec["paused"].(bool); ok {
		b.Paused = &yes
	}
	b.Pod.NodeName, _ = spec["nodeName"].(string)
	b.Reason, _ = top["reason"].(string)
	b.Type, _ = top["type"].(string)
	var err error
	if b.Labels, err = toMap(meta["labels"], textValue); err != nil {
		return nil, err
	}
	if b.Images, err = textList(top["images"]); err != nil {
		return nil, err
	}
	b.PatchPaths, err = textList(top["patchPaths"])
	return b, err
}
