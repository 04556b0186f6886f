package truth

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// Roles of a line.
const (
	RoleRoot       = "root"
	RoleClient     = "client"
	RoleEffect     = "effect"
	RoleBackground = "background"
	RoleUnscored   = "unscored"
)

// Line is the truth about one line of the log.
type Line struct {
	Line    int     `json:"line"`
	AuditID string  `json:"auditID"`
	Stage   string  `json:"stage"`
	Context *string `json:"context"`
	Role    string  `json:"role"`
	User    string  `json:"user"`
	Verb    string  `json:"verb"`
	// Resource and Subresource are null where the request names none.
	Resource    *string `json:"resource"`
	Subresource *string `json:"subresource"`
	// Clock is, of an unscored line that the clock caused, the command that had
	// set the clock.
	Clock string `json:"clock,omitempty"`
	// Why says why a line is unscored.
	Why string `json:"why,omitempty"`
}

// Context is the truth about one command.
type Context struct {
	Context     string  `json:"context"`
	User        string  `json:"user"`
	Command     string  `json:"command"`
	Status      int     `json:"rc"`
	Start       string  `json:"start"`
	RootLine    int     `json:"root_line"`
	Root        string  `json:"root"`
	Verb        string  `json:"verb"`
	Resource    string  `json:"resource"`
	Subresource *string `json:"subresource"`
	Principals  int     `json:"principals"`
	Scenario    string  `json:"scenario"`
	Mode        string  `json:"mode"`
	Chain       int     `json:"chain"`
}

// Truth is what [Attribute] found.
type Truth struct {
	Lines    []Line
	Contexts []Context
	// Rootless are commands that sent no request for a resource that the policy
	// logs. They are no contexts; their lines are unscored.
	Rootless []Command
	// Lost are commands that succeeded and whose requests the whole log lacks.
	Lost []Command
}

// attributor holds the indexes that attribution needs.
type attributor struct {
	journal  *Journal
	chainOf  map[string]int   // token → chain, -1 for shared namespaces
	byUser   map[string][]int // commands of a user, by start
	byChain  [][]int          // commands of a chain, by start
	evidence map[stepKey]map[signature]bool
	looked   map[string]bool // volumes that a kubelet has looked at
	clocks   map[cronJob][]setting
	ends     map[cronJob][]time.Time // when somebody deleted a CronJob
	// changed says when a command's first request was received that asked to
	// change something.
	changed map[int]time.Time
	// deletions says when a command first deleted something.
	deletions map[int]time.Time
}

// Attribute finds the truth about the events of a log, in the log's order. The
// events must have their bodies. keep says which of them a policy leaves in the
// log, and may be nil: all; the lines are numbered as they then stand.
func Attribute(events []*Event, journal *Journal, keep []bool) (*Truth, error) {
	a, err := newAttributor(journal)
	if err != nil {
		return nil, err
	}
	a.findChanges(events)
	a.findClocks(events)
	found := make([]verdict, len(events))
	for i, e := range events {
		found[i] = a.judge(e)
	}
	a.learn(events, found)
	for i, e := range events {
		if len(found[i].between) > 0 {
			found[i] = a.decide(e, found[i])
		}
	}
	lost := a.lost(events, found)
	if keep != nil {
		events, found = kept(events, keep), kept(found, keep)
	}
	t := a.assemble(events, found)
	t.Lost = lost
	return t, nil
}

// findChanges notes when each command first asked to change something. Before
// that it has caused nothing, and a command that only reads never does: what
// happens then belongs to a change before it.
func (a *attributor) findChanges(events []*Event) {
	a.changed = map[int]time.Time{}
	for _, e := range events {
		list, actor := a.byUser[e.User.Username]
		if !actor || e.ObjectRef.Resource == "" || !e.Changes() {
			continue
		}
		if i := a.during(list, e.Received); i >= 0 {
			if at, known := a.changed[i]; !known || e.Received.Before(at) {
				a.changed[i] = e.Received
			}
		}
	}
}

