package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/query"
)

// now is the time that the tests count back from.
var now = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// TestGoodQueries wants queries of every sort to be understood.
func TestGoodQueries(t *testing.T) {
	both := []string{
		"", "  \n",
		`username == user1 and exists(namespace)`,
		`name == regexp("web-.*")`,
		`2026-11-23T17:00:00.000000Z <= requestReceivedTimestamp < 2026-11-23T18:00:00Z`,
		`(username == regexp(".*c.*") and exists(name)) or (username == pippo and not exists(namespace))`,
		`username == clara and stageTimestamp > "2023-08-27T12:00:00.000000Z"`,
		`not not verb == get AND name != "a b" Or resource in (pods, "secrets")`,
		`name ~ "web-*" and name ~ web-?? and name contains we and groups has system:masters`,
		`since 2h and until 2026-11-24`, `code >= 400`, `400 <= code < 500`, `500 > code >= 400`, `code in (404, 409)`,
		`groups ~ "system:*" and sourceIPs == 10.0.0.1`, `outcome == refused`, `outcome in (ok, refused)`,
		`touches(secrets) and by(system:node:worker1) and caused-by(alice)`, `touches(deployments.apps)`, `by("system:node:*")`,
		`by(regexp("^system:"))`, `context.effects > 50`, `context.duration > 1h30m`, `context.readOnly`, `not context.readOnly`,
		`context.touched["pods"] > 3 and context.touched.secrets == 1`, `context.effectsBy has alice`,
		`user.username == alice and objectRef.resource == pods and responseStatus.code == 200`,
		`namespace not in (kube-system, default)`, `message not contains denied`,
		`name == 'it\'s' and name == "a\u00e9\\\n\t\r"`, `name>a and name<=z`, `"a" <= name < "b"`, `name == in and name == not_a_word`,
	}
	events := []string{
		`auditID == 5f6b7c0e-6a0a-4c39-9d5b-2f7d0f1c8a64`, `responseObject.spec.replicas > 3`, `requestObject.spec.paused`,
		`annotations["authorization.k8s.io/decision"] == allow`, `annotations."authorization.k8s.io/decision" == allow`,
		`annotations.authorization.k8s.io/decision == allow`, `annotations[ 'a b' ] != x`, `annotations has k8s.io/deprecated`,
		`exists(annotations["k8s.io/deprecated"])`, `responseObject.metadata.labels["app.kubernetes.io/name"] == web`,
		`responseObject.images ~ "nginx:*"`, `confidence < 0.9`, `duration > 1s`, `label == -2`, `role == effect`, `context == abc`,
		`extra["authentication.kubernetes.io/credential-id"] == x`,
	}
	contexts := []string{
		`actor == alice and effects > 50 and duration > 30s`, `effects > 50 and failed == 0`, `readOnly == false`, `start > 2026-11-23`,
		`touched.pods > 3`, `exists(origin)`, `id == abc`, `context == abc`,
	}
	for _, c := range []struct {
		over    query.Over
		queries []string
	}{{query.Contexts, both}, {query.Events, both}, {query.Events, events}, {query.Contexts, contexts}} {
		for _, q := range c.queries {
			if _, err := query.Parse(q, query.Options{Over: c.over, Now: now}); err != nil {
				t.Errorf("%v", err)
			}
		}
	}
}

