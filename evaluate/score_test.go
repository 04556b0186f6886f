package evaluate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/label"
)

// load reads a recording that the repository ships.
func load(t testing.TB, name string) *Truth {
	t.Helper()
	truth, err := Load(t.Context(), filepath.Join("..", "recordings", name))
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// correct gives the annotations of a program that knows the truth.
func correct(truth *Truth) []Annotation {
	var all []Annotation
	for _, l := range truth.Lines {
		a := Annotation{Line: l.Line, AuditID: l.AuditID, Context: l.Context, Role: l.Role}
		if number, known := truth.RootLabels[l.Context]; known {
			a.Label = &number
		}
		if l.Role == RoleUnscored {
			a.Role = RoleBackground
		}
		all = append(all, a)
	}
	return all
}

func sequence(all []Annotation) Annotations {
	return func(yield func(Annotation, error) bool) {
		for _, a := range all {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// spoilers make correct annotations wrong, each in another way.
var spoilers = map[string]func(*rand.Rand, []Annotation) []Annotation{
	"correct": func(_ *rand.Rand, all []Annotation) []Annotation { return all },
	"nothing": func(_ *rand.Rand, _ []Annotation) []Annotation { return nil },
	"one context": func(_ *rand.Rand, all []Annotation) []Annotation {
		for i := range all {
			all[i].Context = "everything"
		}
		return all
	},
	"no contexts": func(r *rand.Rand, all []Annotation) []Annotation {
		for i := range all {
			if r.IntN(2) == 0 {
				all[i].Context = ""
			}
		}
		return all
	},
	"shuffled": func(r *rand.Rand, all []Annotation) []Annotation {
		for range len(all) / 4 {
			i, j := r.IntN(len(all)), r.IntN(len(all))
			all[i].Context, all[j].Context = all[j].Context, all[i].Context
		}
		return all
	},
	"split": func(r *rand.Rand, all []Annotation) []Annotation {
		for i := range all {
			if all[i].Context != "" && r.IntN(3) == 0 {
				all[i].Context += "-" + string(rune('a'+r.IntN(3)))
			}
		}
		return all
	},
	"merged": func(r *rand.Rand, all []Annotation) []Annotation {
		for i := range all {
			if all[i].Context != "" && r.IntN(2) == 0 {
				all[i].Context = all[i].Context[:len(all[i].Context)-1]
			}
		}
		return all
	},
	"roles": func(r *rand.Rand, all []Annotation) []Annotation {
		roles := []Role{RoleRoot, RoleClient, RoleEffect, RoleBackground, RoleDropped, ""}
		for i := range all {
			if r.IntN(4) == 0 {
				all[i].Role = roles[r.IntN(len(roles))]
			}
		}
		return all
	},
	"blamed": func(r *rand.Rand, all []Annotation) []Annotation {
		for i := range all {
			if all[i].Context == "" && r.IntN(5) == 0 {
				all[i].Context = all[r.IntN(len(all))].Context
			}
		}
		return all
	},
	"gaps": func(r *rand.Rand, all []Annotation) []Annotation {
		return slices.DeleteFunc(all, func(Annotation) bool { return r.IntN(7) == 0 })
	},
	"out of order": func(r *rand.Rand, all []Annotation) []Annotation {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i := range all {
			all[i].Context = fmt.Sprint(r.IntN(300))
		}
		return all
	},
}

// TestSameAsScript scores spoiled annotations with the script and with Score.
func TestSameAsScript(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 to run the script with")
	}
	for _, name := range []string{"day", "crowd"} {
		truth := load(t, name)
		prefix := filepath.Join(t.TempDir(), name)
		for _, kind := range []string{".truth.jsonl", ".contexts.jsonl"} {
			copyPlain(t, filepath.Join("..", "recordings", name+kind+".zst"), prefix+kind)
		}
		for spoiler, spoil := range spoilers {
			if name == "crowd" && spoiler != "shuffled" && spoiler != "roles" {
				continue
			}
			t.Run(name+"/"+spoiler, func(t *testing.T) {
				all := spoil(rand.New(rand.NewPCG(1, uint64(len(spoiler)))), correct(truth))
				file := filepath.Join(t.TempDir(), "annotations.jsonl")
				if err := os.WriteFile(file, encode(t, all), 0o600); err != nil {
					t.Fatal(err)
				}
				script := exec.CommandContext(t.Context(), python, "testdata/score.py", prefix, file, "--json")
				script.Stderr = os.Stderr
				out, err := script.Output()
				if err != nil {
					t.Fatal(err)
				}
				figures, err := Score(truth, ReadAnnotations(bytes.NewReader(encode(t, all)), file))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(asMap(t, out), withoutLabels(t, figures)); diff != "" {
					t.Errorf("the script and Score disagree (-script +Score):\n%s", diff)
				}
			})
		}
	}
}

func encode(t testing.TB, all []Annotation) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, a := range all {
		var context any
		if a.Context != "" {
			context = a.Context
		}
		line, err := json.Marshal(map[string]any{
			"line": a.Line, "auditID": a.AuditID, "context": context, "role": a.Role, "label": a.Label, "rule": "test",
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

func copyPlain(t testing.TB, from, to string) {
	t.Helper()
	file, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, done, err := unpack(file)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	data, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asMap(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return m
}

func withoutLabels(t testing.TB, f Figures) map[string]any {
	t.Helper()
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	m := asMap(t, data)
	delete(m, "label accuracy")
	delete(m, "label macro F1")
	return m
}

func TestCorrectIsPerfect(t *testing.T) {
	truth := load(t, "day")
	f, err := Score(truth, sequence(correct(truth)))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Ratio{
		"attribution": f.Attribution, "hard": f.HardAttribution, "b3": f.B3, "exact": f.Exact, "recall": f.RootRecall,
		"precision": f.RootPrecision, "label accuracy": f.LabelAccuracy, "label macro F1": f.LabelMacroF1,
	} {
		if r != (Ratio{1, true}) {
			t.Errorf("%s is %s", name, r)
		}
	}
	if f.FalseBlame != (Ratio{0, true}) || len(f.Worst) != 0 {
		t.Errorf("false blame %s, worst %v", f.FalseBlame, f.Worst)
	}
}

// TestLabels counts the two figures that the script lacks by hand: two
// commands, labels 1 and 2, of six lines.
func TestLabels(t *testing.T) {
	truth := &Truth{
		Commands:   map[string]Command{"a": {Context: "a"}, "b": {Context: "b"}},
		RootLabels: map[string]label.Label{"a": 1, "b": 2},
	}
	said := []struct {
		context string
		label   label.Label
	}{{"a", 1}, {"a", 1}, {"a", 2}, {"b", 2}, {"b", 3}, {"b", 0}}
	var all []Annotation
	for i, s := range said {
		truth.Lines = append(truth.Lines, Line{Line: i + 1, Context: s.context, Role: RoleEffect, Resource: "pods"})
		a := Annotation{Line: i + 1}
		if s.label != 0 {
			a.Label = &s.label
		}
		all = append(all, a)
	}
	f, err := Score(truth, sequence(all))
	if err != nil {
		t.Fatal(err)
	}
	// Label 1: 2 hits, 1 missed: 4/5. Label 2: 1 hit, 2 missed, 1 wrong: 2/5.
	// Label 3: 1 wrong: 0. The mean is 0.4.
	if f.LabelAccuracy.String() != "0.5" || f.LabelMacroF1.String() != "0.4" {
		t.Errorf("accuracy %s, macro F1 %s, want 0.5 and 0.4", f.LabelAccuracy, f.LabelMacroF1)
	}
}

func TestScoreRefuses(t *testing.T) {
	truth := &Truth{Lines: []Line{{Line: 1, AuditID: "x"}, {Line: 2, AuditID: "y"}}}
	tests := map[string]struct{ annotations, want string }{
		"twice":         {"{\"line\":1}\n{\"line\":1}", "line 1 is annotated twice"},
		"not there":     {`{"line":3}`, "line 3 is annotated, but the truth has no such line"},
		"another log":   {`{"line":2,"auditID":"x"}`, `line 2 has the auditID "x", in the truth "y"`},
		"no line":       {"{\"line\":1}\n\n{\"context\":\"c\"}", "annotations a.jsonl:3: no line number"},
		"wrong type":    {`{"line":1,"context":5}`, "annotations a.jsonl:1: json: cannot unmarshal number"},
		"not JSON":      {"{\"line\":1}\nline 2", "annotations a.jsonl:2: invalid character"},
		"line too long": {`{"line":1,"context":"` + strings.Repeat("c", maxLine) + `"}`, "annotations a.jsonl:1: bufio.Scanner: token too long"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Score(truth, ReadAnnotations(strings.NewReader(test.annotations), "a.jsonl"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := `{"context":"c1","principals":1,"root_line":1}`
	tests := map[string]struct{ contexts, truth, want string }{
		"missing":         {"", `{"line":1}`, "missing.contexts.jsonl nor"},
		"unknown-command": {command, `{"line":1,"context":"c2","role":"root"}`, `of the command "c2", which the commands lack`},
		"twice":           {command, "{\"line\":1}\n{\"line\":1}", "twice.truth.jsonl:2: log line 1 stands there twice"},
		"command-twice":   {command + "\n" + command, "", `command-twice.contexts.jsonl:2: the command "c1" stands there twice`},
		"line-0":          {command, `{"line":0}`, "lines count from 1"},
		"no-json":         {command, "{", "no-json.truth.jsonl:1: unexpected end of JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.contexts != "" {
				write(name+".contexts.jsonl", test.contexts)
			}
			write(name+".truth.jsonl", test.truth)
			_, err := Load(t.Context(), filepath.Join(dir, name))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestLoadWithoutLog(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "r")
	for path, content := range map[string]string{
		prefix + ".contexts.jsonl": `{"context":"c1","principals":1,"root_line":1}`,
		prefix + ".truth.jsonl":    `{"line":1,"context":"c1","role":"root","resource":"pods"}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	truth, err := Load(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Score(truth, sequence([]Annotation{{Line: 1, Context: "x", Role: RoleRoot}}))
	if err != nil {
		t.Fatal(err)
	}
	if f.LabelAccuracy.Known || f.RootRecall.String() != "1.0" || f.Attribution.String() != "none" {
		t.Errorf("label accuracy %s, root recall %s, attribution %s", f.LabelAccuracy, f.RootRecall, f.Attribution)
	}
}

func TestIsAnnotations(t *testing.T) {
	tests := map[string]bool{
		"{\"line\":1,\"context\":null}\n":                    true,
		"\n{\"line\":1,\"auditID\":\"a\",\"context\":\"c\"}": true,
		`{"kind":"Event","apiVersion":"audit.k8s.io/v1"}`:    false,
		"{\n\"kind\":\"EventList\"}":                         false,
		"":                                                   false,
		"no JSON":                                            false,
		`{"line":1}`:                                         false,
		`{"x":"` + strings.Repeat("x", 2*maxLine) + "\"}\n{}": false,
	}
	for input, want := range tests {
		got, err := IsAnnotations(strings.NewReader(input))
		if err != nil || got != want {
			t.Errorf("IsAnnotations(%.40q) = %t, %v", input, got, err)
		}
	}
}

// TestRounding holds that shares round as Python's round does.
func TestRounding(t *testing.T) {
	for value, want := range map[float64]string{
		0.00005: "0.0001", 0.00025: "0.0003", 0.03125: "0.0312", 0.09375: "0.0938", 1.0 / 3: "0.3333", 0.99995: "1.0", 1: "1.0", 0: "0.0",
	} {
		if got := known(value).String(); got != want {
			t.Errorf("known(%v) = %s, want %s", value, got, want)
		}
	}
}

func FuzzReadAnnotations(f *testing.F) {
	f.Add([]byte(`{"line":1,"context":"c","role":"root","label":16}`))
	f.Add([]byte(zstdMagic + "broken"))
	truth := &Truth{Lines: []Line{{Line: 1, Role: RoleRoot, Resource: "pods", Context: "c"}}, Commands: map[string]Command{"c": {}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		figures, err := Score(truth, ReadAnnotations(bytes.NewReader(data), "fuzz"))
		if err == nil && figures.Lines != 1 {
			t.Errorf("%d lines", figures.Lines)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	truth := load(b, "day")
	all := correct(truth)
	annotations := sequence(all)
	for b.Loop() {
		if _, err := Score(truth, annotations); err != nil {
			b.Fatal(err)
		}
	}
}
