package quiet

import (
	"strconv"
	"testing"
	"time"
)

func TestSay(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	q := New(func() time.Time { return now })
	for i, step := range []struct {
		key  string
		wait time.Duration
		more int
		ok   bool
	}{
		{"a", 0, 0, true}, {"a", time.Second, 0, false}, {"b", 0, 0, true}, {"a", 0, 0, false}, {"a", every, 2, true}, {"a", every, 0, true},
	} {
		now = now.Add(step.wait)
		if more, ok := q.Say(step.key); more != step.more || ok != step.ok {
			t.Errorf("step %d: %d, %v", i, more, ok)
		}
	}
	for n := range 3 * maxKeys {
		q.Say(strconv.Itoa(n))
	}
	if n := len(q.said); n > maxKeys {
		t.Errorf("%d keys are remembered", n)
	}
}
