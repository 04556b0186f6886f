package audit

import "strings"

// Notable says why the people who look into an incident want to see a request,
// even one that changed nothing and that a rule would hide. It is a set: one
// request can have several reasons.
type Notable uint8

const (
	// NotableDenied requests were turned away by authentication or
	// authorization: code 401 or 403, or the authorizer's verdict in the
	// annotations.
	NotableDenied Notable = 1 << iota
	// NotableRejected requests were turned away by an admission webhook or a
	// ValidatingAdmissionPolicy.
	NotableRejected
	// NotableSecrets requests are about secrets, of whichever API group.
	NotableSecrets
	// NotableImpersonation requests act as somebody else.
	NotableImpersonation
	// NotableSession requests open a way into a pod, a node or a service:
	// exec, attach, portforward and proxy.
	NotableSession
)

// Has tells whether one of the reasons given is among those of n.
func (n Notable) Has(reasons Notable) bool { return n&reasons != 0 }

// Notable gives the reasons why the event's request should not be hidden, and
// 0 where there is none. Who asks picks the reasons that matter to him: this is
// the one list of what there is.
func (e *Event) Notable() Notable {
	var n Notable
	code := e.Status.Code
	switch {
	case code == 401 || code == 403 || e.Annotations[annotationDecision] == "forbid":
		n |= NotableDenied
	case code >= 400 && code < 500 && rejects(e.Status.Message):
		n |= NotableRejected
	}
	if e.Object.Resource == "secrets" {
		n |= NotableSecrets
	}
	if e.Impersonated != nil {
		n |= NotableImpersonation
	}
	switch e.Object.Subresource {
	case "exec", "attach", "portforward", "proxy":
		n |= NotableSession
	}
	return n
}

// annotationDecision is the authorizer's verdict
// (https://kubernetes.io/docs/reference/labels-annotations-taints/audit-annotations/).
const annotationDecision = "authorization.k8s.io/decision"

// rejects tells the answer of admission by its message: its code is the one that
// the webhook or the policy names, often 400 or 422. The two forms are
// "admission webhook "x" denied the request: …" and
// "ValidatingAdmissionPolicy 'x' with binding 'y' denied request: …".
func rejects(message string) bool {
	return strings.Contains(message, "denied the request") || strings.Contains(message, "denied request")
}
