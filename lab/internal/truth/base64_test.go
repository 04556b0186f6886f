package truth

import (
	"encoding/base64"
	"strings"
	"testing"
)

// jwt returns a token of an account, of which only the claims matter.
func jwt(claims string) string {
	url := base64.RawURLEncoding
	return url.EncodeToString([]byte(`{"alg":"RS256","kid":"x"}`)) + "." + url.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestNamesInBase64AreRenamed(t *testing.T) {
	claims := func(namespace, name string) string {
		return `{"kubernetes.io":{"namespace":"` + namespace + `","serviceaccount":{"name":"` + name + `"}},"sub":"system:serviceaccount:` + namespace + ":" + name + `","x":"~~~???>>>"}`
	}
	std := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name string
		line func(namespace, name string) string
	}{
		{"an account's token", func(namespace, name string) string { return `{"token":"` + jwt(claims(namespace, name)) + `"}` }},
		{"a Secret that holds one", func(namespace, name string) string {
			return `{"data":{"namespace":"` + std(namespace) + `","token":"` + std(jwt(claims(namespace, name))) + `"}}`
		}},
		{"a body in a body", func(namespace, name string) string { return `{"last":"{\"data\":{\"a\":\"` + std(name) + `\"}}\n"}` }},
		{"behind an escape", func(_, name string) string {
			return `{"a":"x\n` + std("12"+name) + `","b":"\u003c` + std("1"+name) + `"}`
		}},
		{"the other alphabet", func(_, name string) string {
			return `{"a":"` + base64.URLEncoding.EncodeToString([]byte(">>>???"+name)) + `","b":"` + std(">>>???"+name) + `"}`
		}},
		{"a name beside", func(_, name string) string {
			return `{"a":"/api/v1/pods/` + name + `-5d4f","b":"` + std(name+"!") + `"}`
		}},
	}
	rename := Names{space: "shop", tokenA: "web-api"}.Renamer()
	for _, tt := range tests {
		with, want := tt.line(space, tokenA), tt.line("shop", "web-api")
		if got := string(rename([]byte(with))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
		if found := strings.Join(leftover([]byte(with)), " "); !strings.Contains(found, tokenA) {
			t.Errorf("%s: the checker finds %q in %s; want %s", tt.name, found, with, tokenA)
		}
		if found := leftover([]byte(want)); len(found) > 0 {
			t.Errorf("%s: the checker finds %q in %s", tt.name, found, want)
		}
	}
}

// The proof that no token is left does not depend on where base64 begins.
func TestBase64IsFoundWhereverItBegins(t *testing.T) {
	for _, before := range []string{"", "A", "AB", "ABC", "/ABCD"} {
		text := `"` + before + base64.StdEncoding.EncodeToString([]byte(tokenA)) + `"`
		if found := leftover([]byte(text)); len(found) == 0 {
			t.Errorf("no token is found in %s", text)
		}
	}
}

func FuzzChangeHidden(f *testing.F) {
	f.Add([]byte(`{"token":"` + jwt(`{"sub":"`+tokenA+`"}`) + `"}`))
	f.Add([]byte(`\`))
	f.Add([]byte(`\u`))
	f.Fuzz(func(t *testing.T, text []byte) {
		same := func(b []byte) []byte { return b }
		if got := changeHidden(text, same); string(got) != string(text) {
			t.Errorf("%q becomes %q though nothing changes", text, got)
		}
		leftover(text) // It must not panic.
	})
}
