package label

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/whet-k8s/whet/audit"
)

// The bounds of what a sentence quotes of an event.
const (
	maxWords = 120 // runes of one quoted name
	maxFacts = 3   // entries of a list
)

// Sentence says in words what an event asks for: "scale deployment payments/web
// to 4", "delete pods in team-ab", "exec into pod shop/cache". Where the bodies
// tell, it says what a change changes; at Metadata level it falls back to what
// the URI's fieldManager says, and at last to verb, resource and name. Of pods
// and what makes them it names what the request asks for that gives them power
// over their node: "create pod shop/debug (privileged, hostPID)". Who
// asked, and with what result, is not part of it, but a dry run and an
// impersonated user are.
//
// What it quotes of the event is free of control and format characters and
// bounded, so that it may be printed; it never quotes a Secret's data, a token
// or the value of a label.
func Sentence(ev *audit.Event) string {
	s := newSentence(ev)
	words := s.words() + s.power()
	if ev.Impersonated != nil {
		words += ", impersonating " + quote(ev.Impersonated.Username)
	}
	if s.dryRun {
		words += " (dry run)"
	}
	return words
}

// sentence holds an event and what its URI says.
type sentence struct {
	ev      *audit.Event
	kind    string
	manager string // the fieldManager of the URI
	where   string // the labelSelector or fieldSelector of the URI
	force   bool   // the URI has the force parameter of a server-side apply
	dryRun  bool
}

func newSentence(ev *audit.Event) *sentence {
	s := &sentence{ev: ev, kind: quote(Kind(ev.Object.Resource))}
	_, query, found := strings.Cut(ev.RequestURI, "?")
	if !found {
		return s
	}
	// A query that is broken in part still gives the parameters that are whole.
	values, _ := url.ParseQuery(query)
	s.manager = values.Get("fieldManager")
	s.force = values.Has("force")
	s.dryRun = values.Get("dryRun") == "All"
	s.where = cmp.Or(values.Get("labelSelector"), values.Get("fieldSelector"))
	return s
}

func (s *sentence) words() string {
	ev := s.ev
	if !ev.HasObject || ev.Object.Resource == "" {
		path, _, _ := strings.Cut(ev.RequestURI, "?")
		return strings.TrimSpace(quote(ev.Verb) + " " + quote(path))
	}
	if ev.Object.Subresource != "" {
		return s.subresource()
	}
	switch ev.Verb {
	case "create":
		return s.create()
	case "patch":
		return s.patch()
	case "delete", "get", "update":
		if ev.Object.Name != "" {
			return s.edit(ev.Verb) + " " + s.object()
		}
	}
	return s.collection()
}

// edit is the word for an update: what kubectl calls it where the manager says.
func (s *sentence) edit(verb string) string {
	if verb != "update" {
		return verb
	}
	switch s.manager {
	case "kubectl-replace":
		return "replace"
	case "kubectl-edit":
		return "edit"
	}
	return verb
}

// subresource words a request for a subresource.
func (s *sentence) subresource() string {
	ev, object := s.ev, s.object()
	reads := ev.Verb == "get" || ev.Verb == "list" || ev.Verb == "watch"
	switch ev.Object.Subresource {
	case "exec":
		return "exec into " + object
	case "attach":
		return "attach to " + object
	case "portforward":
		return "port-forward to " + object
	case "proxy":
		return "proxy to " + object
	case "log":
		return "read log of " + object
	case "eviction":
		return "evict " + object
	case "binding":
		return s.bind()
	}
	if reads {
		return quote(ev.Verb) + " " + quote(ev.Object.Subresource) + " of " + object
	}
	switch ev.Object.Subresource {
	case "scale":
		return s.scale()
	case "token":
		return s.token()
	case "approval":
		return s.approval()
	case "ephemeralcontainers":
		return "debug " + object + " with an ephemeral container"
	case "resize", "finalize":
		return ev.Object.Subresource + " " + object
	}
	return fmt.Sprintf("%s %s of %s", quote(ev.Verb), quote(ev.Object.Subresource), object)
}

