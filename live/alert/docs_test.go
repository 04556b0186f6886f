package alert_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/live/alert"
)

var update = flag.Bool("update", false, "write the table of docs/alerts.md")

// TestDocs holds the table of docs/alerts.md to the rules that are built in, and
// wants its example to be a configuration.
func TestDocs(t *testing.T) {
	const name = "../../docs/alerts.md"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- rules: written by go test ./live/alert -update -->\n", "<!-- end -->\n"
	before, rest, found := strings.Cut(string(data), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the rules", name)
	}
	var b strings.Builder
	b.WriteString("| rule | severity | tells of |\n| --- | --- | --- |\n")
	for _, r := range alert.Default().Rules {
		query := "`" + strings.Join(strings.Fields(r.Query), " ") + "`"
		if len(r.Except) > 0 {
			query += ", but of `" + strings.Join(r.Except, "`, `") + "`"
		}
		if r.Count.Of > 0 {
			query += fmt.Sprintf(", %d within %v by %s", r.Count.Of, r.Count.Within, r.Count.By)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Name, r.Severity, query)
	}
	text := before + begin + "\n" + b.String() + "\n" + end + after
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(data), text); diff != "" {
		t.Errorf("%s differs from the rules; run the test with -update (-the file, +the rules):\n%s", name, diff)
	}
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	c, err := alert.Parse("alerts.yaml", []byte(example))
	if err != nil || len(c.Sinks) != 3 || len(c.Rules) != len(alert.Default().Rules) {
		t.Errorf("the example gives %d sinks and %d rules (%v)", len(c.Sinks), len(c.Rules), err)
	}
}
