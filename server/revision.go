package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/store"
)

// Where the body of a revision comes from.
const (
	bodyOfAnswer  = "responseObject"
	bodyOfRequest = "requestObject"
)

// revisionAnswer is the answer of /objects/revision.
type revisionAnswer struct {
	AuditID    string       `json:"auditID"`
	Time       time.Time    `json:"time"`
	Verb       string       `json:"verb"`
	Username   string       `json:"username"`
	Component  string       `json:"component"`
	Action     string       `json:"action"`
	Object     objectAnswer `json:"object"`
	From       string       `json:"from"`
	Kind       string       `json:"kind,omitempty"`
	APIVersion string       `json:"apiVersion,omitempty"`
	Text       string       `json:"text"`
	Patch      string       `json:"patch,omitempty"`

	Previous *revisionAnswer `json:"previous,omitempty"`

	ended time.Time
}

// revision answers /objects/revision.
func (a *api) revision(ctx context.Context, p *params) (any, error) {
	id := p.required("auditID", maxName)
	if err := p.done(); err != nil {
		return nil, err
	}
	now, err := a.revisionOf(ctx, id)
	if err != nil {
		return nil, err
	}
	now.Previous, err = a.previous(ctx, now)
	return now, err
}

// revisionOf gives what the bodies of a request show of its object.
func (a *api) revisionOf(ctx context.Context, id string) (*revisionAnswer, error) {
	raw, err := a.rawEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	var answer *revisionAnswer
	for ev, err := range a.data.Events(ctx, store.IsOneOf("auditID", id), store.Page{Limit: maxRelated}) {
		if err != nil {
			return nil, err
		}
		if answer == nil || ev.StageTime.After(answer.ended) {
			answer = &revisionAnswer{
				AuditID: ev.AuditID, Time: ev.RequestReceived, Verb: ev.Verb, Username: ev.User.Username,
				Component: actor.ComponentOf(ev.User.Username), Action: label.Sentence(ev.Event), Object: objectOf(ev),
				ended: ev.StageTime,
			}
			answer.Object.UID = uidOf(ev)
		}
	}
	if answer == nil {
		return nil, a.noEvent(id)
	}
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

// previous gives an object as the log shows it last before a request changed
// it, by an answer with an object of the same kind; nil where the log does not.
// What was created was not there before, and a dry run shows what never was.
func (a *api) previous(ctx context.Context, now *revisionAnswer) (*revisionAnswer, error) {
	if now.From != bodyOfAnswer || now.Object.Name == "" || now.Verb == "create" {
		return nil, nil
	}
	of := now.Object
	of.UID = "" // few requests tell it
	where := all(about(&of),
		is("requestReceivedTimestamp < ? AND stageTimestamp < ? AND auditID <> ?", now.ended, now.ended, now.AuditID),
		is("stage = ? AND coalesce(code, 0) < 400 AND responseObject.kind = ?", string(audit.StageResponseComplete), now.Kind),
		is("coalesce(requestURI, '') NOT LIKE '%dryRun=%'"))
	var id string
	statement := is("SELECT auditID FROM events"+clause(where)+" ORDER BY stageTimestamp DESC LIMIT 1", where.Args...)
	err := a.each(ctx, "finding what the object was before", statement, func(rows *sql.Rows) error { return rows.Scan(&id) })
	if err != nil || id == "" {
		return nil, err
	}
	before, err := a.revisionOf(ctx, id)
	var missing *problem
	if errors.As(err, &missing) && missing.status == http.StatusNotFound {
		return nil, nil // lines may be removed before events
	}
	if err != nil || before.From != now.From || before.Kind != now.Kind || before.APIVersion != now.APIVersion {
		return nil, err
	}
	return before, nil
}

// errNoBody says that an event has no body to show.
var errNoBody = errors.New("the event has no body")

// head is how every object of the API begins.
type head struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
}

func headOf(body json.RawMessage) head {
	var h head
	if json.Unmarshal(body, &h) != nil {
		return head{} // whatever a log has there instead has no kind
	}
	return h
}

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
	body := bodies.Response
	a.From, a.Text = bodyOfAnswer, indented(body)
	if a.Text == "" || headOf(body).Kind == "Status" {
		body = bodies.Request
		a.From, a.Text = bodyOfRequest, indented(body)
	}
	if a.Text == "" {
		return errNoBody
	}
	h := headOf(body)
	a.Kind, a.APIVersion = h.Kind, h.APIVersion
	if a.Verb == "patch" {
		a.Patch = indented(bodies.Request)
	}
	return nil
}
