package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/pipeline/why"
)

// Hints says, of a query that found nothing, which of its values are likely to be
// written otherwise: a kind for a resource, a group behind a resource, a verb in
// upper case, a component without what its username begins with.
func (e *Expr) Hints() []string {
	if e.root == nil {
		return nil
	}
	var hints []string
	e.root.each(func(t *test) {
		if t.text == nil || t.text.op != textIn {
			return
		}
		for _, v := range t.text.values {
			if hint := t.hint(v); hint != "" && !slices.Contains(hints, hint) {
				hints = append(hints, hint)
			}
		}
	})
	return hints
}

// each calls a function for every test.
func (n *node) each(f func(*test)) {
	if n.kind == nodeTest {
		f(n.test)
	}
	for _, kid := range n.kids {
		kid.each(f)
	}
}

// hint says how a value may have been meant, "" where nothing is odd about it.
func (t *test) hint(value string) string {
	switch name := strings.TrimPrefix(t.column.Name, "context."); {
	case name == "verb" && strings.ToLower(value) != value:
		return fmt.Sprintf("verbs are in lower case: verb == %s", strings.ToLower(value))
	case name == "resource" && !t.keyed:
		return resourceHint(value)
	case name == "touched" && t.kind == testKeys:
		if plural := pluralOf(value); plural != "" {
			return fmt.Sprintf("resources are in the plural: touches(%s)", plural)
		}
	case name == "effectsBy" && t.kind == testKeys, name == "username", name == "actor":
		return userHint(value)
	}
	return ""
}

func resourceHint(value string) string {
	resource, group, grouped := strings.Cut(value, ".")
	plural := pluralOf(resource)
	switch {
	case grouped && plural == "":
		return fmt.Sprintf("the group is a field of its own: resource == %s and apiGroup == %s", resource, group)
	case grouped:
		return fmt.Sprintf("the group is a field of its own: resource == %s and apiGroup == %s", plural, group)
	case plural != "":
		return fmt.Sprintf("resources are in the plural: resource == %s", plural)
	}
	return ""
}

// pluralOf gives the plural name of a resource for a kind or a short name of
// kubectl, "" for what is none or is in the plural already.
func pluralOf(word string) string {
	codec := label.New(label.Options{})
	if _, known := codec.GroupOf(word); known {
		return ""
	}
	target, err := why.ParseTarget(strings.ToLower(word) + "/x")
	if err != nil {
		return ""
	}
	kind := target.Kind
	for _, plural := range []string{kind + "s", kind + "es", strings.TrimSuffix(kind, "y") + "ies", kind} {
		if _, known := codec.GroupOf(plural); known && plural != word {
			return plural
		}
	}
	return ""
}

// userHint says how the username of a component may begin.
func userHint(value string) string {
	switch {
	case strings.ContainsAny(value, ":@"):
		return ""
	case value == "kubelet":
		return `the kubelets are users named system:node:NODE: write "system:node:*", with ~ behind a field`
	case strings.HasPrefix(value, "kube-"):
		return fmt.Sprintf("the components are users named system:…: write system:%s", value)
	case strings.HasSuffix(value, "-controller"):
		return fmt.Sprintf("controllers are service accounts: write system:serviceaccount:kube-system:%s", value)
	}
	return ""
}
