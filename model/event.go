package model

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// The prefixes of usernames that Kubernetes gives to its parts
// (https://kubernetes.io/docs/reference/access-authn-authz/).
const (
	nodePrefix    = "system:node:"
	accountPrefix = "system:serviceaccount:"
)

// eventFeatures fills in what an event says by itself.
func (x *Extractor) eventFeatures(ev *audit.Event, v *[featureCount]string) {
	v[fLevel], v[fStage], v[fVerb] = string(ev.Level), string(ev.Stage), ev.Verb
	o := &ev.Object
	v[fGroup], v[fResource], v[fSubresource] = o.APIGroup, o.Resource, o.Subresource
	v[fNamespaced], v[fNamed] = yesNo(o.Namespace != ""), yesNo(o.Name != "")
	v[fNamespace] = namespaceKind(o.Namespace)
	v[fComponent], v[fUserGroup] = component(ev), userGroup(ev.User.Groups)
	v[fTool], v[fToolVersion], v[fToolPart] = splitAgent(ev.UserAgent)
	v[fImpersonated] = yesNo(ev.Impersonated != nil)
	if ev.Status.Code != 0 {
		v[fCode] = number(int(ev.Status.Code))
	}
	v[fDecision] = ev.Annotations["authorization.k8s.io/decision"]
	if strings.Contains(ev.RequestURI, "?") {
		v[fDryRun] = yesNo(ev.DryRun())
		v[fManager] = ev.FieldManager()
	}
	v[fReason] = ev.Status.Reason
	if b := ev.Request; b != nil {
		v[fRequestKind] = b.Kind
		v[fPatch] = b.Patch
		if len(b.PatchPaths) > 0 {
			v[fPatchPath] = b.PatchPaths[0]
		}
		bodyFeatures(b, v)
	}
	if b := ev.Response; b != nil {
		v[fResponseKind] = b.Kind
		bodyFeatures(b, v)
	}
}

// bodyFeatures fills in what a body tells; of two bodies the later has the last
// word.
func bodyFeatures(b *audit.Body, v *[featureCount]string) {
	set := func(f feature, value string) {
		if value != "" {
			v[f] = value
		}
	}
	for _, owner := range b.Owners {
		if owner.Controller || v[fOwnerKind] == "" {
			v[fOwnerKind] = owner.Kind
		}
	}
	if b.Involved != nil {
		set(fInvolvedKind, b.Involved.Kind)
	}
	set(fReason, b.Reason)
	set(fType, b.Type)
	set(fSource, b.Source)
	if b.DeletionTimestamp != "" {
		v[fDeletion] = yes
	}
	if b.GenerateName != "" {
		v[fGenerated] = yes
	}
}

// component names the sender where Kubernetes gives it a name of its own: a
// part of the control plane, a controller, any kubelet. An account in another
// namespace is "account", a person "".
func component(ev *audit.Event) string {
	name := ev.User.Username
	switch {
	case strings.HasPrefix(name, nodePrefix):
		return "node"
	case strings.HasPrefix(name, accountPrefix):
		namespace, account, _ := strings.Cut(name[len(accountPrefix):], ":")
		if namespace == "kube-system" {
			return account
		}
		return "account"
	case strings.HasPrefix(name, "system:"):
		return name
	}
	return ""
}

// userGroup gives the first group that Kubernetes names itself and that not
// everybody is in.
func userGroup(groups []string) string {
	for _, g := range groups {
		switch {
		case g == "system:authenticated" || g == "system:serviceaccounts":
		case strings.HasPrefix(g, "system:serviceaccounts:"):
			return "system:serviceaccounts"
		case strings.HasPrefix(g, "system:"):
			return g
		}
	}
	return ""
}

// namespaceKind gives the name of a namespace that every cluster has.
func namespaceKind(namespace string) string {
	switch namespace {
	case "", "default", "kube-system", "kube-public", "kube-node-lease":
		return namespace
	}
	return "other"
}

// splitAgent gives a user agent's tool, the minor version of Kubernetes it was
// built with, and what it says it is a part of: "kubectl", "37" and "" of
// kubectl/v1.37.2 (linux/amd64) kubernetes/4132564.
func splitAgent(agent string) (tool, version, part string) {
	tool, rest, _ := strings.Cut(agent, "/")
	if minor, ok := strings.CutPrefix(rest, "v1."); ok {
		version, _, _ = strings.Cut(minor, ".")
	}
	if at := strings.LastIndex(agent, " kubernetes/"); at >= 0 {
		_, part, _ = strings.Cut(agent[at+len(" kubernetes/"):], "/")
		part = part[strings.LastIndexByte(part, ':')+1:]
	}
	return tool, version, part
}

const yes = "yes"

func yesNo(set bool) string {
	if set {
		return yes
	}
	return "no"
}

// same compares two ids of operations.
func same(a, b string) string {
	switch {
	case a == "" || b == "":
		return ""
	case a == b:
		return yes
	}
	return "no"
}

// agree compares two labels.
func agree[L ~int64](a, b L) string {
	switch {
	case a == L(NoLabel) || b == L(NoLabel):
		return ""
	case a == b:
		return yes
	}
	return "no"
}

// number writes a small number without making a new string.
func number(n int) string { return strconv.Itoa(n) }

// ago puts a time in one of a few classes by how long it is before another.
// Each is three times as long as the one before, from a millisecond up.
func ago(now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case d < 0:
		return "later"
	case d < time.Millisecond:
		return "0"
	}
	band := int(math.Log(float64(d)/float64(time.Millisecond))/math.Log(3)) + 1
	return number(min(band, 16))
}

// confidenceBand puts a confidence in one of a few classes.
func confidenceBand(c float64) string {
	if c <= 0 {
		return ""
	}
	return number(int(c*50 + 0.5))
}
