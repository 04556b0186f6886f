package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
)

// accountText says where every line of the input went.
func accountText(a *pipeline.Accounting) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Read %s (%s): %s with %s", term.Plural(a.Lines, "line"), term.Bytes(a.Bytes),
		term.Count(a.EventLines), term.Plural(a.Events, "event"))
	if a.Blank > 0 {
		fmt.Fprintf(&b, ", %s blank", term.Count(a.Blank))
	}
	if a.MalformedLines > 0 {
		fmt.Fprintf(&b, ", %s malformed", term.Count(a.MalformedLines))
	}
	b.WriteString(".\n")

	row := func(n int64, what string) {
		if n > 0 {
			fmt.Fprintf(&b, "%11s  %s\n", term.Count(n), what)
		}
	}
	row(a.InContexts(), fmt.Sprintf("in contexts: %s, %s, %s", term.Plural(a.Roots, "root"),
		term.Plural(a.Clients, "other client request"), term.Plural(a.Effects, "effect")))
	row(a.Clock, "background: nothing but the clock caused them")
	row(a.SetAsideTotal(), "background by noise rule: "+byCount(a.SetAside))
	dropped := map[string]int64{}
	for rule, t := range a.Dropped {
		dropped[rule] = t.Events
	}
	total := a.DroppedTotal()
	row(total.Events, fmt.Sprintf("dropped by noise rule (%s): %s", term.Bytes(total.Bytes), byCount(dropped)))
	row(a.Unknown, "unknown: a component wrote them, and no cause was found")
	writeNotes(&b, a)
	return b.String()
}

// writeNotes adds what a reader should know about the input.
func writeNotes(b *strings.Builder, a *pipeline.Accounting) {
	note := func(n int64, what string) {
		if n > 0 {
			fmt.Fprintf(b, "Of these, %s %s.\n", term.Count(n), what)
		}
	}
	note(a.Duplicates, "repeat an event that came before")
	note(int64(a.Link.Late), "came too late to be put in order (a watch does, when it ends) and were linked with what was known then")
	note(int64(a.Link.Forced), "left the window early because it was full")
	if a.Link.Forgotten > 0 {
		fmt.Fprintf(b, "The index was full: %s forgotten before their time.\n", term.Plural(a.Link.Forgotten, "object"))
	}
	for _, name := range a.Empty {
		fmt.Fprintf(b, "%s is empty.\n", name)
	}
	for _, s := range a.Skipped {
		fmt.Fprintf(b, "Left out %s: %s.\n", s.Name, s.Reason)
	}
	for i := range a.Named {
		fmt.Fprintf(b, "Malformed: %s\n", a.Named[i].Error())
	}
	if more := a.Malformed - len(a.Named); more > 0 {
		fmt.Fprintf(b, "Malformed: %s more.\n", term.Count(more))
	}
}

// byCount lists what was counted, the most first.
func byCount(counts map[string]int64) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, key := range keys {
		parts = append(parts, fmt.Sprintf("%s %s", key, term.Count(counts[key])))
	}
	return strings.Join(parts, ", ")
}
