package truth

import (
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ordinary are the names that tokens become: few, so that they collide, and
// some the beginning of others.
var ordinary = []string{
	"api", "api-v2", "api-canary", "auth", "auth-proxy", "backend", "billing", "billing-worker", "cache", "cart",
	"checkout", "db", "db-replica", "demo", "demo-app", "etl", "feed", "frontend", "front", "gateway", "gateway-internal",
	"ingest", "job", "mailer", "metrics", "orders", "orders-db", "queue", "redis", "redis-cache", "search", "search-api",
	"site", "store", "test", "test-1", "users", "web", "web-1", "web-api", "web-canary", "worker", "worker-batch",
}

// spaces are the names that namespaces' tokens become.
var spaces = []string{
	"analytics", "billing", "ci-builds", "data", "data-lake", "default-apps", "demo", "dev", "dev-eu", "ml", "payments",
	"payments-eu", "platform", "prod", "qa", "search", "shop", "shop-test", "staging", "team-a", "team-ab", "team-b", "tools",
}

// Names says what every token of a journal is called afterwards. Two tokens
// share a name only if they never could have met: in different namespaces, or
// in the same one at different times. Nor may a name be what is made of another
// at that time by a scenario's suffix, or by a number, as stateful sets do: web-1
// is the pod of web. Otherwise a name may be the beginning of another, or the same
// as that of something deleted before.
type Names map[string]string

// Rename chooses names for the journal's tokens. The same journal and random
// numbers give the same names.
func Rename(j *Journal, rng *rand.Rand) Names {
	type use struct {
		name     string
		from, to time.Time
	}
	names := Names{}
	taken := map[string][]use{} // by space
	free := func(space, name string, from, to time.Time) bool {
		for _, u := range taken[space] {
			if from.Before(u.to) && u.from.Before(to) && j.meet(u.name, name) {
				return false
			}
		}
		return true
	}
	choose := func(t Token, from, to time.Time) {
		pool := ordinary
		if t.Namespace {
			pool = spaces
		}
		for attempt := 0; ; attempt++ {
			name := pool[rng.IntN(len(pool))]
			if attempt >= 20 {
				name += "-v" + strconv.Itoa(attempt-17)
			}
			if free(t.Space, name, from, to) {
				taken[t.Space] = append(taken[t.Space], use{name, from, to})
				names[t.Text] = name
				return
			}
		}
	}
	for _, t := range j.Spaces {
		choose(t, time.Time{}, time.Unix(1<<40, 0))
	}
	order := make([]int, len(j.Chains))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(x, y int) bool { return j.Chains[order[x]].Start.Before(j.Chains[order[y]].Start) })
	for _, i := range order {
		c := j.Chains[i]
		for _, t := range c.Tokens {
			// What is deleted lingers: a namespace goes after some seconds.
			choose(t, c.Start, c.End.Add(time.Minute))
		}
	}
	return names
}

// meet says whether two names are the same, or become the same with suffixes.
func (j *Journal) meet(a, b string) bool {
	for _, x := range append([]string{""}, j.Suffixes...) {
		for _, y := range append([]string{""}, j.Suffixes...) {
			if a+x == b+y || numbered(a+x, b+y) || numbered(b+y, a+x) {
				return true
			}
		}
	}
	return false
}

// numbered says whether name is of with a number behind it.
func numbered(name, of string) bool {
	rest, found := strings.CutPrefix(name, of+"-")
	return found && rest != "" && strings.Trim(rest, "0123456789") == ""
}

// Renamer returns a function that replaces the tokens in a text: in names,
// generated names and (with a capital) kinds, and also where they stand in
// base64, as in an account's token.
func (n Names) Renamer() func(text []byte) []byte {
	replacer := n.replacer()
	plain := func(text []byte) []byte { return []byte(replacer.Replace(string(text))) }
	return func(text []byte) []byte { return plain(changeHidden(text, plain)) }
}

func (n Names) replacer() *strings.Replacer {
	tokens := make([]string, 0, len(n))
	for t := range n {
		tokens = append(tokens, t)
	}
	sort.Strings(tokens)
	pairs := make([]string, 0, 4*len(tokens))
	for _, t := range tokens {
		pairs = append(pairs, t, n[t], Capital(t), Capital(strings.ReplaceAll(n[t], "-", "")))
	}
	return strings.NewReplacer(pairs...)
}

// Capital returns a name with its first letter in upper case, as kinds have it.
func Capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
