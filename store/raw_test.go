package store_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/store"
)

// recording is a log of the recordings folder, decompressed.
func recording(tb testing.TB, name string) []byte {
	tb.Helper()
	packed, err := os.ReadFile(recordings + name + ".jsonl.zst")
	if err != nil {
		tb.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer d.Close()
	log, err := d.DecodeAll(packed, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

// raw gives the logs of a data set, by the name of their file.
func raw(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	got := map[string]*bytes.Buffer{}
	for p, err := range open(tb, dir).Raw(context.Background()) {
		if err != nil {
			tb.Fatal(err)
		}
		name := filepath.Base(p.File)
		if got[name] == nil {
			got[name] = new(bytes.Buffer)
		}
		got[name].Write(p.Bytes)
	}
	texts := map[string]string{}
	for name, b := range got {
		texts[name] = b.String()
	}
	return texts
}

func save(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// TestRawIsByteForByte keeps logs of all shapes and wants them back, before and
// after a compaction.
func TestRawIsByteForByte(t *testing.T) {
	lines := strings.SplitAfter(string(recording(t, "crowd.audit")[:400_000]), "\n")
	lines = lines[:len(lines)-1]
	plain := strings.Join(lines, "")
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(lines[:5], ", ") + "]}\n"
	o := store.WriterOptions{Keep: store.KeepAll, NoRedact: true}
	for name, log := range map[string]string{
		"plain":     plain,
		"no end":    strings.TrimSuffix(plain, "\n"),
		"crlf":      strings.ReplaceAll(plain, "\n", "\r\n"),
		"malformed": "nonsense\n\n" + lines[0] + "{\"kind\":\n" + lines[1] + "\x00\xff\n" + lines[2] + strings.Repeat("x", 200_000) + "\n" + lines[3],
		"no log":    strings.Repeat("nothing here\n", 1000),
		"list":      list + plain + list,
		"pretty":    strings.ReplaceAll(list, ",", ",\n  "),
		"utf8":      strings.Replace(plain, "kubelet", "k\xffbelet", 3),
		"day":       string(recording(t, "day.metadata")),
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			path := save(t, t.TempDir(), "log", log)
			add(t, dir, o, path)
			if got := raw(t, dir)["log"]; got != log {
				t.Fatalf("%d bytes came back as %d", len(log), len(got))
			}
			if again := add(t, dir, o, path); again != (store.Added{}) {
				t.Errorf("the same log once more added %+v", again)
			}
			if _, err := store.Compact(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			if got := raw(t, dir)["log"]; got != log {
				t.Errorf("after a compaction %d bytes came back as %d", len(log), len(got))
			}
		})
	}
}

// TestRedactedRawKeepsWhatStandsBeside keeps logs with malformed lines, redacted,
// and wants everything but these lines back, before and after a compaction.
func TestRedactedRawKeepsWhatStandsBeside(t *testing.T) {
	lines := strings.SplitAfter(string(recording(t, "crowd.metadata")), "\n")
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.TrimSpace(lines[8]) + ", " + strings.TrimSpace(lines[9]) + "]}\n"
	const secret = `{"data":{"password":"aHVudGVyMg=="`
	log := "\n" + lines[0] + secret + "\n" + lines[1] + "\n\r\n  \n" + lines[2] + "  " + secret + "\r\n" + secret + "\n\n" + lines[3] + list + lines[4] + secret
	for name, log := range map[string]string{"lf": log, "crlf": strings.ReplaceAll(log, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			path := save(t, t.TempDir(), "log", log)
			add(t, dir, store.WriterOptions{Keep: store.KeepAll}, path)
			placeholder := regexp.MustCompile(`"redacted:hmac-sha256:[0-9a-f]{16}, malformed, (\d+) bytes"`)
			check := func() {
				t.Helper()
				got := raw(t, dir)["log"]
				if n := len(placeholder.FindAllString(got, -1)); n != 4 {
					t.Errorf("%d lines are replaced, want 4", n)
				}
				if got := placeholder.ReplaceAllString(got, secret); got != log {
					t.Errorf("the log came back as\n%q\nwant\n%q", got, log)
				}
			}
			check()
			if again := add(t, dir, store.WriterOptions{Keep: store.KeepAll}, path); again != (store.Added{}) {
				t.Errorf("the same log once more added %+v", again)
			}
			if _, err := store.Compact(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			check()
		})
	}
}

// readAll gives the bytes of a file of a data set.
func readAll(tb testing.TB, dir, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
