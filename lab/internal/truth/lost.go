package truth

import (
	"regexp"
	"strings"
)

// lost returns the commands that succeeded although the log holds no request of
// theirs for a resource. A command may fail before it asks for one, and some ask
// only what the API server can do; the others cannot succeed without asking.
func (a *attributor) lost(events []*Event, found []verdict) []Command {
	sent := make([]bool, len(a.journal.Commands))
	for i, v := range found {
		if v.role == RoleClient && events[i].ObjectRef.Resource != "" {
			sent[v.command] = true
		}
	}
	var out []Command
	for i, cmd := range a.journal.Commands {
		if !sent[i] && cmd.Status == 0 && !asksNoResource(cmd.Text) {
			out = append(out, cmd)
		}
	}
	return out
}

var (
	// withoutResource matches kubectl's commands that need no resource.
	withoutResource = regexp.MustCompile(`^kubectl( -\S+( [^-\s]\S*)?)*? (api-resources|api-versions|cluster-info|config|explain|kustomize|options|version)\b`)
	// toResource matches a call whose path names a resource.
	toResource = regexp.MustCompile(`^[A-Z]+ /(api/[^/?]+|apis/[^/?]+/[^/?]+)/[^/?]`)
)

func asksNoResource(text string) bool {
	if !strings.HasPrefix(text, "kubectl") {
		return !toResource.MatchString(text)
	}
	return withoutResource.MatchString(text) || strings.Contains(text, " --dry-run=client") || strings.Contains(text, " --local")
}
