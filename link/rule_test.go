package link

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
)

var update = flag.Bool("update", false, "write the golden files")

// load decodes a log with an event a line.
func load(tb testing.TB, path string) []*audit.Event {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return decode(tb, path, data)
}

func decode(tb testing.TB, name string, data []byte) []*audit.Event {
	tb.Helper()
	var events []*audit.Event
	var decoder audit.Decoder
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, 64<<20)
	for line := 1; scan.Scan(); line++ {
		ev := new(audit.Event)
		if err := decoder.Decode(bytes.Clone(scan.Bytes()), audit.Position{Source: name, Line: line}, ev); err != nil {
			tb.Fatal(err)
		}
		events = append(events, ev)
	}
	return events
}

// facts says in one line what an event asks for.
func facts(ev *audit.Event) string {
	user := ev.User.Username
	if i := strings.LastIndexByte(user, ':'); i >= 0 && !strings.HasPrefix(user, "system:node:") {
		user = user[i+1:]
	}
	o := ev.Object.Resource
	if ev.Object.Subresource != "" {
		o += "/" + ev.Object.Subresource
	}
	key := keyOfRequest(ev)
	return fmt.Sprintf("%s %s %s %s/%s %d", user, ev.Verb, o, ev.Object.Namespace, key.name, ev.Status.Code)
}

// story tells what was said of each event.
func story(events []*audit.Event) string {
	said, _, _ := run(events, Options{})
	lines := map[string]int{}
	for _, ev := range events {
		if _, ok := lines[ev.AuditID]; !ok {
			lines[ev.AuditID] = ev.Position.Line
		}
	}
	var b strings.Builder
	for _, ev := range events {
		a := said[ev.Position.Line]
		fmt.Fprintf(&b, "%d %s\n   %s", ev.Position.Line, facts(ev), a.Role)
		if a.Cause != "" {
			fmt.Fprintf(&b, " of %d", lines[a.Cause])
		}
		fmt.Fprintf(&b, ": %s, %s", a.Rule, a.Evidence)
		if a.Autonomous != "" {
			b.WriteString(", autonomous")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// golden compares what was got with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not what %s says (-want +got):\n%s", path, diff)
	}
}

// TestRules reads logs cut from recordings, as few lines as make a rule speak,
// and compares what is said of them with the golden files.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no rules in testdata", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			events := load(t, file)
			got := story(events)
			rule, _, _ := strings.Cut(name, "--")
			if !strings.Contains(got, ": "+rule+",") {
				t.Errorf("rule %s does not speak:\n%s", rule, got)
			}
			seen[rule] = true
			golden(t, strings.TrimSuffix(file, ".jsonl")+".golden", got)
		})
	}
	stories, err := filepath.Glob("testdata/stories/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules() {
		if !seen[r.id] && !slices.ContainsFunc(stories, func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(text), ": "+r.id+",")
		}) {
			t.Errorf("rule %s speaks neither in testdata/rules nor in testdata/stories", r.id)
		}
	}
}

// table is the rules as docs/linking.md shows them.
func table() string {
	var b strings.Builder
	for _, r := range rules() {
		fits := strings.Join(r.verbs, ", ")
		if fits == "" {
			fits = "any verb"
		}
		if len(r.resources) > 0 {
			fits += " of " + strings.Join(r.resources, ", ")
		}
		if r.subresource != "" {
			fits += "/" + r.subresource
		}
		if r.about != "" {
			fits += " about " + r.about
		}
		if r.ownedBy != "" {
			fits += " owned by " + r.ownedBy
		}
		for i, c := range r.classes {
			fits += [...]string{" by ", " or "}[min(i, 1)] + [...]string{"a person", "an operator", "the control plane", "a kubelet"}[c]
		}
		var looks []string
		for _, l := range r.looks {
			looks = append(looks, evidence[l.at])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f, %.2f |\n", r.id, fits, strings.Join(looks, "; "), r.confidence, r.guessed)
	}
	return b.String()
}

// TestDocumentedRules holds the table of docs/linking.md against the rules.
func TestDocumentedRules(t *testing.T) {
	const page = "../docs/linking.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| --- | --- | --- | --- |\n"
	before, rest, ok := strings.Cut(string(text), head)
	if !ok {
		t.Fatalf("%s has no table of rules", page)
	}
	got, after, _ := strings.Cut(rest, "\n\n")
	want := strings.TrimSuffix(table(), "\n")
	if *update {
		if err := os.WriteFile(page, []byte(before+head+want+"\n\n"+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what the rules are (-rules +page):\n%s", page, diff)
	}
}
