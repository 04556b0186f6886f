package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/pipeline"
)

// TestTruthOfAnotherLog wants the truth of another recording, and that of
// another stage, to be refused.
func TestTruthOfAnotherLog(t *testing.T) {
	prefix := func(name string) string { return filepath.Join("..", "..", "recordings", name) }
	s := Source{Name: "a", Log: prefix("crowd") + ".metadata.jsonl.zst", Truth: prefix("day")}
	for what, load := range map[string]func() error{
		"labels": func() error { _, err := Load(t.Context(), s); return err },
		"links":  func() error { _, err := LoadLinks(t.Context(), []Source{s}, t.TempDir(), nil); return err },
	} {
		if err := load(); err == nil || !strings.Contains(err.Error(), "it is the truth of another log") || !strings.Contains(err.Error(), prefix("day")) {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
	lines := newTruthLines("p", &evaluate.Truth{Lines: []evaluate.Line{{Line: 1, AuditID: "a", Stage: "ResponseStarted"}}})
	for want, a := range map[string]pipeline.Annotation{
		"":           {Line: 1, AuditID: "a", Stage: "ResponseStarted"},
		"stage":      {Line: 1, AuditID: "a", Stage: "ResponseComplete"},
		"auditID":    {Line: 1, AuditID: "b", Stage: "ResponseStarted"},
		"no such li": {Line: 2, AuditID: "a", Stage: "ResponseStarted"},
	} {
		_, err := lines.of(&a)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: the error is %v, and should tell %q", a, err, want)
		}
	}
}

// TestLabelledLogs wants the files of a folder to be logs of their own, and a
// number that is no label to be refused by file and line.
func TestLabelledLogs(t *testing.T) {
	dir := t.TempDir()
	line := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"%d","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods/p",` +
		`"verb":"get","user":{"username":"u"},"objectRef":{"resource":"pods","namespace":"a","name":"p"},"requestReceivedTimestamp":"2026-11-23T18:00:00.000000Z","label":%d}` + "\n"
	for name, labels := range map[string][]int{"a.log": {4400, -1}, "b.log": {4400, 3}} {
		var log []byte
		for i, l := range labels {
			log = fmt.Appendf(log, line, i, l)
		}
		if err := os.WriteFile(filepath.Join(dir, name), log, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, arg := range []string{dir, filepath.Join(dir, "*.log")} {
		sources, err := Labelled([]string{arg}, "label")
		if err != nil || len(sources) != 2 || sources[0].group() == sources[1].group() {
			t.Fatalf("%s gives %+v, %v", arg, sources, err)
		}
		d, err := Load(t.Context(), sources[0])
		if err != nil || d.Sequence.Labelled() != 1 || d.Account.Events != 2 {
			t.Errorf("%d labels, %v", d.Sequence.Labelled(), err)
		}
		if _, err := Load(t.Context(), sources[1]); err == nil || !strings.Contains(err.Error(), "b.log, line 2: at \"label\": label 3") {
			t.Errorf("the error is %v", err)
		}
	}
	if _, err := Labelled([]string{"-"}, "label"); err == nil || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("the error is %v", err)
	}
}
