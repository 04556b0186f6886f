package noise

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/whet-k8s/whet/internal/yamldoc"
)

// The header that every policy starts with.
const (
	apiVersion = "whet/v1"
	kind       = "NoisePolicy"
)

// builder collects one policy while its document is walked.
type builder struct {
	*yamldoc.Document
	name                      string
	apiVersion, kind, extends string
	own                       []*rule
	disable                   []located
	protect                   map[string]bool
}

// located is a text and the node that holds it.
type located struct {
	text string
	node ast.Node
	path string
}

// Parse reads a policy in YAML; the package comment describes its fields.
// name is the file's name and stands in errors. An error names the file, the
// line and the field: Parse takes no field that it does not know, no rule
// without an id, a reason, a decision and something to match, no id twice, and
// no pattern that does not compile.
func Parse(name string, data []byte) (*Policy, error) {
	b := &builder{Document: yamldoc.New(name, "policy"), name: name, protect: make(map[string]bool)}
	root, err := b.Parse(data)
	if err != nil {
		return nil, err
	}
	err = b.Mapping(root, "", []yamldoc.Field{
		{Name: "apiVersion", Read: b.Text(&b.apiVersion)},
		{Name: "kind", Read: b.Text(&b.kind)},
		{Name: "extends", Read: b.Text(&b.extends)},
		{Name: "disable", Read: b.readDisable},
		{Name: "protect", Read: b.readProtect},
		{Name: "rules", Read: b.readRules},
	})
	if err != nil {
		return nil, err
	}
	if b.apiVersion != apiVersion {
		return nil, b.Errorf(root, "apiVersion", "want %s, have %q", apiVersion, b.apiVersion)
	}
	if b.kind != kind {
		return nil, b.Errorf(root, "kind", "want %s, have %q", kind, b.kind)
	}
	return b.policy(root)
}

// policy puts the policy's own rules before those it extends and checks that
// no id stands for two.
func (b *builder) policy(root ast.Node) (*Policy, error) {
	own := make(map[string]*rule, len(b.own))
	for _, r := range b.own {
		if first := own[r.ID]; first != nil {
			return nil, fmt.Errorf("%s:%d: id: %q is already the id of the rule on line %d", b.name, r.Line, r.ID, first.Line)
		}
		own[r.ID] = r
	}
	p := &Policy{rules: b.own, protect: Protect{Refused: true, SecretReads: true, Impersonation: true}}
	switch b.extends {
	case "":
		if len(b.disable) > 0 {
			return nil, b.Errorf(b.disable[0].node, "disable", "there is nothing to switch off without extends: default")
		}
	case "default":
		inherited, err := b.inherit()
		if err != nil {
			return nil, err
		}
		for _, r := range inherited {
			switch mine := own[r.ID]; {
			case mine == nil:
				p.rules = append(p.rules, r)
			case r.Enabled:
				return nil, fmt.Errorf("%s:%d: id: %q is the id of a default rule; disable that one to replace it", b.name, mine.Line, r.ID)
			}
		}
	default:
		return nil, b.Errorf(root, "extends", "unknown policy %q; there is default", b.extends)
	}
	for name, on := range b.protect {
		switch name {
		case protectRefused:
			p.protect.Refused = on
		case protectSecretReads:
			p.protect.SecretReads = on
		case protectImpersonation:
			p.protect.Impersonation = on
		}
	}
	p.index()
	return p, nil
}

// inherit returns the default policy's rules, those switched off that
// disable names.
func (b *builder) inherit() ([]*rule, error) {
	rules := Default().rules
	for _, id := range b.disable {
		i := slices.IndexFunc(rules, func(r *rule) bool { return r.ID == id.text })
		if i < 0 {
			return nil, b.Errorf(id.node, id.path, "the default policy has no rule %q", id.text)
		}
		rules[i].Enabled = false
	}
	return rules, nil
}

func (b *builder) readDisable(n ast.Node, path string) error {
	return b.List(n, path, func(n ast.Node, path string) error {
		id, err := b.Scalar(n, path)
		b.disable = append(b.disable, located{id, n, path})
		return err
	})
}

func (b *builder) readProtect(n ast.Node, path string) error {
	var fields []yamldoc.Field
	for _, name := range []string{protectRefused, protectSecretReads, protectImpersonation} {
		fields = append(fields, yamldoc.Field{Name: name, Read: func(n ast.Node, path string) error {
			on, err := b.Boolean(n, path)
			b.protect[name] = on
			return err
		}})
	}
	return b.Mapping(n, path, fields)
}

