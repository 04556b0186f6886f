package noise

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxPolicyBytes and maxNesting bound what Parse reads. A policy needs five
// levels; the YAML parser recurses once a level, and a stack that overflows
// cannot be recovered.
const (
	maxPolicyBytes = 1 << 20
	maxNesting     = 100
)

// document walks the YAML of one policy. It reads the syntax tree rather than
// decode into structs, so that every error can name its line.
type document struct {
	name    string
	anchors map[string]ast.Node
}

// field is one key that a mapping may have and what reads its value.
type field struct {
	name string
	read func(n ast.Node, path string) error
}

// errorf makes an error that names the file, the line and the field.
func (d *document) errorf(n ast.Node, path, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %w", d.name, line(n), path, fmt.Errorf(format, args...))
}

func line(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

// parse returns the root node of the only document in data.
func (d *document) parse(data []byte) (ast.Node, error) {
	if len(data) > maxPolicyBytes {
		return nil, fmt.Errorf("%s: the policy has %d bytes, more than %d", d.name, len(data), maxPolicyBytes)
	}
	if at := tooDeep(data); at > 0 {
		return nil, fmt.Errorf("%s:%d: nested more than %d levels deep", d.name, at, maxNesting)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
			return nil, fmt.Errorf("%s:%d: not valid YAML: %s", d.name, at.GetToken().Position.Line, at.GetMessage())
		}
		return nil, fmt.Errorf("%s: not valid YAML: %w", d.name, err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc == nil || doc.Body == nil:
		case root != nil:
			return nil, d.errorf(doc.Body, "document", "a second document; a file holds one policy")
		default:
			root = doc.Body
		}
	}
	if root == nil {
		return nil, fmt.Errorf("%s: the file holds no policy", d.name)
	}
	return root, nil
}

// tooDeep returns the line on which the text could nest deeper than
// maxNesting, 0 if none: a bound on what the parser will see, from the
// brackets, indentation and dashes alone.
func tooDeep(data []byte) int {
	brackets := 0
	for i, l := range strings.Split(string(data), "\n") {
		text := strings.TrimLeft(l, " -?:\t")
		indent := len(l) - len(text)
		for _, c := range text {
			switch c {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets = max(brackets-1, 0)
			}
		}
		if brackets > maxNesting || indent > 4*maxNesting {
			return i + 1
		}
	}
	return 0
}

// resolve unwraps anchors and follows aliases. An alias can only name an
// anchor above it, and the levels of a policy are fixed, so it ends.
func (d *document) resolve(n ast.Node, path string) (ast.Node, error) {
	for range maxNesting {
		switch t := n.(type) {
		case *ast.AnchorNode:
			d.anchors[t.Name.GetToken().Value] = t.Value
			n = t.Value
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			target, ok := d.anchors[name]
			if !ok {
				return nil, d.errorf(n, path, "unknown anchor %q", name)
			}
			n = target
		default:
			return n, nil
		}
	}
	return nil, d.errorf(n, path, "anchors that name each other")
}

// mapping reads a mapping that may have the given fields and no others.
func (d *document) mapping(n ast.Node, path string, fields []field) error {
	n, err := d.resolve(n, path)
	if err != nil {
		return err
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		return d.errorf(n, path, "want a mapping with the fields %s", names(fields))
	}
	seen := make(map[string]bool, len(fields))
	for it := m.MapRange(); it.Next(); {
		key := it.Key().GetToken().Value
		at := key
		if path != "" {
			at = path + "." + key
		}
		f := find(fields, key)
		if f == nil {
			return d.errorf(it.Key(), fmt.Sprintf("%q", at), "unknown field; known here: %s", names(fields))
		}
		if seen[key] {
			return d.errorf(it.Key(), at, "the field is there twice")
		}
		seen[key] = true
		if err := f.read(it.Value(), at); err != nil {
			return err
		}
	}
	return nil
}

func find(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

func names(fields []field) string {
	var list []string
	for _, f := range fields {
		list = append(list, f.name)
	}
	return strings.Join(list, ", ")
}

// list calls read for each entry of a sequence. A single value counts as a
// list of one.
func (d *document) list(n ast.Node, path string, read func(n ast.Node, path string) error) error {
	n, err := d.resolve(n, path)
	if err != nil {
		return err
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return read(n, path)
	}
	if len(seq.Values) == 0 {
		return d.errorf(n, path, "the list is empty; leave the field out to say nothing")
	}
	for i, v := range seq.Values {
		if err := read(v, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

// text reads a scalar as it is written, so that an id may be 5.1 without
// quotes.
func (d *document) text(n ast.Node, path string) (string, error) {
	n, err := d.resolve(n, path)
	if err != nil {
		return "", err
	}
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, nil
	case *ast.LiteralNode:
		return strings.TrimRight(t.Value.Value, "\n"), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	if _, ok := n.(ast.MapNode); ok {
		return "", d.errorf(n, path, "want text, not a mapping; put text that has a colon in quotes")
	}
	return "", d.errorf(n, path, "want text")
}

// boolean reads true or false.
func (d *document) boolean(n ast.Node, path string) (bool, error) {
	n, err := d.resolve(n, path)
	if err != nil {
		return false, err
	}
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return false, d.errorf(n, path, "want true or false")
	}
	return b.Value, nil
}

// into returns a reader of a text field.
func (d *document) into(s *string) func(n ast.Node, path string) error {
	return func(n ast.Node, path string) (err error) {
		*s, err = d.text(n, path)
		return err
	}
}

// intoBool returns a reader of a field that is true or false.
func (d *document) intoBool(b *bool) func(n ast.Node, path string) error {
	return func(n ast.Node, path string) (err error) {
		*b, err = d.boolean(n, path)
		return err
	}
}
