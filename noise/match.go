package noise

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// matcher is a rule's match or unless block, compiled. Every field that the
// block names has to fit; of a field's list one entry.
type matcher struct {
	verbs        patterns
	users        patterns
	groups       patterns
	userAgents   patterns
	resources    resources
	subresources patterns
	namespaces   patterns
	names        patterns
	uris         uriPatterns
	stages       []audit.Stage
	levels       []audit.Level
	codes        []codes
}

// match reports whether the event fits. What is cheap and tells most events
// apart comes first.
func (m *matcher) match(ev *audit.Event) bool {
	user, ref := &ev.User, &ev.Object
	return (len(m.stages) == 0 || slices.Contains(m.stages, ev.Stage)) &&
		m.verbs.match(ev.Verb, user) &&
		m.users.match(user.Username, user) &&
		m.resources.match(ev, m.subresources.set) &&
		m.subresources.match(ref.Subresource, user) &&
		m.namespaces.match(ref.Namespace, user) &&
		m.names.match(ref.Name, user) &&
		m.matchCode(ev.Status.Code) &&
		(len(m.levels) == 0 || slices.Contains(m.levels, ev.Level)) &&
		m.groups.matchAny(user.Groups, user) &&
		m.uris.match(ev.RequestURI, user) &&
		m.userAgents.match(ev.UserAgent, user)
}

func (m *matcher) matchCode(code int32) bool {
	if len(m.codes) == 0 {
		return true
	}
	for _, c := range m.codes {
		if c.low <= code && code <= c.high {
			return true
		}
	}
	return false
}

// codes is a range of HTTP status codes, both ends included.
type codes struct{ low, high int32 }

// parseCodes reads "404", "4xx" or "500-504". The code of an event without a
// response, 0, is written $none.
func parseCodes(s string) (codes, error) {
	if s == none {
		return codes{}, nil
	}
	if class, ok := strings.CutSuffix(s, "xx"); ok {
		c, err := parseCode(class + "00")
		return codes{c, c + 99}, err
	}
	low, high, isRange := strings.Cut(s, "-")
	l, err := parseCode(low)
	if err != nil || !isRange {
		return codes{l, l}, err
	}
	h, err := parseCode(high)
	if err == nil && h < l {
		err = fmt.Errorf("bad range of codes %q: it ends before it starts", s)
	}
	return codes{l, h}, err
}

func parseCode(s string) (int32, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || len(s) != 3 || n < 100 || n > 599 {
		return 0, fmt.Errorf("bad code %q; write 404, 4xx or 500-504", s)
	}
	return int32(n), nil
}

func parseStage(s string) (audit.Stage, error) {
	known := []audit.Stage{audit.StageRequestReceived, audit.StageResponseStarted, audit.StageResponseComplete, audit.StagePanic}
	if i := slices.Index(known, audit.Stage(s)); i >= 0 {
		return known[i], nil
	}
	return "", fmt.Errorf("unknown stage %q; there are %q", s, known)
}

func parseLevel(s string) (audit.Level, error) {
	known := []audit.Level{audit.LevelNone, audit.LevelMetadata, audit.LevelRequest, audit.LevelRequestResponse}
	if i := slices.Index(known, audit.Level(s)); i >= 0 {
		return known[i], nil
	}
	return "", fmt.Errorf("unknown level %q; there are %q", s, known)
}
