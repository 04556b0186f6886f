package server

import (
	"bytes"
	"context"
	"encoding/json"

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
