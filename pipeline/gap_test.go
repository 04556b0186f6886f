package pipeline_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/pipeline"
)

// pieces puts what a run gives with KeepGaps together again, by source.
func pieces(tb testing.TB, inputs ...string) map[string]string {
	tb.Helper()
	got := map[string]string{}
	_, err := pipeline.Run(tb.Context(), inputs, nil, pipeline.Options{KeepGaps: true}, pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			got[a.Position.Source] += string(a.Before) + string(a.Raw)
			return nil
		},
		Gap: func(source string, b []byte) error {
			got[source] += string(b)
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// TestGapsAndEventsAreTheInput wants every byte of logs of all shapes, in order.
func TestGapsAndEventsAreTheInput(t *testing.T) {
	lines := strings.SplitAfter(string(recording(t, "crowd.metadata")[:300_000]), "\n")
	lines = lines[:len(lines)-1]
	plain := strings.Join(lines, "")
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(lines[:5], ", ") + "]}\n"
	logs := map[string]string{
		"plain":      plain,
		"no end":     strings.TrimSuffix(plain, "\n"),
		"crlf":       strings.ReplaceAll(plain, "\n", "\r\n"),
		"blank":      "\n\n" + strings.ReplaceAll(plain, "\n", "\n \t\n") + "\n\n\n",
		"mark":       "\xef\xbb\xbf" + plain,
		"malformed":  "nonsense\n" + lines[0] + "{\"kind\":\n" + lines[1] + "\x00\xff\n" + lines[2] + strings.Repeat("x", 200_000) + "\n" + lines[3],
		"no log":     strings.Repeat("nothing here\n", 100_000),
		"list":       list + plain + list,
		"pretty":     strings.ReplaceAll(list, ",", ",\n  "),
		"truncated":  plain[:len(plain)-100],
		"two a line": strings.Join(lines[:2], " ") + "\n" + strings.TrimSuffix(lines[2], "\n") + lines[3],
	}
	dir := t.TempDir()
	var names []string
	for name, log := range logs {
		path := filepath.Join(dir, name+".log")
		if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, path)
		if got := pieces(t, path)[path]; got != log {
			t.Errorf("%s: %d bytes came back as %d, first difference at %d", name, len(log), len(got), difference(got, log))
		}
	}
	// All of them in one run, which must not mix them up.
	slices.Sort(names)
	got := pieces(t, names...)
	for _, path := range names {
		log := logs[strings.TrimSuffix(filepath.Base(path), ".log")]
		if got[path] != log {
			t.Errorf("%s with others: %d bytes came back as %d", path, len(log), len(got[path]))
		}
	}
}

func difference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestGapsOfBrokenLogs cuts and changes a log at random places.
func TestGapsOfBrokenLogs(t *testing.T) {
	log := recording(t, "crowd.audit")[:200_000]
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // A test wants the same numbers each time.
	path := filepath.Join(t.TempDir(), "log")
	for range 100 {
		broken := bytes.Clone(log[:r.IntN(len(log))])
		for range r.IntN(20) {
			if len(broken) > 0 {
				broken[r.IntN(len(broken))] = "\n{}\"x\r "[r.IntN(7)]
			}
		}
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := pieces(t, path)[path]; got != string(broken) {
			t.Fatalf("%d bytes came back as %d, first difference at %d", len(broken), len(got), difference(got, string(broken)))
		}
	}
}
