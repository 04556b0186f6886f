package redact

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// nature is what the members of an object say about it, wherever they stand in
// it: one pass over the event finds it, and a second one replaces values.
type nature uint8

const (
	// isSecret marks a Secret, a SecretList, and an event about secrets.
	isSecret nature = 1 << iota
	// isToken marks a TokenRequest, a TokenReview, and an event about one.
	isToken
	// refersSecret, refersToken and refersAccount mark an objectRef that makes
	// its event one about secrets or tokens; the last one, with the subresource
	// token, that of a request for a token.
	refersSecret
	refersToken
	refersAccount
	// setsValue marks an operation of a JSON patch with a path that may lead
	// to a value of a Secret, setsPlain one with a path to its stringData.
	setsValue
	setsPlain
)

// mode is what is known about a value from the objects around it.
type mode uint8

const (
	// inSecret and inToken: within a Secret or a token, or an event about one.
	inSecret mode = 1 << iota
	inToken
	// encoded and plain: all of the value is secret, and its strings are
	// base64, or the secret itself.
	encoded
	plain
	// anyMessage: a message of which it is not known what it is about.
	anyMessage
	// known: a string that holds no copy of an object, whatever it looks like.
	known
)

// edit is a piece of the line and what takes its place.
type edit struct {
	start, end int
	text       string
}

type walker struct {
	cursor
	redactor *Redactor
	natures  []nature // of the objects, in the order in which they begin
	next     int      // the object that the second pass meets next
	edits    []edit
}

// edits gives what is to be replaced in an event's JSON, from front to back.
func edits(r *Redactor, line []byte) []edit {
	w := walker{redactor: r, cursor: cursor{data: line}}
	w.space()
	w.survey()
	w.pos = 0
	w.space()
	w.walk(0)
	return w.edits
}

// survey goes over a value and finds the nature of the objects in it. It gives
// that of the value.
func (w *walker) survey() nature {
	switch w.peek() {
	case '{':
		return w.surveyObject()
	case '[':
		for more := w.open(); more; more = w.more() {
			w.survey()
		}
	case '"':
		w.quoted()
	default:
		w.literal()
	}
	return 0
}

func (w *walker) surveyObject() nature {
	at := len(w.natures)
	w.natures = append(w.natures, 0)
	var n nature
	operation, token := false, false
	for more := w.open(); more; more = w.more() {
		name := w.name()
		if w.peek() != '"' {
			if inner := w.survey(); same(name, "objectRef") {
				n |= inner.ofEvent()
			}
			continue
		}
		text, _ := decode(w.quoted())
		switch {
		case same(name, "kind"):
			n |= natureOfKind(text)
		case same(name, "resource"):
			n |= natureOfResource(text)
		case same(name, "subresource"):
			token = token || text == "token"
		case same(name, "op"):
			operation = true
		case same(name, "path"):
			n |= natureOfPath(text)
		}
	}
	if !token {
		n &^= refersAccount
	}
	if !operation {
		n &^= setsValue | setsPlain
	}
	w.natures[at] = n
	return n
}

// ofEvent is the nature of an event by that of its objectRef.
func (n nature) ofEvent() nature {
	var event nature
	if n&refersSecret != 0 {
		event |= isSecret
	}
	if n&(refersToken|refersAccount) != 0 {
		event |= isToken
	}
	return event
}

func natureOfResource(resource string) nature {
	switch resource {
	case "secrets":
		return refersSecret
	case "tokenreviews":
		return refersToken
	case "serviceaccounts":
		return refersAccount
	}
	return 0
}

// mode is what an object's nature says about what is in it.
func (n nature) mode() mode {
	var m mode
	if n&isSecret != 0 {
		m |= inSecret
	}
	if n&isToken != 0 {
		m |= inToken
	}
	return m
}

func natureOfKind(kind string) nature {
	switch kind {
	case "Secret", "SecretList":
		return isSecret
	case "TokenRequest", "TokenReview":
		return isToken
	}
	return 0
}

// natureOfPath says what an operation of a JSON patch sets. Whatever is not
// known to be harmless is a value.
func natureOfPath(pointer string) nature {
	first, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	if same(first, "stringData") {
		return setsValue | setsPlain
	}
	switch first {
	case "", "metadata", "type", "kind", "apiVersion", "immutable":
		return 0
	}
	return setsValue
}

