package store_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/store"
)

const document = "../docs/dataset.md"

// section gives the part of the document below a heading.
func section(tb testing.TB, heading string) string {
	tb.Helper()
	b, err := os.ReadFile(document)
	if err != nil {
		tb.Fatal(err)
	}
	_, text, ok := strings.Cut(string(b), "\n"+heading+"\n")
	if !ok {
		tb.Fatalf("%s has no heading %q", document, heading)
	}
	text, _, _ = strings.Cut(text, "\n#")
	return text
}

// documented gives the columns of the table in a section: rows may name several
// of a type.
func documented(tb testing.TB, heading string) []column {
	tb.Helper()
	var list []column
	for line := range strings.Lines(section(tb, heading)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) < 3 || !strings.Contains(cells[0], "`") {
			continue
		}
		for name := range strings.SplitSeq(cells[0], ",") {
			list = append(list, column{strings.Trim(name, " `"), strings.TrimSpace(cells[1])})
		}
	}
	return list
}

// TestDocumentNamesEveryColumn holds the tables of docs/dataset.md against what
// the files and the views have, in their order.
func TestDocumentNamesEveryColumn(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{Keep: store.KeepAll}, parts(t, "crowd.audit", 200)[0])
	tables := map[string]string{"events": "### Segments of events", "contexts": "### Segments of contexts", "raw": "### Segments of logs"}
	for _, name := range segments(t, dir) {
		table, _, _ := strings.Cut(name, "/")
		if diff := cmp.Diff(openArrow(t, dir, name).columns(), documented(t, tables[table]), cmp.AllowUnexported(column{})); diff != "" {
			t.Errorf("segments of %s (-file +document):\n%s", table, diff)
		}
	}
	d := open(t, dir)
	for _, view := range store.Views() {
		rows, err := d.DB().Query("SELECT column_name, column_type FROM (DESCRIBE " + view + ")")
		if err != nil {
			t.Fatal(err)
		}
		var list []column
		for rows.Next() {
			var c column
			if err := rows.Scan(&c.name, &c.kind); err != nil {
				t.Fatal(err)
			}
			c.kind, _, _ = strings.Cut(c.kind, "(kind ") // the fields of a STRUCT have a table of their own
			list = append(list, c)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, documented(t, "### "+view), cmp.AllowUnexported(column{})); diff != "" {
			t.Errorf("the view %s (-view +document):\n%s", view, diff)
		}
	}
}

// TestDocumentNamesTheManifest wants every key of a manifest in the document.
func TestDocumentNamesTheManifest(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{Keep: store.KeepAll}, parts(t, "crowd.audit", 200)[0])
	var manifest map[string]any
	if err := json.Unmarshal(readAll(t, dir, "manifest.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				keys = append(keys, key)
				if key != "dropped" && key != "setAside" { // their keys are noise rules
					walk(value)
				}
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(manifest)
	text := section(t, "## The manifest")
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("the manifest has %q, of which the document says nothing", key)
		}
	}
}

// TestDocumentQuery runs the query of the document, which reads the files without
// whet, and wants what the view says.
func TestDocumentQuery(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{}, parts(t, "crowd.audit", 500)[0])
	block := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(section(t, "## Reading it without whet"))
	if block == nil {
		t.Fatal("there is no query in the document")
	}
	db := memory(t)
	db.SetMaxOpenConns(1) // a variable belongs to a connection
	statements := strings.Split(strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(block[1], "DIR", dir)), ";"), ";")
	for _, statement := range statements[:len(statements)-1] {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	const sums = "SELECT count(*), sum(hash(auditID, requestReceivedTimestamp, stageTimestamp, username, verb, resource, context)::HUGEINT % 1000003) FROM "
	got := rowOf(t, db, sums+"("+statements[len(statements)-1]+")")
	want := rowOf(t, open(t, dir).DB(), sums+"events WHERE verb = 'delete'")
	if got != want || strings.Contains(want, ": 0,") {
		t.Errorf("the query of the document gives %s, the view %s", got, want)
	}
}
