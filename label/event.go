package label

import (
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// DefaultIgnoredNamespaces are the namespaces that the published data leaves
// out.
func DefaultIgnoredNamespaces() []string { return []string{"falco", "kube-flannel"} }

// RequestOf gives what of an event goes into its label.
func RequestOf(ev *audit.Event) Request {
	return Request{
		Verb: ev.Verb, Group: ev.Object.APIGroup,
		Resource: ev.Object.Resource, Subresource: ev.Object.Subresource,
		Namespace: ev.Object.Namespace, Name: ev.Object.Name,
	}
}

// EncodeEvent gives the label of an event by itself, whatever its context:
// Ignored for a request outside /api and /apis, for a discovery request (which
// has no objectRef) and in an ignored namespace; else what Encode says.
func (c *Codec) EncodeEvent(ev *audit.Event) Label {
	if !isAPI(ev.RequestURI) || !ev.HasObject || ev.Object.Resource == "" || c.ignored[ev.Object.Namespace] {
		return Ignored
	}
	return c.Encode(RequestOf(ev))
}

// isAPI tells whether a request URI is below /api or /apis. An event without a
// URI is judged by its objectRef alone.
func isAPI(uri string) bool {
	if uri == "" {
		return true
	}
	path, _, _ := strings.Cut(uri, "?")
	return path == "/api" || path == "/apis" || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/apis/")
}
