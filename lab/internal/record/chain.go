package record

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/whet-k8s/whet/lab/internal/process"
	"github.com/whet-k8s/whet/lab/internal/scenario"
	"github.com/whet-k8s/whet/lab/internal/truth"
)

// chain is a scenario being played.
type chain struct {
	r      *recorder
	phase  *Phase
	rng    *rand.Rand
	number int
	scene  *scenario.Scenario
	people [2]*actor
	values map[string]string
	tokens []string // all of the chain's
	own    bool     // the namespace is the chain's
}

// phase runs a phase's chains with its workers.
func (r *recorder) phase(ctx context.Context, n int) error {
	f := &r.plan.Phases[n]
	fitting := r.fitting[n]
	if len(fitting) == 0 {
		r.options.Progress(fmt.Sprintf("phase %d: left out, since none of the chosen scenarios fits it", n+1))
		return nil
	}
	count := f.Chains
	if count == 0 {
		count = len(fitting)
	}
	var queue []*scenario.Scenario
	for len(queue) < count {
		r.rng.Shuffle(len(fitting), func(i, j int) { fitting[i], fitting[j] = fitting[j], fitting[i] })
		queue = append(queue, fitting[:min(len(fitting), count-len(queue))]...)
	}
	spaces, err := r.makeSpaces(ctx, f)
	if err != nil {
		return err
	}
	r.options.Progress(fmt.Sprintf("phase %d: %d chains %s, %d at once", n+1, count, f.Mode, f.Workers))
	if err := r.workers(ctx, f, queue, spaces); err != nil {
		return err
	}
	_, err = r.silence(ctx, nil, 6*time.Second, fmt.Sprintf("phase %d", n+1))
	return err
}

// silence waits for silence at most a minute, says whether it came, and warns
// where it did not.
func (r *recorder) silence(ctx context.Context, tokens []string, d time.Duration, after string) (calm bool, err error) {
	calm, err = r.tail.quiet(ctx, tokens, d, time.Minute)
	if err == nil && !calm {
		r.warn(fmt.Sprintf("%v of silence did not come within a minute after %s", d, after))
	}
	return calm, err
}

// makeSpaces makes the namespaces that a phase's chains share.
func (r *recorder) makeSpaces(ctx context.Context, f *Phase) ([]string, error) {
	var spaces []string
	if f.Mode != Together && f.Mode != Rapid {
		return nil, nil
	}
	for range f.Spaces {
		token := truth.NewToken(r.rng)
		r.journal.Spaces = append(r.journal.Spaces, truth.Token{Text: token, Namespace: true})
		if err := r.asAdmin(ctx, "", "create", "namespace", token); err != nil {
			return nil, err
		}
		spaces = append(spaces, token)
	}
	// What still follows holds only their tokens, which are no chain's.
	_, err := r.silence(ctx, spaces, 2*time.Second, "making shared namespaces")
	return spaces, err
}

// workers lets the phase's workers play the queue, each with people of its own.
func (r *recorder) workers(ctx context.Context, f *Phase, queue []*scenario.Scenario, spaces []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan *scenario.Scenario)
	people := append([]*actor{}, r.cast.people...)
	r.rng.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	var group sync.WaitGroup
	var done int
	for w := range f.Workers {
		rng := rand.New(rand.NewPCG(r.rng.Uint64(), uint64(w))) //nolint:gosec // A seed must give the same numbers each time.
		each := 1
		if f.Pairs {
			each = 2
		}
		mine := people[w*each : (w+1)*each]
		if f.Mode == OneByOne {
			mine = people
		}
		group.Add(1)
		go func() {
			defer group.Done()
			for s := range jobs {
				if err := r.playChain(ctx, f, s, rng, mine, spaces); err != nil {
					cancel(err)
					return
				}
				r.mu.Lock()
				done++
				r.options.Progress(fmt.Sprintf("%d of %d: %s", done, len(queue), s.Name))
				r.mu.Unlock()
			}
		}()
	}
	for _, s := range queue {
		select {
		case jobs <- s:
		case <-ctx.Done():
		}
	}
	close(jobs)
	group.Wait()
	return context.Cause(ctx)
}

