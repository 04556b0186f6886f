package replicate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// TestStream takes a few seconds of a stream and wants each event of the
// recording in it, in order, renamed and at its pace.
func TestStream(t *testing.T) {
	r, _ := part(t, "crowd.metadata.jsonl.zst", 800)
	begin := time.Date(2027, 1, 2, 3, 4, 5, 678_901_000, time.UTC)
	const seconds = 3
	s, err := r.Stream(StreamOptions{Start: begin, Rate: 4000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var decoder audit.Decoder
	elapsed := map[string]int{} // how long requests took, with what they were
	ids := map[string]bool{}
	last, count := begin, 0
	for ; ; count++ {
		line, due := s.Next(nil)
		if due.After(begin.Add(seconds * time.Second)) {
			break
		}
		var ev audit.Event
		if err := decoder.Decode(line, audit.Position{}, &ev); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if due.Before(last) || due.Sub(ev.StageTime).Abs() > time.Microsecond {
			t.Fatalf("an event is due at %v after one at %v, and says %v", due, last, ev.StageTime)
		}
		last = due
		id := ev.AuditID + string(ev.Stage) + ev.RequestReceived.String()
		if ids[id] {
			t.Fatalf("%s comes twice", id)
		}
		ids[id] = true
		elapsed[kindOf(&ev)]++
	}
	if count < 3990*seconds || count > 4010*seconds {
		t.Errorf("%d events in %d s", count, seconds)
	}
	start := 0
	for _, l := range r.lines {
		var ev audit.Event
		if err := decoder.Decode(bytes.TrimSpace(r.text[start:l.end]), audit.Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		start = l.end
		if n := elapsed[kindOf(&ev)]; n < 4000*seconds/800-1 {
			t.Errorf("%s came %d times", kindOf(&ev), n)
		}
	}
}

func kindOf(ev *audit.Event) string {
	return fmt.Sprintf("%s %s %s %v", ev.Verb, ev.Object.Resource, ev.Stage, ev.StageTime.Sub(ev.RequestReceived))
}

// TestStreamKeepsCopiesTogether looks at two events of the same object.
func TestStreamKeepsCopiesTogether(t *testing.T) {
	const line = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"0000000%d-9ca0-4a4c-97b3-51adcc33084e","stage":"ResponseComplete","verb":"get",` +
		`"objectRef":{"namespace":"shop","uid":"88874686-9ca0-4a4c-97b3-51adcc33084e"},"requestReceivedTimestamp":"2026-11-23T18:00:0%[1]d.25Z","stageTimestamp":"2026-11-23T18:00:0%[1]d.250001Z","x":"2026-11-23T18:00:00Z","y":"api.18eabe72658f4000"}` + "\n"
	r, err := Read(t.Context(), []string{"-"}, strings.NewReader(fmt.Sprintf(line, 0)+fmt.Sprintf(line, 7)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Stream(StreamOptions{Start: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := s.Next(nil)
	var same []byte
	// Two events in two seconds: the second line of the first copy comes in the
	// fourth step.
	for range 7 {
		same, _ = s.Next(nil)
	}
	for _, want := range []string{`{"namespace":"shop-r0","uid":"`, `"2030-01-01T00:00:00.00Z","stageTimestamp":"2030-01-01T00:00:00.000001Z","x":"2029-12-31T23:59:59Z","y":"api.1a46e83326ee4d80"`} {
		if !strings.Contains(string(first), want) {
			t.Errorf("%s\nlacks %s", first, want)
		}
	}
	want := strings.NewReplacer("00:00:00.00", "00:00:07.00").Replace(string(first))
	at := strings.Index(want, `"stage"`)
	if string(same[at:]) != want[at:] || bytes.Equal(same[:at], first[:at]) {
		t.Errorf("got  %s\nwant %s", same, want)
	}
}