func (s *sentence) scale() string {
	for _, body := range []*audit.Body{s.ev.Request, s.ev.Response} {
		if body != nil && body.Replicas != nil {
			return fmt.Sprintf("scale %s to %d", s.object(), *body.Replicas)
		}
	}
	return "scale " + s.object()
}

func (s *sentence) bind() string {
	if r := s.ev.Request; r != nil && r.Target != nil && r.Target.Name != "" {
		return fmt.Sprintf("bind %s to %s %s", s.object(), quote(strings.ToLower(cmp.Or(r.Target.Kind, "node"))), quote(r.Target.Name))
	}
	return "bind " + s.object() + " to a node"
}

func (s *sentence) token() string {
	words := "create token for " + s.object()
	if r := s.ev.Request; r != nil && r.Target != nil && r.Target.Name != "" {
		words += fmt.Sprintf(" of %s %s", quote(strings.ToLower(r.Target.Kind)), quote(r.Target.Name))
	}
	return words
}

func (s *sentence) approval() string {
	details := detailsOf(s.ev)
	for _, condition := range details.Status.Conditions {
		switch condition.Type {
		case "Approved":
			return "approve " + s.object()
		case "Denied":
			return "deny " + s.object()
		}
	}
	return "approve or deny " + s.object()
}

// create words the making of an object; of the objects that are questions, the
// question.
func (s *sentence) create() string {
	ev := s.ev
	switch ev.Object.Resource {
	case "selfsubjectaccessreviews":
		return "ask whether one may" + s.access()
	case "subjectaccessreviews", "localsubjectaccessreviews":
		user := cmp.Or(detailsOf(ev).Spec.User, "a user")
		return "ask whether " + quote(user) + " may" + s.access()
	case "selfsubjectrulesreviews":
		return "ask what one may do"
	case "selfsubjectreviews":
		return "ask who one is"
	case "tokenreviews":
		return "ask whose a token is"
	case "bindings":
		s.kind = "pod"
		return s.bind()
	case "events":
		return s.recordEvent()
	}
	words := "create " + s.object()
	if ev.Request == nil {
		return words
	}
	switch ev.Object.Resource {
	case "rolebindings", "clusterrolebindings":
		return words + s.grant()
	case "horizontalpodautoscalers":
		if t := ev.Request.Target; t != nil {
			return fmt.Sprintf("%s for %s %s", words, quote(strings.ToLower(t.Kind)), quote(t.Name))
		}
	}
	return words
}

// power says what the request asks for that gives pods power over their node:
// " (privileged, hostNetwork)".
func (s *sentence) power() string {
	ev := s.ev
	if ev.Request == nil || len(ev.Request.Pod.Host) == 0 || ev.Object.Subresource != "" && ev.Object.Subresource != "ephemeralcontainers" {
		return ""
	}
	switch ev.Verb + " " + ev.Object.APIGroup {
	case "create ", "update ", "patch ", "create apps", "update apps", "patch apps", "create batch", "update batch", "patch batch":
	default:
		return "" // another kind's fields of the same names
	}
	host := slices.Clone(ev.Request.Pod.Host)
	// What matters most is named first, and not cut off.
	slices.SortStableFunc(host, func(a, b string) int { return cmp.Compare(powerRank(a), powerRank(b)) })
	if len(host) > maxFacts {
		host = append(host[:maxFacts:maxFacts], "…")
	}
	for i := range host {
		host[i] = quote(host[i])
	}
	return " (" + strings.Join(host, ", ") + ")"
}

func powerRank(word string) int {
	switch {
	case word == "privileged":
		return 0
	case strings.HasPrefix(word, "hostPath "):
		return 2
	}
	return 1
}

// access is the verb and the resource that an access review asks about.
func (s *sentence) access() string {
	spec := detailsOf(s.ev).Spec
	switch a := spec.ResourceAttributes; {
	case a != nil:
		words := " " + quote(a.Verb) + " " + quote(joinSub(a.Resource, a.Subresource))
		if a.Name != "" {
			words += " " + quote(a.Name)
		}
		if a.Namespace != "" {
			words += " in " + quote(a.Namespace)
		}
		return words
	case spec.NonResourceAttributes != nil:
		return " " + quote(spec.NonResourceAttributes.Verb) + " " + quote(spec.NonResourceAttributes.Path)
	}
	return " do something"
}

