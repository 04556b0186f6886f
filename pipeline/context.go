package pipeline

import (
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
)

// Context is a context as the contexts format shows it (docs/output.md). A
// context that stays silent and goes on later comes in several parts, each
// with the numbers of that part alone.
type Context struct {
	ID        string `json:"id"`
	Operation string `json:"operation,omitempty"`
	Part      int    `json:"part"`
	// Open tells that the context was given before it closed, which Session
	// alone does.
	Open bool `json:"-"`

	Actor Actor `json:"actor"`
	// Action says in words what the root asked for.
	Action string      `json:"action"`
	Label  label.Label `json:"label"`

	Verb        string `json:"verb"`
	APIGroup    string `json:"apiGroup,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`

	Outcome Outcome `json:"outcome"`

	// Start is when the first request was received, End when the last one was
	// done, watches aside.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`

	// Clients and Effects count requests, Effects without the root itself,
	// EffectsBy by who sent them. Failed counts the effects that ended with a
	// code of 400 or above, Events all events, whichever the role.
	Clients   int            `json:"clients"`
	Effects   int            `json:"effects"`
	EffectsBy map[string]int `json:"effectsBy,omitempty"`
	Failed    int            `json:"failed"`
	Events    int            `json:"events"`
	// Touched counts all requests, the root's too, by the resource that they
	// are about: "pods", "deployments.apps". Deletes counts those that deleted
	// something.
	Touched map[string]int `json:"touched,omitempty"`
	Deletes int            `json:"deletes"`
	// Reads counts the answers that showed the command itself objects, by
	// resource and namespace: "secrets/kube-system", or "secrets" for those of all
	// namespaces at once, and what has no namespace. Power counts the pods that
	// were created with power over their node, by what they were given:
	// "privileged", "hostPID", "hostPath /". Both are known while a context
	// happens, and are not stored.
	Reads map[string]int `json:"-"`
	Power map[string]int `json:"-"`

	// Origin is, for a context that the clock started, the id of the context
	// that set the clock; "" for all others.
	Origin string `json:"origin,omitempty"`
	// OriginActor is the username of who set the clock, "" for all others.
	OriginActor string `json:"originActor,omitempty"`
	// ReadOnly tells that the command changed nothing and caused nothing.
	ReadOnly bool `json:"readOnly"`

	Root Root `json:"root"`
}

// Actor is who is to blame for a context.
type Actor struct {
	Username     string   `json:"username"`
	Groups       []string `json:"groups,omitempty"`
	Impersonated string   `json:"impersonated,omitempty"`
	UserAgent    string   `json:"userAgent,omitempty"`
	// SourceIP is the address that the client had, the first one listed.
	SourceIP string `json:"sourceIP,omitempty"`
}

