package query_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/query"
)

var update = flag.Bool("update", false, "write the tables of docs/query.md")

// TestDocs holds the tables of docs/query.md to the code.
func TestDocs(t *testing.T) {
	const name = "../docs/query.md"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, part := range []struct{ mark, table string }{
		{"operators", functionTable(query.Operators())},
		{"functions", functionTable(query.Functions())},
		{"contexts", fieldTable(query.Contexts)},
		{"events", fieldTable(query.Events)},
	} {
		mark := fmt.Sprintf("<!-- %s: written by go test ./query -update -->\n", part.mark)
		before, rest, found := strings.Cut(text, mark)
		if !found {
			t.Fatalf("%s has no %s", name, mark)
		}
		_, after, found := strings.Cut(rest, "\n## ")
		if !found {
			t.Fatalf("%s: nothing follows %s", name, mark)
		}
		text = before + mark + "\n" + part.table + "\n## " + after
	}
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), text); diff != "" {
		t.Errorf("%s differs from the code; run the test with -update (-the file, +the code):\n%s", name, diff)
	}
}

func functionTable(list []query.Function) string {
	var b strings.Builder
	b.WriteString("| written | means |\n| --- | --- |\n")
	for _, f := range list {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Name, f.Doc)
	}
	return b.String()
}

func fieldTable(over query.Over) string {
	var b strings.Builder
	b.WriteString("| field | type | what |\n| --- | --- | --- |\n")
	for _, f := range query.Fields(over) {
		if strings.HasPrefix(f.Name, "context.") {
			continue
		}
		doc := f.Doc
		if f.Values != nil {
			doc += " One of " + strings.Join(f.Values, ", ") + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, f.Type, doc)
	}
	return b.String()
}

// TestDocsExamples wants every example of docs/query.md to mean something.
func TestDocsExamples(t *testing.T) {
	data, err := os.ReadFile("../docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "## Examples")
	examples, _, _ := strings.Cut(rest, "\n## ")
	n := 0
	for _, line := range strings.Split(examples, "\n") {
		cells := strings.SplitN(line, "|", 4)
		if len(cells) != 4 || !strings.Contains(cells[1], "`") {
			continue
		}
		parts := strings.Split(cells[1], "`")
		text, over := parts[len(parts)-2], query.Contexts
		if strings.Contains(cells[1], "--events") {
			over = query.Events
		}
		if _, err := query.Parse(text, query.Options{Over: over, Now: now}); err != nil {
			t.Error(err)
		}
		n++
	}
	if n < 10 {
		t.Errorf("found %d examples only", n)
	}
}
