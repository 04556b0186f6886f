package link

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/audit"
)

// recording reads a log of the recordings the repository ships.
func recording(tb testing.TB, name string) []*audit.Event {
	tb.Helper()
	f, err := os.Open(filepath.Join("..", "recordings", name+".jsonl.zst"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	var events []*audit.Event
	var decoder audit.Decoder
	scan := bufio.NewScanner(z)
	scan.Buffer(nil, 64<<20)
	for line := 1; scan.Scan(); line++ {
		ev := new(audit.Event)
		if err := decoder.Decode(bytes.Clone(scan.Bytes()), audit.Position{Source: name, Line: line}, ev); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		events = append(events, ev)
	}
	if err := scan.Err(); err != nil {
		tb.Fatal(err)
	}
	return events
}

// run links events and returns what was said of each, by its line.
func run(events []*audit.Event, options Options) (map[int]Assignment, []ContextRecord, Stats) {
	said := map[int]Assignment{}
	var records []ContextRecord
	l := New(options, func(a Assignment) { said[int(a.Tag)] = a }, func(r ContextRecord) { records = append(records, r) })
	for _, ev := range events {
		l.Add(ev, uint64(ev.Position.Line))
	}
	l.Close()
	return said, records, l.Stats()
}

// brief is an assignment without pointers, for comparisons.
func brief(a Assignment) string {
	return fmt.Sprintf("context=%s operation=%s role=%s cause=%s rule=%s autonomous=%s", a.Context, a.Operation, a.Role, a.Cause, a.Rule, a.Autonomous)
}

func TestEveryEventIsAssignedOnce(t *testing.T) {
	for _, name := range []string{"day.audit", "day.metadata", "crowd.audit", "crowd.metadata"} {
		events := recording(t, name)
		count := map[uint64]int{}
		l := New(Options{}, func(a Assignment) { count[a.Tag]++ }, nil)
		for _, ev := range events {
			l.Add(ev, uint64(ev.Position.Line))
		}
		l.Close()
		for _, ev := range events {
			if n := count[uint64(ev.Position.Line)]; n != 1 {
				t.Errorf("%s line %d: assigned %d times", name, ev.Position.Line, n)
			}
		}
	}
}

// TestOrderWithinTheWindow shuffles a log by delaying each line by up to two
// seconds, and expects the same assignments.
func TestOrderWithinTheWindow(t *testing.T) {
	for _, name := range []string{"crowd.audit", "day.metadata"} {
		events := recording(t, name)
		want, _, _ := run(events, Options{})
		rng := rand.New(rand.NewPCG(1, 2))
		for round := range 3 {
			delay := map[*audit.Event]time.Time{}
			for _, ev := range events {
				delay[ev] = ev.StageTime.Add(time.Duration(rng.Int64N(int64(2 * time.Second))))
			}
			shuffled := slices.Clone(events)
			slices.SortFunc(shuffled, func(a, b *audit.Event) int { return delay[a].Compare(delay[b]) })
			got, _, _ := run(shuffled, Options{})
			differ := 0
			for line, a := range want {
				if brief(a) != brief(got[line]) {
					if differ++; differ <= 3 {
						t.Errorf("%s round %d line %d:\n got %s\nwant %s", name, round, line, brief(got[line]), brief(a))
					}
				}
			}
			if differ > 3 {
				t.Errorf("%s round %d: %d lines differ", name, round, differ)
			}
		}
	}
}
