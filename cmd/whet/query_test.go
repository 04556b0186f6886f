package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/store"
)

// whet runs the program and gives its status, output and messages.
func whet(ctx context.Context, args ...string) (code int, out, messages string) {
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, &stdio{in: strings.NewReader(""), out: &stdout, err: &stderr})
	return code, stdout.String(), stderr.String()
}

// TestQueryOfDataSet wants of a data set what its log gives, in every format.
// The order of events that came at the same time, and of a log's, is its own.
func TestQueryOfDataSet(t *testing.T) {
	data := dataOfDay(t, store.KeepAll)
	for _, args := range [][]string{
		{"actor == alice and effects > 20"}, {"outcome == refused", "--format", "csv"}, {"touches(secrets)", "--format", "json"},
		{"name ~ 'web-*' and duration > 300ms", "--format", "jsonl"},
		{"--events", "context.effects > 50 and verb == delete"}, {"--events", "caused-by(alice) and role == client", "--format", "csv"},
		{"--events", "code >= 400 and role != background", "--format", "jsonl"},
		{"--count-by", "username", "readOnly"}, {"--events", "--count-by", "resource", "role == dropped", "--format", "csv"},
		{"--events", "--count-by", "context.outcome", "verb == patch", "--format", "json"},
	} {
		args = append([]string{"query"}, args...)
		code, ofData, messages := whet(t.Context(), append(args, "--data", data)...)
		if code != 0 || messages != "" {
			t.Errorf("%v: status %d, %s", args, code, messages)
		}
		code, ofLog, messages := whet(t.Context(), append(args, dayLog)...)
		if code != 0 || messages != "" {
			t.Errorf("%v: status %d, %s", args, code, messages)
		}
		if strings.Count(ofData, "\n") < 4 {
			t.Errorf("%v found nothing:\n%s", args, ofData)
		}
		if diff := cmp.Diff(sortedLines(ofLog), sortedLines(ofData)); diff != "" {
			t.Errorf("%v (-log, +data set):\n%.2000s", args, diff)
		}
	}
}

func sortedLines(text string) map[string]int {
	lines := map[string]int{}
	for line := range strings.Lines(text) {
		lines[strings.TrimRight(line, ",\n")]++
	}
	return lines
}

// TestQueryEverything wants a data set to be listed without an expression.
func TestQueryEverything(t *testing.T) {
	data := dataOfDay(t, store.KeepContexts)
	code, out, messages := whet(t.Context(), "query", "--data", data, "--limit", "3")
	if code != 0 || !strings.HasSuffix(out, "… and more: these are the first 3 (--limit).\n") {
		t.Errorf("status %d, %s\n%s", code, messages, out)
	}
}

// TestSQL asks a data set in SQL, in every format.
func TestSQL(t *testing.T) {
	data := dataOfDay(t, store.KeepEvents)
	const statement = `SELECT username, count(*) AS n, max(touched) AS m, [1.5, NULL] AS l FROM contexts WHERE username IN ('alice', 'bob') GROUP BY ALL ORDER BY 1`
	for format, want := range map[string]string{
		"table": "username   n  m",
		"csv":   "username,n,m,l\r\nalice,",
		"jsonl": `{"username":"alice","n":`,
		"json":  "[\n" + `{"username":"alice","n":`,
	} {
		code, out, messages := whet(t.Context(), "sql", "--data", data, "--format", format, statement)
		if code != 0 || !strings.HasPrefix(out, want) {
			t.Errorf("%s: status %d, %s\n%s", format, code, messages, out)
		}
		if format == "json" && !json.Valid([]byte(out)) {
			t.Errorf("this is no JSON: %s", out)
		}
	}
	for _, view := range []string{"contexts", "events", "links", "objects"} {
		if code, out, messages := whet(t.Context(), "sql", "--data", data, "DESCRIBE "+view); code != 0 || !strings.Contains(out, "cluster") {
			t.Errorf("%s: status %d, %s\n%s", view, code, messages, out)
		}
	}
}

// TestSQLOnlyReads wants nothing but a question about the data set to run.
func TestSQLOnlyReads(t *testing.T) {
	data := dataOfDay(t, store.KeepContexts)
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("password\nhunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(data, "made.csv")
	before := files(t, data)
	for _, c := range []struct{ statement, message string }{
		{"SELECT * FROM read_csv('" + secret + "')", "reads nothing but the data set"},
		{"SELECT * FROM '" + secret + "'", "secret.csv"},
		{"COPY (SELECT 1) TO '" + made + "'", "only reads"},
		{"SELECT 1; COPY (SELECT 1) TO '" + made + "'", "only reads"},
		{"SELECT 1; SELECT 2", "one statement, not 2"},
		{"EXPLAIN ANALYZE COPY (SELECT 1) TO '" + made + "'", "only reads"},
		{"CREATE TABLE t AS SELECT 1", "only reads"},
		{"DROP VIEW events", "only reads"},
		{"SET enable_external_access = true", "only reads"},
		{"ATTACH '" + made + "' AS other", "only reads"},
		{"INSTALL httpfs", "only reads"},
		{"PRAGMA database_list", "only reads"},
		{"", "one statement, not 0"},
		{"/* nothing */", "one statement, not 0"},
		{"SELECT * FORM contexts", "syntax error"},
		{"SELECT usrname FROM contexts", "usrname"},
		{"SELECT * FROM context", "context"},
	} {
		code, out, messages := whet(t.Context(), "sql", "--data", data, "--format", "jsonl", c.statement)
		if code == 0 || out != "" || !strings.Contains(messages, c.message) {
			t.Errorf("%s: status %d, %s%s", c.statement, code, out, messages)
		}
	}
	if diff := cmp.Diff(before, files(t, data)); diff != "" {
		t.Errorf("the data set changed:\n%s", diff)
	}
}

// files are the names and sizes of the files in a folder.
func files(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			sizes[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// TestSQLErrorMarksThePlace holds what a user sees of a syntax error.
func TestSQLErrorMarksThePlace(t *testing.T) {
	data := dataOfDay(t, store.KeepContexts)
	_, _, messages := whet(t.Context(), "sql", "--data", data, "SELECT 1\nFORM x y")
	want := `whet: syntax error at or near "x"
  FORM x y
       ^
Run 'whet sql --help' for usage.
`
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
}

// TestSQLStops wants a statement that would run for ever to end with its
// context.
func TestSQLStops(t *testing.T) {
	data := dataOfDay(t, store.KeepContexts)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	done := make(chan int)
	go func() {
		code, _, _ := whet(ctx, "sql", "--data", data, "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * 7 = b.range + 13")
		done <- code
	}()
	if code := <-done; code != exitFailed {
		t.Errorf("status %d", code)
	}
}

// TestDamagedDataSet wants what is sound to be answered, what is damaged to be
// named, and the status to say so.
func TestDamagedDataSet(t *testing.T) {
	data := dataOfDay(t, store.KeepEvents)
	for name, size := range files(t, filepath.Join(data, "events")) {
		if err := os.Truncate(name, size/2); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"query", "--data", data, "actor == alice"}, {"query", "--data", data, "--count-by", "actor"},
		{"sql", "--data", data, "SELECT count(*) FROM contexts"},
	} {
		code, out, messages := whet(t.Context(), args...)
		if code != exitDamaged || out == "" || !strings.Contains(messages, "is left out: ") || !strings.Contains(messages, "missing from the answer") {
			t.Errorf("%v: status %d\n%s%s", args, code, out, messages)
		}
	}
}
