package audit

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-json"
)

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
		if passOverTypes(json.Unmarshal(raw, &op)) != nil || op.Path == "" {
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
	set, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("reading a JSON patch: %w", err)
	}
	return paths, unmarshalBody(set, w)
}

// parseTree reads any JSON value, with numbers as they are written.
func parseTree(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	err := dec.Decode(&tree)
	return tree, err
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
