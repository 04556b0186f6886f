package store

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/whet-k8s/whet/audit"
)

// A template is what is left of the JSON of an event without what its row in the
// table of events tells: the bytes between, with a byte for each value that
// follows from the row. These bytes are control characters, which stand nowhere
// in valid JSON. Of the bodies the row tells too little, so that they are kept
// apart.
const (
	tokenRequest  = 0x01
	tokenResponse = 0x02
	// firstToken is that of the first of the members below.
	firstToken = 0x03
)

// member is a member of an event whose value follows from the event's fields.
type member struct {
	name   string
	append func(b []byte, e *audit.Event, html bool) []byte
}

// members are in the order of their tokens, which are part of the format: two
// for each, of which the second stands for text in which <, > and & are not
// escaped.
func members() []member {
	text := func(name string, get func(e *audit.Event) string) member {
		return member{name, func(b []byte, e *audit.Event, html bool) []byte { return appendText(b, get(e), html) }}
	}
	moment := func(name string, get func(e *audit.Event) time.Time) member {
		return member{name, func(b []byte, e *audit.Event, _ bool) []byte {
			return append(get(e).UTC().AppendFormat(append(b, '"'), "2006-01-02T15:04:05.000000Z"), '"')
		}}
	}
	return []member{
		text("auditID", func(e *audit.Event) string { return e.AuditID }),
		moment("requestReceivedTimestamp", func(e *audit.Event) time.Time { return e.RequestReceived }),
		moment("stageTimestamp", func(e *audit.Event) time.Time { return e.StageTime }),
		text("level", func(e *audit.Event) string { return string(e.Level) }),
		text("stage", func(e *audit.Event) string { return string(e.Stage) }),
		text("verb", func(e *audit.Event) string { return e.Verb }),
		text("requestURI", func(e *audit.Event) string { return e.RequestURI }),
		text("userAgent", func(e *audit.Event) string { return e.UserAgent }),
		{"user", func(b []byte, e *audit.Event, html bool) []byte { return appendUser(b, &e.User, html) }},
		{"sourceIPs", func(b []byte, e *audit.Event, html bool) []byte { return appendTexts(b, e.SourceIPs, html) }},
		{"objectRef", appendObjectRef},
		{"responseStatus", appendStatus},
		{"annotations", func(b []byte, e *audit.Event, html bool) []byte {
			return appendSorted(b, e.Annotations, func(b []byte, s string) []byte { return appendText(b, s, html) }, html)
		}},
	}
}

// tokens gives for each token what it stands for. The control characters that
// JSON allows between values are no tokens.
type tokens struct {
	members []member
	byName  map[string]int
	bytes   []byte // the first token of each member
	index   [32]int8
}

func newTokens() *tokens {
	t := &tokens{members: members(), byName: map[string]int{}}
	for i := range t.index {
		t.index[i] = -1
	}
	next := byte(firstToken)
	take := func() byte {
		for next == '\t' || next == '\n' || next == '\r' {
			next++
		}
		next++
		return next - 1
	}
	for i := range t.members {
		t.byName[t.members[i].name] = i
		first, second := take(), take()
		t.bytes = append(t.bytes, first, second)
		t.index[first], t.index[second] = int8(2*i), int8(2*i+1)
	}
	return t
}

// cut is the JSON of an event, taken apart.
type cut struct {
	template          []byte
	request, response []byte // parts of the JSON
}

// cutter takes events apart.
type cutter struct {
	*tokens
	template, value []byte
}

// cut takes the JSON of an event apart, so that join gives it back. It is false
// where that cannot be done.
func (c *cutter) cut(raw []byte, e *audit.Event) (cut, bool) {
	s := memberScanner{data: raw}
	var got cut
	c.template = c.template[:0]
	at := 0
	for s.next() {
		name := string(raw[s.nameStart:s.nameEnd])
		value := raw[s.start:s.end]
		token, ok := c.token(name, value, e)
		switch {
		case name == "requestObject" && got.request == nil && got.response == nil:
			got.request, token, ok = value, tokenRequest, true
		case name == "responseObject" && got.response == nil:
			got.response, token, ok = value, tokenResponse, true
		}
		if !ok {
			continue
		}
		c.template = append(append(c.template, raw[at:s.start]...), token)
		at = s.end
	}
	c.template = append(c.template, raw[at:]...)
	got.template = c.template
	if s.broken || !utf8.Valid(raw) {
		return cut{}, false
	}
	c.value = c.join(c.value[:0], got.template, e, got.request, got.response)
	return got, bytes.Equal(c.value, raw)
}

// token gives the token for a value that follows from the event.
func (c *cutter) token(name string, value []byte, e *audit.Event) (byte, bool) {
	i, ok := c.byName[name]
	if !ok {
		return 0, false
	}
	for variant, html := range [2]bool{true, false} {
		c.value = c.members[i].append(c.value[:0], e, html)
		if bytes.Equal(c.value, value) {
			return c.bytes[2*i+variant], true
		}
	}
	return 0, false
}