// walk goes over a value and finds what is to be replaced in it.
func (w *walker) walk(m mode) {
	switch w.peek() {
	case '{':
		w.walkObject(m)
	case '[':
		for more := w.open(); more; more = w.more() {
			w.walk(m &^ known)
		}
	case '"':
		start := w.pos
		w.replaceString(start, w.quoted(), m)
	default:
		start := w.pos
		value := string(w.literal())
		if m&(encoded|plain) != 0 && value != "null" {
			w.replace(start, value)
		}
	}
}

func (w *walker) walkObject(m mode) {
	n := w.natures[w.next]
	w.next++
	m = m&^known | n.mode()
	for more := w.open(); more; more = w.more() {
		w.walk(w.member(w.name(), n, m))
	}
}

// member is the mode of an object's member.
func (w *walker) member(name string, n nature, m mode) mode {
	if m&inSecret != 0 && m&(encoded|plain) == 0 {
		switch {
		case n&setsPlain != 0 && same(name, "value"):
			return m | plain
		case n&setsValue != 0 && same(name, "value"):
			return m | encoded
		case w.peek() == '"' && (same(name, "requestObject") || same(name, "responseObject")):
			// A body that is a string is one that could not be read as an object.
			return m | plain
		}
	}
	return m.under(name)
}

// under is the mode of a value by its name.
func (m mode) under(name string) mode {
	switch {
	case m == 0, m&(encoded|plain) != 0:
	case m&inToken != 0 && same(name, "token"):
		return m | plain
	case m&inSecret == 0:
	case same(name, "data"):
		return m | encoded
	case same(name, "stringData"), name == annotationTokenValue:
		return m | plain
	case strings.HasPrefix(name, annotationMutation), name == annotationValidation:
		return m | known
	}
	return m
}

// same tells whether a name is the one given but for the case of its letters,
// which matters not to the reader of the log either.
func same(name, given string) bool {
	return len(name) == len(given) && strings.EqualFold(name, given)
}

// secret tells whether a string is secret as a whole, and what it stands for.
func (m mode) secret(text string) (value string, whole bool) {
	switch {
	case m&encoded != 0:
		if value, err := base64.StdEncoding.DecodeString(text); err == nil {
			return string(value), true
		}
		return text, true
	case m&plain != 0:
		return text, true
	case m&inSecret != 0 && m&known == 0 && copiesObject(text):
		return text, true
	}
	return text, secretText(text)
}

// replaceString replaces what is secret in the string that begins at start.
func (w *walker) replaceString(start int, content []byte, m mode) {
	text, places := decode(content)
	if text == "" || redacted(text) || m == 0 && !suspicious(text) {
		return
	}
	if value, whole := m.secret(text); whole {
		w.replace(start, value)
		return
	}
	for _, s := range secretSpans(text, m) {
		from, to := s.start, s.end
		if places != nil {
			from, to = places[from], places[to]
		}
		from, to = start+1+from, start+1+to
		w.edits = append(w.edits, edit{from, to, w.redactor.Hash(s.value(text))})
	}
}

// replace puts a value's hash in place of what stands between start and here.
func (w *walker) replace(start int, value string) {
	w.edits = append(w.edits, edit{start, w.pos, strconv.Quote(w.redactor.Hash(value))})
}

const (
	// annotationTokenValue is the token itself, which OpenShift writes on the
	// secrets it makes for pulling images.
	annotationTokenValue = "openshift.io/token-secret.value"
	// annotationMutation begins the names of audit annotations that say which
	// webhook changed an object, but not how, and annotationValidation is the
	// one that says which policy an object fails
	// (https://kubernetes.io/docs/reference/labels-annotations-taints/audit-annotations/).
	annotationMutation   = "mutation.webhook.admission.k8s.io/"
	annotationValidation = "validation.policy.admission.k8s.io/validation_failure"
)

// copiesObject tells a string that holds an object, as annotations do in which
// a client keeps what it last applied: as JSON, or as JSON compressed with gzip
// in base64. That such a string repeats a Secret's values need not be read from
// it.
func copiesObject(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[{") || strings.HasPrefix(text, gzipInBase64)
}

// gzipInBase64 is how gzip begins (RFC 1952: 1f 8b 08), in base64.
const gzipInBase64 = "H4sI"
