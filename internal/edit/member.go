package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/whet-k8s/whet/label"
)

// noLabel stands for the label of an event that has none.
const noLabel = math.MinInt32

// span is a part of an event's bytes.
type span struct{ start, end int }

// key is the name of the member that holds the label of an event.
type key struct {
	name   string
	quoted []byte // as JSON
}

// newKey refuses the names of the event's own fields
// (staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go, and metadata of
// v1beta1), which a label would overwrite.
func newKey(name string) (key, error) {
	switch name {
	case "":
		return key{}, errors.New("the key of the label is empty")
	case "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "impersonatedUser",
		"sourceIPs", "userAgent", "objectRef", "responseStatus", "requestObject", "responseObject",
		"requestReceivedTimestamp", "stageTimestamp", "annotations", "authenticationMetadata", "metadata", "timestamp":
		return key{}, fmt.Errorf("%q is a field of the event itself, so that it cannot be the key of the label", name)
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return key{}, fmt.Errorf("the key %q: %w", name, err)
	}
	return key{name, quoted}, nil
}

// find finds a member of a JSON object by its key, among those at the top. Of
// several with one key it is the last, which is the one that JSON readers
// take. The object must be valid JSON.
func (k key) find(object []byte) (value []byte, at span, ok bool) {
	if !bytes.Contains(object, k.quoted) && bytes.IndexByte(object, '\\') < 0 {
		return nil, span{}, false // as in nearly every event
	}
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return nil, span{}, false
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] == '"'; {
		name := span{i, skipValue(object, i)}
		start := skipSpace(object, skipSpace(object, name.end)+1)
		end := skipValue(object, start)
		if start >= len(object) || end > len(object) {
			break
		}
		if k.is(object[name.start:name.end]) {
			value, at, ok = object[start:end], span{start, end}, true
		}
		i = skipSpace(object, end)
		if i < len(object) && object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	return value, at, ok
}

// is tells whether a JSON string is the key, however it is written.
func (k key) is(quoted []byte) bool {
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

// labelIn reads a label as logs carry it, a number or a number in quotes.
// Unknown counts as no label, as in the seed, and so does what is no label at
// all.
func labelIn(value []byte) int32 {
	text := bytes.Trim(value, `"`)
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || label.Label(n) == label.Unknown || n == noLabel {
		return noLabel
	}
	return int32(n)
}

// append appends an event's JSON with a label under the key: in the
// place of the member that it has already, else at the end. All other bytes
// are those of the event. Without a label (noLabel) a member that is there
// becomes null.
func (k key) append(b, raw []byte, l int32) []byte {
	value := []byte("null")
	if l != noLabel {
		value = strconv.AppendInt(value[:0], int64(l), 10)
	}
	if _, at, ok := k.find(raw); ok {
		b = append(b, raw[:at.start]...)
		b = append(b, value...)
		return append(b, raw[at.end:]...)
	}
	end := bytes.LastIndexByte(raw, '}')
	if l == noLabel || end < 0 {
		return append(b, raw...)
	}
	b = append(b, raw[:end]...)
	b = append(b, ',')
	b = append(b, k.quoted...)
	b = append(b, ':')
	b = append(b, value...)
	return append(b, raw[end:]...)
}
