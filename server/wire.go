package server

import (
	"time"

	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// contextAnswer is a context as the API gives it: the fields of the contexts
// format, and some that save the app work.
type contextAnswer struct {
	*store.Context

	Actor      actorAnswer    `json:"actor"`
	Outcome    outcomeAnswer  `json:"outcome"`
	Duration   int64          `json:"duration"` // microseconds
	Components map[string]int `json:"components,omitempty"`
}

type actorAnswer struct {
	pipeline.Actor

	Name string     `json:"name"`
	Kind actor.Kind `json:"kind"`
}

type outcomeAnswer struct {
	pipeline.Outcome

	Word string `json:"word"`
}

func newContextAnswer(c *store.Context) *contextAnswer {
	a := &contextAnswer{
		Context:  c,
		Actor:    actorAnswer{c.Actor, actor.Short(c.Actor.Username), actor.KindOf(c.Actor.Username)},
		Outcome:  outcomeAnswer{c.Outcome, c.Outcome.Word()},
		Duration: c.Duration().Microseconds(),
	}
	if len(c.EffectsBy) > 0 {
		a.Components = make(map[string]int, len(c.EffectsBy))
		for username, n := range c.EffectsBy {
			a.Components[actor.ComponentOf(username)] += n
		}
	}
	return a
}

// eventAnswer is an event as the API gives it.
type eventAnswer struct {
	Cluster         string    `json:"cluster"`
	AuditID         string    `json:"auditID"`
	Stage           string    `json:"stage"`
	Level           string    `json:"level"`
	Verb            string    `json:"verb"`
	RequestURI      string    `json:"requestURI,omitempty"`
	RequestReceived time.Time `json:"requestReceivedTimestamp"`
	StageTime       time.Time `json:"stageTimestamp"`
	Duration        int64     `json:"duration"` // microseconds

	Username     string     `json:"username"`
	Component    string     `json:"component"`
	Kind         actor.Kind `json:"kind"`
	Groups       []string   `json:"groups,omitempty"`
	Impersonated string     `json:"impersonated,omitempty"`
	SourceIPs    []string   `json:"sourceIPs,omitempty"`
	UserAgent    string     `json:"userAgent,omitempty"`

	Action      string `json:"action"`
	APIGroup    string `json:"apiGroup,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	UID         string `json:"uid,omitempty"`

	Code    int32  `json:"code"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`

	Context    string      `json:"context,omitempty"`
	Operation  string      `json:"operation,omitempty"`
	Actor      string      `json:"actor,omitempty"`
	Role       link.Role   `json:"role"`
	Cause      string      `json:"cause,omitempty"`
	Rival      string      `json:"rival,omitempty"`
	Rule       string      `json:"rule"`
	Evidence   string      `json:"evidence,omitempty"`
	Confidence float64     `json:"confidence"`
	Autonomous string      `json:"autonomous,omitempty"`
	Label      label.Label `json:"label"`

	File string `json:"file"`
	Line int    `json:"line"`
	Item int    `json:"item,omitempty"`
}

func newEventAnswer(ev *store.Event) *eventAnswer {
	a := &eventAnswer{
		Cluster: ev.Cluster, AuditID: ev.AuditID, Stage: string(ev.Stage), Level: string(ev.Level), Verb: ev.Verb,
		RequestURI: ev.RequestURI, RequestReceived: ev.RequestReceived, StageTime: ev.StageTime,
		Duration: max(0, ev.StageTime.Sub(ev.RequestReceived).Microseconds()),
		Username: ev.User.Username, Component: actor.ComponentOf(ev.User.Username), Kind: actor.KindOf(ev.User.Username),
		Groups: ev.User.Groups, SourceIPs: ev.SourceIPs, UserAgent: ev.UserAgent,
		Action:   label.Sentence(ev.Event),
		APIGroup: ev.Object.APIGroup, Resource: ev.Object.Resource, Subresource: ev.Object.Subresource,
		Namespace: ev.Object.Namespace, Name: pipeline.NameOf(ev.Event), UID: uidOf(ev),
		Code: ev.Status.Code, Reason: ev.Status.Reason, Message: ev.Status.Message,
		Context: ev.Context, Operation: ev.Operation, Actor: ev.Actor, Role: ev.Role,
		Cause: ev.Cause, Rival: ev.Rival, Rule: ev.Rule, Evidence: ev.Evidence,
		Confidence: ev.Confidence, Autonomous: ev.Autonomous, Label: ev.Label,
		File: ev.Position.Source, Line: ev.Position.Line, Item: ev.Position.Item,
	}
	if ev.Impersonated != nil {
		a.Impersonated = ev.Impersonated.Username
	}
	return a
}

// uidOf is the uid of the object that a request is about: where the reference
// lacks it, that of the answer.
func uidOf(ev *store.Event) string {
	if ev.Object.UID == "" && ev.Object.Subresource == "" && ev.Response != nil && ev.Response.Kind != "Status" {
		return ev.Response.UID
	}
	return ev.Object.UID
}

// objectAnswer names an object.
type objectAnswer struct {
	APIGroup  string `json:"apiGroup,omitempty"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	UID       string `json:"uid,omitempty"`
}

// objectOf names the object that a request is about, without its uid. The
// namespace that the reference to a namespace has is its own name.
func objectOf(ev *store.Event) objectAnswer {
	o := objectAnswer{
		APIGroup: ev.Object.APIGroup, Resource: ev.Object.Resource,
		Namespace: ev.Object.Namespace, Name: pipeline.NameOf(ev.Event),
	}
	if o.Resource == "namespaces" && o.APIGroup == "" {
		o.Namespace = ""
	}
	return o
}

// isChange tells a request that changed something from one that read or
// failed.
func isChange(ev *store.Event) bool {
	switch ev.Verb {
	case "get", "list", "watch", "head", "options":
		return false
	}
	return ev.Status.Code < 400
}

// list is a bounded list with how many there are in all.
type list[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
}

// page is a part of a list; Next is "" on the last one.
type page[T any] struct {
	Items []T    `json:"items"`
	Total *int   `json:"total,omitempty"`
	Next  string `json:"next,omitempty"`
}
