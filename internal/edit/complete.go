package edit

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
)

// Names are all labels there are, to be found by number or by name.
type Names struct {
	codec *label.Codec
	all   []named
}

type named struct {
	action label.Action
	number string
	parts  []string // verb, group, resource and subresource, in lower case
}

// Names lists the labels of the published table and of whet's own.
func (s *Session) Names() *Names {
	n := &Names{codec: s.codec}
	for _, l := range slices.Concat([]label.Label{label.Unknown, label.Ignored}, s.codec.Space(), s.codec.NewSpace()) {
		if action, err := s.codec.Decode(l); err == nil {
			text := strings.ToLower(strings.Join([]string{action.Verb, action.Group, action.Resource, action.Subresource}, " "))
			n.all = append(n.all, named{action, l.String(), strings.Fields(text)})
		}
	}
	return n
}

// Complete gives the labels that what was typed may mean, the likeliest first:
// those whose number begins with it, or whose name has each of its words.
// Those that fit an event, in its namespace and with a name like it, go first.
// A number that is a label stands at the top.
func (n *Names) Complete(typed string, ev *audit.Event) []label.Action {
	typed = strings.ToLower(strings.TrimSpace(typed))
	words := strings.FieldsFunc(typed, func(r rune) bool { return r == ' ' || r == '/' })
	if len(words) == 0 {
		return nil
	}
	type found struct {
		named
		rank int
	}
	var list []found
	for _, candidate := range n.all {
		rank, ok := rankOf(candidate, words)
		if !ok {
			continue
		}
		if candidate.action.Named != (ev.Object.Name != "") {
			rank++
		}
		if candidate.action.Namespaced != (ev.Object.Namespace != "") {
			rank++
		}
		list = append(list, found{candidate, rank})
	}
	slices.SortStableFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.action.Label, b.action.Label))
	})
	actions := make([]label.Action, 0, len(list))
	if number, err := strconv.ParseInt(typed, 10, 32); err == nil {
		if action, err := n.codec.Decode(label.Label(number)); err == nil {
			actions = append(actions, action)
		}
	}
	for _, f := range list {
		if !slices.ContainsFunc(actions, func(a label.Action) bool { return a.Label == f.action.Label }) {
			actions = append(actions, f.action)
		}
	}
	return actions
}

// rankOf tells how well a label fits the words, 0 being best.
func rankOf(n named, words []string) (int, bool) {
	if len(words) == 1 && strings.HasPrefix(n.number, words[0]) {
		return 0, true
	}
	rank := 0
	for _, word := range words {
		switch {
		case slices.Contains(n.parts, word):
		case slices.ContainsFunc(n.parts, func(part string) bool { return strings.HasPrefix(part, word) }):
			rank += 3
		case slices.ContainsFunc(n.parts, func(part string) bool { return strings.Contains(part, word) }):
			rank += 6
		default:
			return 0, false
		}
	}
	if n.action.Subresource != "" && !slices.Contains(words, n.action.Subresource) {
		rank += 4 // the object itself goes before its parts
	}
	return rank, true
}
