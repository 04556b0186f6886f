package link

import (
	"math"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// command is one invocation of a program by a person, while it goes on and
// for a while afterwards.
type command struct {
	operation *operation
	contexts  []*contextState
	// objects are the contexts by what their principal request changed.
	objects map[objectKey]*contextState
	// reads are the requests that wait to learn which context they belong to.
	reads       []*entry
	begun, last micros
	// spent is how long the API server took for the requests.
	spent    micros
	requests int
	// manager is the field manager of the last change, and deletes tells
	// whether that was a delete.
	manager string
	deletes bool
	// retries is the last change if it was refused for the moment; evicts
	// tells that the command evicts pods.
	retries retry
	evicts  bool
}

// person gives a person's request its place in a command.
func (l *Linker) person(e *entry) {
	a := e.actor
	if cmd := a.commandAt(e.received, l.gap); e.late && cmd != nil && len(cmd.contexts) > 0 {
		l.assign(e, cmd.contexts[len(cmd.contexts)-1], RoleClient, cause{}, "same-command", "the same client within the same command", 0.95)
		return
	}
	cmd := a.command
	if cmd != nil && l.newCommand(cmd, e) {
		l.closeCommand(a)
		cmd, l.quiet = nil, 0
	}
	if cmd == nil {
		cmd = l.resume(e)
	}
	if cmd == nil {
		cmd = &command{begun: e.received, last: e.received, objects: map[objectKey]*contextState{}}
		l.begin(a, cmd)
	}
	if !lasting(e.event) {
		cmd.last = max(cmd.last, e.done)
		cmd.spent += e.done - e.received
		cmd.requests++
	}
	if !changes(e.event) {
		cmd.reads = append(cmd.reads, e)
		return
	}
	key := keyOfRequest(e.event)
	cmd.evicts = cmd.evicts || e.event.Object.Subresource == "eviction"
	if ctx := cmd.objects[key]; ctx != nil && key.name != "" {
		cmd.retries = retryOf(e.event)
		l.settleReads(cmd, ctx)
		l.assign(e, ctx, RoleClient, cause{}, "same-command", "the same command on the same object", 0.98)
		return
	}
	ctx := l.newContext(e.event, false)
	role, rule, why := RoleClient, "next-principal", "another change by the same command"
	if cmd.operation == nil {
		cmd.operation = &operation{id: operationID(e.event)}
		role, rule, why = RoleRoot, "principal", "the first request of its command that changes something"
	}
	ctx.operation = cmd.operation
	cmd.contexts = append(cmd.contexts, ctx)
	cmd.objects[key] = ctx
	cmd.retries, cmd.manager, cmd.deletes = retryOf(e.event), e.event.FieldManager(), isDelete(e.event)
	l.settleReads(cmd, ctx)
	l.assign(e, ctx, role, cause{}, rule, why, 0.99)
}

const (
	// retryPause is longer than programs wait before they try again what was
	// refused for the moment: client-go at most 30 s.
	retryPause = 35 * second
	// evictPause is the same for evictions that a budget refused: kubectl drain
	// waits for 5 s, the cluster autoscaler for 10 s, and neither for longer
	// each time.
	evictPause = 11 * second
)

// retry names a request that a program is going to send again.
type retry struct {
	key               objectKey
	verb, subresource string
}

// pause is longer than a program waits before it does.
func (r retry) pause() micros {
	if r.subresource == "eviction" {
		return evictPause
	}
	return retryPause
}

// retryOf names the request when its answer asks for another try: it
// conflicts with a budget, or the server is busy
// (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/).
func retryOf(ev *audit.Event) retry {
	switch ev.Status.Code {
	case 429, 503, 504:
		return retry{keyOfRequest(ev), ev.Verb, ev.Object.Subresource}
	}
	return retry{}
}

// resume returns the actor's last command when a request goes on with it: it
// tries again what was refused for the moment, or looks whether a pod it
// evicted is gone.
func (l *Linker) resume(e *entry) *command {
	a := e.actor
	if len(a.recent) == 0 || e.late {
		return nil
	}
	cmd := a.recent[len(a.recent)-1]
	key := keyOfRequest(e.event)
	pause := e.received - cmd.last
	waits := e.event.Verb == "get" && cmd.evicts && cmd.objects[key] != nil && pause <= retryPause
	again := retry{key, e.event.Verb, e.event.Object.Subresource}
	retries := cmd.retries == again && pause <= again.pause()
	if key.name == "" || (!retries && !waits) {
		return nil
	}
	a.recent = a.recent[:len(a.recent)-1]
	l.begin(a, cmd)
	return cmd
}

// begin makes a command the one that an actor has in progress.
func (l *Linker) begin(a *actor, cmd *command) {
	a.command = cmd
	l.commands = append(l.commands, a)
	l.quiet = min(l.quiet, cmd.last+l.gap)
}

// commandAt returns the command of the actor that was going on at a time.
func (a *actor) commandAt(at, gap micros) *command {
	if c := a.command; c != nil && c.begun <= at {
		return c
	}
	for _, c := range slices.Backward(a.recent) {
		if c.begun <= at && at <= c.last+gap {
			return c
		}
	}
	return nil
}

// Bounds of one command, so that a client which never pauses stays bounded in
// time and memory.
const (
	maxReads      = 500
	maxSurvey     = 60 * second
	maxPrincipals = 5000
)

// settleReads gives the waiting reads to a context.
func (l *Linker) settleReads(cmd *command, ctx *contextState) {
	for _, r := range cmd.reads {
		l.assign(r, ctx, RoleClient, cause{}, "same-command", "the same client within the same command", 0.98)
	}
	cmd.reads = cmd.reads[:0]
}

// closeCommand ends a command. One that changed nothing has its first read
// of a resource as its root.
func (l *Linker) closeCommand(a *actor) {
	cmd := a.command
	a.command = nil
	a.recent = append(a.recent, cmd)
	if len(a.recent) > 8 {
		a.recent = a.recent[1:]
	}
	if len(cmd.reads) == 0 {
		return
	}
	if len(cmd.contexts) > 0 {
		l.settleReads(cmd, cmd.contexts[len(cmd.contexts)-1])
		return
	}
	root := cmd.reads[0]
	for _, r := range cmd.reads {
		if r.event.Object.Resource != "" {
			root = r
			break
		}
	}
	ctx := l.newContext(root.event, true)
	cmd.operation = &operation{id: operationID(root.event)}
	ctx.operation = cmd.operation
	cmd.contexts = append(cmd.contexts, ctx)
	for _, r := range cmd.reads {
		if r == root {
			l.assign(r, ctx, RoleRoot, cause{}, "principal", "the first request for a resource of a command that only reads", 0.98)
			continue
		}
		l.assign(r, ctx, RoleClient, cause{}, "same-command", "the same client within the same command", 0.98)
	}
	cmd.reads = nil
}

// closeCommands ends the commands that have been silent for the gap.
func (l *Linker) closeCommands(now micros, all bool) {
	if !all && now <= l.quiet {
		return
	}
	l.quiet = math.MaxInt64
	kept := l.commands[:0]
	for _, a := range l.commands {
		if a.command == nil {
			continue
		}
		if all || now > a.command.last+l.gap {
			l.closeCommand(a)
			continue
		}
		kept = append(kept, a)
		l.quiet = min(l.quiet, a.command.last+l.gap)
	}
	clear(l.commands[len(kept):])
	l.commands = kept
}

// lasting tells requests that go on as long as their client wants, so that
// their end says nothing about the command.
func lasting(ev *audit.Event) bool {
	switch ev.Object.Subresource {
	case "exec", "attach", "portforward", "proxy", "log":
		return true
	}
	return ev.Verb == "watch"
}

// keyOfRequest names the object that a request is about.
func keyOfRequest(ev *audit.Event) objectKey {
	key := objectKey{kindOf(ev), ev.Object.Namespace, ev.Object.Name}
	if key.resource == "namespaces" && key.group == "" {
		key.namespace = key.name
	}
	if key.name == "" {
		if b := ev.Response; b != nil && b.Patch == "" && b.Kind != "Status" && !strings.HasSuffix(b.Kind, "List") {
			key.name = b.Name
		} else if b := ev.Request; b != nil && ev.Verb == "create" {
			key.name = b.Name
		}
	}
	return key
}