// playChain plays one scenario from its first step to its last.
func (r *recorder) playChain(ctx context.Context, f *Phase, s *scenario.Scenario, rng *rand.Rand, people []*actor, spaces []string) error {
	c := &chain{r: r, phase: f, rng: rng, scene: s}
	if err := sleep(ctx, c.pause()); err != nil {
		return err
	}
	first := rng.IntN(len(people))
	second := first
	if len(people) > 1 {
		second = (first + 1 + rng.IntN(len(people)-1)) % len(people)
	}
	c.people = [2]*actor{people[first], people[second]}
	exclusive := s.Scope == scenario.Alone
	if exclusive {
		// What earlier chains left behind must be over. Where it is not, the chain
		// does not get the lines that name no chain.
		calm, err := r.silence(ctx, nil, 8*time.Second, "the chains before "+s.Name)
		if err != nil {
			return err
		}
		exclusive = calm
	}
	c.begin(spaces, exclusive)
	steps := c.steps()
	for i, count := 0, 0; i < len(steps); i += count {
		count = 1
		for i+count < len(steps) && steps[i+count].Meanwhile {
			count++
		}
		if err := c.step(ctx, i, count, steps); err != nil {
			return fmt.Errorf("scenario %s, step %d: %w", s.Name, i+1, err)
		}
	}
	if exclusive {
		// What comes later names the chain, or nobody gets it.
		if _, err := r.silence(ctx, nil, 8*time.Second, s.Name); err != nil {
			return err
		}
	}
	r.mu.Lock()
	r.journal.Chains[c.number].End = now()
	r.mu.Unlock()
	return nil
}

// begin draws the chain's tokens and enters it in the journal.
func (c *chain) begin(spaces []string, exclusive bool) {
	entry := truth.Chain{Scenario: c.scene.Name, Mode: string(c.phase.Mode), Exclusive: exclusive, Start: now()}
	c.values = map[string]string{"first": c.people[0].name, "second": c.people[1].name}
	nodes := c.r.cluster.Nodes()
	n := c.rng.IntN(len(nodes))
	c.values["node"], c.values["node2"] = nodes[n], nodes[(n+1)%len(nodes)]
	space := ""
	switch {
	case !c.scene.UsesNamespace():
	case len(spaces) > 0:
		space = spaces[c.rng.IntN(len(spaces))]
	default:
		c.own = true
		space = truth.NewToken(c.rng)
		entry.Tokens = append(entry.Tokens, truth.Token{Text: space, Namespace: true})
	}
	c.values["ns"] = space
	for _, v := range []string{"name", "name2", "name3"} {
		token := truth.NewToken(c.rng)
		c.values[v] = token
		entry.Tokens = append(entry.Tokens, truth.Token{Text: token, Space: c.spaceOf(v, space)})
	}
	c.values["Name"], c.values["Name3"] = truth.Capital(c.values["name"]), truth.Capital(c.values["name3"])
	c.values["pod"] = c.values["name"] // until a step prints another
	c.values["newcomer"] = c.r.cast.accounts["newcomer"].name
	c.values["request"] = base64.StdEncoding.EncodeToString(c.r.cast.newcomer.Request)
	for _, t := range entry.Tokens {
		c.tokens = append(c.tokens, t.Text)
	}
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.number = len(c.r.journal.Chains)
	c.r.journal.Chains = append(c.r.journal.Chains, entry)
}

// spaceOf returns the namespace in which a variable's name must differ from
// others: none, the cluster, for name3 and for scenarios without a namespace.
func (c *chain) spaceOf(v, space string) string {
	if v == "name3" || c.scene.Scope == scenario.Cluster || c.scene.Scope == scenario.Alone {
		return ""
	}
	return space
}

// steps returns the scenario's steps, between the making and the deleting of a
// namespace where the chain has its own.
func (c *chain) steps() []scenario.Step {
	if !c.own {
		return c.scene.Steps
	}
	out := []scenario.Step{{Run: "kubectl create namespace {{ns}}"}}
	out = append(out, c.scene.Steps...)
	return append(out, scenario.Step{Run: "kubectl delete namespace {{ns}} --wait=false"})
}

func (c *chain) pause() time.Duration {
	if p := time.Duration(c.phase.Pause); p > 0 {
		return time.Duration(c.rng.Int64N(int64(p)))
	}
	return 0
}

// step runs count steps that start together, mostly one, waits for silence, and
// enters them in the journal.
func (c *chain) step(ctx context.Context, n, count int, steps []scenario.Step) error {
	if err := sleep(ctx, c.pause()); err != nil {
		return err
	}
	todo, who, cmds := make([]scenario.Step, count), make([]*actor, count), make([]truth.Command, count)
	for k := range count {
		todo[k] = steps[n+k].Expand(c.values)
		var err error
		if who[k], err = c.actor(todo[k].By); err != nil {
			return err
		}
		cmds[k] = truth.Command{Chain: c.number, Step: c.stepNumber(n + k), User: who[k].name, Clock: todo[k].Clock > 0}
	}
	if err := c.runAll(ctx, who, todo, cmds); err != nil {
		return err
	}
	last := &todo[count-1]
	rapid := c.phase.Mode == Rapid && n+count < len(steps) && last.Clock == 0
	restless := false
	if !rapid {
		calm, err := c.settle(ctx, last)
		if err != nil {
			return err
		}
		restless = !calm
	}
	// There is no silence between steps that start together; after all of them, it
	// follows the one that started last.
	slices.SortStableFunc(cmds, func(a, b truth.Command) int { return a.Start.Compare(b.Start) })
	for k := range cmds {
		cmds[k].Rapid, cmds[k].Restless, cmds[k].Settled = rapid || k < count-1, restless, now()
	}
	c.r.mu.Lock()
	c.r.journal.Commands = append(c.r.journal.Commands, cmds...)
	c.r.mu.Unlock()
	return sleep(ctx, time.Duration(last.Clock))
}