// TestBadQueries wants queries that make no sense to be refused, with the
// place and a word that helps.
func TestBadQueries(t *testing.T) {
	for _, c := range []struct {
		query   string
		at      string // what is marked; with a | the place before it
		message string
		nearest string
	}{
		{`usrname == alice`, "usrname", `no field "usrname"`, "username"},
		{`verb == get and nmespace == x`, "nmespace", "no field", "namespace"},
		{`Username == alice`, "Username", "no field", "username"},
		{`rule == principal`, "rule", "one of events", ""},
		{`effects > many`, "many", "no whole number", ""},
		{`effects > 1.5`, "1.5", "no whole number", ""},
		{`duration > 30`, "30", "no duration", ""},
		{`start > yesterday`, "yesterday", "no time", ""},
		{`start > 2026-11-23T17:00:00.0000001Z`, "2026-11-23T17:00:00.0000001Z", "microsecond", ""},
		{`since soon`, "soon", "since takes a time", ""},
		{`outcome == refusd`, "refusd", "one of ok, refused", "refused"},
		{`readOnly > 1`, ">", "yes or no", ""},
		{`readOnly == perhaps`, "perhaps", "true or false", ""},
		{`effects ~ "5*"`, "~", "for texts", ""},
		{`effects contains 5`, "contains", "for texts", ""},
		{`groups < a`, "<", "no order", ""},
		{`touched == 3`, "touched", "name a key", ""},
		{`verb has get`, "verb", "only lists and maps", ""},
		{`name["a"] == b`, `name["a"]`, "no map", ""},
		{`name`, "name", "compare it", ""},
		{`name == "abc`, `"`, "quote is not closed", ""},
		{`(name == abc`, `(`, "not closed", ""},
		{`name == abc)`, `)`, "closes nothing", ""},
		{`touched["a > 3`, `"`, "quote is not closed", ""},
		{`touched[a > 3`, `[`, "not closed", ""},
		{`name = abc`, "=", "write ==", ""},
		{`name =~ abc`, "=~", "regexp", ""},
		{`name == a && verb == get`, "&&", "write and", ""},
		{`name == a || verb == get`, "||", "write or", ""},
		{`!readOnly`, "!", "write not", ""},
		{`name ==`, "|", "missing behind ==", ""},
		{`name == a and`, "|", "missing behind and", ""},
		{`name == and`, "and", "missing between == and and", ""},
		{`() or name == a`, ")", "missing between ( and )", ""},
		{`username alice`, "|alice", "operator is missing", ""},
		{`username == alice bob`, "|bob", "operator is missing", ""},
		{`name == web-*`, "web-*", "write ~ web-* for a glob", ""},
		{`name in a`, "a", "in brackets", ""},
		{`name in (a,)`, ",", "missing behind the comma", ""},
		{`name in (a b)`, "|b", "commas between", ""},
		{`name has`, "|", "missing behind has", ""},
		{`exists name`, "name", "exists(name)", ""},
		{`== a`, "==", "missing before ==", ""},
		{`and`, "and", "missing before and", ""},
		{`user == alice`, "user", "no field", "username"},
		{`name in ()`, ")", "missing between ( and )", ""},
		{`name == ""`, `""`, "empty text", ""},
		{`name == "a\d"`, `\d`, "no escape", ""},
		{`name == "\u00"`, `\u`, "four hexadecimal", ""},
		{`name == regexp("a(")`, `regexp("a(")`, "missing closing )", ""},
		{`name == regexp("(a{500}){500}")`, `regexp("(a{500}){500}")`, "repeat", ""},
		{`name == regexp("(\pL{30}){30}")`, `regexp("(\pL{30}){30}")`, "too large", ""},
		{`name == regexp("` + strings.Repeat("a", 2000) + `")`, `regexp("` + strings.Repeat("a", 2000) + `")`, "longer than", ""},
		{`name < regexp("a")`, `regexp("a")`, "behind == or !=", ""},
		{`name in (regexp("a"), b)`, `regexp("a")`, "stands alone", ""},
		{`name == a == b`, "==", "both sides", ""},
		{`1 < code > 3`, ">", "same way", ""},
		{`1 < code < 3 < 5`, "<", "at most three", ""},
		{`"name" == a`, `"name"`, "field is missing", ""},
		{`near(x) and name == a`, "near", "no function", ""},
		{`touchs(x)`, "touchs", "no function", "touches"},
		{`touches()`, "touches", "one thing", ""},
		{`exists(nname)`, "nname", "no field", "name"},
		{`since(2h)`, "since", "without brackets", ""},
		{`name == a; verb == get`, ";", "no meaning", ""},
		{"name == \xff", "\xff", "UTF-8", ""},
		{"name == \x00", "\x00", "UTF-8", ""},
		{strings.Repeat("(", 60) + "name == a" + strings.Repeat(")", 60), "(", "nested", ""},
		{strings.Repeat("readOnly and ", 600) + "readOnly", "readOnly", "at most 500", ""},
		{strings.Repeat("a", 20000), "|", "16 KiB", ""},
		{`näme == ü and nname == a`, "näme", "no field", "name"},
		{`requestObject.spec.foo == 3`, "requestObject.spec.foo", "no field", ""},
	} {
		_, err := query.Parse(c.query, query.Options{Now: now})
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%.80q: error is %v", c.query, err)
			continue
		}
		marked := c.query[e.Offset : e.Offset+e.Length]
		if e.Length == 0 {
			marked = "|" + c.query[e.Offset:min(len(c.query), e.Offset+len(c.at)-1)]
		}
		if marked != c.at || !strings.Contains(e.Message, c.message) || e.Nearest != c.nearest {
			t.Errorf("%.80q: marked %q, message %q, nearest %q; want %q, %q, %q", c.query, marked, e.Message, e.Nearest, c.at, c.message, c.nearest)
		}
	}
}

