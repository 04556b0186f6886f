package why

import (
	"context"
	"errors"
	"iter"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
)

// Linked is an event with what ties it to its cause, as link.Assignment has it.
type Linked struct {
	Event          *audit.Event
	Context        string
	Role           link.Role
	Cause          string
	Rule, Evidence string
	Confidence     float64
}

// Source gives events that were linked before, such as those of a data set. A
// sequence ends with its first error.
type Source struct {
	// About gives the events that may be about a target: every one that is,
	// and others of the kind as it likes. The answers to deletions of
	// collections need not be there.
	About func(context.Context, Target) iter.Seq2[*Linked, error]
	// Similar gives the namespaces and names of objects of the target's kind,
	// to suggest one where the target is not found.
	Similar func(context.Context, Target) iter.Seq2[[2]string, error]
	// Contexts gives all events of some contexts.
	Contexts func(ctx context.Context, ids []string) iter.Seq2[*Linked, error]
}

// AskSource is Ask for events that were linked before. The answer has no
// Accounting.
func AskSource(ctx context.Context, s Source, t Target, all bool) (*Answer, error) {
	looked := collection{target: t, near: nearest{name: t.Name}, blind: true}
	for l, err := range s.About(ctx, t) {
		if err != nil {
			return nil, err
		}
		looked.add(l.Event, func() Step { return stepOf(l) }, l.Context)
	}
	answer, changes, err := looked.answer(all)
	var missing *NotFoundError
	if errors.As(err, &missing) && t.AuditID == "" && len(missing.Namespaces) == 0 {
		return nil, suggest(ctx, s, missing)
	}
	if err != nil {
		return nil, err
	}
	records := newRecords(changes)
	if len(records.wanted) > 0 {
		ids := make([]string, 0, len(records.wanted))
		for id := range records.wanted {
			ids = append(ids, id)
		}
		for l, err := range s.Contexts(ctx, ids) {
			if err != nil {
				return nil, err
			}
			records.add(l)
		}
	}
	answer.follow(records, changes)
	return answer, nil
}

// suggest adds names like the one that was not found.
func suggest(ctx context.Context, s Source, missing *NotFoundError) error {
	near := nearest{name: missing.Target.Name}
	for object, err := range s.Similar(ctx, missing.Target) {
		if err != nil {
			return err
		}
		near.add(object[0], object[1])
	}
	missing.Near = near.names(missing.Target)
	return missing
}