// join appends the JSON of an event that was taken apart.
func (t *tokens) join(b, template []byte, e *audit.Event, request, response []byte) []byte {
	for _, x := range template {
		switch {
		case x == tokenRequest:
			b = append(b, request...)
		case x == tokenResponse:
			b = append(b, response...)
		case x < 32 && t.index[x] >= 0:
			i := t.index[x]
			b = t.members[i/2].append(b, e, i%2 == 0)
		default:
			b = append(b, x)
		}
	}
	return b
}

// memberScanner finds the members of a JSON object, which is known to be valid.
type memberScanner struct {
	data               []byte
	pos                int
	nameStart, nameEnd int
	start, end         int
	broken             bool
}

// next goes to the next member, and is false when there is none.
func (s *memberScanner) next() bool {
	for s.pos < len(s.data) && s.data[s.pos] != '"' {
		s.pos++
	}
	if s.pos == len(s.data) {
		return false
	}
	s.nameStart = s.pos + 1
	s.text()
	s.nameEnd = s.pos - 1
	for s.pos < len(s.data) && s.data[s.pos] != ':' {
		s.pos++
	}
	s.pos++
	for s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		s.pos++
	}
	if s.pos >= len(s.data) {
		s.broken = true
		return false
	}
	s.start = s.pos
	s.skip()
	s.end = s.pos
	return true
}

// text passes over a string.
func (s *memberScanner) text() {
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case '\\':
			s.pos++
		case '"':
			s.pos++
			return
		}
	}
	s.pos = len(s.data)
	s.broken = true
}

// skip passes over a value.
func (s *memberScanner) skip() {
	depth := 0
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case '"':
			s.text()
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // the end of the object, behind a number or a word
			}
			if depth--; depth == 0 {
				s.pos++
				return
			}
		case ',':
			if depth == 0 {
				return
			}
		}
		s.pos++
	}
}

// fields appends an object, without the members that say nothing.
type fields struct {
	b    []byte
	html bool
}

func (f *fields) key(name string) {
	if f.b[len(f.b)-1] != '{' {
		f.b = append(f.b, ',')
	}
	f.b = append(append(append(f.b, '"'), name...), `":`...)
}

func (f *fields) text(name, value string) {
	if value != "" {
		f.key(name)
		f.b = appendText(f.b, value, f.html)
	}
}

// appendUser appends a user as the API server writes it
// (staging/src/k8s.io/api/authentication/v1/types.go, UserInfo).
func appendUser(b []byte, u *audit.User, html bool) []byte {
	f := fields{append(b, '{'), html}
	f.text("username", u.Username)
	f.text("uid", u.UID)
	if len(u.Groups) > 0 {
		f.key("groups")
		f.b = appendTexts(f.b, u.Groups, html)
	}
	if len(u.Extra) > 0 {
		f.key("extra")
		f.b = appendSorted(f.b, u.Extra, func(b []byte, list []string) []byte { return appendTexts(b, list, html) }, html)
	}
	return append(f.b, '}')
}

// appendObjectRef and appendStatus follow
// staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go.
func appendObjectRef(b []byte, e *audit.Event, html bool) []byte {
	f := fields{append(b, '{'), html}
	o := &e.Object
	f.text("resource", o.Resource)
	f.text("namespace", o.Namespace)
	f.text("name", o.Name)
	f.text("uid", o.UID)
	f.text("apiGroup", o.APIGroup)
	f.text("apiVersion", o.APIVersion)
	f.text("resourceVersion", o.ResourceVersion)
	f.text("subresource", o.Subresource)
	return append(f.b, '}')
}

func appendStatus(b []byte, e *audit.Event, html bool) []byte {
	f := fields{append(b, `{"metadata":{}`...), html}
	f.text("status", e.Status.Status)
	f.text("message", e.Status.Message)
	f.text("reason", e.Status.Reason)
	if e.Status.Code != 0 {
		f.key("code")
		f.b = strconv.AppendInt(f.b, int64(e.Status.Code), 10)
	}
	return append(f.b, '}')
}

func appendTexts(b []byte, list []string, html bool) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s, html)
	}
	return append(b, ']')
}

func appendSorted[V any](b []byte, m map[string]V, value func([]byte, V) []byte, html bool) []byte {
	b = append(b, '{')
	for i, k := range sortedKeys(m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, k, html), ':')
		b = value(b, m[k])
	}
	return append(b, '}')
}

// appendText appends a string as encoding/json writes it: with <, > and & as
// \u003c and so on, or with html unset as they are.
func appendText(b []byte, s string, html bool) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r < ' ' || html && (r == '<' || r == '>' || r == '&') || r == '\u2028' || r == '\u2029':
			b = append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		case r == utf8.RuneError:
			_, n := utf8.DecodeRuneInString(s[i:])
			b = append(b, s[i:i+n]...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
