package query

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// asked is a recording, as a stream gives it and as a data set keeps it.
type asked struct {
	data     *store.DataSet
	events   []*store.Event
	contexts map[string]*store.Context
}

// ask analyses a recording once into memory and into a data set.
func ask(tb testing.TB, name string) *asked {
	tb.Helper()
	ctx := context.Background()
	dir := tb.TempDir()
	w, err := store.Append(ctx, dir, store.WriterOptions{NoRedact: true, Keep: store.KeepAll})
	if err != nil {
		tb.Fatal(err)
	}
	a := &asked{contexts: map[string]*store.Context{}}
	sink := w.Sink()
	account, err := pipeline.Run(ctx, []string{"../recordings/" + name + ".jsonl.zst"}, nil, pipeline.Options{KeepRaw: true}, pipeline.Sink{
		Annotation: func(an *pipeline.Annotation) error {
			a.events = append(a.events, store.EventOf(an, store.DefaultCluster))
			return sink.Annotation(an)
		},
		Context: func(c *pipeline.Context) error {
			if a.contexts[c.ID] == nil {
				a.contexts[c.ID] = &store.Context{Cluster: store.DefaultCluster}
			}
			part := *c
			part.EffectsBy, part.Touched = maps.Clone(c.EffectsBy), maps.Clone(c.Touched)
			a.contexts[c.ID].Add(&part)
			return sink.Context(c)
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Commit(ctx, account); err != nil {
		tb.Fatal(err)
	}
	if a.data, err = store.Open(ctx, dir); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { a.data.Close() })
	return a
}

// streamed gives the lines of what fits, as the predicate says.
func (a *asked) streamed(e *Expr) []int {
	lines := []int{}
	if e.Over() == Events {
		for _, ev := range a.events {
			if e.Event(ev, a.contexts[ev.Context]) {
				lines = append(lines, ev.Position.Line)
			}
		}
		return lines
	}
	for _, c := range a.contexts {
		if e.Context(c) {
			lines = append(lines, c.Root.Line)
		}
	}
	slices.Sort(lines)
	return lines
}

// stored gives the lines of what fits, as DuckDB says.
func (a *asked) stored(tb testing.TB, e *Expr) []int {
	tb.Helper()
	view := map[Over]string{Contexts: "contexts", Events: "events"}[e.Over()]
	w := e.Where()
	rows, err := a.data.DB().Query("SELECT line FROM "+view+" WHERE "+w.SQL+" ORDER BY line", w.Args...)
	if err != nil {
		tb.Fatalf("%s\n%s: %v", e, w.SQL, err)
	}
	defer rows.Close()
	lines := []int{}
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, n)
	}
	if err := rows.Err(); err != nil {
		tb.Fatalf("%s\n%s: %v", e, w.SQL, err)
	}
	return lines
}

// generator writes queries about values that the recording has.
type generator struct {
	*rand.Rand
	*schema
	rows []row
}

func (g *generator) query(depth int) string {
	switch n := g.IntN(10); {
	case depth > 0 && n < 3:
		return "(" + g.query(depth-1) + " and " + g.query(depth-1) + ")"
	case depth > 0 && n < 6:
		return "(" + g.query(depth-1) + " or " + g.query(depth-1) + ")"
	case depth > 0 && n < 8:
		return "not " + g.query(depth-1)
	}
	return g.condition()
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) condition() string {
	if g.IntN(12) == 0 {
		return g.function()
	}
	c := &g.columns[g.IntN(len(g.columns))]
	v, name, kind := g.value(c), c.Name, c.Type
	if kind.isMap() {
		keys := v.keys()
		if len(keys) == 0 || g.IntN(4) == 0 {
			return g.pick("exists("+name+")", name+" has "+Quote(g.word(keys)), "exists("+name+"["+Quote(g.word(keys))+"])")
		}
		slices.Sort(keys)
		key := keys[g.IntN(len(keys))]
		name, v, kind = name+"["+Quote(key)+"]", v.behind(key), kind.element()
	}
	if g.IntN(8) == 0 {
		return "exists(" + name + ")"
	}
	switch kind {
	case Text, List:
		return g.text(name, c.Values, kind, v)
	case Bool:
		return name
	}
	return g.number(name, kind, v.number)
}

// value gives what a column has in one of the rows, preferably something.
func (g *generator) value(c *column) value {
	var v value
	for range 20 {
		if v = c.get(&g.rows[g.IntN(len(g.rows))]); v.ok || len(v.list)+len(v.keys()) > 0 {
			break
		}
	}
	return v
}

