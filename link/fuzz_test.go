package link

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// FuzzLinker feeds events of a recording in an order, and with times,
// repetitions and gaps, that the fuzzer chooses. Whatever comes, no event is
// lost or assigned twice, ids agree between runs, and a cause is an event that
// was there.
func FuzzLinker(f *testing.F) {
	pool := recording(f, "crowd.metadata")[:1500]
	pool = append(pool, recording(f, "day.audit")[9000:9400]...)
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	seed := make([]byte, 4*600)
	for i := range 600 {
		binary.LittleEndian.PutUint16(seed[4*i:], uint16(i))
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var events []*audit.Event
		for ; len(data) >= 4 && len(events) < 2000; data = data[4:] {
			ev := *pool[int(binary.LittleEndian.Uint16(data))%len(pool)]
			shift := time.Duration(int8(data[2])) * time.Duration(data[3]) * time.Second
			ev.RequestReceived, ev.StageTime = ev.RequestReceived.Add(shift), ev.StageTime.Add(shift)
			if data[3] == 255 {
				ev.RequestReceived = time.Time{}
			}
			ev.Position.Line = len(events) + 1
			events = append(events, &ev)
		}
		options := Options{MaxWaiting: 50, MaxObjects: 40}
		said, _, _ := run(events, options)
		if len(said) != len(events) {
			t.Fatalf("%d events, %d assigned", len(events), len(said))
		}
		again, _, _ := run(events, options)
		ids := map[string]bool{}
		for _, ev := range events {
			ids[ev.AuditID] = true
		}
		for line, a := range said {
			if brief(a) != brief(again[line]) {
				t.Fatalf("line %d: two runs disagree:\n%s\n%s", line, brief(a), brief(again[line]))
			}
			if a.Cause != "" && !ids[a.Cause] {
				t.Fatalf("line %d: cause %s is not in the log", line, a.Cause)
			}
			if (a.Context == "") != (a.Role == RoleBackground) {
				t.Fatalf("line %d: role %s with context %q", line, a.Role, a.Context)
			}
		}
	})
}

// TestRepeatedLog links a log in which every line stands twice, as a webhook
// that retries may deliver it: the copies get what the first ones got.
func TestRepeatedLog(t *testing.T) {
	events := recording(t, "crowd.audit")
	want, _, _ := run(events, Options{})
	var doubled []*audit.Event
	for _, ev := range events {
		first, second := *ev, *ev
		second.Position.Line += len(events)
		doubled = append(doubled, &first, &second)
	}
	got, _, _ := run(doubled, Options{})
	for line, a := range want {
		if brief(a) != brief(got[line]) || brief(a) != brief(got[line+len(events)]) {
			t.Fatalf("line %d: %s\nthe first copy: %s\nthe second: %s", line, brief(a), brief(got[line]), brief(got[line+len(events)]))
		}
	}
}

// TestRecordsAddUp holds the contexts' records against the assignments.
func TestRecordsAddUp(t *testing.T) {
	events := recording(t, "day.audit")
	said, records, _ := run(events, Options{ContextIdle: 20 * time.Second})
	want := map[string]int{}
	for _, a := range said {
		switch {
		case a.Autonomous != "":
			want[a.Autonomous]++
		case a.Context != "":
			want[a.Context]++
		}
	}
	got, parts := map[string]int{}, map[string][]int{}
	for _, r := range records {
		got[r.ID] += r.Events
		parts[r.ID] = append(parts[r.ID], r.Part)
	}
	if len(got) != len(want) {
		t.Errorf("%d contexts in records, %d in assignments", len(got), len(want))
	}
	for id, n := range want {
		if got[id] != n {
			t.Errorf("context %s: %d events in records, %d assigned", id, got[id], n)
		}
		slices.Sort(parts[id])
		for i, p := range parts[id] {
			if p != i+1 {
				t.Errorf("context %s: parts %v", id, parts[id])
				break
			}
		}
	}
}

func BenchmarkLink(b *testing.B) {
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		b.Run(name, func(b *testing.B) {
			events := recording(b, name)
			for b.Loop() {
				l := New(Options{}, func(Assignment) {}, nil)
				for _, ev := range events {
					l.Add(ev, 0)
				}
				l.Close()
			}
			b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
