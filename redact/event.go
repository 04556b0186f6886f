package redact

import (
	"maps"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// Event gives an event whose texts hold no secret values: ev itself where there
// are none, otherwise a copy, which shares what is not replaced. It is for the
// decoded fields; the bytes in Raw, of which Raw takes care, stay as they are.
//
// It looks at the fields in which a client or an API server writes free text:
// the URI, the user agent, the message of the status, annotations, the extra
// fields of users, and of the bodies the maps and messages. The other fields
// hold names, which the API server accepts in a form that no credential has.
func (r *Redactor) Event(ev *audit.Event) *audit.Event {
	m := modeAbout(ev.Object.Resource, ev.Object.Subresource)
	uri, agent, message := ev.RequestURI, ev.UserAgent, ev.Status.Message
	annotations, user, impersonated := ev.Annotations, ev.User, ev.Impersonated
	request, response := ev.Request, ev.Response
	changed := r.text(&uri, "", m)
	changed = r.text(&agent, "", m) || changed
	changed = r.text(&message, "", m) || changed
	changed = r.labels(&annotations, m) || changed
	changed = r.extra(&user.Extra, m) || changed
	changed = r.user(&impersonated, m) || changed
	changed = r.body(&request, m) || changed
	changed = r.body(&response, m) || changed
	if !changed {
		return ev
	}
	c := *ev
	c.RequestURI, c.UserAgent, c.Status.Message = uri, agent, message
	c.Annotations, c.User, c.Impersonated = annotations, user, impersonated
	c.Request, c.Response = request, response
	return &c
}

// Text gives a text of an event with its secret values replaced. It is for texts
// that are kept apart from their event, such as the message of a context's
// outcome, and looks for what an error quotes of a body too, whatever the event
// is about.
func (r *Redactor) Text(text string) string {
	r.text(&text, "", anyMessage)
	return text
}

// Message is Text for the message of an answer to a request about a resource:
// of one about secrets or tokens it also replaces the values that the API server
// quotes as invalid.
func (r *Redactor) Message(text, resource, subresource string) string {
	r.text(&text, "", anyMessage|modeAbout(resource, subresource))
	return text
}

// modeAbout is the mode of what stands in an event about a resource.
func modeAbout(resource, subresource string) mode {
	n := natureOfResource(resource)
	if subresource != "token" {
		n &^= refersAccount
	}
	return n.ofEvent().mode()
}

// user replaces what is secret in a user, in a copy of it.
func (r *Redactor) user(field **audit.User, m mode) bool {
	if *field == nil {
		return false
	}
	extra := (*field).Extra
	if !r.extra(&extra, m) {
		return false
	}
	c := **field
	c.Extra = extra
	*field = &c
	return true
}

// body replaces what is secret in a body, in a copy of it.
func (r *Redactor) body(field **audit.Body, m mode) bool {
	b := *field
	if b == nil {
		return false
	}
	m |= natureOfKind(b.Kind).mode()
	message, annotations, labels := b.Message, b.Annotations, b.Labels
	selector, template := b.Selector, b.TemplateLabels
	changed := r.text(&message, "", m)
	changed = r.labels(&annotations, m) || changed
	changed = r.labels(&labels, m) || changed
	changed = r.labels(&selector, m) || changed
	changed = r.labels(&template, m) || changed
	if !changed {
		return false
	}
	c := *b
	c.Message, c.Annotations, c.Labels = message, annotations, labels
	c.Selector, c.TemplateLabels = selector, template
	*field = &c
	return true
}

// labels replaces what is secret in the values of a map, in a copy of it.
func (r *Redactor) labels(field *map[string]string, m mode) bool {
	changed := false
	for key, value := range *field {
		if !r.text(&value, key, m) {
			continue
		}
		if !changed {
			*field, changed = maps.Clone(*field), true
		}
		(*field)[key] = value
	}
	return changed
}

// extra replaces what is secret in a user's extra fields, in a copy of them.
func (r *Redactor) extra(field *map[string][]string, m mode) bool {
	changed := false
	for key, list := range *field {
		for i, value := range list {
			if !r.text(&value, key, m) {
				continue
			}
			if !changed {
				*field, changed = maps.Clone(*field), true
			}
			fresh := slices.Clone((*field)[key])
			fresh[i] = value
			(*field)[key] = fresh
		}
	}
	return changed
}

// text replaces what is secret in a text that is the member name of an object.
func (r *Redactor) text(field *string, name string, m mode) bool {
	text := *field
	m = m.under(name)
	if text == "" || m == 0 && (ownWords(name) || !suspicious(text)) || redacted(text) {
		return false
	}
	if value, whole := m.secret(text); whole {
		*field = r.Hash(value)
		return true
	}
	var out strings.Builder
	done := 0
	for _, s := range secretSpans(text, m) {
		out.WriteString(text[done:s.start])
		out.WriteString(r.Hash(s.value(text)))
		done = s.end
	}
	if done == 0 {
		return false
	}
	out.WriteString(text[done:])
	*field = out.String()
	return true
}

// ownWords tells the annotations and extra fields that nearly every event has,
// and in which the API server says what it did in words of its own.
func ownWords(name string) bool {
	switch name {
	case "authorization.k8s.io/decision", "authorization.k8s.io/reason", "authentication.kubernetes.io/credential-id":
		return true
	}
	return false
}