func (g *generator) word(of []string) string {
	if len(of) == 0 {
		return "nothing"
	}
	return of[g.IntN(len(of))]
}

func (g *generator) text(name string, values []string, kind Type, v value) string {
	s := v.text
	if kind == List {
		s = g.word(v.list)
	}
	if s == "" {
		s = "nothing"
	}
	if values != nil {
		return name + g.pick(" == ", " != ") + Quote(s)
	}
	r := []rune(s)
	from := g.IntN(len(r))
	to := from + 1 + g.IntN(len(r)-from)
	part := string(r[from:to])
	ops := []string{
		" == " + Quote(s), " != " + Quote(s), " in (" + Quote(s) + ", other)", " contains " + Quote(part),
		` ~ "` + glob(string(r[:to])) + `*"`, ` ~ "*` + glob(string(r[from:])) + `"`, ` ~ "*` + glob(part) + `*"`,
		` ~ "` + glob(string(r[:from])) + `?` + glob(string(r[from+1:])) + `"`, ` ~ "?*"`, ` == regexp("[0-9]+$")`, ` == regexp("(?i)^SYS.*[^a-m]{2}\b")`,
		` == regexp(".*")`, ` != regexp("\pL\d|\W\s")`, ` == regexp("^(web|api|kube)-?.")`,
	}
	if kind == Text {
		ops = append(ops, " < "+Quote(s), " <= "+Quote(part), " > "+Quote(part), " >= "+Quote(s))
	} else {
		ops = append(ops, " has "+Quote(s), " not in ("+Quote(s)+", other)")
	}
	return name + g.pick(ops...)
}

