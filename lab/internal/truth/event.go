package truth

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Event holds the fields of an audit.k8s.io/v1 Event that truth needs.
type Event struct {
	Level      string `json:"level"`
	AuditID    string `json:"auditID"`
	Stage      string `json:"stage"`
	RequestURI string `json:"requestURI"`
	Verb       string `json:"verb"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		APIGroup    string `json:"apiGroup"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	RequestObject  json.RawMessage `json:"requestObject"`
	ResponseObject json.RawMessage `json:"responseObject"`
	Received       time.Time       `json:"requestReceivedTimestamp"`
}

// ReadEvent decodes a line of an audit log.
func ReadEvent(line []byte) (*Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, fmt.Errorf("reading an audit event: %w", err)
	}
	return &e, nil
}

// Changes says whether the request asks to change something: a writing verb
// without a dry run, or a connection into a container.
func (e *Event) Changes() bool {
	if strings.Contains(e.RequestURI, "dryRun=All") {
		return false
	}
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	switch e.ObjectRef.Subresource {
	case "exec", "attach", "portforward":
		return true
	}
	return false
}

// Background says whether the request is one that components make by the clock
// whatever happens: leases, heartbeats, the API server's own endpoints,
// discovery, and watches that are opened again.
func (e *Event) Background() bool {
	user, ref := e.User.Username, e.ObjectRef
	if !strings.HasPrefix(user, "system:") {
		return false
	}
	switch {
	case ref.Resource == "":
		return !strings.HasSuffix(user, ":namespace-controller")
	case ref.Resource == "leases" && (ref.Namespace == "kube-system" || ref.Namespace == "kube-node-lease"):
		return true
	case ref.Resource == "nodes" && strings.HasPrefix(user, "system:node:"):
		return ref.Subresource == "status" || e.Verb == "get" || e.Verb == "watch" || e.Verb == "list"
	case user == "system:apiserver" && (ref.Resource == "endpoints" || ref.Resource == "endpointslices") && ref.Namespace == "default":
		return ref.Name == "kubernetes" || ref.Name == ""
	case user == "system:apiserver" && ref.Resource == "services" && ref.Namespace == "" && e.Verb == "list":
		return true
	case e.Verb == "watch" && ref.Namespace == "" && ref.Name == "" && !hasToken(ref.Resource):
		return true
	case e.Verb == "watch" && (ref.Namespace == "kube-system" || user == "system:apiserver"):
		return true
	case e.Verb == "list" && ref.Namespace == "" && strings.Contains(e.RequestURI, "resourceVersion=") && !hasToken(ref.Resource):
		// An informer that lists again after its watch has ended.
		return strings.Contains(e.RequestURI, "limit=500")
	}
	return false
}