func kept[T any](list []T, keep []bool) []T {
	var out []T
	for i, x := range list {
		if keep[i] {
			out = append(out, x)
		}
	}
	return out
}

func newAttributor(j *Journal) (*attributor, error) {
	a := &attributor{
		journal: j, chainOf: map[string]int{}, byUser: map[string][]int{}, byChain: make([][]int, len(j.Chains)), looked: map[string]bool{},
	}
	for _, t := range j.Spaces {
		a.chainOf[t.Text] = -1
	}
	for i, c := range j.Chains {
		for _, t := range c.Tokens {
			if other, taken := a.chainOf[t.Text]; taken {
				return nil, fmt.Errorf("the token %s belongs to chains %d and %d", t.Text, other, i)
			}
			a.chainOf[t.Text] = i
		}
	}
	for i, c := range j.Commands {
		a.byUser[c.User] = append(a.byUser[c.User], i)
		a.byChain[c.Chain] = append(a.byChain[c.Chain], i)
	}
	starts := func(list []int) {
		sort.SliceStable(list, func(x, y int) bool {
			return j.Commands[list[x]].Start.Before(j.Commands[list[y]].Start)
		})
	}
	for user, list := range a.byUser {
		starts(list)
		for i := 1; i < len(list); i++ {
			if j.Commands[list[i]].Start.Before(j.Commands[list[i-1]].End) {
				return nil, fmt.Errorf("%s runs two commands at once: %q and %q", user, j.Commands[list[i-1]].Text, j.Commands[list[i]].Text)
			}
		}
	}
	for _, list := range a.byChain {
		starts(list)
	}
	return a, nil
}

// verdict is what is known about a line before roots are chosen. command is -1
// where the line belongs to none.
type verdict struct {
	command int
	role    string
	clock   bool
	why     string
	between []int // the commands of a rapid chain among which signatures decide
}

func unscored(why string) verdict { return verdict{command: -1, role: RoleUnscored, why: why} }

// judge tells a line's command from its user, tokens and time.
func (a *attributor) judge(e *Event) verdict {
	if list, actor := a.byUser[e.User.Username]; actor {
		if i := a.during(list, e.Received); i >= 0 {
			return verdict{command: i, role: RoleClient}
		}
		return unscored("an actor's request outside its commands")
	}
	if e.User.Username == a.journal.Lab {
		return unscored("the lab's own request")
	}
	if e.Background() {
		return verdict{command: -1, role: RoleBackground}
	}
	chain, why := a.chain(e)
	if why != "" {
		return unscored(why)
	}
	return a.step(e, chain)
}

// during returns the command of the list that ran at the time, or -1.
func (a *attributor) during(list []int, t time.Time) int {
	n := sort.Search(len(list), func(i int) bool { return a.journal.Commands[list[i]].Start.After(t) })
	if n == 0 {
		return -1
	}
	if c := list[n-1]; !a.journal.Commands[c].End.Before(t) {
		return c
	}
	return -1
}

// chain returns the chain that the tokens of a line name. What names the object
// counts before what the bodies mention, an object before its namespace, and the
// kind of an object last: others' namespaces have objects of a chain's custom
// resource too. why says why there is none.
func (a *attributor) chain(e *Event) (chain int, why string) {
	ref := e.ObjectRef
	query := e.RequestURI[strings.IndexByte(e.RequestURI+"?", '?'):]
	for _, text := range [][]byte{[]byte(ref.Name), []byte(query), e.RequestObject} {
		found := a.names(text)
		if len(found) == 1 {
			return found[0], ""
		}
		if len(found) > 1 {
			return 0, "tokens of several chains"
		}
	}
	if found := a.names([]byte(ref.Namespace)); len(found) == 1 {
		return found[0], ""
	}
	if found := a.names(e.ResponseObject); len(found) == 1 && e.Verb != "list" && ref.Namespace == "" {
		return found[0], ""
	}
	if found := a.names([]byte(ref.Resource + " " + ref.APIGroup)); len(found) == 1 && ref.Namespace == "" {
		return found[0], ""
	}
	if c := a.exclusive(e.Received); c >= 0 {
		return c, ""
	}
	return 0, "no token of one chain"
}

