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
// The patch is one that a scanner has read.
func (d *Decoder) mergePatchPaths(raw []byte) []string {
	var paths []string
	s := scanner{data: raw}
	for more := s.object(); more; more = s.more('}') {
		key := s.name()
		if s.peek() != '{' {
			paths = append(paths, d.names.intern(key))
			s.skip()
			continue
		}
		any := false
		for more := s.object(); more; more = s.more('}') {
			any = true
			paths = append(paths, d.names.intern(key+"."+s.name()))
			s.skip()
		}
		if !any {
			paths = append(paths, d.names.intern(key))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// jsonPatch reads a JSON patch: the paths it touches, and into w what its add
// and replace operations set.
func (d *Decoder) jsonPatch(raw []byte, w *wireBody) ([]string, error) {
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
	s := scanner{data: set, names: &d.names}
	s.anyBody(w)
	if !s.end() {
		return nil, fmt.Errorf("reading a JSON patch: invalid JSON at byte %d of what it sets", s.failedAt)
	}
	for i, path := range paths {
		paths[i] = d.names.intern(path)
	}
	return paths, nil
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
