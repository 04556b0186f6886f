package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// result is what a whole input gives.
type result struct {
	events                                   []Event
	malformed                                []Malformed
	lines, blank, eventLines, malformedLines int
}

// ids are the auditIDs of the events with their places: "a1@3" is in line 3,
// "a1@3.2" the second item of a list that starts there.
func (r *result) ids() string {
	var out []string
	for i := range r.events {
		ev := &r.events[i]
		place := ev.AuditID + "@" + strconv.Itoa(ev.Position.Line)
		if ev.Position.Item > 0 {
			place += "." + strconv.Itoa(ev.Position.Item)
		}
		out = append(out, place)
	}
	return strings.Join(out, " ")
}

// drain reads and decodes all and checks what must always hold.
func drain(t testing.TB, r *Reader) *result {
	t.Helper()
	var got result
	var d Decoder
	for seq := 0; ; seq++ {
		c, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.Seq != seq {
			t.Fatalf("chunk %d has number %d", seq, c.Seq)
		}
		b := d.DecodeChunk(c)
		if b.Lines != b.Blank+b.EventLines+b.MalformedLines {
			t.Fatalf("the lines do not add up: %+v", b)
		}
		got.events = append(got.events, b.Events...)
		got.malformed = append(got.malformed, b.Malformed...)
		got.lines += b.Lines
		got.blank += b.Blank
		got.eventLines += b.EventLines
		got.malformedLines += b.MalformedLines
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	return &got
}

// readText reads a text as standard input and checks positions and the count
// of lines against the text.
func readText(t testing.TB, text string, options Options) *result {
	t.Helper()
	options.Stdin = strings.NewReader(text)
	r, err := Open([]string{Stdin}, options)
	if err != nil {
		t.Fatal(err)
	}
	got := drain(t, r)
	lines := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		lines++
	}
	if strings.TrimPrefix(text, "\ufeff") == "" {
		lines = 0
	}
	if got.lines != lines {
		t.Fatalf("%d lines accounted for, the text has %d: %q", got.lines, lines, text)
	}
	for i := range got.events {
		ev := &got.events[i]
		at := int(ev.Position.Offset)
		if text[at:at+len(ev.Raw)] != string(ev.Raw) {
			t.Fatalf("offset %d is not where the event stands: %q", at, ev.Raw)
		}
		if line := 1 + strings.Count(text[:at], "\n"); line != ev.Position.Line {
			t.Fatalf("the event at offset %d stands in line %d, not %d", at, line, ev.Position.Line)
		}
	}
	return got
}

// event is a small event with this auditID.
func event(id string) string { return strings.Replace(minimalEvent, `"a1"`, `"`+id+`"`, 1) }

// pretty is the same over several lines, as jq prints it.
func pretty(id string) string {
	return strings.NewReplacer(`{"`, "{\n  \"", `,"`, ",\n  \"", `}`, "\n}").Replace(event(id))
}

// list is an EventList without spaces.
func list(items ...string) string {
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(items, ",") + `]}`
}

