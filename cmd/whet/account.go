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

// accountText says where every line of the input went, in lines of at most the
// width, 0 being a usual one.
func accountText(a *pipeline.Accounting, width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Read %s (%s): %s hold %s", term.Plural(a.Lines, "line"), term.Bytes(a.Bytes),
		term.Count(a.EventLines), term.Plural(a.Events, "event"))
	if a.Blank > 0 {
		fmt.Fprintf(&b, ", %s blank", term.Count(a.Blank))
	}
	if a.MalformedLines > 0 {
		fmt.Fprintf(&b, ", %s malformed", term.Count(a.MalformedLines))
	}
	b.WriteString(".\n")

	row := func(n int64, what, rest string) {
		if n > 0 {
			fmt.Fprintf(&b, "%11s  %s\n", term.Count(n), what)
			wrap(&b, "             ", rest, width)
		}
	}
	row(a.InContexts(), "in contexts", fmt.Sprintf("%s, %s, %s", term.Plural(a.Roots, "root"),
		term.Plural(a.Clients, "other request")+" of the same commands", term.Plural(a.Effects, "effect")))
	row(a.Clock, "background: nothing but the clock caused them", "")
	row(a.SetAsideTotal(), "background, set aside by noise rules", byCount(a.SetAside, ": ", 0))
	dropped := map[string]int64{}
	for rule, t := range a.Dropped {
		dropped[rule] = t.Events
	}
	total := a.DroppedTotal()
	row(total.Events, fmt.Sprintf("dropped by noise rules (%s)", term.Bytes(total.Bytes)), byCount(dropped, ": ", 0))
	row(a.Unknown, "unknown: a component sent them, and no cause was found", "")
	writeNotes(&b, a)
	return b.String()
}

// wrap writes a list in lines that fit a width.
func wrap(b *strings.Builder, indent, list string, width int) {
	if width <= 0 {
		width = 100
	}
	line := indent
	for i, word := range strings.SplitAfter(list, ", ") {
		if i > 0 && term.Width(line)+term.Width(strings.TrimSpace(word)) > width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word
	}
	if strings.TrimSpace(line) != "" {
		b.WriteString(line + "\n")
	}
}

// writeNotes adds what a reader should know about the input.
func writeNotes(b *strings.Builder, a *pipeline.Accounting) {
	note := func(n int64, what string) {
		if n > 0 {
			fmt.Fprintf(b, "Of these, %s %s.\n", term.Count(n), what)
		}
	}
	note(a.Duplicates, "repeat an event that came before")
	note(int64(a.Link.Late), "came too late to be put in order, as a watch does when it ends, and were linked with what was known then")
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

// byCount lists what was counted, the most first; above a limit of 0 only that
// many.
func byCount(counts map[string]int64, between string, limit int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for i, key := range keys {
		if limit > 0 && i == limit {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, key+between+term.Count(counts[key]))
	}
	return strings.Join(parts, ", ")
}
