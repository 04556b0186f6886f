package live

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Good tells whether nothing is missing and nothing differs.
func (r *Report) Good() bool { return len(r.Unseen) == 0 && len(r.Differences) == 0 }

// Write writes the report for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "From a request's end to its context, at rest:    %s\n", spread(r.AtRest))
	fmt.Fprintf(&b, "From a request's end to its context, under load: %s\n", spread(r.UnderLoad))
	fmt.Fprintf(&b, "The API server logged %d events; whet analyze finds %d contexts in its log.\n", r.Events, r.Contexts)
	for _, name := range r.Unseen {
		fmt.Fprintf(&b, "No context was told of deployment %s.\n", name)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "%q\n", d)
	}
	if r.Good() {
		b.WriteString("What whet kept live is the same, event for event and context for context.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// spread words the median, the 95th percentile and the largest of durations.
func spread(list []time.Duration) string {
	if len(list) == 0 {
		return "nothing was measured"
	}
	list = slices.Sorted(slices.Values(list))
	at := func(share float64) time.Duration {
		return list[min(len(list)-1, int(float64(len(list))*share))].Round(time.Millisecond)
	}
	return fmt.Sprintf("median %v, 95 %% within %v, at most %v, of %d", at(0.5), at(0.95), at(1), len(list))
}
