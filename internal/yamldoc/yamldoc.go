// Package yamldoc reads settings that people write in YAML: policies,
// configurations, rules. It walks the syntax tree rather than decode into
// structs, so that every error names the file, the line and the key, and so that
// a misspelt key is an error that names the one that was meant.
//
// A reader is a list of Fields, each with a function that takes its value:
//
//	var name string
//	d := yamldoc.New("alerts.yaml", "list of rules")
//	root, err := d.Parse(data)
//	err = d.Mapping(root, "", []yamldoc.Field{{Name: "name", Read: d.Text(&name)}})
package yamldoc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/whet-k8s/whet/internal/near"
)

// MaxBytes and MaxNesting bound what Parse reads. Settings need few levels; the
// YAML parser recurses once a level, and a stack that overflows cannot be
// recovered.
const (
	MaxBytes   = 1 << 20
	MaxNesting = 100
)

// Document is the YAML of one file while it is read.
type Document struct {
	name, what string
	anchors    map[string]ast.Node
	set        map[ast.Node]origin // the nodes that came by Set
}

// New begins with a file. Its name and what it holds, such as "policy", stand in
// errors. A document without a name is one that Set alone fills.
func New(name, what string) *Document {
	return &Document{name: name, what: what, anchors: map[string]ast.Node{}, set: map[ast.Node]origin{}}
}

// Field is one key that a mapping may have, and what reads its value. The path
// names the value in errors, such as clusters[0].name.
type Field struct {
	Name string
	Read func(n ast.Node, path string) error
}

// Errorf makes an error that names the file, the line and the key, or who set
// the value.
func (d *Document) Errorf(n ast.Node, path, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	o, set := d.set[n]
	switch {
	case set && o.path == path:
		return fmt.Errorf("%s: %w", o.by, err)
	case set:
		return fmt.Errorf("%s: %s: %w", o.by, path, err)
	case d.name == "":
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s:%d: %s: %w", d.name, Line(n), path, err)
}

// Line is the line on which a node stands, counted from 1.
func Line(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

// Parse gives the root of the only document in data. Errors name the line of
// what is no YAML.
func (d *Document) Parse(data []byte) (ast.Node, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: the %s has %d bytes, more than %d", d.name, d.what, len(data), MaxBytes)
	}
	if at := tooDeep(data); at > 0 {
		return nil, fmt.Errorf("%s:%d: nested more than %d levels deep", d.name, at, MaxNesting)
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
			return nil, d.Errorf(doc.Body, "document", "a second document; a file holds one %s", d.what)
		default:
			root = doc.Body
		}
	}
	if root == nil {
		return nil, fmt.Errorf("%s: the file holds no %s", d.name, d.what)
	}
	return root, nil
}

// tooDeep returns the line on which the text could nest deeper than
// MaxNesting, 0 if none: a bound on what the parser will see, from the
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
		if brackets > MaxNesting || indent > 4*MaxNesting {
			return i + 1
		}
	}
	return 0
}

// Resolve unwraps anchors and follows aliases. An alias can only name an
// anchor above it, and the levels of a document are bounded, so it ends.
func (d *Document) Resolve(n ast.Node, path string) (ast.Node, error) {
	for range MaxNesting {
		switch t := n.(type) {
		case *ast.AnchorNode:
			d.anchors[t.Name.GetToken().Value] = t.Value
			n = t.Value
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			target, ok := d.anchors[name]
			if !ok {
				return nil, d.Errorf(n, path, "unknown anchor %q", name)
			}
			n = target
		default:
			return n, nil
		}
	}
	return nil, d.Errorf(n, path, "anchors that name each other")
}

// Mapping reads a mapping that may have the given fields and no others.
func (d *Document) Mapping(n ast.Node, path string, fields []Field) error {
	n, err := d.Resolve(n, path)
	if err != nil {
		return err
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		return d.Errorf(n, path, "want a mapping with the fields %s", names(fields))
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
			return d.Errorf(it.Key(), fmt.Sprintf("%q", at), "unknown field%s; known here: %s", meant(key, fields), names(fields))
		}
		if seen[key] {
			return d.Errorf(it.Key(), at, "the field is there twice")
		}
		seen[key] = true
		if err := f.Read(it.Value(), at); err != nil {
			return err
		}
	}
	return nil
}

func find(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

func names(fields []Field) string {
	var list []string
	for _, f := range fields {
		list = append(list, f.Name)
	}
	return strings.Join(list, ", ")
}

// meant asks for the field whose name is nearest to a key that there is not,
// "" where none is near.
func meant(key string, fields []Field) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Name
	}
	best := near.Word(key, list)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (is %s meant?)", best)
}

// List calls read for each entry of a sequence. A single value counts as a
// list of one.
func (d *Document) List(n ast.Node, path string, read func(n ast.Node, path string) error) error {
	n, err := d.Resolve(n, path)
	if err != nil {
		return err
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return read(n, path)
	}
	if len(seq.Values) == 0 {
		return d.Errorf(n, path, "the list is empty; leave the field out to say nothing")
	}
	for i, v := range seq.Values {
		if err := read(v, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

// Scalar reads a scalar as it is written, so that an id may be 5.1 without
// quotes.
func (d *Document) Scalar(n ast.Node, path string) (string, error) {
	n, err := d.Resolve(n, path)
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
		return "", d.Errorf(n, path, "want text, not a mapping; put text that has a colon in quotes")
	}
	return "", d.Errorf(n, path, "want text")
}

// Boolean reads true or false.
func (d *Document) Boolean(n ast.Node, path string) (bool, error) {
	n, err := d.Resolve(n, path)
	if err != nil {
		return false, err
	}
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return false, d.Errorf(n, path, "want true or false")
	}
	return b.Value, nil
}

// Text gives a reader of a field that is text.
func (d *Document) Text(s *string) func(n ast.Node, path string) error {
	return func(n ast.Node, path string) (err error) {
		*s, err = d.Scalar(n, path)
		return err
	}
}

// Bool gives a reader of a field that is true or false.
func (d *Document) Bool(b *bool) func(n ast.Node, path string) error {
	return func(n ast.Node, path string) (err error) {
		*b, err = d.Boolean(n, path)
		return err
	}
}

// Value gives a reader of a field whose text a function understands.
func Value[T any](d *Document, v *T, parse func(string) (T, error)) func(n ast.Node, path string) error {
	return func(n ast.Node, path string) error {
		s, err := d.Scalar(n, path)
		if err != nil {
			return err
		}
		if *v, err = parse(s); err != nil {
			return d.Errorf(n, path, "%w", err)
		}
		return nil
	}
}
