package filter_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/filter"
	"github.com/whet-k8s/whet/noise"
)

// day is the recording at Metadata level, as its lines.
func day(t testing.TB) []string {
	t.Helper()
	f, err := os.Open("../../recordings/day.metadata.jsonl.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// runOn filters a text and returns the lines written.
func runOn(t testing.TB, text string, o filter.Options) ([]string, *filter.Report) {
	t.Helper()
	var out bytes.Buffer
	o.Inputs, o.In, o.Out = []string{"-"}, strings.NewReader(text), &out
	r, err := filter.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	if out.Len() == 0 {
		return nil, r
	}
	lines := strings.Split(out.String(), "\n")
	if last := len(lines) - 1; lines[last] != "" {
		t.Error("the output does not end with a line feed")
	} else {
		lines = lines[:last]
	}
	if int64(len(lines)) != r.Written.Events {
		t.Errorf("%d lines written, but the report says %d", len(lines), r.Written.Events)
	}
	return lines, r
}

// Every line of a log is either kept or removed, with its bytes as they are
// and in its order, and the report has them all.
func TestKeptAndRemovedAreTheLog(t *testing.T) {
	lines := day(t)[:3000]
	text := strings.Join(lines, "\n") + "\n"
	for _, light := range []bool{false, true} {
		t.Run(fmt.Sprintf("light=%v", light), func(t *testing.T) {
			kept, r := runOn(t, text, filter.Options{Light: light})
			removed, inverted := runOn(t, text, filter.Options{Light: light, Invert: true})
			for _, line := range lines {
				switch {
				case len(kept) > 0 && kept[0] == line:
					kept = kept[1:]
				case len(removed) > 0 && removed[0] == line:
					removed = removed[1:]
				default:
					t.Fatalf("neither kept nor removed in its place: %s", line)
				}
			}
			if len(kept)+len(removed) > 0 {
				t.Errorf("%d lines kept and %d removed that the log does not have", len(kept), len(removed))
			}
			if got := r.Written.Events + inverted.Written.Events; got != int64(len(lines)) {
				t.Errorf("%d written in all, the log has %d lines", got, len(lines))
			}
			removedByRule := r.Counts.Of(noise.Drop)
			if !light {
				setAside := r.Counts.Of(noise.SetAside)
				removedByRule.Events += setAside.Events
				removedByRule.Bytes += setAside.Bytes
			}
			if inverted.Written != removedByRule {
				t.Errorf("removed %+v, the rules count %+v", inverted.Written, removedByRule)
			}
			if r.Lines != len(lines) || r.Bytes != int64(len(text)) {
				t.Errorf("read %d lines and %d bytes, the log has %d and %d", r.Lines, r.Bytes, len(lines), len(text))
			}
		})
	}
}

// decodeLine gives the time that a line is sorted by.
func decodeLine(t testing.TB, line string) *audit.Event {
	t.Helper()
	var d audit.Decoder
	ev := new(audit.Event)
	if err := d.Decode([]byte(line), audit.Position{}, ev); err != nil {
		t.Fatal(err)
	}
	return ev
}

// However little memory it has, the sort is the stable one, and leaves no
// files behind.
func TestSort(t *testing.T) {
	// More lines than are merged at a time, twice over, with equal times.
	lines := day(t)[:4500]
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	lines = append(lines, lines[:100]...)
	received := make(map[string]time.Time, len(lines))
	for _, line := range lines {
		received[line] = decodeLine(t, line).RequestReceived
	}
	want := slices.Clone(lines)
	slices.SortStableFunc(want, func(a, b string) int { return received[a].Compare(received[b]) })
	keepAll := new(noise.Policy)
	for _, memory := range []int{0, 1, 5000, 300_000} {
		t.Run(fmt.Sprintf("memory=%d", memory), func(t *testing.T) {
			dir := t.TempDir()
			got, _ := runOn(t, strings.Join(lines, "\n"), filter.Options{Policy: keepAll, Sort: true, SortMemory: memory, TempDir: dir})
			if !slices.Equal(got, want) {
				t.Errorf("%d lines in another order than the %d of a stable sort", len(got), len(want))
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// Equal times keep the order of the input, also across runs.
func TestSortIsStable(t *testing.T) {
	line := day(t)[0]
	var lines []string
	for i := range 300 {
		lines = append(lines, strings.Replace(line, `"auditID":"`, fmt.Sprintf(`"auditID":"%03d-`, i), 1))
	}
	got, _ := runOn(t, strings.Join(lines, "\n"), filter.Options{Policy: new(noise.Policy), Sort: true, SortMemory: 1, TempDir: t.TempDir()})
	if !slices.Equal(got, lines) {
		t.Error("events of one time changed places")
	}
}

// What is not one event a line comes out as one.
func TestShapes(t *testing.T) {
	line := day(t)[0]
	item := strings.Replace(line, `"kind":"Event","apiVersion":"audit.k8s.io/v1",`, "", 1)
	header := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`
	pretty := strings.ReplaceAll(line, `,"`, ",\n  \"")
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"carriage returns are bytes of the log", line + "\r\n" + line + "\r\n", []string{line + "\r", line + "\r"}},
		{"no last line feed", line, []string{line}},
		{"blank lines", "\n" + line + "\n\n", []string{line}},
		{"white space inside", strings.Replace(line, ":", " : ", 1), []string{strings.Replace(line, ":", " : ", 1)}},
		{"a list", header + item + "," + item + "]}", []string{line, line}},
		{"a list of whole events", header + line + "]}", []string{line}},
		{"pretty-printed", pretty, []string{line}},
		{"empty", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := runOn(t, tt.text, filter.Options{Policy: new(noise.Policy)})
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
			again, _ := runOn(t, strings.Join(got, "\n"), filter.Options{Policy: new(noise.Policy)})
			if len(again) != len(got) {
				t.Errorf("of %d lines written %d are a log again", len(got), len(again))
			}
		})
	}
}

// Malformed input is counted and named and never written, with --invert
// neither.
func TestMalformed(t *testing.T) {
	line := day(t)[0]
	text := strings.Repeat("not json\n", 30) + line + "\n" + line[:100]
	for _, invert := range []bool{false, true} {
		got, r := runOn(t, text, filter.Options{Policy: new(noise.Policy), Invert: invert})
		if want := []string{line}; !invert && !slices.Equal(got, want) || invert && len(got) > 0 {
			t.Errorf("invert=%v: written %q", invert, got)
		}
		if r.Malformed != 31 || r.MalformedLines != 31 || len(r.Named) != filter.MaxMalformed {
			t.Errorf("invert=%v: %d malformed values on %d lines, %d of them named", invert, r.Malformed, r.MalformedLines, len(r.Named))
		}
		if at := r.Named[1].Position; at.Source != "-" || at.Line != 2 {
			t.Errorf("the second is at %+v", at)
		}
	}
}

// failing is a writer that takes some bytes and then no more.
type failing struct{ room int }

var errFull = errors.New("disk full")

func (w *failing) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, errFull
	}
	w.room -= len(p)
	return len(p), nil
}

func TestErrors(t *testing.T) {
	text := strings.Join(day(t), "\n")
	run := func(ctx context.Context, o filter.Options) error {
		if o.Inputs == nil {
			o.Inputs = []string{"-"}
		}
		if o.Out == nil {
			o.Out = io.Discard
		}
		o.In, o.Policy = strings.NewReader(text), new(noise.Policy)
		_, err := filter.Run(ctx, o)
		return err
	}
	missing := filepath.Join(t.TempDir(), "missing.log")
	if err := run(t.Context(), filter.Options{Inputs: []string{missing}}); err == nil || !strings.Contains(err.Error(), "missing.log") {
		t.Errorf("a file that is not there: %v", err)
	}
	for _, sort := range []bool{false, true} {
		if err := run(t.Context(), filter.Options{Out: &failing{1 << 20}, Sort: sort}); !errors.Is(err, errFull) {
			t.Errorf("sort=%v: a full disk: %v", sort, err)
		}
	}
	if err := run(t.Context(), filter.Options{Sort: true, SortMemory: 1, TempDir: missing}); err == nil || !strings.Contains(err.Error(), "sorting") {
		t.Errorf("no room for a sort: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	err := run(ctx, filter.Options{Sort: true, SortMemory: 5000, TempDir: dir, Progress: func(_, _, _ int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind after a cancel: %v, %v", left, err)
	}
}

func TestEscape(t *testing.T) {
	line := day(t)[0]
	for _, sort := range []bool{false, true} {
		got, r := runOn(t, line, filter.Options{Policy: new(noise.Policy), Sort: sort, Escape: func(dst, line []byte) []byte {
			return append(dst, bytes.ToUpper(line)...)
		}})
		if want := []string{strings.ToUpper(line)}; !slices.Equal(got, want) {
			t.Errorf("sort=%v: got %q, want %q", sort, got, want)
		}
		if r.Written.Bytes != int64(len(line)) {
			t.Errorf("sort=%v: %d bytes written, want those of the input, %d", sort, r.Written.Bytes, len(line))
		}
	}
}

func TestProgress(t *testing.T) {
	text := strings.Join(day(t)[:3000], "\n")
	var events []int64
	runOn(t, text, filter.Options{Progress: func(_, _, n int64) { events = append(events, n) }})
	if !slices.IsSortedFunc(events, cmp.Compare[int64]) || len(events) == 0 || events[len(events)-1] != 3000 {
		t.Errorf("progress told %v", events)
	}
}

func BenchmarkRun(b *testing.B) {
	text := strings.Join(day(b), "\n")
	for _, sort := range []bool{false, true} {
		b.Run(fmt.Sprintf("sort=%v", sort), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				o := filter.Options{Inputs: []string{"-"}, In: strings.NewReader(text), Out: bufio.NewWriter(io.Discard), Sort: sort}
				if _, err := filter.Run(context.Background(), o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