func TestFormats(t *testing.T) {
	const bare = `{"auditID":"b","stage":"Panic","requestReceivedTimestamp":"2026-11-23T18:00:00Z"}`
	beta := strings.Replace(event("b"), "audit.k8s.io/v1", "audit.k8s.io/v1beta1", 1)
	cutLine := event("x")[:90]
	tests := []struct {
		name, text string
		ids        string
		malformed  []string // LINE: the beginning of the reason
		badLines   int
	}{
		{"an event a line", event("a") + "\n" + event("b") + "\n", "a@1 b@2", nil, 0},
		{"no last line feed", event("a") + "\n" + event("b"), "a@1 b@2", nil, 0},
		{"CRLF and blank lines", "\r\n" + event("a") + "\r\n \t\n" + event("b") + "\r\n", "a@2 b@4", nil, 0},
		{"byte order mark", "\ufeff" + event("a") + "\n", "a@1", nil, 0},
		{"only a byte order mark", "\ufeff", "", nil, 0},
		{"v1beta1", beta + "\n", "b@1", nil, 0},
		{"pretty-printed", pretty("a") + "\n" + pretty("b") + "\n" + event("c"), "a@1 b@12 c@23", nil, 0},
		{"two on a line", event("a") + event("b") + "\n" + event("c") + "\n", "a@1 b@1 c@2", nil, 0},
		{"an event and rubbish", event("a") + "rubbish\n" + event("b") + "\n", "a@1 b@2", []string{"1: invalid JSON"}, 0},
		{"list on a line", list(event("a"), bare) + "\n" + event("c"), "a@1.1 b@1.2 c@2", nil, 0},
		{"empty list", list() + "\n", "", nil, 0},
		{"list with a bad item", list(event("a"), `{"auditID":7}`, "null", event("c")), "a@1.1 c@1.4",
			[]string{"1: auditID: a number", "1: auditID is missing"}, 0},
		{"list of another version", strings.Replace(list(event("a")), "audit.k8s.io/v1", "audit.k8s.io/v9", 1), "",
			[]string{`1: unknown apiVersion "audit.k8s.io/v9"`}, 1},
		{"list over lines", "\n" + strings.ReplaceAll(list(pretty("a"), pretty("b")), `[{`, "[\n{") + "\n" + event("c"),
			"a@3.1 b@13.2 c@24", nil, 0},
		{"lists one after the other", list(event("a")) + list(event("b")) + "\n", "a@1.1 b@1.1", nil, 0},
		{"an item a line", strings.ReplaceAll(strings.ReplaceAll(list(event("a"), event("b")), "[{", "[\n{"), "},{\"kind", "},\n{\"kind"),
			"a@2.1 b@3.2", nil, 0},
		{"malformed line", "what?\n" + event("a") + "\n{}\n", "a@2", []string{"1: invalid JSON", "3: not an audit event"}, 2},
		{"cut last line", event("a") + "\n" + cutLine, "a@1", []string{"2: truncated"}, 1},
		{"cut line in the middle", cutLine + "\n" + event("b") + "\n", "b@2", []string{"1: truncated"}, 1},
		{"cut behind a comma", event("x")[:strings.Index(event("x"), ",")+1] + "\n" + event("b") + "\n" + event("c"), "b@2 c@3",
			[]string{"1: the value that starts here is broken off"}, 1},
		{"cut in a list", `{"a":[` + "\n" + event("b") + "\n" + event("c") + "\n", "b@2 c@3",
			[]string{"1: the value that starts here is broken off"}, 1},
		{"cut in a list near the end", `{"a":[` + "\n" + event("b") + "\n", "b@2", []string{"1: truncated"}, 1},
		{"cut in a string behind a comma", `{"a":"x,` + "\n" + event("b") + "\n", "b@2", []string{"1: truncated: the JSON ends"}, 1},
		{"cut pretty-printed", pretty("x")[:40] + "\n" + pretty("b") + "\n", "b@4", []string{"1: the value that starts here is broken off"}, 3},
		{"pretty-printed, cut at the end", event("a") + "\n" + pretty("x")[:60], "a@1", []string{"2: truncated: the input ends inside"}, 4},
		{"two cut pretty-printed", pretty("x")[:40] + "\n" + pretty("y")[:40] + "\n" + event("c"), "c@7",
			[]string{"1: the value", "4: the value"}, 6},
		{"not a log", "\x7fELF\x02\x01\n\x00\x00\xff\n", "", []string{"1: invalid", "2: invalid UTF-8 at byte 2"}, 2},
		{"empty", "", "", nil, 0},
		{"only blank lines", "\n\n \n", "", nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, chunk := range []int{1, 7, 100, 0} {
				got := readText(t, test.text, Options{ChunkBytes: chunk})
				if diff := cmp.Diff(test.ids, got.ids()); diff != "" {
					t.Errorf("chunks of %d bytes: events: %s", chunk, diff)
				}
				if len(got.malformed) != len(test.malformed) {
					t.Fatalf("chunks of %d bytes: got %v, want %v", chunk, got.malformed, test.malformed)
				}
				for i, want := range test.malformed {
					m := &got.malformed[i]
					if text := fmt.Sprintf("%d: %s", m.Line, m.Reason); !strings.HasPrefix(text, want) {
						t.Errorf("chunks of %d bytes: got %q, want %q", chunk, text, want)
					}
				}
				if got.malformedLines != test.badLines {
					t.Errorf("chunks of %d bytes: %d malformed lines, want %d", chunk, got.malformedLines, test.badLines)
				}
			}
		})
	}
}

// TestLimits: what is longer than the limit is malformed, and what follows is
// read.
func TestLimits(t *testing.T) {
	long := strings.Replace(event("x"), `"get"`, `"`+strings.Repeat("g", 5000)+`"`, 1)
	tests := []struct{ name, text, ids, reason string }{
		{"line", event("a") + "\n" + long + "\n" + event("c"), "a@1 c@3", "line longer than 2000 bytes"},
		{"last line", event("a") + "\n" + long, "a@1", "line longer than 2000 bytes"},
		{"lines of a value", "{\n" + strings.Repeat(`"x":1,`+"\n", 1000) + event("c"), "c@1002", "value over several lines longer than 2000 bytes"},
	}
	for _, test := range tests {
		for _, chunk := range []int{1, 100, 100_000} {
			got := readText(t, test.text, Options{ChunkBytes: chunk, MaxLine: 2000})
			if got.ids() != test.ids || len(got.malformed) == 0 || got.malformed[0].Reason != test.reason {
				t.Errorf("%s, chunks of %d bytes: %s, %v", test.name, chunk, got.ids(), got.malformed)
			}
		}
	}
}

