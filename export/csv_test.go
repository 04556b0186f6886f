package export

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

func TestCell(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"alice", "alice"},
		{"", ""},
		{"-1", "-1"},
		{"-1.5", "-1.5"},
		{"-1.5.2", "'-1.5.2"},
		{"-", "'-"},
		{"system:node:worker1", "system:node:worker1"},
		{"a=b", "a=b"},
		{"=1+1", "'=1+1"},
		{"+1", "'+1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"},
		{"＝1+1", "'＝1+1"},
		{"  =1", "'  =1"},
		{`"=1`, `'"=1`},
		{"'=1", "''=1"},
		{" \"' =1", "' \"' =1"},
		{"x;=1", "x;'=1"},
		{"x; =1;y", "x;' =1;y"},
		{"\t=1", `\t=1`},
		{"\r=1", `\r=1`},
		{"a\nb", `a\nb`},
		{"\x1b[2J", `\x1b[2J`},
		{"a\u202egnp.exe", `a\u202egnp.exe`},
		{"a\xff", `a\xff`},
		{"漢字", "漢字"},
	} {
		if got := Cell(c.text); got != c.want {
			t.Errorf("Cell(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// TestCSVQuotes holds the writer against another reader of the format.
func TestCSVQuotes(t *testing.T) {
	var b bytes.Buffer
	w, err := NewCSV(&b, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Row(`say "hi", then go`, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "a,b\r\n\"say \"\"hi\"\", then go\",\r\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestContextRowFitsColumns(t *testing.T) {
	c := store.Context{Context: pipeline.Context{ID: "c1", Label: -1, EffectsBy: map[string]int{"b": 2, "a;=1": 1}}, Cluster: "lab"}
	columns, row := ContextColumns(), ContextRow(&c)
	if len(columns) != len(row) {
		t.Fatalf("%d columns, %d cells", len(columns), len(row))
	}
	got := map[string]string{}
	for i := range columns {
		if row[i] != "" && row[i] != "0" && row[i] != "false" {
			got[columns[i]] = row[i]
		}
	}
	want := map[string]string{
		"id": "c1", "cluster": "lab", "label": "-1", "outcome": "unknown", "effectsBy": `{"a;=1":1,"b":2}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzCell wants, of every text, a cell that no spreadsheet runs, on one line
// and printable, and a row that another reader gives back.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"=1", ";=1", " '\"=1", "-1", "a,\"b\"\r\n=c", "\xff", "＠x", `\.`, "-1;-1=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := Cell(text)
		for _, part := range strings.Split(cell, ";") {
			bare := strings.TrimLeftFunc(part, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '`' })
			if bare != "" && strings.ContainsRune("=+-@＝＋－＠\t\r", []rune(bare)[0]) && !isNumber(part) {
				t.Errorf("Cell(%q) = %q runs as a formula", text, cell)
			}
		}
		for _, r := range cell {
			if !unicode.IsPrint(r) {
				t.Errorf("Cell(%q) = %q holds %U", text, cell, r)
			}
		}
		var b bytes.Buffer
		w, err := NewCSV(&b, "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row(text, "end"); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][0] != cell || rows[1][1] != "end" {
			t.Errorf("the row of %q reads as %q, %v", text, rows, err)
		}
	})
}
