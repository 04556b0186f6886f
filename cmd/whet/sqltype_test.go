package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestSQLTypes wants values of every type printed as what they are, at any depth.
func TestSQLTypes(t *testing.T) {
	dir := t.TempDir()
	whetOK(t, "analyze", "--out", dir, "testdata/small.jsonl")
	for _, test := range []struct{ expr, want string }{
		{"UUID '2fc382b5-31dd-4468-93b8-118173209b1c'", `"2fc382b5-31dd-4468-93b8-118173209b1c"`},
		{"[UUID '2fc382b5-31dd-4468-93b8-118173209b1c', NULL]", `["2fc382b5-31dd-4468-93b8-118173209b1c",null]`},
		{"{'a \"b': UUID '2fc382b5-31dd-4468-93b8-118173209b1c', 'd': [DATE '2026-01-02']}", `{"a \"b":"2fc382b5-31dd-4468-93b8-118173209b1c","d":["2026-01-02"]}`},
		{"MAP {'k, 1': DATE '2026-01-02'}", `{"k, 1":"2026-01-02"}`},
		{"'a\\xFF'::BLOB", `"61ff"`},
		{"DATE '2026-01-02'", `"2026-01-02"`},
		{"TIME '10:11:12.5'", `"10:11:12.500000"`},
		{"TIMETZ '10:11:12+02'", `"10:11:12.000000+02:00"`},
		{"INTERVAL '14 months 3 days 2 hours 1.5 seconds'", `"1 year 2 months 3 days 02:00:01.5"`},
		{"INTERVAL '0 seconds'", `"00:00:00"`},
		{"TIMESTAMP_NS '2026-01-02 03:04:05.123456789'", `"2026-01-02T03:04:05.123456789Z"`},
		{"TIMESTAMP '2026-01-02 03:04:05'", `"2026-01-02T03:04:05.000000Z"`},
		{"1.50::DECIMAL(9, 2)", "1.5"},
		{"1e400", `"+Inf"`},
		{"(SELECT count(*) FROM contexts WHERE effects < 1e999) >= 0", "true"},
	} {
		got := strings.TrimSpace(whetOK(t, "sql", "--data", dir, "--format", "jsonl", "SELECT "+test.expr+" AS x"))
		if want := `{"x":` + test.want + "}"; got != want {
			t.Errorf("%s is printed as %s, want %s", test.expr, got, want)
		}
	}
}

// whetOK runs the command line, and gives what it prints.
func whetOK(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, &stdio{in: strings.NewReader(""), out: &out, err: &errs}); code != 0 {
		t.Fatalf("whet %s: status %d: %s", strings.Join(args, " "), code, &errs)
	}
	return out.String()
}
