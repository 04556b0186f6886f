package query

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/store"
)

// duck is a DuckDB with a table of names and confidences.
func duck(tb testing.TB) *sql.DB {
	tb.Helper()
	// Package store brings the driver.
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE rows ("name" VARCHAR, "groups" VARCHAR[], "confidence" DOUBLE)`); err != nil {
		tb.Fatal(err)
	}
	return db
}

// texts are what names may look like, hostile ones too.
func texts() []string {
	return []string{
		"", "a", "A", "b", "ab", "web-1", "web-12", "my-web-1", "WEB-1", "web.1", "web\n1", "web\r\n1\n", "\n", " ", "  web", "\tweb",
		"'", `"`, `\`, `%`, `_`, "a%b", "a_b", "*", "?", "a*b", "[a]", "(a", "système", "SYSTÈME", "straße", "STRASSE", "ſ", "K", "k", "K", "ı", "i", "İ",
		"日本語", "日本", "e\u0301", "é", "\u202e", "\u200b", "😀", "😀😀", "x\U0010ffff", "٣", "3", "½", "0", "00", "-1", "system:node:worker1",
		"system:serviceaccount:ci:deployer", strings.Repeat("a", 300), strings.Repeat("ab", 200) + "c", "\x1b[2J", "a\u0000b",
	}
}

