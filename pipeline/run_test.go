package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

var update = flag.Bool("update", false, "write the golden files")

// annotate gives the annotations of a log as lines, and the accounting.
func annotate(tb testing.TB, log []byte, o pipeline.Options) ([]string, *pipeline.Accounting) {
	tb.Helper()
	var lines []string
	account, err := pipeline.Run(context.Background(), []string{audit.Stdin}, bytes.NewReader(log), o, pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			lines = append(lines, string(a.AppendJSON(nil)))
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return lines, account
}

// TestEveryLineIsAccountedFor wants an annotation for every event, in the order
// of the input, and sums that add up.
func TestEveryLineIsAccountedFor(t *testing.T) {
	for _, name := range []string{"day.audit", "day.metadata", "crowd.audit", "crowd.metadata"} {
		log := recording(t, name)
		lines, account := annotate(t, log, pipeline.Options{})
		if want := bytes.Count(log, []byte("\n")); len(lines) != want || account.Lines != want {
			t.Errorf("%s: %d annotations and %d lines, want %d", name, len(lines), account.Lines, want)
		}
		if err := account.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, line := range lines {
			var a struct{ Line int }
			if err := json.Unmarshal([]byte(line), &a); err != nil || a.Line != i+1 {
				t.Fatalf("%s: annotation %d is %s (%v)", name, i+1, line, err)
			}
		}
	}
}

// TestWorkersChangeNothing wants the same bytes however many goroutines decode.
func TestWorkersChangeNothing(t *testing.T) {
	log := recording(t, "day.metadata")
	want, _ := annotate(t, log, pipeline.Options{Workers: 1})
	got, _ := annotate(t, log, pipeline.Options{Workers: 7})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestGoldenContexts compares the contexts of a recording with those that were
// looked through by a person.
func TestGoldenContexts(t *testing.T) {
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		var got bytes.Buffer
		_, err := pipeline.Run(context.Background(), []string{audit.Stdin}, bytes.NewReader(recording(t, name)), pipeline.Options{},
			pipeline.Sink{Context: func(c *pipeline.Context) error {
				fmt.Fprintf(&got, "%s %s part %d: %s: %s; %d; %d clients, %d effects by %d, %d failed, %d events",
					c.Start.Format("15:04:05.000"), c.ID[:8], c.Part, c.Actor.Username, c.Action, c.Outcome.Code,
					c.Clients, c.Effects, len(c.EffectsBy), c.Failed, c.Events)
				if c.ReadOnly {
					got.WriteString("; only read")
				}
				got.WriteString("\n")
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+name+".contexts.golden", got.Bytes())
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil { //nolint:gosec // Test data is for everyone.
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s differs (run the test with -update when that is right):\n%s", file, diff)
	}
}

// shuffleBy is how much later than it came a line of a shuffled log comes at
// most, in log time. Together with the time that a request took it must stay
// below the linker's window.
const shuffleBy = time.Second

// TestShuffledLines wants the same annotations of a log whose lines came in
// another order within the linker's window.
func TestShuffledLines(t *testing.T) {
	log := recording(t, "day.metadata")
	events := decodeLines(t, log)
	lasting := map[string]bool{} // the requests that the window does not put in order
	for _, e := range events {
		if e.StageTime.Sub(e.RequestReceived)+2*shuffleBy > 5*time.Second {
			lasting[e.AuditID] = true
		}
	}
	want := byRequest(t, log, lasting)
	if len(want) < len(events)*9/10 {
		t.Fatalf("only %d of %d annotations are compared", len(want), len(events))
	}
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // A test wants the same numbers each time.
		if diff := cmp.Diff(want, byRequest(t, shuffle(events, r), lasting)); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// byRequest gives the annotations without their place, in an order of their
// own, and without the requests to leave out.
func byRequest(t *testing.T, log []byte, leaveOut map[string]bool) []string {
	t.Helper()
	lines, _ := annotate(t, log, pipeline.Options{})
	var kept []string
	for _, line := range lines {
		var a struct{ AuditID string }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if !leaveOut[a.AuditID] {
			_, line, _ = strings.Cut(line, ",")
			kept = append(kept, line)
		}
	}
	slices.Sort(kept)
	return kept
}

func decodeLines(t *testing.T, log []byte) []*audit.Event {
	t.Helper()
	var d audit.Decoder
	var events []*audit.Event
	for line := range bytes.Lines(log) {
		ev := new(audit.Event)
		if err := d.Decode(line, audit.Position{}, ev); err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
	return events
}

// shuffle puts each line up to shuffleBy later than it came.
func shuffle(events []*audit.Event, r *rand.Rand) []byte {
	type placed struct {
		at  time.Time
		raw []byte
	}
	var all []placed
	for _, ev := range events {
		all = append(all, placed{ev.StageTime.Add(time.Duration(r.Int64N(int64(shuffleBy)))), ev.Raw})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.at.Compare(b.at) })
	var out []byte
	for _, p := range all {
		out = append(out, p.raw...)
	}
	return out
}

// TestLabelled wants the input's bytes untouched before the two members that
// are added, and JSON that is valid.
func TestLabelled(t *testing.T) {
	log := recording(t, "day.metadata")
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	n := 0
	_, err := pipeline.Run(context.Background(), []string{audit.Stdin}, bytes.NewReader(log), pipeline.Options{KeepRaw: true},
		pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
			got := a.AppendLabelled(nil)
			if !bytes.HasPrefix(got, lines[n][:len(lines[n])-1]) {
				return fmt.Errorf("line %d changed: %s", n+1, got)
			}
			var event struct {
				Label *int64
				Whet  struct {
					Line int
					Role link.Role
				}
			}
			if err := json.Unmarshal(got, &event); err != nil || event.Label == nil || event.Whet.Line != n+1 {
				return fmt.Errorf("line %d: %s (%w)", n+1, got, err)
			}
			n++
			return nil
		}})
	if err != nil || n != len(lines) {
		t.Errorf("%d lines of %d, %v", n, len(lines), err)
	}
}

// TestLabelledOverSeveralLines wants an event a line of an event that spans
// lines.
func TestLabelledOverSeveralLines(t *testing.T) {
	line, _, _ := bytes.Cut(recording(t, "day.metadata"), []byte("\n"))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, line, "", "\t"); err != nil {
		t.Fatal(err)
	}
	_, err := pipeline.Run(context.Background(), []string{audit.Stdin}, &pretty, pipeline.Options{KeepRaw: true},
		pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
			got := a.AppendLabelled(nil)
			if bytes.ContainsAny(got, "\r\n") || !json.Valid(got) {
				t.Errorf("not a line of JSON: %s", got)
			}
			return nil
		}})
	if err != nil {
		t.Error(err)
	}
}