// grant is who gets which role by a binding.
func (s *sentence) grant() string {
	var subjects []string
	for _, subject := range s.ev.Request.Subjects {
		name := subject.Name
		if subject.Namespace != "" {
			name = subject.Namespace + "/" + name
		}
		subjects = append(subjects, strings.ToLower(subject.Kind)+" "+name)
	}
	role := s.ev.Request.Target
	if role == nil || len(subjects) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s %s to %s)", quote(strings.ToLower(role.Kind)), quote(role.Name), quoteAll(subjects))
}

func (s *sentence) recordEvent() string {
	for _, body := range []*audit.Body{s.ev.Request, s.ev.Response} {
		if body == nil || body.Involved == nil {
			continue
		}
		involved := body.Involved
		return strings.TrimSpace(fmt.Sprintf("record event %s", quote(body.Reason))) + " for " +
			quote(strings.ToLower(involved.Kind)) + " " + place(involved.Namespace, involved.Name)
	}
	return "create " + s.object()
}

// collection words a request for many objects.
func (s *sentence) collection() string {
	verb := s.ev.Verb
	switch verb {
	case "deletecollection":
		verb = "delete"
	case "list", "watch":
		if s.ev.Object.Name != "" {
			return verb + " " + s.object()
		}
	}
	words := quote(verb) + " " + quote(s.ev.Object.Resource)
	switch {
	case s.ev.Object.Namespace != "" && s.ev.Object.Resource != "namespaces":
		words += " in " + quote(s.ev.Object.Namespace)
	case isNamespaced(s.ev.Object):
		words += " in all namespaces"
	}
	if s.where != "" {
		words += " where " + quote(s.where)
	}
	return words
}

// isNamespaced tells whether a table has the resource with a namespace.
func isNamespaced(object audit.ObjectRef) bool {
	return slices.ContainsFunc(slices.Concat(publishedResources(), newResources()), func(r resource) bool {
		return r.name == object.Resource && r.namespaced && r.group == cmp.Or(object.APIGroup, coreGroup)
	})
}

// object is the kind, the namespace and the name; of an object whose name the
// API server makes up, as much of the name as the event has.
func (s *sentence) object() string {
	namespace, name := s.ev.Object.Namespace, s.ev.Object.Name
	if s.ev.Object.Resource == "namespaces" {
		namespace = ""
	}
	if name == "" && s.ev.Verb == "create" {
		name = madeUpName(s.ev)
	}
	if name == "" && namespace != "" {
		return s.kind + " in " + quote(namespace)
	}
	return strings.TrimSpace(s.kind + " " + place(namespace, name))
}

// madeUpName is the name that a create without one got.
func madeUpName(ev *audit.Event) string {
	if ev.Response != nil && ev.Response.Name != "" && ev.Response.Kind != "Status" {
		return ev.Response.Name
	}
	if ev.Request != nil {
		if ev.Request.Name != "" {
			return ev.Request.Name
		}
		if ev.Request.GenerateName != "" {
			return ev.Request.GenerateName + "*"
		}
	}
	return ""
}

func place(namespace, name string) string {
	if namespace == "" {
		return quote(name)
	}
	return quote(namespace) + "/" + quote(name)
}

// quote makes a string of an event fit to stand in a line: every control,
// format and invalid character becomes U+FFFD, and what is too long is cut.
func quote(words string) string {
	var b strings.Builder
	runes := 0
	for _, r := range words {
		if runes == maxWords {
			b.WriteString("…")
			break
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

// quoteAll quotes the first few of a list and says how many it leaves out.
func quoteAll(words []string) string {
	var quoted []string
	for _, w := range words[:min(len(words), maxFacts)] {
		quoted = append(quoted, quote(w))
	}
	list := strings.Join(quoted, ", ")
	if rest := len(words) - maxFacts; rest > 0 {
		list += fmt.Sprintf(" and %d more", rest)
	}
	return list
}
