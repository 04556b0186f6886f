package yamldoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// origin is where a node comes from that is in no file.
type origin struct {
	by   string // who set it, as errors name it: --set
	path string // what was set
}

// Empty gives the root of a document in which nothing is set yet.
func (d *Document) Empty() (ast.Node, error) { return parseNode("{}") }

// Set puts a value, in YAML, at a path such as limits.body or clusters[0].keep,
// in place of what is there, and makes the mappings and lists on the way. The
// index one beyond the last entry of a list appends to it, as does none, in
// clients[]. Errors about the value name who set it in place of a line.
func (d *Document) Set(root ast.Node, by, path, value string) error {
	steps, err := stepsOf(path)
	if err != nil {
		return fmt.Errorf("%s: %w", by, err)
	}
	if len(value) > MaxBytes || tooDeep([]byte(value)) > 0 {
		return fmt.Errorf("%s: the value is too long or too deep", by)
	}
	n, err := parseNode(value)
	if err != nil {
		return fmt.Errorf("%s: the value is not valid YAML; quote what YAML gives a meaning: %w", by, err)
	}
	at := &place{document: d, node: root, by: by}
	for i, s := range steps {
		if at, err = at.step(s); err != nil {
			return fmt.Errorf("%s: %s: %w", by, at.path, err)
		}
		if at.node != nil {
			continue
		}
		// Nothing is there: what is missing is made around the value.
		for _, inner := range slices.Backward(steps[i+1:]) {
			if n, err = at.around(inner, n); err != nil {
				return fmt.Errorf("%s: %w", by, err)
			}
		}
		break
	}
	if err := at.put(n); err != nil {
		return fmt.Errorf("%s: %w", by, err)
	}
	ast.Walk(noter(func(n ast.Node) { d.set[n] = origin{by, steps.named(at)} }), n)
	return nil
}

// IsSet tells whether a node came by Set.
func (d *Document) IsSet(n ast.Node) bool {
	_, ok := d.set[n]
	return ok
}

type noter func(ast.Node)

// Visit implements ast.Visitor.
func (f noter) Visit(n ast.Node) ast.Visitor {
	f(n)
	return f
}

func parseNode(text string) (ast.Node, error) {
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		return nil, err
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("there are %d documents", len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return parseNode(`""`)
	}
	return file.Docs[0].Body, nil
}

// step is a key of a mapping, or an index of a list.
type step struct {
	key   string // "" for an index
	index int    // appends where it is negative
}

type steps []step

// stepsOf takes a path apart.
func stepsOf(path string) (steps, error) {
	var list steps
	for part := range strings.SplitSeq(path, ".") {
		key, rest, _ := strings.Cut(part, "[")
		if key == "" {
			return nil, fmt.Errorf("%q is no path: write one such as limits.body or clusters[0].keep", path)
		}
		list = append(list, step{key: key})
		for rest != "" {
			index, after, closed := strings.Cut(rest, "]")
			i, err := strconv.Atoi(index)
			if index == "" {
				i, err = -1, nil
			} else if i < 0 {
				err = strconv.ErrRange
			}
			if err != nil || !closed || after != "" && after[0] != '[' {
				return nil, fmt.Errorf("%q is no path: an index is written as in clusters[0].keep", path)
			}
			list = append(list, step{index: i})
			rest = strings.TrimPrefix(after, "[")
		}
	}
	return list, nil
}

// named is the path as the readers name it, once it is known where a value went.
func (s steps) named(at *place) string {
	path := at.path
	for _, one := range s[at.steps:] {
		if one.key != "" {
			path += "." + one.key
		} else {
			path += "[0]"
		}
	}
	return path
}

// around makes the mapping or the list with a value at a step.
func (p *place) around(s step, n ast.Node) (ast.Node, error) {
	if s.key == "" {
		if s.index > 0 {
			return nil, fmt.Errorf("there is no list yet, and [%d] would be beyond its end", s.index)
		}
		list, err := parseNode("[x]")
		if seq, ok := list.(*ast.SequenceNode); ok {
			seq.Values[0] = n
		}
		return list, err
	}
	value, err := p.pair(s.key, n)
	if err != nil {
		return nil, err
	}
	m, err := parseNode("{}")
	if m, ok := m.(*ast.MappingNode); ok {
		m.Values = append(m.Values, value)
	}
	return m, err
}

// pair makes the entry of a mapping.
func (p *place) pair(key string, n ast.Node) (*ast.MappingValueNode, error) {
	parsed, err := parseNode(strconv.Quote(key) + ": x")
	if err != nil {
		return nil, err
	}
	value, ok := parsed.(*ast.MappingValueNode)
	if m, is := parsed.(*ast.MappingNode); is && len(m.Values) == 1 {
		value, ok = m.Values[0], true
	}
	if !ok {
		return nil, fmt.Errorf("%q is no key", key)
	}
	value.Value = n
	p.document.set[value.Key] = origin{by: p.by}
	return value, nil
}

// place is where a value is, or is to be, in a document.
type place struct {
	document *Document
	node     ast.Node // nil where nothing is
	path     string
	steps    int    // how many lead here
	by       string // who sets it
	put      func(ast.Node) error
}

// step goes one step on. With an error it gives the place where that is wrong.
func (p *place) step(s step) (*place, error) {
	n, err := p.document.Resolve(p.node, p.path)
	if err != nil {
		return p, err
	}
	next := &place{document: p.document, steps: p.steps + 1, by: p.by}
	if s.key != "" {
		next.path = strings.TrimPrefix(p.path+"."+s.key, ".")
		m, ok := n.(*ast.MappingNode)
		if !ok {
			return p, fmt.Errorf("it is no mapping in which %s could be set", s.key)
		}
		for _, v := range m.Values {
			if v.Key.GetToken().Value == s.key {
				next.node = v.Value
				next.put = func(n ast.Node) error { v.Value = n; return nil }
				return next, nil
			}
		}
		next.put = func(n ast.Node) error {
			v, err := next.pair(s.key, n)
			m.Values = append(m.Values, v)
			return err
		}
		return next, nil
	}
	seq, ok := n.(*ast.SequenceNode)
	switch {
	case !ok && s.index == 0:
		// A single value counts as a list of one.
		next.path, next.node, next.put = p.path, n, p.put
	case !ok:
		return p, fmt.Errorf("it is no list, to which [%d] could be added", s.index)
	case s.index > len(seq.Values):
		return p, fmt.Errorf("the list has %d entries, and [%d] is beyond its end", len(seq.Values), s.index)
	case s.index < 0, s.index == len(seq.Values):
		next.path = fmt.Sprintf("%s[%d]", p.path, len(seq.Values))
		next.put = func(n ast.Node) error { seq.Values = append(seq.Values, n); return nil }
	default:
		next.path, next.node = fmt.Sprintf("%s[%d]", p.path, s.index), seq.Values[s.index]
		next.put = func(n ast.Node) error { seq.Values[s.index] = n; return nil }
	}
	return next, nil
}
