package link

import (
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// class says what kind of client an actor is.
type class uint8

const (
	// classPerson starts things: a human, a pipeline, an agent of GitOps.
	classPerson class = iota
	// classOperator answers things, but what nothing explains it changes on
	// its own account.
	classOperator
	// classControlPlane answers things too, and what it does without a
	// visible cause it does by the clock.
	classControlPlane
	// classNode is a kubelet.
	classNode
)

// actor is a client of the API server: a user, whom it acts as, and with
// which program from where.
type actor struct {
	username string
	class    class
	// learned tells that the class comes from what the client did. Whoever
	// can reach the API server can do the same, so that it is believed only
	// where a change explains the request.
	learned bool
	// node is a kubelet's node.
	node string
	// writesStatus lists the kinds whose status the actor has written: it is
	// their controller.
	writesStatus map[kindRef]bool
	touched      micros

	// train is the last change that caused a request of the actor, and when:
	// what it reads next without naming anything, it reads for the same
	// reason.
	train   *change
	trainAt micros
	trainNS string
	// volume is the PersistentVolume it wrote last.
	volume *object

	command *command // the command in progress, of a person
	recent  []*command
}

// actorKey tells the clients of one user apart.
type actorKey struct {
	username, impersonated, agent, address string
}

func keyOf(ev *audit.Event) actorKey {
	k := actorKey{username: ev.User.Username, agent: ev.UserAgent}
	if ev.Impersonated != nil {
		k.impersonated = ev.Impersonated.Username
	}
	if len(ev.SourceIPs) > 0 {
		k.address = ev.SourceIPs[0]
	}
	return k
}

// newActor classifies a client by its account, as far as that tells.
func newActor(ev *audit.Event) *actor {
	a := &actor{username: ev.User.Username, writesStatus: map[kindRef]bool{}}
	switch {
	case interactive(ev.UserAgent):
		a.class = classPerson
	case strings.HasPrefix(a.username, "system:node:"):
		a.class = classNode
		a.node = strings.TrimPrefix(a.username, "system:node:")
	case isControlPlane(a.username):
		a.class = classControlPlane
	case controlPlaneAgent(ev.UserAgent):
		a.class, a.learned = classControlPlane, true
	}
	return a
}

// interactive tells the user agents of programs that people drive.
func interactive(agent string) bool {
	for _, p := range []string{"kubectl", "k9s", "Lens", "helm", "Helm", "oc/"} {
		if strings.HasPrefix(agent, p) {
			return true
		}
	}
	return false
}

// controlPlaneAgent tells the user agents of Kubernetes' own programs.
func controlPlaneAgent(agent string) bool {
	for _, p := range []string{"kube-controller-manager/", "kube-scheduler/", "kube-apiserver/", "cloud-controller-manager/", "kube-proxy/"} {
		if strings.HasPrefix(agent, p) {
			return true
		}
	}
	return false
}

// isControlPlane tells the accounts that Kubernetes itself uses. The
// namespace kube-system is where its controllers' accounts live; any other
// name that begins with "system:" is reserved for it, except those of the
// administrator and of requests without credentials
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).
func isControlPlane(username string) bool {
	if rest, ok := strings.CutPrefix(username, "system:serviceaccount:"); ok {
		return strings.HasPrefix(rest, "kube-system:")
	}
	switch username {
	case "system:admin", "system:anonymous":
		return false
	}
	return strings.HasPrefix(username, "system:")
}

// observe learns from an event what kind of client sent it, before the event
// itself and those shortly before it are linked.
func (a *actor) observe(ev *audit.Event) {
	if ev.Object.Subresource == "status" && isWrite(ev.Verb) {
		a.writesStatus[kindOf(ev)] = true
	}
	if a.class == classNode || a.class == classControlPlane || interactive(ev.UserAgent) {
		return
	}
	switch {
	case controlling(ev):
		a.class, a.learned = classControlPlane, true
	case reacting(ev) && a.class == classPerson:
		a.class, a.learned = classOperator, true
	}
}

