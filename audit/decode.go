package audit

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-json"
)

// The versions of audit.k8s.io that Decode reads. An event of v1beta1 has the
// fields of v1 under the same names (Kubernetes 1.8 to 1.23).
const (
	APIVersionV1      = "audit.k8s.io/v1"
	APIVersionV1Beta1 = "audit.k8s.io/v1beta1"
)

// kindEvent and kindEventList are the kinds an audit log holds.
const (
	kindEvent     = "Event"
	kindEventList = "EventList"
)

// errEventList says that a value is an EventList, whose items are the events.
var errEventList = errors.New("an EventList where a single Event is wanted")

// Decoder turns the JSON of audit events into Events. It keeps a bounded table
// of strings that repeat, so use one Decoder a goroutine. The zero value is
// ready to use.
type Decoder struct {
	names   interner
	scan    scanner
	reading reading
}

// Decode reads one audit.k8s.io Event, v1 or v1beta1, from its JSON. It keeps
// raw as the event's Raw; the event's strings share no memory with it.
//
// The error is a *Malformed that says what is wrong: invalid JSON or UTF-8,
// another kind or version, no auditID, stage or requestReceivedTimestamp, or a
// value of the wrong type in one of the event's own fields. Inside a body a
// value of the wrong type counts as absent (in a map of strings as ""), because
// custom resources use the same names for other things. An item of an EventList
// (at.Item above 0) may leave out kind and apiVersion. After an error the
// content of ev is unspecified.
func (d *Decoder) Decode(raw []byte, at Position, ev *Event) error {
	err := d.decode(raw, at, ev)
	if err != nil {
		return &Malformed{Position: at, Reason: err.Error(), Raw: raw}
	}
	return nil
}

func (d *Decoder) decode(raw []byte, at Position, ev *Event) error {
	if !utf8.Valid(raw) {
		return fmt.Errorf("invalid UTF-8 at byte %d", invalidUTF8(raw))
	}
	if !d.readEvent(raw) {
		return d.whyNot(raw)
	}
	w := &d.reading.wire
	if err := d.fillEvent(w, raw, at, ev); err != nil {
		return err
	}
	if w.RequestObject != nil {
		ev.Request = d.body(w.RequestObject)
	}
	if w.Verb == "patch" {
		ev.Request = d.patch(ev.Request)
	}
	if w.ResponseObject != nil {
		ev.Response = d.body(w.ResponseObject)
	}
	return nil
}

// patch adds to the body of a PATCH what it is as a patch. What is neither an
// object nor a JSON patch gives nil.
func (d *Decoder) patch(b *Body) *Body {
	switch {
	case b != nil:
		b.Patch = "merge"
		b.PatchPaths = d.mergePatchPaths(d.reading.requestRaw)
	case len(d.reading.requestRaw) > 0 && d.reading.requestRaw[0] == '[':
		paths, err := d.jsonPatch(d.reading.requestRaw, &d.reading.request)
		if err != nil {
			return nil
		}
		b = d.body(&d.reading.request)
		b.Patch = "json"
		b.PatchPaths = paths
	}
	return b
}

// whyNot says why the scanner did not take an event. A JSON decoder that knows
// types has the words for it.
func (d *Decoder) whyNot(raw []byte) error {
	var w wireEvent[json.RawMessage]
	if err := json.UnmarshalWithOption(raw, &w, json.DecodeNoCopyString()); err != nil {
		return reason(err)
	}
	return fmt.Errorf("invalid JSON at byte %d", d.scan.failedAt)
}

// passOverTypes forgives a value of the wrong type. Like encoding/json, the
// decoder passes over it, reads all else, and only tells at its end.
func passOverTypes(err error) error {
	var typeErr *json.UnmarshalTypeError
	if errors.As(err, &typeErr) {
		return nil
	}
	return err
}

// fillEvent checks and copies all but the bodies.
func (d *Decoder) fillEvent(w *wireEvent[*wireBody], raw []byte, at Position, ev *Event) error {
	if err := checkKind(w.Kind, w.APIVersion, at.Item > 0); err != nil {
		return err
	}
	switch {
	case w.AuditID == "":
		return errors.New("auditID is missing")
	case w.Stage == "":
		return errors.New("stage is missing")
	case w.RequestReceived == "":
		return errors.New("requestReceivedTimestamp is missing")
	}
	received, err := parseTime("requestReceivedTimestamp", w.RequestReceived)
	if err != nil {
		return err
	}
	staged, err := parseTime("stageTimestamp", w.StageTimestamp)
	if err != nil {
		return err
	}
	in := &d.names
	*ev = Event{
		Position:        at,
		Raw:             raw,
		Level:           Level(in.intern(w.Level)),
		AuditID:         strings.Clone(w.AuditID),
		Stage:           Stage(in.intern(w.Stage)),
		RequestURI:      in.intern(w.RequestURI),
		Verb:            in.intern(w.Verb),
		User:            d.user(&w.User),
		SourceIPs:       w.SourceIPs,
		UserAgent:       in.intern(w.UserAgent),
		RequestReceived: received,
		StageTime:       staged,
		Annotations:     w.Annotations,
	}
	ev.Position.Size = len(raw)
	if w.ImpersonatedUser != nil {
		user := d.user(w.ImpersonatedUser)
		ev.Impersonated = &user
	}
	if w.ObjectRef != nil {
		ev.HasObject = true
		ev.Object = d.objectRef(w.ObjectRef)
	}
	if s := w.ResponseStatus; s != nil {
		ev.Status = Status{
			Code:    s.Code,
			Status:  in.intern(s.Status),
			Reason:  in.intern(s.Reason),
			Message: strings.Clone(s.Message),
		}
	}
	return nil
}

func (d *Decoder) user(w *wireUser) User {
	return User{
		Username: d.names.intern(w.Username),
		UID:      d.names.intern(w.UID),
		Groups:   w.Groups,
		Extra:    w.Extra,
	}
}

func (d *Decoder) objectRef(w *wireObjectRef) ObjectRef {
	in := &d.names
	return ObjectRef{
		Resource:        in.intern(w.Resource),
		Subresource:     in.intern(w.Subresource),
		Namespace:       in.intern(w.Namespace),
		Name:            in.intern(w.Name),
		UID:             in.intern(w.UID),
		APIGroup:        in.intern(w.APIGroup),
		APIVersion:      in.intern(w.APIVersion),
		ResourceVersion: in.intern(w.ResourceVersion),
	}
}

// checkKind wants an Event of a known version. The item of a list inherits
// what it leaves out from the list.
func checkKind(kind, apiVersion string, item bool) error {
	switch {
	case kind == kindEventList && !item:
		return errEventList
	case kind == "" && !item:
		return errors.New("not an audit event: kind is missing")
	case kind != kindEvent && kind != "":
		return fmt.Errorf("not an audit event: kind is %s", quote(kind))
	case apiVersion == "" && item, apiVersion == APIVersionV1, apiVersion == APIVersionV1Beta1:
		return nil
	case apiVersion == "":
		return errors.New("not an audit event: apiVersion is missing")
	}
	return fmt.Errorf("unknown apiVersion %s: want %s or %s", quote(apiVersion), APIVersionV1, APIVersionV1Beta1)
}

// parseTime reads an RFC 3339 time, as metav1.MicroTime writes it, and gives
// it in UTC with microseconds. An empty string is the zero time.
func parseTime(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %s is not an RFC 3339 time", field, quote(s))
	}
	return t.UTC().Truncate(time.Microsecond), nil
}
