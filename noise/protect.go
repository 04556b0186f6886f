package noise

import (
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// Protect says which events a policy keeps whatever its rules say, because
// the people who look into an incident need them. Each is on unless the
// policy's protect block switches it off in so many words.
type Protect struct {
	// Refused keeps requests that authentication, authorization or admission
	// turned away: code 401 or 403, the annotation
	// authorization.k8s.io/decision=forbid, and denials by a webhook or a
	// ValidatingAdmissionPolicy, which choose their own code.
	Refused bool
	// SecretReads keeps get, list and watch of secrets, whoever sends them.
	// The exceptions are the API server's and the controller manager's list
	// and watch of all secrets at once, which fill their caches (the seed's
	// rules 3 and 4): of these the rules decide.
	SecretReads bool
	// Impersonation keeps requests that act as somebody else.
	Impersonation bool
}

// The names of the protections, as the policy's protect block has them. In a
// Decision they follow protectPrefix.
const (
	protectPrefix        = "protect."
	protectRefused       = "refused"
	protectSecretReads   = "secretReads"
	protectImpersonation = "impersonation"
)

// of returns the name of the protection that the event is under and why, or
// two empty strings.
func (p Protect) of(ev *audit.Event) (id, reason string) {
	switch {
	case p.Refused && refused(ev):
		return protectPrefix + protectRefused, "The request was refused."
	case p.SecretReads && readsSecrets(ev):
		return protectPrefix + protectSecretReads, "The request reads secrets."
	case p.Impersonation && ev.Impersonated != nil:
		return protectPrefix + protectImpersonation, "The request acts as somebody else."
	}
	return "", ""
}

// annotationDecision is the authorizer's verdict
// (https://kubernetes.io/docs/reference/labels-annotations-taints/audit-annotations/).
const annotationDecision = "authorization.k8s.io/decision"

func refused(ev *audit.Event) bool {
	code := ev.Status.Code
	if code == 401 || code == 403 || ev.Annotations[annotationDecision] == "forbid" {
		return true
	}
	// Admission answers with the code that the webhook or the policy names,
	// often 400 or 422, so that the message alone tells. The two forms are
	// "admission webhook "x" denied the request: …" and
	// "ValidatingAdmissionPolicy 'x' with binding 'y' denied request: …".
	return code >= 400 && code < 500 &&
		(strings.Contains(ev.Status.Message, "denied the request") || strings.Contains(ev.Status.Message, "denied request"))
}

func readsSecrets(ev *audit.Event) bool {
	ref := &ev.Object
	if ref.Resource != "secrets" || ref.APIGroup != "" {
		return false
	}
	switch ev.Verb {
	case "get":
		return true
	case "list", "watch":
		return !fillsCache(ev)
	}
	return false
}

// fillsCache tells the control plane's own list and watch of every object of
// a kind.
func fillsCache(ev *audit.Event) bool {
	user := ev.User.Username
	return (user == "system:apiserver" || user == "system:kube-controller-manager") &&
		ev.Object.Namespace == "" && ev.Object.Name == ""
}
