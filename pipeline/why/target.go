package why

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline"
)

// Target is what somebody asks about: an event or an object.
type Target struct {
	// AuditID is set for an event; all else is then empty.
	AuditID string
	// Kind is the kind in the singular and in lower case, Group its API group
	// where the user named one.
	Kind, Group string
	// Namespace is "" for an object without one, and where the user named none.
	Namespace string
	Name      string
}

// shortNames are kubectl's (kubectl api-resources).
func shortNames() map[string]string {
	return map[string]string{
		"cm": "configmap", "cs": "componentstatus", "ep": "endpoints", "ev": "event", "limits": "limitrange",
		"no": "node", "ns": "namespace", "po": "pod", "pv": "persistentvolume", "pvc": "persistentvolumeclaim",
		"quota": "resourcequota", "rc": "replicationcontroller", "sa": "serviceaccount", "svc": "service",
		"crd": "customresourcedefinition", "crds": "customresourcedefinition", "deploy": "deployment",
		"ds": "daemonset", "rs": "replicaset", "sts": "statefulset", "hpa": "horizontalpodautoscaler",
		"cj": "cronjob", "csr": "certificatesigningrequest", "ing": "ingress", "netpol": "networkpolicy",
		"pdb": "poddisruptionbudget", "pc": "priorityclass", "sc": "storageclass", "vap": "validatingadmissionpolicy",
	}
}

var (
	kindPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.-]*$`)
	namePattern = regexp.MustCompile(`^[^/\s]+$`)
)

// ParseTarget reads an auditID, kind/name or kind/namespace/name. The kind may
// be a short name, a plural, in any case, and have its group behind a dot:
// po/shop/web-1, Deployment.apps/shop/web.
func ParseTarget(s string) (Target, error) {
	parts := strings.Split(s, "/")
	if len(parts) == 1 {
		if s == "" || strings.ContainsAny(s, " \t\n") {
			return Target{}, fmt.Errorf("target %q: write an auditID, kind/name or kind/namespace/name", s)
		}
		return Target{AuditID: s}, nil
	}
	if len(parts) > 3 || !kindPattern.MatchString(parts[0]) {
		return Target{}, fmt.Errorf("target %q: write an auditID, kind/name or kind/namespace/name, such as pod/shop/web-1", s)
	}
	for _, part := range parts[1:] {
		if !namePattern.MatchString(part) {
			return Target{}, fmt.Errorf("target %q: a name is empty or holds spaces", s)
		}
	}
	kind, group, _ := strings.Cut(strings.ToLower(parts[0]), ".")
	if long, ok := shortNames()[kind]; ok {
		kind = long
	}
	t := Target{Kind: label.Kind(kind), Group: group, Name: parts[len(parts)-1]}
	if len(parts) == 3 {
		t.Namespace = parts[1]
	}
	return t, nil
}

// String is the target as a user writes it.
func (t Target) String() string {
	if t.AuditID != "" {
		return t.AuditID
	}
	kind := t.Kind
	if t.Group != "" {
		kind += "." + t.Group
	}
	if t.Namespace != "" {
		return kind + "/" + t.Namespace + "/" + t.Name
	}
	return kind + "/" + t.Name
}

// sameKind tells whether a request is about objects of the target's kind.
func (t *Target) sameKind(ev *audit.Event) bool {
	return ev.HasObject && label.Kind(ev.Object.Resource) == t.Kind && (t.Group == "" || t.Group == ev.Object.APIGroup)
}

// fits tells whether a request is about the target, and if so, in which
// namespace.
func (t *Target) fits(ev *audit.Event) (namespace string, ok bool) {
	if t.AuditID != "" {
		return "", ev.AuditID == t.AuditID
	}
	if !t.sameKind(ev) {
		return "", false
	}
	namespace = ev.Object.Namespace
	if t.Kind == "namespace" {
		namespace = "" // the reference to a namespace has its own name there
	}
	if t.Namespace != "" && t.Namespace != namespace {
		return "", false
	}
	if pipeline.NameOf(ev) == t.Name {
		return namespace, true
	}
	return namespace, ev.Verb == "deletecollection" && t.inCollection(ev)
}

// inCollection tells whether the deletion of a collection took the target:
// where the answer names what was deleted it tells, else what deletes all
// objects of a namespace deletes this one.
func (t *Target) inCollection(ev *audit.Event) bool {
	if b := ev.Response; b != nil && len(b.ItemRefs) > 0 {
		for i := range b.ItemRefs {
			if b.ItemRefs[i].Name == t.Name {
				return true
			}
		}
		return false
	}
	if ev.Response != nil && strings.HasSuffix(ev.Response.Kind, "List") {
		return false
	}
	u, err := url.Parse(ev.RequestURI)
	if err != nil {
		return false
	}
	query := u.Query()
	return ev.Object.Namespace != "" && query.Get("labelSelector") == "" && query.Get("fieldSelector") == ""
}
