package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/store"
)

// rawText is an event as the log had it.
type rawText struct {
	Stage string `json:"stage"`
	Text  string `json:"text"`
}

// rawEvent answers /events/{auditID}/raw.
func (a *api) rawEvent(ctx context.Context, p *params) (any, error) {
	id := p.path("auditID")
	if err := p.done(); err != nil {
		return nil, err
	}
	events, err := a.rawEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Items []rawText `json:"items"`
	}{}
	for _, ev := range events {
		answer.Items = append(answer.Items, rawText{string(ev.Stage), string(ev.JSON)})
	}
	return answer, nil
}

// rawEvents gives the events of an auditID as the log had them, at least one.
func (a *api) rawEvents(ctx context.Context, id string) ([]store.RawEvent, error) {
	if !a.data.HasRaw() {
		return nil, notFound("serve the log itself, or analyse it with --keep all", "the data set keeps no lines of the log")
	}
	events, err := a.data.RawEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, a.noEvent(id)
	}
	return events, nil
}

// revisionAnswer is the answer of /objects/revision.
type revisionAnswer struct {
	AuditID   string       `json:"auditID"`
	Time      time.Time    `json:"time"`
	Verb      string       `json:"verb"`
	Username  string       `json:"username"`
	Component string       `json:"component"`
	Action    string       `json:"action"`
	Object    objectAnswer `json:"object"`
	From      string       `json:"from"`
	Text      string       `json:"text"`
	Patch     string       `json:"patch,omitempty"`
}

// revision answers /objects/revision.
func (a *api) revision(ctx context.Context, p *params) (any, error) {
	id := p.required("auditID", maxName)
	if err := p.done(); err != nil {
		return nil, err
	}
	raw, err := a.rawEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	for ev, err := range a.data.Events(ctx, store.IsOneOf("auditID", id), store.Page{Limit: maxRelated}) {
		if err != nil {
			return nil, err
		}
		answer := revisionAnswer{
			AuditID: ev.AuditID, Time: ev.RequestReceived, Verb: ev.Verb, Username: ev.User.Username,
			Component: actor.ComponentOf(ev.User.Username), Action: label.Sentence(ev.Event), Object: objectOf(ev),
		}
		answer.Object.UID = uidOf(ev)
		// The last stage has the answer.
		for i := len(raw) - 1; i >= 0; i-- {
			switch err := answer.fill(raw[i].JSON); {
			case errors.Is(err, errNoBody):
			case err != nil:
				return nil, &problem{status: http.StatusUnprocessableEntity, Message: err.Error()}
			default:
				return answer, nil
			}
		}
		return nil, notFound("the audit policy decides which requests are logged with their bodies (level RequestResponse)",
			"the log has no body of the request %s", quoteName(id))
	}
	return nil, a.noEvent(id)
}

// errNoBody says that an event has no body to show.
var errNoBody = errors.New("the event has no body")

// fill takes the body of an event: that of the answer, or where it is missing
// or only a status, that of the request.
func (a *revisionAnswer) fill(event []byte) error {
	var bodies struct {
		Request  json.RawMessage `json:"requestObject"`
		Response json.RawMessage `json:"responseObject"`
	}
	if err := json.Unmarshal(event, &bodies); err != nil {
		return fmt.Errorf("the event in the log is not as JSON asks for: %w", err)
	}
	a.From, a.Text = "responseObject", indented(bodies.Response)
	if a.Text == "" || isStatus(bodies.Response) {
		a.From, a.Text = "requestObject", indented(bodies.Request)
	}
	if a.Text == "" {
		return errNoBody
	}
	if a.Verb == "patch" {
		a.Patch = indented(bodies.Request)
	}
	return nil
}

func isStatus(body json.RawMessage) bool {
	var head struct {
		Kind string `json:"kind"`
	}
	return json.Unmarshal(body, &head) == nil && head.Kind == "Status"
}

// indented is a body with a member a line, in the order of the log, and without
// metadata.managedFields, which says for every field who set it and would hide
// the rest. It is "" without a body.
func indented(body json.RawMessage) string {
	if len(body) == 0 || bytes.Equal(body, []byte("null")) {
		return ""
	}
	if list, ok := members(body); ok {
		for i := range list {
			if list[i].name != "metadata" {
				continue
			}
			if inner, ok := members(list[i].value); ok {
				list[i].value = join(inner, "managedFields")
			}
		}
		body = join(list, "")
	}
	var text bytes.Buffer
	if err := json.Indent(&text, body, "", "  "); err != nil {
		return string(body)
	}
	return text.String()
}

// member is a member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// members gives the members of a JSON object in their order, false for what is
// none.
func members(object json.RawMessage) ([]member, bool) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var list []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		m := member{}
		m.name, _ = name.(string)
		if err := decoder.Decode(&m.value); err != nil {
			return nil, false
		}
		list = append(list, m)
	}
	return list, true
}

// join makes an object of members, leaving out those with a name.
func join(list []member, without string) json.RawMessage {
	object := []byte{'{'}
	for _, m := range list {
		if m.name == without && without != "" {
			continue
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			panic("server: a string cannot fail to be JSON: " + err.Error())
		}
		object = append(append(append(object, name...), ':'), m.value...)
	}
	return append(object, '}')
}