// TestLongestLine reads a line just under and one over the 64 MiB that Options
// allow by default.
func TestLongestLine(t *testing.T) {
	if testing.Short() {
		t.Skip("needs some hundred megabytes")
	}
	const head, tail = `{"requestObject":{"data":"`, `"},`
	rest := event("a")[1:]
	line := func(length int) string {
		return head + strings.Repeat("x", length-len(head)-len(tail)-len(rest)) + tail + rest
	}
	text := line(DefaultMaxLine) + "\n" + line(DefaultMaxLine+1) + "\n" + event("c")
	got := readText(t, text, Options{})
	if got.ids() != "a@1 c@3" || len(got.malformed) != 1 || len(got.malformed[0].Raw) != rawPrefix {
		t.Errorf("got %s and %d malformed", got.ids(), len(got.malformed))
	}
}

func pack(t testing.TB, format, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&buf)
	if format == "zstd" {
		z, err := zstd.NewWriter(&buf)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// writeFiles fills a new folder.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestCompression(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(event(strconv.Itoa(i)) + "\n")
	}
	for _, format := range []string{"gzip", "zstd"} {
		t.Run(format, func(t *testing.T) {
			packed := string(pack(t, format, text.String()))
			again := packed + string(pack(t, format, event("last")))
			folder := writeFiles(t, map[string]string{
				"whole": again, "cut": packed[:len(packed)-20], "head": packed[:6],
			})
			if got := readPath(t, filepath.Join(folder, "whole")); len(got.events) != 2001 || got.lines != 2001 || len(got.malformed) != 0 {
				t.Errorf("got %d events, %v", len(got.events), got.malformed)
			}
			for _, name := range []string{"cut", "head"} {
				got := readPath(t, filepath.Join(folder, name))
				last := got.malformed[len(got.malformed)-1]
				if !strings.HasPrefix(last.Reason, "damaged "+format) {
					t.Errorf("%s: got %v", name, got.malformed)
				}
			}
		})
	}
}

func readPath(t testing.TB, args ...string) *result {
	t.Helper()
	r, err := Open(args, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return drain(t, r)
}

func TestFolders(t *testing.T) {
	files := map[string]string{
		// kube-apiserver's rotation, logrotate's numbers, logrotate's dates.
		"api-2026-11-23T18-00-00.000.log":    event("2"),
		"api-2026-11-22T18-00-00.000.log.gz": string(pack(t, "gzip", event("1"))),
		"api.log":                            event("3"),
		"node.log":                           event("14"),
		"node.log.1":                         event("13"),
		"node.log.2.gz":                      string(pack(t, "gzip", event("12"))),
		"node.log.10.zst":                    string(pack(t, "zstd", event("11"))),
		"set.log-20261122":                   event("21"),
		"set.log-20261123":                   event("22"),
		"set.log":                            event("23"),
		"empty.log":                          "",
		".hidden.log":                        event("x"),
		"notes.txt":                          "remember the milk",
		"sub/audit.log":                      event("x"),
	}
	folder := writeFiles(t, files)
	r, err := Open([]string{folder}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var skipped []string
	for _, s := range r.Skipped() {
		skipped = append(skipped, filepath.Base(s.Name)+": "+s.Reason)
	}
	got := drain(t, r)
	if want := "1@1 2@1 3@1 11@1 12@1 13@1 14@1 21@1 22@1 23@1"; got.ids() != want {
		t.Errorf("got  %s\nwant %s", got.ids(), want)
	}
	want := []string{".hidden.log: a hidden file", "notes.txt: holds no audit events", "sub: a folder"}
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Errorf("left out: %s", diff)
	}
	if diff := cmp.Diff([]string{filepath.Join(folder, "empty.log")}, r.Empty()); diff != "" {
		t.Errorf("empty: %s", diff)
	}
	if read, total := r.Progress(); read != total || total == 0 {
		t.Errorf("read %d of %d bytes", read, total)
	}
	if got := readPath(t, filepath.Join(folder, "node.log*")).ids(); got != "11@1 12@1 13@1 14@1" {
		t.Errorf("the pattern gives %s", got)
	}
	if got := got.events[0].Position.Source; got != filepath.Join(folder, "api-2026-11-22T18-00-00.000.log.gz") {
		t.Errorf("the source is called %s", got)
	}
}

func TestOpenErrors(t *testing.T) {
	folder := writeFiles(t, map[string]string{"empty/notes.txt": "nothing", "sub/x/y": ""})
	tests := []struct{ arg, want string }{
		{filepath.Join(folder, "missing.log"), "missing.log: no such file"},
		{filepath.Join(folder, "*.log"), "matches no file"},
		{filepath.Join(folder, "e*"), "only folders"},
		{filepath.Join(folder, "[.log"), "syntax error in pattern"},
		{filepath.Join(folder, "empty"), "holds no audit log"},
	}
	for _, test := range tests {
		_, err := Open([]string{test.arg}, Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.arg, err, test.want)
		}
	}
	if _, err := Open(nil, Options{}); err == nil {
		t.Error("no arguments are no error")
	}
}