func (b *builder) readRules(n ast.Node, path string) error {
	return b.List(n, path, b.readRule)
}

func (b *builder) readRule(n ast.Node, path string) error {
	r := &rule{Rule: Rule{Enabled: true, Source: b.name, Line: yamldoc.Line(n)}}
	var decision string
	var match bool
	err := b.Mapping(n, path, []yamldoc.Field{
		{Name: "id", Read: b.Text(&r.ID)},
		{Name: "reason", Read: b.Text(&r.Reason)},
		{Name: "decision", Read: func(n ast.Node, path string) (err error) {
			if err = b.Text(&decision)(n, path); err == nil {
				if r.Action, err = parseAction(decision); err != nil {
					err = b.Errorf(n, path, "%w", err)
				}
			}
			return err
		}},
		{Name: "enabled", Read: b.Bool(&r.Enabled)},
		{Name: "match", Read: func(n ast.Node, path string) error {
			match = true
			return b.readMatcher(n, path, &r.match)
		}},
		{Name: "unless", Read: func(n ast.Node, path string) error {
			r.unless = new(matcher)
			return b.readMatcher(n, path, r.unless)
		}},
	})
	if err != nil {
		return err
	}
	if err := checkID(r.ID); err != nil {
		return b.Errorf(n, path+".id", "%w", err)
	}
	if strings.TrimSpace(r.Reason) == "" || strings.ContainsFunc(r.Reason, unicode.IsControl) {
		return b.Errorf(n, path+".reason", "rule %s needs a reason: a sentence on one line", r.ID)
	}
	if decision == "" {
		return b.Errorf(n, path+".decision", "rule %s needs a decision: drop, setAside or keep", r.ID)
	}
	if !match {
		return b.Errorf(n, path+".match", "rule %s says nothing to match; write users: [\"*\"] to match every event", r.ID)
	}
	b.own = append(b.own, r)
	return nil
}

func parseAction(s string) (Action, error) {
	for _, a := range []Action{Keep, SetAside, Drop} {
		if s == a.String() {
			return a, nil
		}
	}
	return Keep, fmt.Errorf("unknown decision %q; there are drop, setAside and keep", s)
}

// checkID holds an id to what can stand in a report, a file name and a URL.
func checkID(id string) error {
	if id == "" {
		return fmt.Errorf("a rule needs an id")
	}
	if len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return fmt.Errorf("bad id %q: an id has at most 64 letters, digits, dots, dashes and underscores", id)
	}
	if strings.HasPrefix(id, protectPrefix) {
		return fmt.Errorf("bad id %q: %q starts the names of protections", id, protectPrefix)
	}
	return nil
}

// readMatcher reads a match or unless block.
func (b *builder) readMatcher(n ast.Node, path string, m *matcher) error {
	some := false
	entry := func(add func(string) error) func(ast.Node, string) error {
		return func(n ast.Node, path string) error {
			some = true
			return b.List(n, path, func(n ast.Node, path string) error {
				s, err := b.Scalar(n, path)
				if err != nil {
					return err
				}
				if err := add(s); err != nil {
					return b.Errorf(n, path, "%w", err)
				}
				return nil
			})
		}
	}
	// Only a name can be that of the node that asks.
	plain := func(add func(string) error) func(string) error {
		return func(s string) error {
			if s == userNode {
				return fmt.Errorf("%s can stand in names alone", userNode)
			}
			return add(s)
		}
	}
	err := b.Mapping(n, path, []yamldoc.Field{
		{Name: "verbs", Read: entry(plain(m.verbs.add))},
		{Name: "users", Read: entry(plain(m.users.add))},
		{Name: "groups", Read: entry(plain(m.groups.add))},
		{Name: "userAgents", Read: entry(plain(m.userAgents.add))},
		{Name: "resources", Read: entry(m.resources.add)},
		{Name: "subresources", Read: entry(plain(m.subresources.add))},
		{Name: "namespaces", Read: entry(plain(m.namespaces.add))},
		{Name: "names", Read: entry(m.names.add)},
		{Name: "uris", Read: entry(plain(m.uris.add))},
		{Name: "stages", Read: entry(appendTo(&m.stages, parseStage))},
		{Name: "codes", Read: entry(appendTo(&m.codes, parseCodes))},
		{Name: "levels", Read: entry(appendTo(&m.levels, parseLevel))},
	})
	if err == nil && !some {
		err = b.Errorf(n, path, "the block is empty")
	}
	return err
}

// appendTo returns a function that parses a text and appends it to list.
func appendTo[T any](list *[]T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err == nil {
			*list = append(*list, v)
		}
		return err
	}
}
