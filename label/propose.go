package label

import (
	"fmt"
	"net/http"

	"github.com/whet-k8s/whet/audit"
)

// Proposal is a label that a person might mean for an event.
type Proposal struct {
	Label Label
	// Action is what the label means.
	Action Action
	// Reason says why the label is proposed, in words.
	Reason string
}

// Facts are what is known of a request beyond its label: they decide which
// proposals there are and their order. The zero value knows nothing.
type Facts struct {
	// Code is the HTTP status the request ended with, 0 when unknown.
	Code int32
	// Involved is the object an Event is about.
	Involved *audit.InvolvedObject
	// Owners are the owners of the object the request is about.
	Owners []audit.Owner
}

// FactsOf takes an event's Facts from its status and its bodies.
func FactsOf(ev *audit.Event) Facts {
	facts := Facts{Code: ev.Status.Code}
	for _, body := range []*audit.Body{ev.Response, ev.Request} {
		if body == nil {
			continue
		}
		if facts.Involved == nil {
			facts.Involved = body.Involved
		}
		if facts.Owners == nil {
			facts.Owners = body.Owners
		}
	}
	return facts
}

// ProposeEvent proposes labels for an event, best first. An event that
// EncodeEvent ignores gets that one proposal.
func (c *Codec) ProposeEvent(ev *audit.Event) []Proposal {
	if c.EncodeEvent(ev) == Ignored {
		return []Proposal{{Ignored, Action{Label: Ignored}, "not a request for an object, or in an ignored namespace"}}
	}
	return c.Propose(RequestOf(ev), FactsOf(ev))
}

// Propose proposes labels for a request, best first and none twice: its own,
// then those of the actions that such a request is usually a part or an effect
// of. It knows nothing of the context, so the choice is the reader's. Of a
// request that no label describes the first proposal is Unknown.
func (c *Codec) Propose(request Request, facts Facts) []Proposal {
	p := proposals{codec: c}
	own := c.Encode(request)
	if own == Unknown {
		p.list = append(p.list, Proposal{Unknown, Action{Label: Unknown}, "no label describes the request"})
	} else {
		p.add(request, "", "the request itself")
	}
	if request.Subresource != "" {
		p.ofParent(request)
	} else {
		p.ofSameObject(request, facts.Code)
	}
	if facts.Involved != nil {
		p.ofObject(request, facts.Involved.APIVersion, facts.Involved.Kind, "the Event is about a %s")
	}
	for _, owner := range facts.Owners {
		if owner.Controller {
			p.ofObject(request, owner.APIVersion, owner.Kind, "the object belongs to a %s")
		}
	}
	return p.list
}

// proposals collects proposals, none twice.
type proposals struct {
	codec *Codec
	list  []Proposal
}

// EncodeAs gives the label that a request would have with another verb on the
// same object, Unknown where the tables do not allow the verb.
func (c *Codec) EncodeAs(request Request, verb string) Label {
	request.Verb = verb
	if request.Resource == "namespaces" && request.Name != "" {
		// The API server gives a namespace its own name as namespace, but for
		// its create.
		request.Namespace = request.Name
		if verb == "create" {
			request.Namespace = ""
		}
	}
	return c.Encode(request)
}

// add proposes the request with another verb, "" for its own.
func (p *proposals) add(request Request, verb, reason string) {
	l := p.codec.Encode(request)
	if verb != "" {
		l = p.codec.EncodeAs(request, verb)
	}
	if l == Unknown {
		return
	}
	for _, known := range p.list {
		if known.Label == l {
			return
		}
	}
	// Encode gives no label that Decode refuses, which a test holds.
	action, err := p.codec.Decode(l)
	if err != nil {
		return
	}
	p.list = append(p.list, Proposal{l, action, reason})
}

// ofParent proposes actions on the object whose subresource was asked for.
func (p *proposals) ofParent(request Request) {
	sub, kind := request.Subresource, Kind(request.Resource)
	request.Subresource = ""
	switch sub {
	case "scale", "resize", "ephemeralcontainers", "approval":
		p.add(request, "patch", fmt.Sprintf("%s changes the %s", sub, kind))
	case "binding":
		p.add(request, "create", "a new pod is bound to a node")
	case "eviction", "finalize":
		p.add(request, "delete", fmt.Sprintf("%s is a step of deleting the %s", sub, kind))
	case "token":
		p.add(Request{Group: coreGroup, Resource: "pods", Namespace: request.Namespace, Name: "pod"}, "create",
			"a node asks for the token of a new pod's service account")
	case "status":
		p.add(request, "create", fmt.Sprintf("the status of a new %s", kind))
		p.add(request, "patch", fmt.Sprintf("the status follows a change of the %s", kind))
		p.add(request, "delete", fmt.Sprintf("the status of a %s that goes", kind))
	default:
		p.add(request, "get", "the object of the subresource")
	}
}

// ofSameObject proposes what commands do that send such a request among
// others: kubectl apply reads and then creates or patches, kubectl delete lists
// first and waits with a watch.
func (p *proposals) ofSameObject(request Request, code int32) {
	one := request
	one.Name = "one"
	switch request.Verb {
	case "get":
		if code == http.StatusNotFound {
			p.add(request, "create", "nothing was there, and apply creates it")
			p.add(request, "delete", "nothing is there any more after a delete")
			return
		}
		p.add(request, "patch", "apply, scale and edit read what they change")
		p.add(request, "delete", "delete reads what it removes")
		p.add(request, "create", "a controller reads what it was told of")
	case "list":
		p.add(one, "delete", "delete with a selector lists, then deletes each")
		if request.Namespace != "" {
			p.add(request, "deletecollection", "the namespace's end lists what is left")
		}
		p.add(request, "watch", "a client lists, then watches")
	case "watch":
		p.add(one, "delete", "delete watches until the object is gone")
		p.add(one, "patch", "rollout status watches a change")
		p.add(request, "list", "a client lists, then watches")
	case "create":
		p.add(one, "patch", "apply creates or patches")
	case "patch", "update":
		p.add(one, "create", "apply creates or patches")
		p.add(one, "delete", "a finalizer goes when the object is deleted")
	case "delete":
		p.add(request, "patch", "a change replaces the object")
	case "deletecollection":
		if request.Namespace != "" {
			p.add(Request{Group: coreGroup, Resource: "namespaces", Name: request.Namespace}, "delete",
				"the namespace is being deleted")
		}
	}
}

// ofObject proposes the changes of an object that the request refers to by its
// kind.
func (p *proposals) ofObject(request Request, apiVersion, kind, reason string) {
	found, ok := p.codec.resourceOfKind(apiVersion, kind)
	if !ok {
		return
	}
	object := Request{Group: found.group, Resource: found.resource, Namespace: request.Namespace, Name: "one"}
	because := fmt.Sprintf(reason, Kind(found.resource))
	p.add(object, "create", because+" that is new")
	p.add(object, "patch", because+" that has changed")
	p.add(object, "delete", because+" that goes")
}