// TestErrorText holds what a user sees: the query with a mark under what is
// wrong, also behind wide characters, tabs and control characters.
func TestErrorText(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{`verb == get and usrname == alice`, `query, column 17: there is no field "usrname"; did you mean username?
  verb == get and usrname == alice
                  ^^^^^^^`},
		{`name == "日本語" and vreb == get`, `query, column 19: there is no field "vreb"; did you mean verb?
  name == "日本語" and vreb == get
                       ^^^^`},
		{"name == \"\x1b[2J\" and vreb == get", `query, column 20: there is no field "vreb"; did you mean verb?
  name == "\x1b[2J" and vreb == get
                        ^^^^`},
		{"name == a\nand vreb == get\nor verb == list", `query, column 15: there is no field "vreb"; did you mean verb?
  and vreb == get
      ^^^^`},
		{`name ==`, `query, column 8: a value or a condition is missing behind ==
  name ==
         ^`},
	} {
		_, err := query.Parse(c.query, query.Options{Now: now})
		if err == nil || err.Error() != c.want {
			t.Errorf("got\n%v\nwant\n%s", err, c.want)
		}
	}
}

// FuzzParse wants no text to be too much, every error to have a place within
// the query, and what is understood to be understood again with brackets.
func FuzzParse(f *testing.F) {
	for _, q := range []string{
		`username == user1 and exists(namespace)`, `name == regexp("web-.*")`, `1 <= code < 3`, `a["b"] in (c, "d\u00e9")`,
		`not (touches(x) or since 2h)`, `annotations."a b" ~ '*\*'`, `((`, `"`, "\xff",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		for _, over := range []query.Over{query.Contexts, query.Events} {
			o := query.Options{Over: over, Now: now}
			e, err := query.Parse(q, o)
			if err != nil {
				var at *query.Error
				if !errors.As(err, &at) {
					t.Fatalf("%q: %v is no *query.Error", q, err)
				}
				if at.Offset < 0 || at.Length < 0 || at.Offset+at.Length > len(q) || at.Error() == "" || at.Column() < 1 {
					t.Fatalf("%q: place %d+%d", q, at.Offset, at.Length)
				}
				continue
			}
			if got := strings.Count(e.Where().SQL, "?"); got != len(e.Where().Args) {
				t.Fatalf("%q: %d places and %d arguments", q, got, len(e.Where().Args))
			}
			if strings.TrimSpace(q) == "" || len(q)+2 > query.MaxLength || strings.Count(q, "(") >= 49 {
				continue
			}
			if _, err := query.Parse("("+q+")", o); err != nil {
				t.Fatalf("%q in brackets: %v", q, err)
			}
		}
	})
}
