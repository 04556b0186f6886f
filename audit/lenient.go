package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// lenientBody reads an object in which some field that whet reads has a type
// that the built-in kinds do not give it: a custom resource may well have a
// string in spec.template. Such a field counts as absent, such an item of a
// list as not there, and all else is read.
func lenientBody(raw []byte, w *wireBody) error {
	tree, err := parseTree(raw)
	if err != nil {
		return err
	}
	return decodeTree(tree, w)
}

// parseTree reads any JSON value, with numbers as json.Number.
func parseTree(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("reading a body: %w", err)
	}
	return tree, nil
}

// decodeTree reads what fits of a JSON tree into w.
func decodeTree(tree any, w *wireBody) error {
	pruned, ok := conform(tree, reflect.TypeFor[wireBody]())
	if !ok {
		return fmt.Errorf("reading a body: it is not an object")
	}
	fitting, err := json.Marshal(pruned)
	if err != nil {
		return fmt.Errorf("reading a body: %w", err)
	}
	*w = wireBody{}
	if err := json.Unmarshal(fitting, w); err != nil {
		return fmt.Errorf("reading a body: %w", err)
	}
	return nil
}

// conform takes out of a JSON tree what does not fit the Go type t, and tells
// whether the value itself fits. A null fits everything, as in encoding/json.
func conform(v any, t reflect.Type) (any, bool) {
	if v == nil {
		return nil, true
	}
	switch t.Kind() {
	case reflect.Pointer:
		return conform(v, t.Elem())
	case reflect.Interface:
		return v, true
	case reflect.String:
		_, ok := v.(string)
		return v, ok
	case reflect.Bool:
		_, ok := v.(bool)
		return v, ok
	case reflect.Int32, reflect.Int64:
		n, ok := v.(json.Number)
		if !ok {
			return nil, false
		}
		_, err := strconv.ParseInt(n.String(), 10, t.Bits())
		return v, err == nil
	case reflect.Slice:
		return conformList(v, t)
	case reflect.Map:
		return conformMap(v, t)
	case reflect.Struct:
		return conformStruct(v, t)
	}
	return nil, false
}

func conformList(v any, t reflect.Type) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		if item, ok := conform(item, t.Elem()); ok {
			out = append(out, item)
		}
	}
	return out, true
}

func conformMap(v any, t reflect.Type) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	out := make(map[string]any, len(m))
	for k, item := range m {
		if item, ok := conform(item, t.Elem()); ok {
			out[k] = item
		}
	}
	return out, true
}

func conformStruct(v any, t reflect.Type) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	out := make(map[string]any)
	for _, field := range reflect.VisibleFields(t) {
		if field.Anonymous {
			continue
		}
		name := field.Tag.Get("json")
		if item, found := m[name]; found {
			if item, ok := conform(item, field.Type); ok {
				out[name] = item
			}
		}
	}
	return out, true
}

// mergePatchPaths names the top-level and second-level keys that a merge
// patch sets, sorted, and of a top-level key with an object only the latter.
func mergePatchPaths(raw []byte) []string {
	var top map[string]json.RawMessage
	if json.Unmarshal(raw, &top) != nil {
		return nil
	}
	var paths []string
	for key, value := range top {
		var second map[string]json.RawMessage
		if json.Unmarshal(value, &second) != nil || len(second) == 0 {
			paths = append(paths, key)
			continue
		}
		for inner := range second {
			paths = append(paths, key+"."+inner)
		}
	}
	slices.Sort(paths)
	return paths
}

// jsonPatch reads a JSON patch: the paths it touches, and into w what its add
// and replace operations set.
func jsonPatch(raw []byte, w *wireBody) ([]string, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(raw, &raws); err != nil {
		return nil, fmt.Errorf("reading a JSON patch: %w", err)
	}
	var paths []string
	tree := map[string]any{}
	for _, raw := range raws {
		var op wirePatchOp
		if json.Unmarshal(raw, &op) != nil || op.Path == "" {
			continue
		}
		paths = append(paths, op.Path)
		if op.Op != "add" && op.Op != "replace" {
			continue
		}
		if value, err := parseTree(op.Value); err == nil {
			setPath(tree, op.Path, value)
		}
	}
	return paths, decodeTree(tree, w)
}

// setPath puts a value where a JSON pointer (RFC 6901) says, making the
// objects on the way. A pointer into a list adds to it when its last step is
// an index or "-", and is passed over otherwise: what it changes is a part of
// an item that the patch does not show.
func setPath(tree map[string]any, pointer string, value any) {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for i, step := range steps {
		steps[i] = unescape.Replace(step)
	}
	last := len(steps) - 1
	appends := last > 0 && isIndex(steps[last])
	if appends {
		last--
	}
	for _, step := range steps[:last] {
		next, ok := tree[step].(map[string]any)
		if !ok {
			if isIndex(step) || tree[step] != nil {
				return
			}
			next = map[string]any{}
			tree[step] = next
		}
		tree = next
	}
	key := steps[last]
	if appends {
		list, _ := tree[key].([]any)
		value = append(list, value)
	}
	tree[key] = value
}

func isIndex(step string) bool {
	if step == "-" {
		return true
	}
	_, err := strconv.ParseUint(step, 10, 31)
	return err == nil
}
