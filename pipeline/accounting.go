package pipeline

import (
	"fmt"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
)

// MaxMalformed is how many malformed places an Accounting names.
const MaxMalformed = 20

// Accounting tells where every line and every event of the input went. Check
// says whether the sums add up.
type Accounting struct {
	// Lines counts the physical lines: blank ones, those of events, and those
	// of malformed records.
	Lines, Blank, EventLines, MalformedLines int
	// Bytes counts the bytes after decompression.
	Bytes int64
	// Malformed counts malformed values: a malformed item of an EventList is
	// one, though its line holds events too. Named are the first of them.
	Malformed int
	Named     []audit.Malformed
	// Empty are the inputs without a byte, Skipped the members of folders
	// that are no logs.
	Empty   []string
	Skipped []audit.Skipped

	// Events counts the events: dropped ones and those in a role.
	Events int64
	// Dropped counts what noise rules dropped.
	Dropped map[string]Tally
	// SetAside counts the background that noise rules set aside.
	SetAside map[string]int64
	// Roots, Clients and Effects count the events of contexts by their role;
	// Clock counts the background with no cause but the clock, and Unknown
	// the events whose cause should be somewhere and was not found.
	Roots, Clients, Effects, Clock, Unknown int64
	// Caused counts, among Effects and Clients, the events that a noise rule
	// had set aside and that something caused after all.
	Caused int64
	// Duplicates counts the events that came before, among the last 100,000 at
	// least, with the same auditID, stage, user, URI and times. They are
	// counted under their role too.
	Duplicates int64
	// Repeated counts the events that a Session left out because they came
	// before. They stand under nothing else.
	Repeated int64
	// Contexts counts the parts of contexts that were reported.
	Contexts int64
	// Link is what the linker had to give up.
	Link link.Stats
}

// Tally is how many events a rule dropped, and how many bytes they had.
type Tally struct {
	Events, Bytes int64
}

func newAccounting() *Accounting {
	return &Accounting{Dropped: map[string]Tally{}, SetAside: map[string]int64{}}
}

// InContexts is the number of events that belong to a context.
func (a *Accounting) InContexts() int64 { return a.Roots + a.Clients + a.Effects }

// DroppedTotal is what all noise rules dropped together.
func (a *Accounting) DroppedTotal() Tally {
	var sum Tally
	for _, t := range a.Dropped {
		sum.Events += t.Events
		sum.Bytes += t.Bytes
	}
	return sum
}

// SetAsideTotal is the number of events that all noise rules set aside and
// nothing caused.
func (a *Accounting) SetAsideTotal() int64 {
	var sum int64
	for _, n := range a.SetAside {
		sum += n
	}
	return sum
}

// Check says where the sums do not add up, which would be a defect of whet.
func (a *Accounting) Check() error {
	if sum := a.Blank + a.EventLines + a.MalformedLines; sum != a.Lines {
		return fmt.Errorf("%d lines read, but %d accounted for", a.Lines, sum)
	}
	sum := a.DroppedTotal().Events + a.SetAsideTotal() + a.InContexts() + a.Clock + a.Unknown
	if sum != a.Events {
		return fmt.Errorf("%d events read, but %d accounted for", a.Events, sum)
	}
	return nil
}

func (a *Accounting) addBatch(b *audit.Batch) {
	a.Lines += b.Lines
	a.Blank += b.Blank
	a.EventLines += b.EventLines
	a.MalformedLines += b.MalformedLines
	a.Bytes += int64(b.Bytes)
	a.Malformed += len(b.Malformed)
	for _, m := range b.Malformed {
		if len(a.Named) == MaxMalformed {
			break
		}
		a.Named = append(a.Named, m)
	}
}

func (a *Accounting) drop(rule string, bytes int) {
	t := a.Dropped[rule]
	t.Events++
	t.Bytes += int64(bytes)
	a.Dropped[rule] = t
}

// assign counts an event that the linker decided about; rule is that of the
// noise policy, "" where it kept the event.
func (a *Accounting) assign(as *link.Assignment, rule string) {
	if rule != "" && as.Role != link.RoleBackground {
		a.Caused++
	}
	switch {
	case as.Role == link.RoleRoot:
		a.Roots++
	case as.Role == link.RoleClient:
		a.Clients++
	case as.Role == link.RoleEffect:
		a.Effects++
	case rule != "":
		a.SetAside[rule]++
	case as.Rule == link.RuleUnknown:
		a.Unknown++
	default:
		a.Clock++
	}
}
