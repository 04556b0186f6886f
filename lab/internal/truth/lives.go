package truth

import (
	"encoding/json"
	"sort"
	"strings"
	"time"
)

// object is what an API server allows once at a time.
type object struct{ group, resource, namespace, name string }

// life is when an object with one UID was seen, by when requests were received.
type life struct {
	uid         string
	first, last time.Time
	line        int // where it was seen last
}

// lives are the objects that the API server showed in its answers. After the
// renaming, two of them must not have had one name at one time.
type lives map[object][]life

// overlap is how long two lives may overlap: requests that cross each other are
// received in another order than they are answered.
const overlap = 2 * time.Second

// see notes the object that the API server answered with, if it did.
func (v lives) see(line int, e *Event) {
	ref := e.ObjectRef
	if !hasBody(e.ResponseObject) || e.ResponseStatus.Code >= 300 || ref.Subresource != "" && ref.Subresource != "status" || strings.Contains(e.RequestURI, "dryRun=All") {
		return
	}
	switch e.Verb {
	case "get", "create", "update", "patch", "delete":
	default:
		return
	}
	var answer struct {
		Metadata struct{ Name, UID string }
	}
	// A body of another form is no object.
	if err := json.Unmarshal(e.ResponseObject, &answer); err != nil || answer.Metadata.UID == "" || answer.Metadata.Name == "" {
		return
	}
	key := object{ref.APIGroup, ref.Resource, ref.Namespace, answer.Metadata.Name}
	list := v[key]
	for i := range list {
		if l := &list[i]; l.uid == answer.Metadata.UID {
			if e.Received.Before(l.first) {
				l.first = e.Received
			}
			if e.Received.After(l.last) {
				l.last, l.line = e.Received, line
			}
			return
		}
	}
	v[key] = append(list, life{answer.Metadata.UID, e.Received, e.Received, line})
}

// check tells fail of each two objects that had one name at one time.
func (v lives) check(fail func(format string, args ...any)) {
	keys := make([]object, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return v[keys[i]][0].line < v[keys[j]][0].line })
	for _, k := range keys {
		list := v[k]
		sort.Slice(list, func(i, j int) bool { return list[i].first.Before(list[j].first) })
		for i := 1; i < len(list); i++ {
			if both := list[i-1].last.Sub(list[i].first); both > overlap {
				fail("lines %d and %d: two %s are called %s in %q for %v at once (%s and %s)",
					list[i-1].line, list[i].line, k.resource, k.name, k.namespace, both, list[i-1].uid, list[i].uid)
			}
		}
	}
}
