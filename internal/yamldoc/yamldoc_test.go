package yamldoc_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"

	"github.com/whet-k8s/whet/internal/yamldoc"
)

// read reads a mapping of three fields.
func read(data string) (name string, most int, on bool, err error) {
	d := yamldoc.New("f.yaml", "thing")
	root, err := d.Parse([]byte(data))
	if err != nil {
		return "", 0, false, err
	}
	err = d.Mapping(root, "", []yamldoc.Field{
		{Name: "name", Read: d.Text(&name)},
		{Name: "maxBytes", Read: yamldoc.Value(d, &most, strconv.Atoi)},
		{Name: "on", Read: d.Bool(&on)},
		{Name: "list", Read: func(n ast.Node, path string) error {
			return d.List(n, path, func(n ast.Node, path string) error {
				_, err := d.Scalar(n, path)
				return err
			})
		}},
	})
	return name, most, on, err
}

func TestMapping(t *testing.T) {
	name, most, on, err := read("name: &n 5.1\nmaxBytes: 7\non: true\nlist: [*n, b]\n")
	if err != nil || name != "5.1" || most != 7 || !on {
		t.Errorf("%q, %d, %v, %v", name, most, on, err)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ data, want string }{
		{"", "f.yaml: the file holds no thing"},
		{"a: [", "f.yaml:1: not valid YAML"},
		{"name: a\nmaxbyte: 1\n", `f.yaml:2: "maxbyte": unknown field (is maxBytes meant?); known here: name, maxBytes, on, list`},
		{"naem: a\n", `f.yaml:1: "naem": unknown field (is name meant?)`},
		{"colour: a\n", `f.yaml:1: "colour": unknown field; known here`},
		{"name: a\nname: b\n", "f.yaml:2: "},
		{"maxBytes: many\n", `f.yaml:1: maxBytes: strconv.Atoi: parsing "many"`},
		{"on: 1\n", "f.yaml:1: on: want true or false"},
		{"name: {a: b}\n", "f.yaml:1: name: want text, not a mapping"},
		{"name: *x\n", `f.yaml:1: name: unknown anchor "x"`},
		{"list: []\n", "f.yaml:1: list: the list is empty"},
		{"list:\n- a\n- {b: c}\n", "f.yaml:3: list[1]: want text"},
		{"name: a\n---\nname: b\n", "f.yaml:3: document: a second document; a file holds one thing"},
		{"#" + strings.Repeat("x", yamldoc.MaxBytes), fmt.Sprintf("f.yaml: the thing has %d bytes", yamldoc.MaxBytes+1)},
		{"list: " + strings.Repeat("[", 1000), "f.yaml:1: nested more than 100 levels deep"},
	}
	for _, tt := range tests {
		if _, _, _, err := read(tt.data); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, want %s", tt.data, err, tt.want)
		}
	}
}

// FuzzParse wants no text to end the program, and every error to name the file.
func FuzzParse(f *testing.F) {
	f.Add("name: a\nmaxBytes: 1\non: true\nlist: [a, b]\n")
	f.Add("name: &a\n  <<: *a\n")
	f.Fuzz(func(t *testing.T, data string) {
		if _, _, _, err := read(data); err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Error(err)
		}
	})
}