// builtIn tells the API groups of Kubernetes itself from those of custom
// resources, some of which end in ".k8s.io" too
// (https://kubernetes.io/docs/reference/kubernetes-api/).
func builtIn(group string) bool {
	core, ok := strings.CutSuffix(group, ".k8s.io")
	if !ok {
		return !strings.Contains(group, ".")
	}
	switch core {
	case "admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "rbac.authorization",
		"certificates", "coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver", "networking",
		"node", "resource", "scheduling", "storage", "storagemigration":
		return true
	}
	return false
}

// controlling tells requests that only the control plane sends, whatever its
// accounts are called: a pod bound, a namespace finalized, the status of a
// built-in resource or the endpoints of a service written, what every
// namespace starts with made, the leases by which the control plane elects
// its leaders.
func controlling(ev *audit.Event) bool {
	if !isWrite(ev.Verb) || !builtIn(ev.Object.APIGroup) {
		return false
	}
	switch ev.Object.Subresource {
	case "binding", "finalize":
		return true
	case "status":
		return ev.Object.Resource != "pods" && ev.Object.Resource != "services" && ev.Object.Resource != "ingresses" && ev.Object.Resource != "nodes"
	case "":
		switch ev.Object.Resource {
		case "endpoints", "endpointslices":
			return ev.Verb == "update"
		case "configmaps":
			return ev.Verb == "create" && ev.Object.Name == "kube-root-ca.crt"
		case "serviceaccounts":
			return ev.Verb == "create" && ev.Object.Name == "default"
		}
		return ev.Object.Resource == "leases" && ev.Object.Namespace == "kube-system" &&
			(ev.Object.Name == "kube-controller-manager" || ev.Object.Name == "kube-scheduler" || ev.Object.Name == "cloud-controller-manager")
	}
	return false
}

// reacting tells requests that people do not send: an object's status
// written, an Event reported, a lease for leader election, an object made
// under an owner, a watch kept without end.
func reacting(ev *audit.Event) bool {
	if componentAgent(ev.UserAgent) {
		return true
	}
	switch ev.Verb {
	case "create", "update", "patch":
		if ev.Object.Subresource == "status" || ev.Object.Resource == "events" || ev.Object.Resource == "leases" {
			return true
		}
		return ev.Verb == "create" && ev.Request != nil && slices.ContainsFunc(ev.Request.Owners, func(o audit.Owner) bool {
			// kubectl create job --from makes a person's Job owned by a
			// CronJob.
			return o.Controller && o.Kind != "CronJob"
		})
	case "watch":
		// A reflector asks for bookmarks and follows a whole resource; a
		// person's wait names one object.
		return strings.HasPrefix(ev.User.Username, "system:serviceaccount:") &&
			strings.Contains(ev.RequestURI, "allowWatchBookmarks=true") &&
			!strings.Contains(ev.RequestURI, "metadata.name")
	}
	return false
}

// componentAgent tells user agents that name a part of a program, which
// client-go's rest.AddUserAgent puts after the commit:
// "program/v1 (linux/amd64) kubernetes/abcdef/part".
func componentAgent(agent string) bool {
	_, rest, ok := strings.Cut(agent, ") kubernetes/")
	return ok && strings.Contains(rest, "/")
}

func isWrite(verb string) bool {
	switch verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

func kindOf(ev *audit.Event) kindRef { return kindRef{ev.Object.APIGroup, ev.Object.Resource} }

// changes tells the requests that make a context: writes, and connections into
// a pod. A review that somebody asks for is one of them.
func changes(ev *audit.Event) bool {
	if ev.DryRun() {
		return false
	}
	if isWrite(ev.Verb) {
		return true
	}
	switch ev.Object.Subresource {
	case "exec", "attach", "portforward", "proxy":
		return ev.Verb == "get"
	}
	return false
}
