package audit

import (
	"net/url"
	"strings"
)

// DryRun tells whether the request asked for a dry run, which changes nothing
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run).
func (e *Event) DryRun() bool { return e.query("dryRun") == "All" }

// FieldManager is the name by which the client owns the fields it sets, ""
// where the request does not say
// (https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers).
func (e *Event) FieldManager() string { return e.query("fieldManager") }

// query is the first value of a parameter in the request's URI. The URI is
// taken apart, since its sender may write the text of one parameter into
// another.
func (e *Event) query(key string) string {
	_, raw, ok := strings.Cut(e.RequestURI, "?")
	if !ok || !strings.Contains(raw, key) {
		return ""
	}
	// What cannot be parsed is left out; the rest of the parameters stand.
	values, _ := url.ParseQuery(raw)
	return values.Get(key)
}
