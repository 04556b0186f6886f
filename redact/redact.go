package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Prefix begins what stands in place of a secret value: Prefix and 16
// hexadecimal digits.
const Prefix = "redacted:hmac-sha256:"

const (
	// digits are the hexadecimal digits of a hash: 64 bits, which tell apart
	// what a data set holds.
	digits = 16
	// minKey is the least length of a key, in bytes.
	minKey = 16
)

// Redactor replaces secret values. It never changes, and goroutines may share
// it.
type Redactor struct {
	key []byte
}

// New returns a Redactor with the key of a data set: random bytes, at least 16.
// Whoever has the key can test guesses at what was redacted, so it must be kept
// apart from what is stored. The error says that the key is too short.
func New(key []byte) (*Redactor, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("a key for redaction has at least %d random bytes, this one has %d", minKey, len(key))
	}
	return &Redactor{key: bytes.Clone(key)}, nil
}

// Hash gives what stands in place of a value: a keyed hash (HMAC with SHA-256,
// cut to 64 bits). Equal values give equal hashes under one key, so that a
// known value can be looked for. A value of a Secret's data is hashed as the
// bytes that its base64 stands for.
func (r *Redactor) Hash(value string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(value))
	return Prefix + hex.EncodeToString(mac.Sum(nil))[:digits]
}

// redacted tells what Hash gave before, which stays as it is.
func redacted(s string) bool {
	if len(s) != len(Prefix)+digits || !strings.HasPrefix(s, Prefix) {
		return false
	}
	return strings.Trim(s[len(Prefix):], "0123456789abcdef") == ""
}

// Raw appends an event's JSON to dst with its secret values replaced, and gives
// the longer slice. All other bytes stay as they are, and what was JSON is JSON
// again. Redacting twice gives the same as redacting once.
//
// The line is one that package audit has decoded (audit.Event.Raw): one value,
// which may span physical lines. What it refused belongs to Malformed; of what
// is no JSON in spite of that, Raw does the same where it notices.
func (r *Redactor) Raw(dst, line []byte) []byte {
	text := bytes.TrimSpace(line)
	if len(text) == 0 {
		return append(dst, line...)
	}
	if text[0] != '{' || text[len(text)-1] != '}' {
		return r.Malformed(dst, line)
	}
	if !suspiciousLine(unsafe.String(&line[0], len(line))) { //nolint:gosec // The line does not change meanwhile.
		return append(dst, line...)
	}
	if !json.Valid(line) {
		return r.Malformed(dst, line)
	}
	done := 0
	for _, e := range edits(r, line) {
		dst = append(dst, line[done:e.start]...)
		dst = append(dst, e.text...)
		done = e.end
	}
	return append(dst, line[done:]...)
}

// Malformed appends what stands in place of a line that is no event. Such a line
// may be the half of an event, with a secret value and nothing that says so;
// only its hash and its length are kept, as a JSON string. A blank line stays as
// it is, and so does what Malformed gave.
func (r *Redactor) Malformed(dst, line []byte) []byte {
	text := string(bytes.TrimSpace(line))
	if text == "" || placeholder(text) {
		return append(dst, line...)
	}
	return append(dst, `"`+r.Hash(string(line))+malformedWord+strconv.Itoa(len(line))+` bytes"`...)
}

// Between appends bytes of a log that belong to no event, with each line in them
// that is not blank replaced as Malformed does. Ends of lines and blanks stay, and
// so does what holds the events of an EventList together.
func (r *Redactor) Between(dst, b []byte) []byte {
	for line := range bytes.Lines(b) {
		text := bytes.TrimSpace(line)
		if frame(text) {
			dst = append(dst, line...)
			continue
		}
		start := bytes.Index(line, text)
		dst = append(dst, line[:start]...)
		dst = r.Malformed(dst, text)
		dst = append(dst, line[start+len(text):]...)
	}
	return dst
}

// frame tells a text that is made of the words and signs around the events of an
// EventList alone.
func frame(text []byte) bool {
	words := []string{`"kind"`, `"EventList"`, `"apiVersion"`, `"audit.k8s.io/v1"`, `"audit.k8s.io/v1beta1"`, `"metadata"`, `"items"`}
	for len(text) > 0 {
		i := slices.IndexFunc(words, func(word string) bool { return bytes.HasPrefix(text, []byte(word)) })
		switch {
		case i >= 0:
			text = text[len(words[i]):]
		case strings.IndexByte("{}[],: \t\r\n", text[0]) >= 0:
			text = text[1:]
		default:
			return false
		}
	}
	return true
}

const malformedWord = ", malformed, "

// placeholder tells what Malformed gives.
func placeholder(text string) bool {
	text, quoted := strings.CutPrefix(text, `"`)
	hash, size, found := strings.Cut(text, malformedWord)
	size, ended := strings.CutSuffix(size, ` bytes"`)
	_, err := strconv.ParseUint(size, 10, 63)
	return quoted && found && ended && err == nil && redacted(hash)
}
