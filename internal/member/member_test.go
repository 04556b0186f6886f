package member_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/whet-k8s/whet/internal/member"
)

func TestAppend(t *testing.T) {
	for object, want := range map[string]string{
		`{"a":1}`:                        `{"a":1,"label":7}`,
		`{"label":{"x":[1,"}"]} ,"a":1}`: `{"label":7 ,"a":1}`,
		`{"a":{"label":1}}`:              `{"a":{"label":1},"label":7}`,
		`{"l\u0061bel": "3", "b":"\n"}`:  `{"l\u0061bel": 7, "b":"\n"}`,
		`{"label":1,"label":2}`:          `{"label":1,"label":7}`,
	} {
		got := string(member.Named("label").Append(nil, []byte(object), []byte("7")))
		if got != want {
			t.Errorf("%s became %s, want %s", object, got, want)
		}
	}
}

// TestNames finds names that JSON writes in several ways.
func TestNames(t *testing.T) {
	for name, object := range map[string]string{"a/b": `{"a\/b":1}`, `q"`: `{"q\u0022":1}`, "tab\t": `{"tab\u0009":1}`, "x": `{"\u0078":1}`} {
		if value, _, ok := member.Named(name).Find([]byte(object)); !ok || string(value) != "1" {
			t.Errorf("%q is not found in %s", name, object)
		}
	}
}

// FuzzFind holds the finder against encoding/json.
func FuzzFind(f *testing.F) {
	f.Add(`{"a":"\"label\":7","label":[1,{"x":"}"}]}`)
	k := member.Named("label")
	f.Fuzz(func(t *testing.T, object string) {
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(object), &members) != nil || members == nil {
			return
		}
		want, there := members["label"]
		if got, _, ok := k.Find([]byte(object)); ok != there || string(got) != string(want) {
			t.Fatalf("%q: %s %v, want %s %v", object, got, ok, want, there)
		}
	})
}

func ExampleKey_Append() {
	fmt.Printf("%s", member.Named("label").Append(nil, []byte(`{"verb": "get", "label": 3}`), []byte("65984")))
	// Output: {"verb": "get", "label": 65984}
}
