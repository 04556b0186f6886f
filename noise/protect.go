package noise

import "github.com/whet-k8s/whet/audit"

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
	notable := ev.Notable()
	switch {
	case p.Refused && notable.Has(audit.NotableDenied|audit.NotableRejected):
		return protectPrefix + protectRefused, "The request was refused."
	case p.SecretReads && notable.Has(audit.NotableSecrets) && readsSecrets(ev):
		return protectPrefix + protectSecretReads, "The request reads secrets."
	case p.Impersonation && notable.Has(audit.NotableImpersonation):
		return protectPrefix + protectImpersonation, "The request acts as somebody else."
	}
	return "", ""
}

// readsSecrets tells which requests about secrets are under protection.
func readsSecrets(ev *audit.Event) bool {
	if ev.Object.APIGroup != "" {
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