// glob writes a text as a glob that fits nothing else.
func glob(s string) string {
	return strings.NewReplacer(`"`, `\"`, `\`, `\\`, "*", `\*`, "?", `\?`).Replace(s)
}

func (g *generator) number(name string, kind Type, n int64) string {
	n += int64(g.IntN(3) - 1)
	text := fmt.Sprint(n)
	switch kind {
	case Time:
		text = time.UnixMicro(n).UTC().Format(time.RFC3339Nano)
	case Duration:
		text = fmt.Sprintf("%dus", max(n, 0))
	case Decimal:
		text = fmt.Sprintf("%.4f", float64(n)/decimalScale)
	}
	return g.pick(name+" == "+text, name+" != "+text, name+" < "+text, text+" <= "+name, text+" < "+name+" <= "+text, name+" in ("+text+", "+text+")")
}

func (g *generator) function() string {
	c := g.rows[g.IntN(len(g.rows))].c
	if c == nil {
		return "since 2026-11-23T19:00:00Z"
	}
	touched, by := slices.Sorted(maps.Keys(c.Touched)), slices.Sorted(maps.Keys(c.EffectsBy))
	bare, _, _ := strings.Cut(g.word(touched), ".")
	return g.pick(
		"touches("+g.word(touched)+")", "touches("+bare+")", "touches(*set*)", `touches(regexp("^pods?$"))`,
		"by("+g.word(by)+")", "by(system:node:*)", "caused-by("+Quote(c.Actor.Username)+")", "caused-by(*a*)",
		"since "+c.Start.Format(time.RFC3339Nano), "until "+c.Start.Format(time.RFC3339Nano),
	)
}

// marker is a word that no SQL of this package has.
const marker = "zqx"

// hostile are queries of somebody who wants their text to run as SQL.
var hostile = []string{
	`username == "' OR 1=1; DROP VIEW events; -- zqx"`,
	`name != 'zqx"; SELECT 1'`, `verb in ("zqx'", ");zqx", "$1", "?")`, `not message contains "%zqx' ESCAPE '\\"`,
	`userAgent ~ "zqx'*"`, `userAgent ~ "*zqx';*?"`, `userAgent ~ "z?q'x"`, `reason == regexp("zqx'|;--|\"")`,
	`groups has "zqx'] , ["`, `groups ~ "?zqx'"`, `groups in ("zqx", "'zqx")`, `"zqx'" < name <= "zqy"`,
	`touches("zqx'")`, `by("zqx' OR ''='")`, `by("zqx*'?")`, `caused-by("zqx');")`, `namespace not in ("zqx", ")")`,
}

// TestNoTextIsSQL wants nothing of what the user wrote in the SQL of a query.
func TestNoTextIsSQL(t *testing.T) {
	queries := append([]string{
		`annotations["zqx' OR 1=1"] == "zqx"`, `exists(annotations["zqx\"]"])`, `annotations has "zqx'"`, `extra.zqx == zqx`,
		`responseObject.metadata.labels."zqx'" ~ "zqx*"`, `context.effectsBy["zqx'"] > 3`, `context.touched has zqx`, `auditID == zqx`,
	}, hostile...)
	for _, q := range queries {
		e, err := Parse(q, Options{Over: Events})
		if err != nil {
			t.Error(err)
			continue
		}
		w := e.Where()
		if strings.Contains(strings.ToLower(w.SQL), marker) {
			t.Errorf("%s\nbecame %s", q, w.SQL)
		}
		if strings.Count(w.SQL, "?") != len(w.Args) {
			t.Errorf("%s: %d arguments for\n%s", q, len(w.Args), w.SQL)
		}
		f, err := ParseField(`annotations["zqx'"]`, Events)
		if err != nil {
			t.Fatal(err)
		}
		if statement, args := f.CountSQL(e, 10); strings.Contains(statement, marker) || strings.Count(statement, "?") != len(args) {
			t.Errorf("%s\nis counted by %s", q, statement)
		}
	}
}

// TestCountsAgree counts a recording by every field, from the stream and from
// the data set, and wants the same numbers.
func TestCountsAgree(t *testing.T) {
	a := ask(t, "day.audit")
	for _, over := range []Over{Contexts, Events} {
		text := map[Over]string{Contexts: "effects > 3", Events: "context.effects > 3 and not verb in (get, list)"}[over]
		e, err := Parse(text, Options{Over: over})
		if err != nil {
			t.Fatal(err)
		}
		names := append(schemaOf(over).names(), `touched["pods"]`, `effectsBy["system:node:worker1"]`)
		if over == Events {
			names = append(names[:len(names)-2], `annotations["authorization.k8s.io/decision"]`, `context.touched["pods"]`,
				`extra["authentication.kubernetes.io/credential-id"]`, `responseObject.metadata.labels["app"]`)
		}
		for _, name := range names {
			f, err := ParseField(name, over)
			if err != nil {
				continue // times and the like, of which nearly every row has its own
			}
			counts := ValueCounts{}
			for _, ev := range a.events {
				if c := a.contexts[ev.Context]; over == Events && e.Event(ev, c) {
					counts.Add(f.Event(ev, c))
				}
			}
			for _, c := range a.contexts {
				if over == Contexts && e.Context(c) {
					counts.Add(f.Context(c))
				}
			}
			if diff := cmp.Diff(counts.Sorted(7), a.counted(t, f, e, 7)); diff != "" {
				t.Errorf("%s by %s (-stream, +data set):\n%s", text, name, diff)
			}
		}
	}
}

// counted counts in the data set.
func (a *asked) counted(t *testing.T, f *FieldRef, e *Expr, limit int) []ValueCount {
	t.Helper()
	statement, args := f.CountSQL(e, limit)
	rows, err := a.data.DB().Query(statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	list := []ValueCount{}
	for rows.Next() {
		var c ValueCount
		var value *string
		if err := rows.Scan(&value, &c.Rows); err != nil {
			t.Fatal(err)
		}
		if value != nil {
			c.Value = *value
		}
		list = append(list, c)
	}
	return list
}

// TestStreamAndDataSetAgree asks generated queries of a recording, of the
// stream and of the data set, and wants the same answers.
func TestStreamAndDataSetAgree(t *testing.T) {
	n := 150
	if testing.Short() {
		n = 40
	}
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		a := ask(t, name)
		for _, over := range []Over{Contexts, Events} {
			g := &generator{Rand: rand.New(rand.NewPCG(1, uint64(over))), schema: schemaOf(over)}
			for _, ev := range a.events {
				g.rows = append(g.rows, row{ev: ev, c: a.contexts[ev.Context]})
			}
			some, hits := 0, 0
			for i := range n + len(hostile) {
				q := ""
				if i < len(hostile) {
					q = hostile[i]
				} else {
					q = g.query(3)
				}
				e, err := Parse(q, Options{Over: over})
				if err != nil {
					t.Fatalf("%v", err)
				}
				want, got := a.streamed(e), a.stored(t, e)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %s\n%s\n%s", name, q, e.Where().SQL, diff[:min(len(diff), 600)])
				}
				if len(want) > 0 {
					some++
				}
				hits += len(want)
			}
			t.Logf("%s over %d: %d of %d queries found something, %d rows", name, over, some, n, hits)
		}
	}
}
