package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whet-k8s/whet/audit"
)

// TestSpillIsAQueue pushes and pops at random, beyond what fits in memory.
func TestSpillIsAQueue(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // A test wants the same numbers each time.
	s := spill{limit: 1000}
	var want [][]byte
	inFile := 0
	for i := range 20_000 {
		// Long runs of one kind fill and drain the queue.
		if r.IntN(10) < 3+4*(i/500%2) {
			raw := bytes.Repeat([]byte{byte(i)}, r.IntN(60))
			want = append(want, raw)
			if err := s.push(raw); err != nil {
				t.Fatal(err)
			}
		} else if len(want) > 0 {
			got, err := s.pop()
			if err != nil || !bytes.Equal(got, want[0]) {
				t.Fatalf("popped %v (%v), want %v", got, err, want[0])
			}
			want = want[1:]
		}
		if s.bytes > s.limit {
			t.Fatalf("%d bytes in memory, the limit is %d", s.bytes, s.limit)
		}
		inFile = max(inFile, s.inFile)
	}
	if inFile == 0 {
		t.Error("nothing ever went to the file")
	}
	s.close()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind %v (%v)", left, err)
	}
}

// TestOrder decides in a random order and wants the order of the input.
func TestOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // A test wants the same numbers each time.
	next := 0
	o := order{deliver: func(a *Annotation) error {
		if a.Line != next {
			return fmt.Errorf("line %d came, want %d", a.Line, next)
		}
		next++
		return nil
	}}
	var open []uint64
	for seq := range uint64(10_000) {
		if err := o.add(&audit.Event{}, int(seq), nil, 0); err != nil { //nolint:gosec // It is below 10,000.
			t.Fatal(err)
		}
		open = append(open, seq)
		for len(open) > 3000 || (len(open) > 0 && r.IntN(2) == 0) {
			i := r.IntN(len(open))
			if err := o.decide(open[i], true); err != nil {
				t.Fatal(err)
			}
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
	for _, seq := range open {
		if err := o.decide(seq, true); err != nil {
			t.Fatal(err)
		}
	}
	if next != 10_000 {
		t.Errorf("%d delivered, want all", next)
	}
}

// TestSlim wants no text of an event beyond the bound, and all others as they
// were.
func TestSlim(t *testing.T) {
	long := strings.Repeat("é", maxText)
	ev := audit.Event{
		RequestURI: long, UserAgent: "kubectl", Status: audit.Status{Message: long},
		Annotations: map[string]string{"a": "b", "long": long, long: "c"},
	}
	slim(&ev)
	if ev.UserAgent != "kubectl" || ev.Annotations["a"] != "b" || len(ev.Annotations) != 3 {
		t.Errorf("short texts changed: %q, %d annotations", ev.UserAgent, len(ev.Annotations))
	}
	texts := []string{ev.RequestURI, ev.Status.Message}
	for key, value := range ev.Annotations {
		texts = append(texts, key, value)
	}
	for _, text := range texts {
		if len(text) > maxText || !utf8.ValidString(text) {
			t.Errorf("a text of %d bytes is left, valid %t", len(text), utf8.ValidString(text))
		}
	}
}

// FuzzJSONString wants JSON that means the string, and no byte in it that a
// terminal would take for more than text.
func FuzzJSONString(f *testing.F) {
	for _, s := range []string{"", "plain", "quo\"te\\", "\x1b[2J\u202e\u2028\U000e0041", "漢字", "\xff\xc3", "\x7f\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		encoded := AppendJSONString(nil, s)
		var got string
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatalf("%q gives %s: %v", s, encoded, err)
		}
		if utf8.ValidString(s) && got != s {
			t.Errorf("%q came back as %q", s, got)
		}
		for _, r := range string(encoded) {
			if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x2028 && r <= 0x202e) {
				t.Errorf("%q gives %s with %U", s, encoded, r)
			}
		}
		if again := EscapeJSON(nil, encoded); !bytes.Equal(again, encoded) {
			t.Errorf("escaping twice changes %s to %s", encoded, again)
		}
	})
}