// runAll runs steps at once and returns when all have ended. The first error
// ends the others.
func (c *chain) runAll(ctx context.Context, who []*actor, todo []scenario.Step, cmds []truth.Command) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for k := range todo {
		group.Go(func() {
			if err := c.run(ctx, who[k], &todo[k], &cmds[k]); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// stepNumber returns the number of the n-th step in the scenario itself, without
// the making of the namespace.
func (c *chain) stepNumber(n int) int {
	if c.own {
		return n - 1
	}
	return n
}

// settle waits for the silence after a step and says whether it came.
func (c *chain) settle(ctx context.Context, s *scenario.Step) (calm bool, err error) {
	d := time.Duration(s.Settle)
	if d == 0 {
		d = time.Duration(c.r.plan.Settle)
	}
	tokens := c.tokens
	if c.r.journalExclusive(c.number) {
		tokens = nil
	}
	return c.r.tail.quiet(ctx, tokens, d, time.Minute)
}

func (r *recorder) journalExclusive(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.journal.Chains[n].Exclusive
}

func (c *chain) actor(by string) (*actor, error) {
	switch by {
	case "first":
		return c.people[0], nil
	case "second":
		return c.people[1], nil
	case "", "either":
		return c.people[c.rng.IntN(2)], nil
	}
	if a, ok := c.r.cast.accounts[by]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("nobody is called %q", by)
}

// run runs a step's command as the actor and notes when and how it ended.
func (c *chain) run(ctx context.Context, who *actor, s *scenario.Step, cmd *truth.Command) error {
	limit := time.Duration(s.Timeout)
	if limit == 0 {
		limit = time.Minute
	}
	who.busy.Lock()
	defer who.busy.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("took longer than %v", limit))
	defer cancel()
	cmd.Start = now()
	var out, why string
	var err error
	if s.Call != nil {
		cmd.Text, cmd.Status, why, err = call(ctx, who.access, s.Call)
	} else {
		cmd.Text = s.Run
		var words []string
		if words, err = scenario.Split(s.Run); err == nil {
			out, why, cmd.Status, err = process.Output(ctx, c.r.kubectl(who, words[1:]...), strings.NewReader(s.Stdin))
		}
	}
	cmd.End = now()
	if err == nil && s.Certifies {
		err = c.r.certify(out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.Text, err)
	}
	if s.Prints != "" {
		c.printed(s.Prints, out)
	}
	if failed := cmd.Status != 0; failed != s.Fails {
		c.r.warn(fmt.Sprintf("scenario %s (%s): %q ended with status %d: %s", c.scene.Name, c.phase.Mode, cmd.Text, cmd.Status, firstLine(why)))
	}
	return nil
}

// printed gives a variable the name that a command has printed. What is no name
// of the chain's own would spoil the truth, and the variable keeps its value.
func (c *chain) printed(variable, out string) {
	name := strings.TrimSpace(out)
	for _, t := range truth.FindTokens([]byte(name)) {
		if slices.Contains(c.tokens, t) && !strings.ContainsAny(name, " \n/") {
			c.values[variable] = name
			return
		}
	}
	c.r.warn(fmt.Sprintf("scenario %s (%s): a command printed %q, which is no name of the chain's, and {{%s}} stays %s",
		c.scene.Name, c.phase.Mode, firstLine(out), variable, c.values[variable]))
}

// certify gives the newcomer the certificate that a command has printed.
func (r *recorder) certify(printed string) error {
	certificate, err := base64.StdEncoding.DecodeString(strings.TrimSpace(printed))
	if err != nil {
		return fmt.Errorf("the command printed no certificate: %w", err)
	}
	newcomer := r.cast.accounts["newcomer"]
	newcomer.busy.Lock()
	defer newcomer.busy.Unlock()
	return r.cast.newcomer.Certify(certificate)
}

// now returns the time as the audit log can hold it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
