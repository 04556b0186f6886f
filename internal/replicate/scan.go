package replicate

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// slot is a place in a text where copies differ.
type slot struct {
	start, end int
	value      int // index into the values of a copy
}

// kind tells how a value changes from copy to copy.
type kind uint8

const (
	kindUUID kind = iota
	kindTime
	kindNamespace
	kindID    // an auditID that is no UUID
	kindNanos // the time at which an Event was recorded, in its name
)

// value is a text that changes, as the recording has it.
type value struct {
	kind kind
	text string
}

// values numbers the texts that change.
type values struct {
	list  []value
	index map[value]int
}

func (v *values) add(k kind, text []byte) int {
	key := value{k, string(text)}
	i, known := v.index[key]
	if !known {
		i = len(v.list)
		key.text = strings.Clone(key.text)
		v.list = append(v.list, key)
		v.index[key] = i
	}
	return i
}

// secondLayout is the part of an RFC 3339 time that a shift by whole seconds
// changes.
const secondLayout = "2006-01-02T15:04:05"

// nanosLength is that of the nanoseconds since the Unix epoch in hexadecimal
// digits, which client-go puts behind an object's name and a dot to name an
// Event about it (k8s.io/client-go/tools/record, recorderImpl.makeEvent).
const nanosLength = 16

// eventAge is how long before and after the recording an Event may have been
// recorded that it holds.
const eventAge = 24 * time.Hour

// uuidLength is that of 8-4-4-4-12 digits and their hyphens.
const uuidLength = 36

// beforeNamespace are the texts after which a namespace's name stands as one,
// in JSON, in JSON within a JSON string, in URIs and in messages.
func beforeNamespace() [][]byte {
	return texts(
		`"namespace":"`, `\"namespace\":\"`, `"namespace": "`, `namespace%3D`, `namespace=`,
		`/namespaces/`, `%2Fnamespaces%2F`,
		`kubernetes.io/metadata.name":"`, `kubernetes.io/metadata.name\":\"`,
		`kubernetes.io/metadata.name=`, `kubernetes.io/metadata.name%3D`,
		`system:serviceaccount:`, `system:serviceaccounts:`,
		`system%3Aserviceaccount%3A`, `system%3Aserviceaccounts%3A`,
		`namespaces \"`, `namespace \"`, `namespaces "`, `namespace "`, `namespace `, `namespace: `,
		`Successfully assigned `, ` -n `, `--namespace `, `--namespace=`,
	)
}

// beforeNameOfNamespace are those that hold in requests for namespaces only.
func beforeNameOfNamespace() [][]byte {
	return texts(`"name":"`, `\"name\":\"`, `metadata.name%3D`, `metadata.name=`)
}

func texts(list ...string) [][]byte {
	var b [][]byte
	for _, s := range list {
		b = append(b, []byte(s))
	}
	return b
}

// scanner finds the slots of a text.
type scanner struct {
	values     *values
	namespaces map[string]bool
	before     [][]byte
	beforeName [][]byte
	// from and to bound the times that names of Events tell.
	from, to time.Time
}

// newScanner looks for what changes in texts of the recording, and numbers it in
// v.
func newScanner(r *Recording, v *values) *scanner {
	return &scanner{
		values: v, namespaces: r.namespaces, before: beforeNamespace(), beforeName: beforeNameOfNamespace(),
		from: r.first.Add(-eventAge), to: r.last.Add(eventAge),
	}
}

