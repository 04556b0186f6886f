package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/evaluate"
)

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "big.metadata.jsonl")
	const recordings = "../../recordings/"
	args := []string{"--size", "9MB", "--out", out, "--truth", recordings + "crowd", recordings + "crowd.metadata.jsonl.zst"}
	if err := run(t.Context(), args); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if len(log) > 9e6 || len(log) < 8.9e6 || log[len(log)-1] != '\n' {
		t.Errorf("wrote %d bytes that end with %q, want whole lines of 9 MB at most", len(log), log[len(log)-1])
	}
	truth, err := evaluate.Load(t.Context(), strings.TrimSuffix(out, ".metadata.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(log, []byte("\n")); len(truth.Lines) != lines {
		t.Errorf("%d lines have %d lines of truth", lines, len(truth.Lines))
	}
}

func TestRunRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.jsonl")
	for want, args := range map[string][]string{
		"no recording is named":                    {"--size", "1MB", "--out", out},
		"--out is needed":                          {"--size", "1MB", "x.jsonl"},
		"--size or --copies is needed":             {"--out", out, "x.jsonl"},
		"--truth needs a file":                     {"--copies", "1", "--out", "-", "--truth", "x", "x.jsonl"},
		`--size: "much" is no size`:                {"--size", "much", "--out", out, "x.jsonl"},
		"nosuch.jsonl: no such file or directory":  {"--copies", "1", "--out", out, "nosuch.jsonl"},
		"nosuch.truth.jsonl.zst: no such file":     {"--copies", "1", "--out", out, "--truth", "nosuch", "../../recordings/crowd.metadata.jsonl.zst"},
		"writing /nosuch/out.jsonl: open /nosuch/": {"--copies", "1", "--out", "/nosuch/out.jsonl", "../../recordings/crowd.metadata.jsonl.zst"},
	} {
		if err := run(t.Context(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("run(%q): %v, want %q", args, err, want)
		}
	}
}
