// Package member finds and sets members of JSON objects, and leaves all other
// bytes of the object as they are.
package member

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Span is a part of an object's bytes.
type Span struct{ Start, End int }

// Key is the name of a member.
type Key struct {
	name   string
	quoted []byte // as JSON
	// escape is in every string that is the name in another form than quoted.
	escape []byte
}

// Named gives the Key with a name.
func Named(name string) Key {
	quoted, _ := json.Marshal(name) // of a string it never fails
	k := Key{name, quoted, []byte(`\`)}
	if strings.Trim(name, letters) == "" {
		k.escape = []byte(`\u`) // a letter has no other form
	}
	return k
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// Name is the key's name.
func (k Key) Name() string { return k.name }

// Find finds a member of a JSON object by its key, among those at the top. Of
// several with one key it is the last, which is the one that JSON readers
// take. The object must be valid JSON.
func (k Key) Find(object []byte) (value []byte, at Span, ok bool) {
	if !bytes.Contains(object, k.quoted) && !bytes.Contains(object, k.escape) {
		return nil, Span{}, false // as in nearly every event
	}
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return nil, Span{}, false
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] == '"'; {
		name := Span{i, skipValue(object, i)}
		start := skipSpace(object, skipSpace(object, name.End)+1)
		end := skipValue(object, start)
		if start >= len(object) || end > len(object) {
			break
		}
		if k.is(object[name.Start:name.End]) {
			value, at, ok = object[start:end], Span{start, end}, true
		}
		i = skipSpace(object, end)
		if i < len(object) && object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	return value, at, ok
}

// is tells whether a JSON string is the key, however it is written.
func (k Key) is(quoted []byte) bool {
	if bytes.Equal(quoted, k.quoted) {
		return true
	}
	var name string
	return bytes.IndexByte(quoted, '\\') >= 0 && json.Unmarshal(quoted, &name) == nil && name == k.name
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue gives the end of the JSON value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			i = skipString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // behind a number or a word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// skipString gives the end of the JSON string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// Append appends an object with a value, as JSON, under the key: in the place of
// the member that it has already, else at the end. All other bytes are those of
// the object, which must not be an empty one.
func (k Key) Append(b, object, value []byte) []byte {
	if _, at, ok := k.Find(object); ok {
		b = append(b, object[:at.Start]...)
		b = append(b, value...)
		return append(b, object[at.End:]...)
	}
	end := bytes.LastIndexByte(object, '}')
	if end < 0 {
		return append(b, object...)
	}
	b = append(b, object[:end]...)
	b = append(b, ',')
	b = append(b, k.quoted...)
	b = append(b, ':')
	b = append(b, value...)
	return append(b, object[end:]...)
}
