// Package actor words the usernames of a log for people: kubelet worker1 for
// system:node:worker1, and whether somebody is a person, a service account or
// a component of Kubernetes. What it gives may still hold whatever the log
// held, and is to be escaped like the username itself.
package actor

import "strings"

// The prefixes that Kubernetes reserves for accounts
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).
const (
	accountPrefix = "system:serviceaccount:"
	nodePrefix    = "system:node:"
)

// Kind is what sort of client a username belongs to.
type Kind string

// The kinds. A name says who somebody claims to be, not what they do: package
// link judges by more than that.
const (
	// Component is an account of Kubernetes itself: its name begins with
	// "system:", or it is a service account of kube-system.
	Component Kind = "component"
	// ServiceAccount is any other service account, as pipelines and operators
	// have it.
	ServiceAccount Kind = "serviceaccount"
	// Person is everybody else.
	Person Kind = "person"
)

// KindOf tells the kind of a username. The administrator's certificate and a
// request without credentials have names of Kubernetes, and people behind
// them.
func KindOf(username string) Kind {
	account, isAccount := strings.CutPrefix(username, accountPrefix)
	switch {
	case isAccount && strings.HasPrefix(account, "kube-system:"):
		return Component
	case isAccount:
		return ServiceAccount
	case username == "system:admin", username == "system:anonymous":
		return Person
	case strings.HasPrefix(username, "system:"):
		return Component
	}
	return Person
}

// Short is a username as people say it: system:serviceaccount:ci:deployer is
// ci/deployer, an account of kube-system is its name alone, and a node's is
// kubelet with the node's name.
func Short(username string) string {
	if username == "" {
		return "(nobody)"
	}
	account, ok := strings.CutPrefix(username, accountPrefix)
	if !ok {
		if node, ok := strings.CutPrefix(username, nodePrefix); ok {
			return "kubelet " + node
		}
		return username
	}
	namespace, name, _ := strings.Cut(account, ":")
	if namespace == "kube-system" {
		return name
	}
	return namespace + "/" + name
}

// ComponentOf is the short name without what tells instances apart: every
// node's is kubelet, and system:kube-scheduler is kube-scheduler.
func ComponentOf(username string) string {
	if strings.HasPrefix(username, nodePrefix) {
		return "kubelet"
	}
	return strings.TrimPrefix(Short(username), "system:")
}
