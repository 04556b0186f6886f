package term_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/whet-k8s/whet/internal/term"
)

func TestSanitize(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"payments/web-1", "payments/web-1"},
		{"漢字 und Umlaute äöü", "漢字 und Umlaute äöü"},
		{"\x1b[2J", `\x1b[2J`},
		{"\x1b]0;owned\x07", `\x1b]0;owned\x07`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"web\u202egnp.exe", `web\u202egnp.exe`},
		{"zero\u200bwidth\ufeff", `zero\u200bwidth\ufeff`},
		{"\u009b31m", `\u009b31m`},
		{"\u2028line", `\u2028line`},
		{"\U000e0041tag", `\U000e0041tag`},
		{"\xff\xfe", `\xff\xfe`},
		{"del\x7f", `del\x7f`},
	} {
		if got := term.Sanitize(tt.in); got != tt.want {
			t.Errorf("Sanitize(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := term.SanitizeLines("a\nb\x1b"); got != "a\nb\\x1b" {
		t.Errorf("SanitizeLines gives %q", got)
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("\x1b[2J\u202e\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := term.Sanitize(s)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("Sanitize(%q) holds %U", s, r)
			}
		}
		if again := term.Sanitize(got); again != got {
			t.Errorf("sanitising %q twice gives %q", got, again)
		}
	})
}

// TestTableFits wants no line wider than the terminal, whatever the content, as
// long as the columns that cannot be squeezed leave room.
func TestTableFits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // A test wants the same numbers each time.
	words := []string{"web", "漢字の名前", "a-very-long-name-that-goes-on-and-on", "\x1b[31m", "e\u0301", "👩‍💻", ""}
	text := func() string {
		var parts []string
		for range r.IntN(6) {
			parts = append(parts, words[r.IntN(len(words))])
		}
		return strings.Join(parts, " ")
	}
	for range 300 {
		table := term.Table{Columns: []term.Column{
			{Title: "WHO", Min: 6, Max: 30}, {Title: "WHAT", Min: 6}, {Title: "SPAN", Min: 5, Right: true},
		}}
		for range 1 + r.IntN(8) {
			table.Add(term.Cell{Text: text(), Style: term.Dim}, term.Cell{Text: text()}, term.Cell{Text: text(), Style: term.Bad})
		}
		width := 25 + r.IntN(100)
		var out bytes.Buffer
		if err := table.Write(&out, width, term.Painter{Colors: r.IntN(2) == 0}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if got := term.Width(strings.TrimSuffix(line, "\n")); got > width {
				t.Fatalf("a line is %d wide, the terminal %d: %q", got, width, line)
			}
		}
	}
}

func TestTableAligns(t *testing.T) {
	table := term.Table{Columns: []term.Column{{Title: "A"}, {Title: "B"}, {Title: "N", Right: true}}}
	table.Add(term.Cell{Text: "漢字"}, term.Cell{Text: "x"}, term.Cell{Text: "1"})
	table.Add(term.Cell{Text: "a"}, term.Cell{Text: "longer"}, term.Cell{Text: "100"})
	var out bytes.Buffer
	if err := table.Write(&out, 0, term.Painter{}); err != nil {
		t.Fatal(err)
	}
	want := "A     B         N\n漢字  x         1\na     longer  100\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestPaint(t *testing.T) {
	if got := (term.Painter{}).Paint(term.Bad, "x"); got != "x" {
		t.Errorf("without colours: %q", got)
	}
	if got := (term.Painter{Colors: true}).Paint(term.Bad, "x"); got != "\x1b[31mx\x1b[m" {
		t.Errorf("with colours: %q", got)
	}
}

func TestColors(t *testing.T) {
	env := func(string) string { return "" }
	if term.Colors("auto", &bytes.Buffer{}, env) || term.Colors("never", nil, env) || !term.Colors("always", nil, env) {
		t.Error("colours are for terminals, or for who asks for them")
	}
	if got := term.Columns(&bytes.Buffer{}, func(string) string { return "72" }); got != 72 {
		t.Errorf("COLUMNS=72 gives %d", got)
	}
	if got := term.Columns(&bytes.Buffer{}, env); got != 0 {
		t.Errorf("no terminal gives %d columns, want no bound", got)
	}
}

func TestProgress(t *testing.T) {
	line := term.ProgressLine(2*time.Second, 500e6, 1000e6, "7 events")
	if want := " 50%  500.0 MB of 1.0 GB  250.0 MB/s  7 events  2s left"; line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	if line := term.ProgressLine(time.Second, 1500, 0, ""); line != "1.5 kB  1.5 kB/s" {
		t.Errorf("without a total: %q", line)
	}
	var out bytes.Buffer
	begun := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	p := term.Progress{Out: &out, Begun: begun}
	p.Update(begun.Add(500*time.Millisecond), 1, 2, "")
	p.Clear()
	if out.Len() != 0 {
		t.Errorf("what is quick needs no line: %q", out.String())
	}
	p.Update(begun.Add(1500*time.Millisecond), 1, 2, "")
	p.Update(begun.Add(1600*time.Millisecond), 2, 2, "")
	p.Clear()
	if n := strings.Count(out.String(), "%"); n != 1 {
		t.Errorf("%d lines within a tenth of a second: %q", n, out.String())
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := term.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{1: "1 B", 999: "999 B", 1000: "1.0 kB", 999_960: "1.0 MB", 5e15: "5.0 PB"} {
		if got := term.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got := term.Plural(1, "line") + ", " + term.Plural(2000, "line"); got != "1 line, 2,000 lines" {
		t.Error(got)
	}
}
