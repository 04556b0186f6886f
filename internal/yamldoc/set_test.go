package yamldoc_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"

	"github.com/whet-k8s/whet/internal/yamldoc"
)

// settings reads a document of three levels after some values were set, and
// gives each value with its path.
func settings(data string, sets ...string) (string, error) {
	name := "f.yaml"
	if data == "" {
		name = ""
	}
	d := yamldoc.New(name, "thing")
	root, err := d.Empty()
	if data != "" {
		root, err = d.Parse([]byte(data))
	}
	if err != nil {
		return "", err
	}
	for _, set := range sets {
		path, value, _ := strings.Cut(set, "=")
		if err := d.Set(root, "--set "+path, path, value); err != nil {
			return "", err
		}
	}
	var got []string
	text := func(n ast.Node, path string) error {
		s, err := d.Scalar(n, path)
		if s == "wrong" {
			err = d.Errorf(n, path, "it is wrong")
		}
		if d.IsSet(n) {
			s += "!"
		}
		got = append(got, path+"="+s)
		return err
	}
	of := func(names string, read func(ast.Node, string) error) func(ast.Node, string) error {
		return func(n ast.Node, path string) error {
			var fields []yamldoc.Field
			for name := range strings.FieldsSeq(names) {
				fields = append(fields, yamldoc.Field{Name: name, Read: read})
			}
			return d.Mapping(n, path, fields)
		}
	}
	list := func(n ast.Node, path string) error { return d.List(n, path, of("a b", text)) }
	err = d.Mapping(root, "", []yamldoc.Field{
		{Name: "x", Read: text}, {Name: "m", Read: of("a b", text)}, {Name: "l", Read: list},
		{Name: "t", Read: func(n ast.Node, path string) error { return d.List(n, path, text) }},
	})
	return strings.Join(got, " "), err
}

func TestSet(t *testing.T) {
	const file = "x: 1\nm: {a: 2}\nl:\n- a: 3\n- {a: 4, b: 5}\nt: 6\n"
	for _, tt := range []struct{ data, sets, want string }{
		{file, "", "x=1 m.a=2 l[0].a=3 l[1].a=4 l[1].b=5 t=6"},
		{file, "x=7", "x=7! m.a=2 l[0].a=3 l[1].a=4 l[1].b=5 t=6"},
		{file, "m.b=7 m.a=8", "x=1 m.a=8! m.b=7! l[0].a=3 l[1].a=4 l[1].b=5 t=6"},
		{file, "l[1].a=7 l[0].b=8", "x=1 m.a=2 l[0].a=3 l[0].b=8! l[1].a=7! l[1].b=5 t=6"},
		{file, "l[2].a=7 l[].a=8 l[2].b=9", "x=1 m.a=2 l[0].a=3 l[1].a=4 l[1].b=5 l[2].a=7! l[2].b=9! l[3].a=8! t=6"},
		{file, "t[0]=7 l={a:x}", ""},
		{file, "t=[7,8] t[]=9", "x=1 m.a=2 l[0].a=3 l[1].a=4 l[1].b=5 t[0]=7! t[1]=8! t[2]=9!"},
		{"", "l[0].a=a,b:c m.a= t[0]=1 t[1]=#", ""},
		{"", "l[0].a=a,b:c m.a= t[0]=1 t[1]=2", "l[0].a=a,b:c! m.a=! t[0]=1! t[1]=2!"},
	} {
		got, err := settings(tt.data, strings.Fields(tt.sets)...)
		if tt.want != "" && (got != tt.want || err != nil) {
			t.Errorf("%s: %s (%v)\nwant %s", tt.sets, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ set, want string }{
		{"x=wrong", "--set x: it is wrong"},
		{"m={a: wrong}", "--set m: m.a: it is wrong"},
		{"l[].b=wrong", "--set l[].b: it is wrong"},
		{"mm.a=1", `--set mm.a: "mm": unknown field (is m meant?)`},
		{"m.c=1", `--set m.c: "m.c": unknown field (is a meant?)`},
		{"x.y=1", "--set x.y: x: it is no mapping in which y could be set"},
		{"l[5].a=1", "--set l[5].a: l: the list has 2 entries, and [5] is beyond its end"},
		{"t[1]=1", "--set t[1]: t: it is no list, to which [1] could be added"},
		{"x={", "--set x: the value is not valid YAML"},
		{"l[x].a=1", `--set l[x].a: "l[x].a" is no path`},
		{".a=1", `--set .a: ".a" is no path`},
		{"=1", `--set : "" is no path`},
	} {
		if _, err := settings(file, tt.set); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.set, err, tt.want)
		}
	}
	if _, err := settings("", "l[1].a=1"); err == nil || !strings.Contains(err.Error(), "there is no list yet") {
		t.Errorf("an index of no list: %v", err)
	}
}

// FuzzSet wants no path and no value to end the program.
func FuzzSet(f *testing.F) {
	f.Add("x: 1\nl: [{a: b}]\n", "l[0].a", "{b: [c]}")
	f.Add("", "l[].a", "*x")
	f.Fuzz(func(t *testing.T, data, path, value string) {
		_, _ = settings(data, path+"="+value)
	})
}
