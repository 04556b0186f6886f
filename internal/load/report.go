package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/whet-k8s/whet/internal/term"
)

// Report is what was sent, and how fast.
type Report struct {
	// Took is how long it took, with what had to be sent again.
	Took time.Duration
	// Lists, Events and Bytes count what was acknowledged, once each.
	Lists, Events int
	Bytes         int64
	// Answers are how long the server took for each list, Lags how long it was
	// from when the last event of each was due.
	Answers, Lags []time.Duration
	// Refusals count what went wrong, by its text.
	Refusals map[string]int
}

// acknowledged counts a list that was sent at a time and answered at another.
func (r *Report) acknowledged(l *list, sent, answered time.Time) {
	r.Lists++
	r.Events += l.count
	r.Bytes += int64(len(l.body))
	r.Answers = append(r.Answers, answered.Sub(sent))
	r.Lags = append(r.Lags, answered.Sub(l.last))
}

func (r *Report) refused(why error) {
	if r.Refusals == nil {
		r.Refusals = map[string]int{}
	}
	r.Refusals[why.Error()]++
}

// String words the report, in a line for each of its parts.
func (r *Report) String() string {
	var b strings.Builder
	seconds := r.Took.Seconds()
	fmt.Fprintf(&b, "acknowledged  %s events in %s lists, %s, in %.1f s: %.0f events/s, %s/s\n",
		term.Count(r.Events), term.Count(r.Lists), term.Bytes(r.Bytes), seconds, float64(r.Events)/seconds, term.Bytes(int64(float64(r.Bytes)/seconds)))
	fmt.Fprintf(&b, "answer        %s\n", percentiles(r.Answers))
	fmt.Fprintf(&b, "lag           %s from when the last event of a list was due to its answer\n", percentiles(r.Lags))
	for _, why := range slices.Sorted(maps.Keys(r.Refusals)) {
		fmt.Fprintf(&b, "not taken     %d times: %s\n", r.Refusals[why], why)
	}
	return b.String()
}

func percentiles(list []time.Duration) string {
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	at := func(share float64) time.Duration {
		return list[int(share*float64(len(list)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, at most %v", at(0.5), at(0.99), at(1))
}
