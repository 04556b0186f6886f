package server

import (
	"testing"
	"time"
)

// TestLength has the rows of web/src/lib/time.test.ts, so that the server and
// the app say the same.
func TestLength(t *testing.T) {
	for d, want := range map[time.Duration]string{
		7 * time.Microsecond: "7 µs", 350_600 * time.Microsecond: "351 ms", 4_249 * time.Millisecond: "4.2 s",
		42_400 * time.Millisecond: "42 s", 162 * time.Second: "2 min 42 s", 2 * time.Minute: "2 min", 3_599_800 * time.Millisecond: "60 min",
		90 * time.Minute: "1 h 30 min", 50 * time.Hour: "2 d 2 h",
	} {
		if got := length(d); got != want {
			t.Errorf("length(%s) = %s, want %s", d, got, want)
		}
	}
}