// names returns the chains that own the tokens in the text.
func (a *attributor) names(text []byte) []int {
	var chains []int
	for _, t := range FindTokens(text) {
		if c, ok := a.chainOf[t]; ok && c >= 0 && !slices.Contains(chains, c) {
			chains = append(chains, c)
		}
	}
	return chains
}

// exclusive returns the chain that had the whole cluster to itself at the time,
// or -1.
func (a *attributor) exclusive(t time.Time) int {
	for i, c := range a.journal.Chains {
		if c.Exclusive && !t.Before(c.Start) && !t.After(c.End) {
			return i
		}
	}
	return -1
}

// step tells which step of its chain an effect belongs to.
func (a *attributor) step(e *Event, chain int) verdict {
	user := e.User.Username
	if strings.HasSuffix(user, ":horizontal-pod-autoscaler") {
		return a.byClock(e, chain, "the autoscaler's clock")
	}
	if (e.Verb == "list" || e.Verb == "watch") && hasToken(e.ObjectRef.Resource) {
		return unscored("a monitor of a custom resource, which starts when the next discovery is due")
	}
	if of, ok := ticking(e); ok && !a.ended(of, e) {
		v := a.byClock(e, chain, "a tick")
		if by := a.setter(of, e.Received); by >= 0 {
			v.clock, v.command = true, by
		}
		return v
	}
	if a.repeats(e) {
		return a.byClock(e, chain, "what a kubelet or the scheduler does again in its own time")
	}
	between := a.causes(chain, e.Received)
	if len(between) == 0 {
		return unscored("before the chain's first change")
	}
	last := between[0]
	cmd := a.journal.Commands[last]
	if cmd.Clock && e.Received.After(cmd.Settled) {
		return a.byClock(e, chain, "what the clock does after silence")
	}
	if of, ok := reported(e); ok {
		if by := a.setter(of, e.Received); by >= 0 {
			return verdict{command: by, role: RoleEffect}
		}
	}
	if len(between) == 1 {
		return verdict{command: last, role: RoleEffect}
	}
	return verdict{command: -1, role: RoleUnscored, between: between, why: "several steps without silence between them may have caused it"}
}

// repeats says whether a kubelet only counts an Event again, or looks again at a
// volume that it has looked at before; or the scheduler tries again to place a
// pod, which it does when anything in the cluster may have made room.
func (a *attributor) repeats(e *Event) bool {
	ref := e.ObjectRef
	if e.User.Username == "system:kube-scheduler" {
		return ref.Resource == "events" && e.Verb == "patch"
	}
	if !strings.HasPrefix(e.User.Username, "system:node:") {
		return false
	}
	switch ref.Resource {
	case "events":
		return e.Verb == "patch"
	case "persistentvolumeclaims", "persistentvolumes":
		key := e.User.Username + " " + ref.Resource + " " + ref.Namespace + "/" + ref.Name
		again := a.looked[key]
		a.looked[key] = true
		return again
	}
	return false
}

// byClock marks a line as the work of the clock that the chain's latest command
// had set.
func (a *attributor) byClock(e *Event, chain int, why string) verdict {
	v := unscored(why)
	if causes := a.causes(chain, e.Received); len(causes) > 0 {
		v.clock, v.command = true, causes[0]
	}
	return v
}

// causes returns the commands of the chain, newest first, that may have caused
// what happens at the time: those that have asked to change something by then,
// since the last one that silence followed.
func (a *attributor) causes(chain int, t time.Time) []int {
	list := a.byChain[chain]
	var out []int
	for i := len(list) - 1; i >= 0; i-- {
		if len(out) > 0 && !a.journal.Commands[list[i]].unsettled() {
			break
		}
		if at, changes := a.changed[list[i]]; changes && !at.After(t) {
			out = append(out, list[i])
		}
	}
	return out
}
