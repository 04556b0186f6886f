package audit

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// start is when the logs of these tests begin.
func start() time.Time { return time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC) }

// at is an event received and written so many milliseconds after start.
func at(id string, received, staged int) Event {
	return Event{
		AuditID: id, Stage: StageResponseComplete,
		RequestReceived: start().Add(time.Duration(received) * time.Millisecond),
		StageTime:       start().Add(time.Duration(staged) * time.Millisecond),
	}
}

// sorted runs events through a Sorter; a late one has a star. It checks that
// the Sorter holds no more than it may and loses nothing.
func sorted(t testing.TB, s *Sorter[string], events []Event) []string {
	t.Helper()
	var out []string
	take := func() {
		for {
			id, late, ok := s.Pop()
			if !ok {
				return
			}
			if late {
				id += "*"
			}
			out = append(out, id)
		}
	}
	for i := range events {
		s.Push(&events[i], events[i].AuditID)
		take()
		if s.Held() > s.most {
			t.Fatalf("%d events are held, %d allowed", s.Held(), s.most)
		}
	}
	s.Flush()
	take()
	if len(out) != len(events) || s.Held() != 0 {
		t.Fatalf("%d events went in, %d came out, %d are held", len(events), len(out), s.Held())
	}
	return out
}

func TestSorter(t *testing.T) {
	const minute = 60_000
	tests := []struct {
		name   string
		most   int
		events []Event
		want   []string
		stats  SorterStats
	}{
		{"effect before cause", 0, []Event{at("effect", 20, 25), at("cause", 10, 30)},
			[]string{"cause", "effect"}, SorterStats{MostHeld: 2}},
		{"watch", 0, []Event{at("a", 10*minute, 10*minute), at("b", 11*minute, 11*minute), at("watch", 0, 11*minute), at("c", 11*minute+1, 11*minute+1)},
			[]string{"a", "watch*", "b", "c"}, SorterStats{Late: 1, MostHeld: 2}},
		{"equal times", 0, []Event{at("b", 1, 2), at("a", 1, 2), at("c", 1, 1)},
			[]string{"c", "a", "b"}, SorterStats{MostHeld: 3}},
		{"too many", 2, []Event{at("d", 4, 5), at("c", 3, 6), at("b", 2, 7), at("a", 1, 8)},
			[]string{"b", "a*", "c", "d"}, SorterStats{Late: 1, Cut: 1, MostHeld: 3}},
		{"days out of order", 0, []Event{at("b1", 2*minute, 2*minute), at("b0", 2*minute-1, 2*minute), at("a1", 2, 3), at("a0", 1, 4), at("c", 9*minute, 9*minute)},
			[]string{"b0", "b1", "a0", "a1", "c"}, SorterStats{Jumps: 1, MostHeld: 2}},
		{"one event from the future", 0, []Event{at("a", 1, 1), at("future", 900*minute, 900*minute), at("c", 3, 3), at("b", 2, 4)},
			[]string{"a", "future", "b", "c"}, SorterStats{Jumps: 1, MostHeld: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := NewSorter[string](0, test.most)
			if diff := gocmp.Diff(test.want, sorted(t, s, test.events)); diff != "" {
				t.Error(diff)
			}
			if diff := gocmp.Diff(test.stats, s.Stats()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSorterWithoutStageTime: the order then goes by the time received alone.
func TestSorterWithoutStageTime(t *testing.T) {
	a, b := at("a", 0, 0), at("b", 60_000, 0)
	a.StageTime, b.StageTime = time.Time{}, time.Time{}
	s := NewSorter[string](0, 0)
	s.Push(&a, "a")
	s.Push(&b, "b")
	if id, _, ok := s.Pop(); !ok || id != "a" {
		t.Errorf("got %q, %t: the window of a is over", id, ok)
	}
}

// TestShuffleWithinTheWindow: an order of the input that differs by less than
// the window gives the same output.
func TestShuffleWithinTheWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // The same logs at each run.
	for range 50 {
		var events []Event
		for i := range 500 {
			staged := i * 20
			events = append(events, at(strconv.Itoa(i), staged-random.IntN(2000), staged))
		}
		want := sorted(t, NewSorter[string](10*time.Second, 0), events)
		if !slices.IsSortedFunc(want, func(a, b string) int { return compareReceived(events, a, b) }) {
			t.Fatal("the output is not in order")
		}
		shuffled := slices.Clone(events)
		moved := map[string]int{}
		for i := range shuffled {
			moved[shuffled[i].AuditID] = i*20 + random.IntN(7000)
		}
		slices.SortStableFunc(shuffled, func(a, b Event) int { return cmp.Compare(moved[a.AuditID], moved[b.AuditID]) })
		got := sorted(t, NewSorter[string](10*time.Second, 0), shuffled)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func compareReceived(events []Event, a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return events[x].RequestReceived.Compare(events[y].RequestReceived)
}

// TestSorterLosesNothing feeds times without any sense.
func TestSorterLosesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8)) //nolint:gosec // The same logs at each run.
	for range 50 {
		var events []Event
		for i := range 400 {
			spread := 1 << random.IntN(28)
			events = append(events, at(strconv.Itoa(i), random.IntN(spread)-spread/2, random.IntN(spread)-spread/2))
		}
		s := NewSorter[string](time.Second, 1+random.IntN(100))
		out := sorted(t, s, events)
		late := 0
		seen := map[string]bool{}
		for _, id := range out {
			if n := len(id) - 1; id[n] == '*' {
				late++
				id = id[:n]
			}
			if seen[id] {
				t.Fatalf("%s came out twice", id)
			}
			seen[id] = true
		}
		if late != s.Stats().Late {
			t.Errorf("%d events are flagged late, %d counted", late, s.Stats().Late)
		}
	}
}

func BenchmarkSorter(b *testing.B) {
	random := rand.New(rand.NewPCG(9, 10)) //nolint:gosec // The same log at each run.
	events := make([]Event, 100_000)
	for i := range events {
		events[i] = at(strconv.Itoa(i), i-random.IntN(5000), i)
	}
	b.ReportAllocs()
	for b.Loop() {
		s := NewSorter[int](0, 0)
		for i := range events {
			s.Push(&events[i], i)
			for _, _, ok := s.Pop(); ok; _, _, ok = s.Pop() {
			}
		}
		s.Flush()
	}
	b.ReportMetric(float64(len(events))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
