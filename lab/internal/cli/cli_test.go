package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/lab/internal/policy"
)

// run runs the program with arguments and returns what it prints and its error.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := New("v1.37.2")
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("scenarios:\n- name: x\n  steps:\n  - run: kubectl get pods\n    wait: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"record"}, "--out is missing"},
		{[]string{"record", "--out", dir, "nope"}, "nope is no file, no folder, and none of the lab's scenarios"},
		{[]string{"record", "--out", dir, bad}, "line 5: field wait not found"},
		{[]string{"record", "--out", dir, "--plan", "nope"}, "none of the lab's plans: crowd, full, medium, short, smoke"},
		{[]string{"record", "--out", dir, "--policy", "nope"}, `no audit policy is called "nope"`},
		{[]string{"up", "--policy", "nope"}, `no audit policy is called "nope"`},
		{[]string{"policy", "nope"}, `no audit policy is called "nope"`},
		{[]string{"check", filepath.Join(dir, "none")}, "none"},
		{[]string{"truth", dir}, "--out is missing"},
		{[]string{"truth", dir, "--out", dir}, "reading what a recording kept"},
		{[]string{"replicate", "x"}, "--out is missing"},
		{[]string{"replicate", "x", "--out", dir, "--size", "3X"}, `--size "3X" is no size`},
		{[]string{"replicate", filepath.Join(dir, "none"), "--out", dir}, "reading a recording"},
		{[]string{"fly"}, `unknown command "fly"`},
	}
	for _, tt := range tests {
		if _, err := run(t, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("lab %s says %v; want %q", strings.Join(tt.args, " "), err, tt.want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("wrong usage left %d files", len(left))
	}
}

func TestPolicyPrints(t *testing.T) {
	for _, name := range policy.Names() {
		out, err := run(t, "policy", name)
		if err != nil || !strings.Contains(out, "kind: Policy") {
			t.Errorf("lab policy %s: %v\n%s", name, err, out)
		}
	}
}

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{{"1", 1}, {"2K", 2 << 10}, {"500M", 500 << 20}, {"3G", 3 << 30}, {"0", 0}, {"-1", 0}, {"", 0}, {"1KM", 0}, {"1k", 0}, {"99999999999G", 0}}
	for _, tt := range tests {
		got, err := parseSize(tt.text)
		if got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("parseSize(%q) = %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
}

// recording is the smallest recording: one command and one effect.
var recording = map[string]string{
	"audit":    `{"level":"RequestResponse","auditID":"11111111-2222-4333-8444-555555555555","stage":"ResponseComplete","verb":"create","user":{"username":"alice"},"objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2026-11-23T12:00:00.000001Z"}`,
	"metadata": `{"level":"Metadata","auditID":"11111111-2222-4333-8444-555555555555","stage":"ResponseComplete","verb":"create","user":{"username":"alice"},"objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2026-11-23T12:00:00.000001Z"}`,
	"truth":    `{"line":1,"auditID":"11111111-2222-4333-8444-555555555555","stage":"ResponseComplete","context":"c0000","role":"root","user":"alice","verb":"create","resource":"pods","subresource":null}`,
	"contexts": `{"context":"c0000","user":"alice","command":"kubectl run web","rc":0,"start":"2026-11-23T12:00:00.000000Z","root_line":1,"root":"11111111-2222-4333-8444-555555555555","verb":"create","resource":"pods","subresource":null,"principals":1}`,
}

func TestReplicateAndCheck(t *testing.T) {
	dir := t.TempDir()
	for name, line := range recording {
		if err := os.WriteFile(filepath.Join(dir, "small."+name+".jsonl"), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run(t, "check", filepath.Join(dir, "small")); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "replicate", filepath.Join(dir, "small"), "--out", dir, "--size", "2K"); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "check", filepath.Join(dir, "large")); err != nil {
		t.Error(err)
	}
	if parts, err := filepath.Glob(filepath.Join(dir, "*.part")); err != nil || len(parts) > 0 {
		t.Errorf("left %q, %v", parts, err)
	}
}

// A large recording is whole or absent, like a recorded one.
func TestReplicateLeavesNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	for name, line := range recording {
		if err := os.WriteFile(filepath.Join(dir, "small."+name+".jsonl"), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	left := func(out string) (names []string) {
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				names = append(names, e.Name())
			}
		}
		return names
	}
	// A folder stands where a file must go.
	out := t.TempDir()
	if err := os.MkdirAll(filepath.Join(out, "large.truth.jsonl.zst", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "replicate", filepath.Join(dir, "small"), "--out", out, "--size", "1K"); err == nil || len(left(out)) > 0 {
		t.Errorf("%v, and it left %q", err, left(out))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out = t.TempDir()
	if _, err := replicateTo(ctx, filepath.Join(dir, "small"), out, "large", 1<<40); !errors.Is(err, context.Canceled) || len(left(out)) > 0 {
		t.Errorf("%v, and it left %q", err, left(out))
	}
}