// Outcome is how the root's request ended.
type Outcome struct {
	// Code is the HTTP status, 0 when the log does not say.
	Code    int32  `json:"code"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// The words of Outcome.Word.
const (
	OutcomeOK       = "ok"
	OutcomeRefused  = "refused"  // 401 and 403
	OutcomeNotFound = "notfound" // 404
	OutcomeExists   = "exists"   // 409 with reason AlreadyExists
	OutcomeConflict = "conflict" // any other 409
	OutcomeInvalid  = "invalid"  // 422
	OutcomeTooMany  = "toomany"  // 429
	OutcomeFailed   = "failed"   // any other code of 400 and above
	OutcomeUnknown  = "unknown"  // the log has no code
)

// Word sums the outcome up in one of the words above.
func (o Outcome) Word() string {
	switch code := o.Code; {
	case code == 0:
		return OutcomeUnknown
	case code < 400:
		return OutcomeOK
	case code == 401 || code == 403:
		return OutcomeRefused
	case code == 404:
		return OutcomeNotFound
	case code == 409 && o.Reason == "AlreadyExists":
		return OutcomeExists
	case code == 409:
		return OutcomeConflict
	case code == 422:
		return OutcomeInvalid
	case code == 429:
		return OutcomeTooMany
	}
	return OutcomeFailed
}

// Root is the place of a context's principal request.
type Root struct {
	AuditID string `json:"auditID"`
	File    string `json:"file"`
	// Line counts the lines of File from 1.
	Line int `json:"line"`
	Item int `json:"item,omitempty"`

	// Received and Staged are the request's requestReceivedTimestamp and
	// stageTimestamp, from which the id of the context follows (link.ID).
	Received time.Time `json:"-"`
	Staged   time.Time `json:"-"`
}

// maxMessage bounds the message of an Outcome, in bytes; those of admission
// webhooks can be as long as the webhook likes.
const maxMessage = 400

func newContext(r *link.ContextRecord, labels *label.Codec) Context {
	root := r.Root
	c := Context{
		ID: r.ID, Operation: r.Operation, Part: r.Part,
		Actor:  ActorOf(root),
		Action: label.Sentence(root), Label: labels.EncodeEvent(root),
		Verb: root.Verb, APIGroup: root.Object.APIGroup,
		Resource: root.Object.Resource, Subresource: root.Object.Subresource,
		Namespace: root.Object.Namespace, Name: NameOf(root),
		Outcome: Outcome{Code: root.Status.Code, Reason: root.Status.Reason, Message: root.Status.Message},
		Start:   r.First, End: r.Last,
		Clients: r.Clients, Effects: r.Effects, EffectsBy: r.EffectsBy, Failed: r.Failed, Events: r.Events,
		Deletes: r.Deletes,
		Origin:  r.Origin, ReadOnly: r.ReadOnly,
		Root: Root{
			AuditID: root.AuditID, File: root.Position.Source, Line: root.Position.Line, Item: root.Position.Item,
			Received: root.RequestReceived, Staged: root.StageTime,
		},
	}
	for kind, n := range r.Touched {
		if c.Touched == nil {
			c.Touched = make(map[string]int, len(r.Touched))
		}
		c.Touched[ResourceName(kind)] = n
	}
	for place, n := range r.Reads {
		if c.Reads == nil {
			c.Reads = make(map[string]int, len(r.Reads))
		}
		name := ResourceName(place.GroupResource)
		if place.Namespace != "" {
			name += "/" + place.Namespace
		}
		c.Reads[name] = n
	}
	if len(r.Power) > 0 {
		c.Power = r.Power
	}
	if r.OriginRoot != nil {
		c.OriginActor = r.OriginRoot.User.Username
	}
	if len(c.Outcome.Message) > maxMessage {
		c.Outcome.Message = c.Outcome.Message[:maxMessage] + "…"
	}
	return c
}

// ResourceName is a resource with its group behind a dot, as kubectl writes
// it: deployments.apps; of the core group the resource alone.
func ResourceName(kind audit.GroupResource) string {
	if kind.Group == "" {
		return kind.Resource
	}
	return kind.Resource + "." + kind.Group
}

// ActorOf tells who sent a request. The user is the real one, also of a
// request that impersonates somebody.
func ActorOf(ev *audit.Event) Actor {
	a := Actor{Username: ev.User.Username, Groups: ev.User.Groups, UserAgent: ev.UserAgent}
	if ev.Impersonated != nil {
		a.Impersonated = ev.Impersonated.Username
	}
	if len(ev.SourceIPs) > 0 {
		a.SourceIP = ev.SourceIPs[0]
	}
	return a
}

// NameOf is the name of the object that a request is about: of a create with
// generateName the name that the answer has, "" where nothing tells.
func NameOf(ev *audit.Event) string {
	switch b := ev.Response; {
	case ev.Object.Name != "" || ev.Verb != "create" || ev.Object.Subresource != "":
		return ev.Object.Name
	case b != nil && b.Kind != "Status" && b.Name != "":
		return b.Name
	case ev.Request != nil:
		return ev.Request.Name
	}
	return ""
}
