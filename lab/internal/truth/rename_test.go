package truth

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// manyChains returns a journal of chains that overlap in two shared namespaces.
func manyChains(n int, rng *rand.Rand) *Journal {
	j := &Journal{Spaces: []Token{{Text: NewToken(rng), Namespace: true}, {Text: NewToken(rng), Namespace: true}}}
	for i := range n {
		space := j.Spaces[i%2].Text
		c := Chain{Start: at(float64(i) * 20), End: at(float64(i)*20 + 90)}
		if i%5 == 0 {
			space = NewToken(rng)
			c.Tokens = append(c.Tokens, Token{Text: space, Namespace: true})
		}
		c.Tokens = append(c.Tokens, Token{Text: NewToken(rng), Space: space}, Token{Text: NewToken(rng), Space: space}, Token{Text: NewToken(rng)})
		j.Chains = append(j.Chains, c)
	}
	return j
}

func TestNamesNeverMeet(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	j := manyChains(200, rng)
	names := Rename(j, rng)
	type held struct{ from, to time.Time }
	taken := map[[2]string][]held{}
	for _, c := range j.Chains {
		for _, token := range c.Tokens {
			name, ok := names[token.Text]
			if !ok || name == "" {
				t.Fatalf("the token %s has no name", token.Text)
			}
			key := [2]string{token.Space, name}
			for _, h := range taken[key] {
				if c.Start.Before(h.to) && h.from.Before(c.End) {
					t.Errorf("two objects are called %s in %q at once", name, token.Space)
				}
			}
			taken[key] = append(taken[key], held{c.Start, c.End})
		}
	}
}

// A stateful set calls its pods by its own name and a number, and a scenario may
// make further names of its names.
func TestNamesThatGrowNeverMeet(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	j := manyChains(200, rng)
	j.Suffixes = []string{"-api", "-worker"}
	names := Rename(j, rng)
	for a, c := range j.Chains {
		for b, d := range j.Chains[a+1:] {
			if !c.Start.Before(d.End) || !d.Start.Before(c.End) {
				continue
			}
			for _, x := range c.Tokens {
				for _, y := range d.Tokens {
					if x.Space == y.Space && grows(names[x.Text], names[y.Text]) {
						t.Errorf("%s of chain %d and %s of chain %d are in one space at once", names[x.Text], a, names[y.Text], a+1+b)
					}
				}
			}
		}
	}
}

func grows(a, b string) bool {
	form := regexp.MustCompile(`^(-api|-worker)?(-\d+)?$`)
	for _, p := range [][2]string{{a, b}, {b, a}} {
		if rest, found := strings.CutPrefix(p[0], p[1]); found && form.MatchString(rest) {
			return true
		}
	}
	return false
}

func TestMeet(t *testing.T) {
	j := &Journal{Suffixes: []string{"-api", "-db", "-web-db"}}
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"web", "web", true}, {"web", "web-1", true}, {"web-12", "web", true}, {"web", "web-api", true}, {"shop", "shop-web", true},
		{"web", "web-api-0", true}, {"web", "web-v2", false}, {"web", "web-", false}, {"front", "frontend", false}, {"web", "api", false},
		{"orders-db", "orders", true}, {"orders-db", "orders-v3", false},
	} {
		if got := j.meet(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s meet: %v; want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestNamesCollide(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	names := Rename(manyChains(200, rng), rng)
	count := map[string]int{}
	for _, n := range names {
		count[n]++
	}
	if len(count) > len(names)/2 {
		t.Errorf("%d tokens have %d different names; they should collide more", len(names), len(count))
	}
}

func TestRenameIsRepeatable(t *testing.T) {
	j := manyChains(50, rand.New(rand.NewPCG(7, 7)))
	a, b := Rename(j, rand.New(rand.NewPCG(1, 1))), Rename(j, rand.New(rand.NewPCG(1, 1)))
	for token, name := range a {
		if b[token] != name {
			t.Fatalf("%s is called %s and %s", token, name, b[token])
		}
	}
}

func TestRenamer(t *testing.T) {
	names := Names{"zqaaaaaaaa1suw": "web", "zqaaaaaaaa2pxp": "web-api"}
	in := `{"name":"zqaaaaaaaa1suw-5d4f-x","sub":["zqaaaaaaaa2pxp","zqaaaaaaaa2pxps.example.org"],"kind":"Zqaaaaaaaa2pxp"}`
	want := `{"name":"web-5d4f-x","sub":["web-api","web-apis.example.org"],"kind":"Webapi"}`
	if got := string(names.Renamer()([]byte(in))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