// TestSelect wants the contexts of one user only, and no change in what they
// hold.
func TestSelect(t *testing.T) {
	log := recording(t, "day.metadata")
	whole, _ := annotate(t, log, pipeline.Options{})
	some, account := annotate(t, log, pipeline.Options{Select: func(root *audit.Event) bool {
		return root.User.Username == "alice"
	}})
	if len(some) == 0 || len(some) == len(whole) {
		t.Fatalf("%d of %d annotations were selected", len(some), len(whole))
	}
	if account.Events != int64(len(whole)) {
		t.Errorf("the accounting has %d events, want all %d", account.Events, len(whole))
	}
	for _, line := range some {
		if !slices.Contains(whole, line) {
			t.Errorf("selecting changed an annotation: %s", line)
		}
	}
}

// TestSeveralInputs wants the same of a log in two parts as of the whole.
func TestSeveralInputs(t *testing.T) {
	log := recording(t, "crowd.metadata")
	want, _ := annotate(t, log, pipeline.Options{})
	cut := bytes.Index(log[len(log)/3:], []byte("\n")) + len(log)/3 + 1
	folder := t.TempDir()
	first, second := folder+"/a.log", folder+"/b.log"
	for name, part := range map[string][]byte{first: log[:cut], second: log[cut:]} {
		if err := os.WriteFile(name, part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	_, err := pipeline.Run(context.Background(), []string{first, second}, nil, pipeline.Options{}, pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			got = append(got, string(a.AppendJSON(nil)))
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestDuplicates wants repeated events counted, and given the role of the
// first.
func TestDuplicates(t *testing.T) {
	log := recording(t, "crowd.metadata")
	end := bytes.Index(log[100_000:], []byte("\n")) + 100_001
	doubled := append(slices.Clone(log[:end]), log[:end]...)
	lines, account := annotate(t, doubled, pipeline.Options{})
	if n := int64(len(lines) / 2); account.Duplicates != n {
		t.Errorf("%d duplicates, want %d", account.Duplicates, n)
	}
	if err := account.Check(); err != nil {
		t.Error(err)
	}
}

// TestEndsEarly wants an error of the sink, or of the context, to end the run
// and come back.
func TestEndsEarly(t *testing.T) {
	log := recording(t, "day.audit")
	full := errors.New("the disk is full")
	calls := 0
	_, err := pipeline.Run(context.Background(), []string{audit.Stdin}, bytes.NewReader(log), pipeline.Options{},
		pipeline.Sink{Annotation: func(*pipeline.Annotation) error { calls++; return full }})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error %v after %d calls, want the sink's after one", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = pipeline.Run(ctx, []string{audit.Stdin}, bytes.NewReader(log), pipeline.Options{},
		pipeline.Sink{Context: func(*pipeline.Context) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// FuzzRun feeds the pipeline with anything. It must not panic, and every line
// must be accounted for.
func FuzzRun(f *testing.F) {
	log := recording(f, "crowd.metadata")
	f.Add(log[:4_000])
	f.Add(log[5000:9_000])
	f.Add([]byte("{\"kind\":\"Event\"\n\n\xff\n"))
	options := pipeline.Options{Policy: noise.Default(), Workers: 1}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, account := annotate(t, data, options)
		if err := account.Check(); err != nil {
			t.Error(err)
		}
		if int64(len(lines)) != account.Events {
			t.Errorf("%d annotations of %d events", len(lines), account.Events)
		}
		for _, line := range lines {
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
	})
}
