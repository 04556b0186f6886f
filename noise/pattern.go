package noise

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// none is the pattern for a value that the event lacks: no namespace, no
// name, no subresource, no objectRef. A dollar sign cannot stand in a name of
// Kubernetes, so it collides with none.
const none = "$none"

// userNode is the pattern for the name of the node that sent the request.
const userNode = "$user.node"

// nodeUser is the prefix of a kubelet's username
// (https://kubernetes.io/docs/reference/access-authn-authz/node/).
const nodeUser = "system:node:"

// glob is a pattern with asterisks, split at them. An asterisk stands for any
// run of characters, an empty one and slashes too.
type glob []string

func newGlob(s string) glob { return strings.Split(s, "*") }

func (g glob) match(s string) bool {
	first, last := g[0], g[len(g)-1]
	if len(g) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range g[1 : len(g)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// isRegexp tells a regular expression, written between slashes, from a plain
// value or a glob.
func isRegexp(s string) bool {
	return len(s) >= 2 && s[0] == '/' && s[len(s)-1] == '/'
}

// newRegexp compiles /…/ to an expression that has to match a whole value: a
// rule that hides events must not hide more than it says.
func newRegexp(s string) (*regexp.Regexp, error) {
	inner := s[1 : len(s)-1]
	// The expression is compiled alone first, lest it close the group that
	// makes it match the whole.
	_, err := regexp.Compile(inner)
	if err == nil {
		var re *regexp.Regexp
		if re, err = regexp.Compile(`^(?:` + inner + `)$`); err == nil {
			return re, nil
		}
	}
	return nil, fmt.Errorf("bad regular expression %q: %w", s, err)
}

// patterns is a list of patterns of which one has to match. The zero value
// says nothing, so that every value passes.
type patterns struct {
	set      bool
	exact    []string
	globs    []glob
	regexps  []*regexp.Regexp
	none     bool
	userNode bool
}

// add compiles one pattern of a list.
func (p *patterns) add(s string) error {
	p.set = true
	switch {
	case s == "":
		return fmt.Errorf("empty pattern; write %s for a value that is not there", none)
	case s == none:
		p.none = true
	case s == userNode:
		p.userNode = true
	case s[0] == '$':
		return fmt.Errorf("unknown reference %q; there are %s and %s", s, none, userNode)
	case isRegexp(s):
		re, err := newRegexp(s)
		if err != nil {
			return err
		}
		p.regexps = append(p.regexps, re)
	case strings.Contains(s, "*"):
		p.globs = append(p.globs, newGlob(s))
	default:
		p.exact = append(p.exact, s)
	}
	return nil
}

// match reports whether value fits. A value that is not there fits nothing
// but $none.
func (p *patterns) match(value string, user *audit.User) bool {
	if !p.set {
		return true
	}
	if value == "" {
		return p.none
	}
	if slices.Contains(p.exact, value) {
		return true
	}
	for _, g := range p.globs {
		if g.match(value) {
			return true
		}
	}
	for _, re := range p.regexps {
		if re.MatchString(value) {
			return true
		}
	}
	if p.userNode {
		node, ok := strings.CutPrefix(user.Username, nodeUser)
		return ok && node == value
	}
	return false
}

// matchAny reports whether one of the values fits.
func (p *patterns) matchAny(values []string, user *audit.User) bool {
	if !p.set {
		return true
	}
	for _, v := range values {
		if p.match(v, user) {
			return true
		}
	}
	return p.none && len(values) == 0
}

// uriPatterns compare with the path of a request's URI; those that hold a
// question mark, and regular expressions, with the whole URI.
type uriPatterns struct {
	path, whole patterns
}

func (p *uriPatterns) add(s string) error {
	if isRegexp(s) || strings.Contains(s, "?") {
		return p.whole.add(s)
	}
	return p.path.add(s)
}

func (p *uriPatterns) match(uri string, user *audit.User) bool {
	if !p.path.set && !p.whole.set {
		return true
	}
	if p.whole.set && p.whole.match(uri, user) {
		return true
	}
	path, _, _ := strings.Cut(uri, "?")
	return p.path.set && p.path.match(path, user)
}

// resource is a pattern for an objectRef: "pods", "pods/status", "pods/*",
// "deployments.apps", "deployments.apps/scale", "*.apps", "*".
type resource struct {
	name  glob
	group glob // split at "*" too; one empty part for the core group
	// subresource is nil when the pattern is "*", which says nothing of it.
	subresource glob
}

func newResource(s string) (resource, error) {
	if s == "*" {
		return resource{name: newGlob("*"), group: newGlob("*")}, nil
	}
	full, sub, hasSub := strings.Cut(s, "/")
	name, group, hasGroup := strings.Cut(full, ".")
	if name == "" || (hasGroup && group == "") || (hasSub && sub == "") || strings.Contains(sub, "/") {
		return resource{}, fmt.Errorf("bad resource %q; write resource, resource.group, resource/subresource or resource.group/subresource", s)
	}
	return resource{name: newGlob(name), group: newGlob(group), subresource: newGlob(sub)}, nil
}

// matchSubresource reports whether a subresource fits. A pattern without one
// means the resource itself, unless any is true; one with an asterisk does
// not.
func (r *resource) matchSubresource(s string, any bool) bool {
	itself := len(r.subresource) == 1 && r.subresource[0] == ""
	if itself || s == "" {
		return itself && (any || s == "")
	}
	return r.subresource.match(s)
}

// resources is a list of resource patterns of which one has to match.
type resources struct {
	set     bool
	none    bool
	list    []resource
	regexps []*regexp.Regexp
}

func (p *resources) add(s string) error {
	p.set = true
	switch {
	case s == "":
		return fmt.Errorf("empty pattern; write %s for a request without a resource", none)
	case s == none:
		p.none = true
	case s[0] == '$':
		return fmt.Errorf("unknown reference %q; a resource can be %s", s, none)
	case isRegexp(s):
		re, err := newRegexp(s)
		if err != nil {
			return err
		}
		p.regexps = append(p.regexps, re)
	default:
		r, err := newResource(s)
		if err != nil {
			return err
		}
		p.list = append(p.list, r)
	}
	return nil
}

// match reports whether the event's objectRef fits. anySubresource says that
// the rule has a matcher for the subresource of its own, so that "pods" says
// nothing of it.
func (p *resources) match(ev *audit.Event, anySubresource bool) bool {
	if !p.set {
		return true
	}
	ref := &ev.Object
	if ref.Resource == "" {
		return p.none && !ev.HasObject
	}
	for i := range p.list {
		r := &p.list[i]
		if !r.name.match(ref.Resource) || !r.group.match(ref.APIGroup) {
			continue
		}
		if r.subresource == nil || r.matchSubresource(ref.Subresource, anySubresource) {
			return true
		}
	}
	if len(p.regexps) == 0 {
		return false
	}
	full := refString(ref)
	for _, re := range p.regexps {
		if re.MatchString(full) {
			return true
		}
	}
	return false
}

// refString writes an objectRef's resource the way a policy does.
func refString(ref *audit.ObjectRef) string {
	s := ref.Resource
	if ref.APIGroup != "" {
		s += "." + ref.APIGroup
	}
	if ref.Subresource != "" {
		s += "/" + ref.Subresource
	}
	return s
}