// TestTextsAgree asks conditions on a text of every hostile name, in Go and in
// DuckDB, also where the name is NULL.
func TestTextsAgree(t *testing.T) {
	db := duck(t)
	for _, s := range texts() {
		if _, err := db.Exec(`INSERT INTO rows VALUES (?, [?, 'other'], 0)`, s, s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(`INSERT INTO rows VALUES (NULL, NULL, 0)`); err != nil {
		t.Fatal(err)
	}
	var conditions []string
	for _, s := range texts() {
		if s == "" || strings.ContainsRune(s, 0) {
			continue
		}
		q := Quote(s)
		conditions = append(conditions, "== "+q, "!= "+q, "in ("+q+", b)", "contains "+q, "~ "+`"`+glob(s)+`"`, `~ "*`+glob(s)+`"`,
			`~ "`+glob(s)+`*"`, `~ "*`+glob(s)+`*"`, `~ "?`+glob(s)+`?"`, `~ "`+glob(s)+`?*"`, "< "+q, "<= "+q, "> "+q, ">= "+q)
	}
	for _, glob := range []string{"*", "?", "??", "?*", "*?*", "*-?", "w*1", "a*b*c", `\*`, `*\\`, `a\b`, "*\n*", "**"} {
		conditions = append(conditions, `~ "`+glob+`"`)
	}
	for _, re := range []string{
		`.`, `.*`, `^$`, `^.$`, `^..$`, `a|b`, `(?i)web`, `(?i)K`, `(?i)s`, `(?i)É`, `(?i)[k-s]`, `\d`, `^\d+$`, `\w`, `\W`, `\s`, `\b`, `\bweb\b`, `\Bb`, `[[:alpha:]]`,
		`\pL`, `\p{Greek}`, `\PL`, `\p{Nd}`, `[^a-z]`, `^[^a-z]*$`, `web.1`, `(?s)web.1`, `(?m)^1$`, `1$`, `1\z`, `\Aweb`, `(?m)1$`, `a{3,5}`, `(?:ab){2,}c`, `^(a*)*$`, `(a|aa)+$`,
		`(?U)a+`, `[^\x00-\x{10FFFF}]`, `\x{1F600}`, `[\x{0}-\x{7f}]`, `\x1b\[`, `é`, `.́`, `(?i)ı`, `(?i)straße`, `(?P<n>a)b`, `\Qa*b\E`, `()`, `x*`, `^|b`, `[a-zA-Z\d_.:-]+$`,
	} {
		conditions = append(conditions, `== regexp("`+re+`")`, `!= regexp("`+re+`")`)
	}
	for _, condition := range conditions {
		agree(t, db, "name "+condition, func(s string) *store.Event {
			return &store.Event{Event: &audit.Event{Object: audit.ObjectRef{Name: s}}}
		})
		if !strings.ContainsAny(condition[:1], "<>") {
			agree(t, db, "groups "+condition, func(s string) *store.Event {
				ev := &store.Event{Event: &audit.Event{}}
				if s != missing {
					ev.User.Groups = []string{s, "other"}
				}
				return ev
			})
		}
	}
}

// missing stands for NULL in the answers of agree.
const missing = "(missing)"

// agree asks a query of the table in DuckDB, and of its rows in Go.
func agree(t *testing.T, db *sql.DB, query string, event func(string) *store.Event) {
	t.Helper()
	e, err := Parse(query, Options{Over: Events})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range append(texts(), missing) {
		ev := event(s)
		if s == missing {
			ev.Object.Name = ""
		}
		if e.Event(ev, nil) {
			want = append(want, s)
		}
	}
	w := e.Where()
	rows, err := db.Query(`SELECT coalesce("name", '`+missing+`') FROM rows WHERE `+w.SQL, w.Args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Errorf("%s (-Go, +DuckDB): %v\n%s\n%v", query, rows.Err(), diff, w)
	}
}

// TestDecimalsAgree compares every confidence of four decimals.
func TestDecimalsAgree(t *testing.T) {
	db := duck(t)
	if _, err := db.Exec(`INSERT INTO rows SELECT 'x', [], i / 10000.0 FROM range(10001) AS t(i)`); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"== 0.29", "< 0.57", "<= 0.5701", "> 0.9999", ">= 1", "in (0.1, 0.2, 0.3)", "!= 0.5"} {
		e, err := Parse("confidence "+text, Options{Over: Events})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for i := range 10001 {
			if e.Event(&store.Event{Event: &audit.Event{}, Confidence: float64(i) / 10000}, nil) {
				want++
			}
		}
		var got int
		if err := db.QueryRow("SELECT count(*) FROM rows WHERE "+e.Where().SQL, e.Where().Args...).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want || want == 0 {
			t.Errorf("confidence %s: %d in Go, %d in DuckDB", text, want, got)
		}
	}
}

// FuzzPatterns wants Go and DuckDB to find the same with any regular
// expression and any glob.
func FuzzPatterns(f *testing.F) {
	db := duck(f)
	for _, s := range []string{`web-.*`, `(?i)^\pL+$`, `a{2,3}|\bx`, `[^\W\d]`, "*\n?"} {
		f.Add(s, "web-1\nZ")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || strings.ContainsRune(pattern+text, 0) || len(text) > 1000 {
			t.Skip()
		}
		for _, of := range []func(string) (*textTest, error){regexpTest, globTest} {
			test, err := of(pattern)
			if err != nil {
				continue
			}
			var b builder
			b.text(test, func() { b.arg(text) })
			var got bool
			if err := db.QueryRow("SELECT "+b.String(), b.args...).Scan(&got); err != nil {
				t.Fatalf("%q: %v", pattern, err)
			}
			if want := test.holds(text); got != want {
				t.Errorf("%q in %q: %v in Go, %v in DuckDB with %q", pattern, text, want, got, test.pattern)
			}
		}
	})
}

// BenchmarkEvent measures a query on events of a stream.
func BenchmarkEvent(b *testing.B) {
	ev := &store.Event{Event: &audit.Event{Verb: "patch", User: audit.User{Username: "system:node:worker1"}, Object: audit.ObjectRef{Name: "web-api-77b586c99c-grh44"}}}
	for _, text := range []string{
		`username == alice`, `name == regexp("^web-.*-[a-z0-9]{5}$")`, `verb in (create, patch) and name ~ "web-*" and not username ~ "system:*"`,
	} {
		e, err := Parse(text, Options{Over: Events})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%.20s", text), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Event(ev, nil)
			}
		})
	}
}

// BenchmarkParse measures how long a query takes to be understood.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(`username == user1 and exists(namespace) and not name ~ "web-*"`, Options{Over: Events}); err != nil {
			b.Fatal(err)
		}
	}
}
