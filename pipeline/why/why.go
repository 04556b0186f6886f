package why

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

// maxRecords bounds the events that the second reading keeps.
const maxRecords = 400_000

// Step is an event on the way from what is asked about to what caused it.
type Step struct {
	AuditID string    `json:"auditID"`
	Time    time.Time `json:"time"`

	User         string   `json:"user"`
	Impersonated string   `json:"impersonated,omitempty"`
	Groups       []string `json:"groups,omitempty"`
	UserAgent    string   `json:"userAgent,omitempty"`
	SourceIP     string   `json:"sourceIP,omitempty"`

	// Action says in words what the request asked for.
	Action      string `json:"action"`
	Verb        string `json:"verb"`
	APIGroup    string `json:"apiGroup,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	// Code is the HTTP status of the answer, 0 when the log does not say.
	Code int32 `json:"code"`

	Role link.Role `json:"role"`
	// Cause is the auditID of the next step, "" where the chain ends.
	Cause      string  `json:"cause,omitempty"`
	Rule       string  `json:"rule"`
	Evidence   string  `json:"evidence,omitempty"`
	Confidence float64 `json:"confidence"`

	File string `json:"file"`
	Line int    `json:"line"`
	Item int    `json:"item,omitempty"`

	context string
}

// Chain leads from a change to the request that began it.
type Chain struct {
	// Context is the id of the context, "" for what belongs to none.
	Context string `json:"context,omitempty"`
	// Steps begin with the change asked about; the last is where it began,
	// or, with Broken set, as far as the links go.
	Steps []Step `json:"steps"`
	// Broken says why the chain does not lead to what began it: it is
	// background, its cause is unknown, or a noise rule dropped it.
	Broken string `json:"broken,omitempty"`
	// Confidence is the product of those of the links.
	Confidence float64 `json:"confidence"`
}

// Answer is what Ask found.
type Answer struct {
	Target Target `json:"-"`
	// Chains are in order of time. Without all it is one: of an object that is
	// gone that of its deletion, else that of its last change.
	Chains []Chain `json:"chains"`
	// Changes is how many changes of the target there are, also those that
	// were not asked for.
	Changes int `json:"changes"`
	// Cut tells that there are more changes than are remembered.
	Cut bool `json:"cut,omitempty"`

	Accounting *pipeline.Accounting `json:"-"`
}

// NotFoundError says that the log does not have what was asked for.
type NotFoundError struct {
	Target Target
	// Within is what was asked; "" means the log.
	Within string
	// Reads counts the requests that read the object, or failed to change it.
	Reads int
	// Namespaces are those that hold an object of the name, where the target
	// names none and there are several.
	Namespaces []string
	// Near are names like the one asked for, the most alike first.
	Near []string
}

func (e *NotFoundError) Error() string {
	switch {
	case len(e.Namespaces) > 0:
		return fmt.Sprintf("%s is in several namespaces: %s", e.Target, strings.Join(e.Near, ", "))
	case e.Target.AuditID != "":
		return fmt.Sprintf("no event of %s has the auditID %s", cmp.Or(e.Within, "the log"), e.Target)
	}
	text := fmt.Sprintf("no change of %s is in %s", e.Target, cmp.Or(e.Within, "the log"))
	if e.Reads > 0 {
		text += fmt.Sprintf(", only %d requests that read it or failed", e.Reads)
	}
	if len(e.Near) > 0 {
		text += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return text
}

// Ask finds who caused the last change of the target, or with all set each of
// its changes. The error is a *NotFoundError when there is none. Standard
// input is copied to a temporary file, since it is read twice.
func Ask(ctx context.Context, inputs []string, stdin io.Reader, o pipeline.Options, t Target, all bool) (*Answer, error) {
	if slices.Contains(inputs, audit.Stdin) {
		spooled, err := spool(stdin)
		if err != nil {
			return nil, err
		}
		defer func() {
			_ = spooled.Close()
			_ = os.Remove(spooled.Name())
		}()
		stdin = spooled
	}
	looked := collection{target: t, near: nearest{name: t.Name}}
	account, err := pipeline.Run(ctx, inputs, stdin, o, looked.sink())
	if err != nil {
		return nil, err
	}
	answer, changes, err := looked.answer(all)
	if err != nil {
		return nil, err
	}
	answer.Accounting = account
	records, err := again(ctx, inputs, stdin, o, changes)
	if err != nil {
		return nil, err
	}
	answer.follow(records, changes)
	return answer, nil
}

// answer begins the answer, and gives the changes to follow.
func (c *collection) answer(all bool) (*Answer, []found, error) {
	changes, err := c.choose()
	if err != nil {
		return nil, nil, err
	}
	answer := &Answer{Target: c.target, Changes: len(changes), Cut: c.cut}
	if !all {
		changes = []found{mainChange(changes)}
	}
	return answer, changes, nil
}

// follow adds the chain of each change.
func (a *Answer) follow(r *records, changes []found) {
	for i := range changes {
		a.Chains = append(a.Chains, r.follow(&changes[i]))
	}
}

// spool copies standard input to a temporary file.
func spool(stdin io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "whet-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file for standard input: %w", err)
	}
	_, err = io.Copy(f, stdin)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copying standard input to a temporary file: %w", err), f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// sink takes the first reading.
func (c *collection) sink() pipeline.Sink {
	return pipeline.Sink{
		Assignment: func(as *link.Assignment) error {
			c.add(as.Event, func() Step { return stepOf(linkedOf(as)) }, as.Context)
			return nil
		},
		Dropped: func(ev *audit.Event, d noise.Decision) error {
			c.add(ev, func() Step {
				return stepOf(&Linked{Event: ev, Role: link.RoleDropped, Rule: d.Rule, Evidence: d.Reason})
			}, "")
			return nil
		},
	}
}

// choose gives the changes of the one object that the target means, in order
// of time.
func (c *collection) choose() ([]found, error) {
	c.settle()
	list := c.telling()
	if len(list) == 0 {
		return nil, &NotFoundError{Target: c.target, Reads: c.reads, Near: c.near.names(c.target)}
	}
	if spaces := c.namespaces(); len(spaces) > 1 && c.target.AuditID == "" {
		e := &NotFoundError{Target: c.target, Namespaces: spaces}
		for _, ns := range spaces {
			t := c.target
			t.Namespace = ns
			e.Near = append(e.Near, t.String())
		}
		return nil, e
	}
	return list, nil
}

// records are the events of the contexts asked about.
type records struct {
	wanted map[string]bool
	byID   map[string][]Step
	count  int
}

// newRecords wants the contexts that the changes were caused in.
func newRecords(changes []found) *records {
	r := &records{wanted: map[string]bool{}, byID: map[string][]Step{}}
	for _, f := range changes {
		if f.context != "" && f.facts.Cause != "" {
			r.wanted[f.context] = true
		}
	}
	return r
}

// add takes an event that may be wanted.
func (r *records) add(l *Linked) {
	if r.wanted[l.Context] && r.count < maxRecords {
		r.count++
		r.byID[l.Event.AuditID] = append(r.byID[l.Event.AuditID], stepOf(l))
	}
}

// again reads the log a second time for the contexts of the changes.
func again(ctx context.Context, inputs []string, stdin io.Reader, o pipeline.Options, changes []found) (*records, error) {
	r := newRecords(changes)
	if len(r.wanted) == 0 {
		return r, nil
	}
	if f, ok := stdin.(*os.File); ok && slices.Contains(inputs, audit.Stdin) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("reading standard input again: %w", err)
		}
	}
	_, err := pipeline.Run(ctx, inputs, stdin, o, pipeline.Sink{Assignment: func(as *link.Assignment) error {
		r.add(linkedOf(as))
		return nil
	}})
	return r, err
}

// follow builds the chain from a change to where it began.
func (r *records) follow(f *found) Chain {
	c := Chain{Context: f.context, Confidence: 1}
	step := f.facts
	visited := map[string]bool{}
	for {
		c.Steps = append(c.Steps, step)
		visited[step.AuditID] = true
		switch {
		case step.Role == link.RoleDropped:
			c.Broken = "the noise rule " + step.Rule + " dropped it: " + step.Evidence
		case step.Role == link.RoleBackground && step.Rule == link.RuleUnknown:
			c.Broken = "a component wrote it, and no cause was found"
		case step.Role == link.RoleBackground:
			c.Broken = "nothing but the clock caused it"
		}
		if c.Broken != "" {
			c.Confidence = 0
			return c
		}
		c.Confidence *= step.Confidence
		if step.Cause == "" {
			return c
		}
		next, ok := r.find(&step)
		if !ok || visited[next.AuditID] {
			c.Broken = "the event that caused it, " + step.Cause + ", was not kept"
			c.Confidence = 0
			return c
		}
		step = next
	}
}

// find gives the cause of a step. A client may choose the auditID of its
// requests, so several may have it: the newest one not after the step is meant.
func (r *records) find(step *Step) (Step, bool) {
	var best Step
	ok := false
	for _, s := range r.byID[step.Cause] {
		if s.context != step.context {
			continue
		}
		better := !ok || (best.Time.After(step.Time) && s.Time.Before(best.Time)) ||
			(s.Time.After(best.Time) && !s.Time.After(step.Time))
		if better {
			best, ok = s, true
		}
	}
	return best, ok
}