// scan appends the slots of text, in order; aboutNamespace marks an event that
// is a request for namespaces. Positions count from base.
func (s *scanner) scan(slots []slot, text []byte, base int, aboutNamespace bool) []slot {
	add := func(start, end int, k kind) {
		slots = append(slots, slot{base + start, base + end, s.values.add(k, text[start:end])})
	}
	idStart, idEnd := auditID(text)
	for i := 0; i < len(text); {
		if i == idStart && !isUUID(text[idStart:idEnd]) {
			add(idStart, idEnd, kindID)
			i = idEnd
			continue
		}
		if !isNameByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && isNameByte(text[i]) {
			i++
		}
		run := text[start:i]
		switch {
		case len(run) >= uuidLength:
			for at := 0; at+uuidLength <= len(run); at++ {
				if isUUIDAt(run, at) {
					add(start+at, start+at+uuidLength, kindUUID)
					at += uuidLength - 1
				}
			}
		case len(run) == len("2006-01-02") && isTime(text[start:]):
			end := start + len(secondLayout)
			add(start, end, kindTime)
			i = end
		case len(run) == nanosLength && start > 0 && text[start-1] == '.' && s.isNanos(run):
			add(start, i, kindNanos)
		case s.namespaces[string(run)] && s.isNamespace(text, start, i, aboutNamespace):
			add(start, i, kindNamespace)
		}
	}
	return slots
}

// isNanos tells whether hexadecimal digits are a time around that of the
// recording.
func (s *scanner) isNanos(digits []byte) bool {
	t, ok := parseNanos(string(digits))
	return ok && t.After(s.from) && t.Before(s.to)
}

// parseNanos reads the time in the name of an Event.
func parseNanos(digits string) (t time.Time, ok bool) {
	nanos, err := strconv.ParseInt(digits, 16, 64)
	return time.Unix(0, nanos), err == nil
}

// appendNanos writes it.
func appendNanos(to []byte, t time.Time) []byte {
	return strconv.AppendInt(to, t.UnixNano(), 16)
}

// isNamespace tells whether the namespace's name at text[start:end] stands for
// the namespace.
func (s *scanner) isNamespace(text []byte, start, end int, aboutNamespace bool) bool {
	head := text[:start]
	for _, before := range s.before {
		if bytes.HasSuffix(head, before) {
			return true
		}
	}
	if aboutNamespace {
		for _, before := range s.beforeName {
			if bytes.HasSuffix(head, before) {
				return true
			}
		}
	}
	tail := text[end:]
	switch {
	case bytes.HasPrefix(tail, []byte(`","kind":"namespaces"`)), bytes.HasPrefix(tail, []byte(`","kind":"Namespace"`)):
		// The details of a Status about a missing namespace.
		return bytes.HasSuffix(head, []byte(`"name":"`))
	case bytes.HasPrefix(tail, []byte("_")):
		// A kubelet's name for a container: POD_NAMESPACE_UID.
		return bytes.HasSuffix(head, []byte("_"))
	case bytes.HasPrefix(tail, []byte(`\"`)) && bytes.HasSuffix(head, []byte("/")):
		// The reason of an authorization: RoleBinding "NAME/NAMESPACE".
		quote := bytes.LastIndex(head, []byte(`\"`))
		return quote >= 0 && bytes.HasSuffix(head[:quote], []byte("RoleBinding "))
	}
	return false
}

// auditID gives where the event's auditID stands in its line, an empty range
// where it has none.
func auditID(line []byte) (start, end int) {
	key := []byte(`"auditID":"`)
	at := bytes.Index(line, key)
	if at < 0 {
		return -1, -1
	}
	start = at + len(key)
	length := bytes.IndexByte(line[start:], '"')
	if length <= 0 || bytes.IndexByte(line[start:start+length], '\\') >= 0 {
		return -1, -1
	}
	return start, start + length
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-'
}

// isUUIDAt tells whether a UUID begins at run[at] that is no part of a longer
// word.
func isUUIDAt(run []byte, at int) bool {
	if at > 0 && run[at-1] != '-' || at+uuidLength < len(run) && run[at+uuidLength] != '-' {
		return false
	}
	return isUUID(run[at : at+uuidLength])
}

func isUUID(text []byte) bool {
	if len(text) != uuidLength {
		return false
	}
	for i, c := range text {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// isTime tells whether text begins with a time of this century, which leaves
// out the zero time and certificates that never end.
func isTime(text []byte) bool {
	if len(text) < len(secondLayout) || text[0] != '2' || text[1] != '0' || text[10] != 'T' {
		return false
	}
	_, err := time.Parse(secondLayout, string(text[:len(secondLayout)]))
	return err == nil
}
