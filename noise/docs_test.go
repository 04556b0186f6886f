package noise_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/noise"
)

var update = flag.Bool("update", false, "write the expected files anew")

// docs/noise.md lists the default rules. With -update the list is written anew.
func TestDocsListTheDefaultRules(t *testing.T) {
	const (
		name  = "../docs/noise.md"
		begin = "| id | decision | why |\n| --- | --- | --- |\n"
	)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	table, after, ends := strings.Cut(rest, "\n\n")
	if !found || !ends {
		t.Fatalf("%s has no table that begins with\n%s", name, begin)
	}
	var want strings.Builder
	for _, r := range noise.Default().Rules() {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", r.ID, r.Action, r.Reason)
	}
	if *update {
		text := before + begin + want.String() + "\n" + after
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), table+"\n"); diff != "" {
		t.Errorf("%s differs from default.yaml; run the test with -update (-default.yaml +docs):\n%s", name, diff)
	}
}

// The policy that docs/noise.md shows is one.
func TestDocsExample(t *testing.T) {
	data, err := os.ReadFile("../docs/noise.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "```yaml\n")
	example, _, ends := strings.Cut(rest, "```")
	if !found || !ends {
		t.Fatal("docs/noise.md has no example")
	}
	policy, err := noise.Parse("docs/noise.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(policy.Rules()), 2+len(noise.Default().Rules()); got != want {
		t.Errorf("the example has %d rules, want %d", got, want)
	}
}