// TestPatternInAName: a file whose name looks like a pattern is itself.
func TestPatternInAName(t *testing.T) {
	folder := writeFiles(t, map[string]string{"audit[1].log": event("a")})
	if got := readPath(t, filepath.Join(folder, "audit[1].log")).ids(); got != "a@1" {
		t.Errorf("got %s", got)
	}
}

// TestStreamDoesNotWait: what a stream gave is there before the stream goes
// on, and waiting for more ends with the context.
func TestStreamDoesNotWait(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close() //nolint:errcheck // A pipe in memory.
	r, err := Open([]string{Stdin}, Options{Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(out, event("a")+"\n"+event("b")[:50]) //nolint:errcheck // Read below.
	ctx, cancel := context.WithCancel(t.Context())
	c, err := r.Next(ctx)
	if err != nil || len(c.Records) != 1 {
		t.Fatalf("got %v, %v", c, err)
	}
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err = r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestReadError: an error in reading is no property of the log.
func TestReadError(t *testing.T) {
	broken := errors.New("the disk is gone")
	in := io.MultiReader(strings.NewReader(event("a")+"\n"), iotest.ErrReader(broken))
	r, err := Open([]string{Stdin}, Options{Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Next(t.Context())
	}
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "reading -: ") {
		t.Errorf("got %v", err)
	}
}

// fragments are what a log can be made of, whole and broken.
func fragments() []string {
	return []string{
		event("a"), pretty("b"), list(event("c"), event("d")), pretty("x")[:70], event("x")[:60],
		"{", "}", `{"a":[`, `"k":1,`, `],`, "", "  ", "rubbish", "\xff", `{"a":"x,`, `{"a":{`, "]}",
	}
}

// TestChunksDoNotMatter: however the input is cut, the same comes out, and no
// line is lost.
func TestChunksDoNotMatter(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // The same texts at each run.
	parts := fragments()
	for range 300 {
		var text strings.Builder
		for range random.IntN(30) {
			text.WriteString(parts[random.IntN(len(parts))] + "\n")
		}
		sameInChunks(t, text.String(), 1+random.IntN(300))
	}
}

func sameInChunks(t testing.TB, text string, chunk int) {
	t.Helper()
	limit := 1500
	whole := readText(t, text, Options{MaxLine: limit})
	cut := readText(t, text, Options{MaxLine: limit, ChunkBytes: chunk})
	if whole.ids() != cut.ids() || whole.malformedLines != cut.malformedLines || whole.blank != cut.blank {
		t.Fatalf("chunks of %d bytes change the result:\n%s, %d malformed lines\n%s, %d malformed lines\n%q", chunk,
			whole.ids(), whole.malformedLines, cut.ids(), cut.malformedLines, text)
	}
}

func FuzzReader(f *testing.F) {
	for _, part := range fragments() {
		f.Add(part+"\n"+event("z"), 10)
	}
	f.Fuzz(func(t *testing.T, text string, chunk int) {
		sameInChunks(t, text, 1+int(uint(chunk)%2000))
	})
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	for range 20 {
		for _, line := range fixtures(b) {
			text.Write(line)
			text.WriteByte('\n')
		}
	}
	path := filepath.Join(b.TempDir(), "audit.log")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, decode := range []bool{false, true} {
		b.Run(fmt.Sprintf("decode=%t", decode), func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			var d Decoder
			for b.Loop() {
				r, err := Open([]string{path}, Options{})
				if err != nil {
					b.Fatal(err)
				}
				for {
					c, err := r.Next(b.Context())
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					if decode {
						d.DecodeChunk(c)
					}
				}
			}
		})
	}
}
