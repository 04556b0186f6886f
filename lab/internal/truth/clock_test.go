package truth

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// cronJobJournal has three calm steps of alice's and bob's on one CronJob.
func cronJobJournal() *Journal {
	return &Journal{
		Spaces: []Token{{Text: space, Namespace: true}},
		Chains: []Chain{{Scenario: "cron", Mode: "together", Tokens: []Token{{Text: tokenA, Space: space}, {Text: tokenA2, Space: space}}, Start: at(0), End: at(70)}},
		Commands: []Command{
			{User: "alice", Text: "create", Start: at(1), End: at(2), Settled: at(5)},
			{Step: 1, User: "bob", Text: "create job", Start: at(11), End: at(12), Settled: at(15)},
			{Step: 2, User: "bob", Text: "suspend", Start: at(21), End: at(22), Settled: at(25)},
			{Step: 3, User: "alice", Text: "resume", Start: at(31), End: at(32), Settled: at(35)},
			{Step: 4, User: "bob", Text: "label", Start: at(41), End: at(42), Settled: at(45)},
			{Step: 5, User: "bob", Text: "reschedule", Start: at(51), End: at(52), Settled: at(55)},
			{Step: 6, User: "alice", Text: "delete", Start: at(61), End: at(62), Settled: at(65)},
		},
	}
}

// answer is what the API server answers to who wrote a CronJob.
func answer(schedule string, suspend bool) eventOption {
	return func(e *Event) {
		e.ResponseStatus.Code = 200
		e.ResponseObject = json.RawMessage(fmt.Sprintf(`{"kind":"CronJob","metadata":{"name":%q},"spec":{"schedule":%q,"suspend":%v}}`, e.ObjectRef.Name, schedule, suspend))
	}
}

func refused(e *Event) { e.ResponseStatus.Code = 409 }

// What the controller does about a CronJob belongs to whoever set its clock,
// not to the step after which it was seen.
func TestClockOfACronJob(t *testing.T) {
	const cron = "system:serviceaccount:kube-system:cronjob-controller"
	const job = "system:serviceaccount:kube-system:job-controller"
	const collector = "system:serviceaccount:kube-system:generic-garbage-collector"
	tests := []struct {
		name  string
		event *Event
		role  string
		of    string // the text of its command, or of the one that set the clock
	}{
		{"alice makes it", event(1.5, "alice", "create", "cronjobs", tokenA, answer("0 * * * *", false)), RoleRoot, "create"},
		{"bob makes a Job of it", event(11.5, "bob", "create", "jobs", tokenA2), RoleRoot, "create job"},
		{"the controller looks, since it did not expect the Job", event(12.5, cron, "get", "cronjobs", tokenA), RoleEffect, "create"},
		{"and says so", event(12.6, cron, "create", "events", tokenA+".18eac9a87d923069"), RoleEffect, "create"},
		{"the Job itself is bob's", event(12.7, job, "create", "pods", tokenA2+"-abcde"), RoleEffect, "create job"},
		{"bob suspends it", event(21.5, "bob", "patch", "cronjobs", tokenA, answer("0 * * * *", true)), RoleRoot, "suspend"},
		{"which sets no clock", event(22.5, cron, "update", "cronjobs", tokenA), RoleEffect, "create"},
		{"alice lets it run again", event(31.5, "alice", "patch", "cronjobs", tokenA, answer("0 * * * *", false)), RoleRoot, "resume"},
		{"which does", event(32.5, cron, "get", "cronjobs", tokenA), RoleEffect, "resume"},
		{"bob labels it", event(41.5, "bob", "patch", "cronjobs", tokenA, answer("0 * * * *", false)), RoleRoot, "label"},
		{"a tick", event(42.5, cron, "create", "jobs", tokenA+"-29384756"), RoleUnscored, "resume"},
		{"a tick's pod", event(42.6, job, "create", "pods", tokenA+"-29384756-x7k2p"), RoleUnscored, "resume"},
		{"bob fails to give it another schedule", event(51.4, "bob", "patch", "cronjobs", tokenA, answer("5 * * * *", false), refused), RoleRoot, "reschedule"},
		{"so it keeps its clock", event(51.45, cron, "get", "cronjobs", tokenA), RoleEffect, "resume"},
		{"bob gives it another schedule", event(51.5, "bob", "patch", "cronjobs", tokenA, answer("6 * * * *", false)), RoleClient, "reschedule"},
		{"which counts from then on", event(52.5, cron, "get", "cronjobs", tokenA), RoleEffect, "reschedule"},
		{"an old Job goes by the clock", event(53.5, cron, "delete", "jobs", tokenA+"-29384756"), RoleUnscored, "reschedule"},
		{"alice fails to delete it", event(61.4, "alice", "delete", "cronjobs", tokenA, refused), RoleRoot, "delete"},
		{"so its Jobs go by the clock", event(61.45, cron, "delete", "jobs", tokenA+"-29384757"), RoleUnscored, "reschedule"},
		{"alice deletes it", event(61.5, "alice", "delete", "cronjobs", tokenA), RoleClient, "delete"},
		{"and its Jobs", event(62.5, collector, "delete", "jobs", tokenA+"-29384758"), RoleEffect, "delete"},
		{"and their pods", event(62.6, collector, "patch", "pods", tokenA+"-29384758-x7k2p"), RoleEffect, "delete"},
		{"while a tick's pod may still start", event(62.7, "system:node:n", "patch", "pods", tokenA+"-29384758-x7k2p"), RoleUnscored, "reschedule"},
		{"which goes in the end", event(62.8, "system:node:n", "delete", "pods", tokenA+"-29384758-x7k2p"), RoleEffect, "delete"},
	}
	var events []*Event
	for _, tt := range tests {
		events = append(events, tt.event)
	}
	found, err := Attribute(events, cronJobJournal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, c := range found.Contexts {
		texts[c.Context] = c.Command
	}
	for i, tt := range tests {
		l := found.Lines[i]
		of := texts[l.Clock]
		if l.Context != nil {
			of = texts[*l.Context]
		}
		if l.Role != tt.role || of != tt.of {
			t.Errorf("%s: %s of %q; want %s of %q (%s)", tt.name, l.Role, of, tt.role, tt.of, l.Why)
		}
	}
}

// A CronJob whose name only begins with a token ticks too.
func TestTicksOfLongerNames(t *testing.T) {
	e := event(1, controller, "create", "pods", tokenA+"-report-29384756-x7k2p")
	if of, ok := ticking(e); !ok || of != (cronJob{space, tokenA + "-report"}) {
		t.Errorf("ticking(%s) = %v, %v; want %s-report", e.ObjectRef.Name, of, ok, tokenA)
	}
}

// A CronJob that is made again under its old name ticks again.
func TestACronJobEndsUntilItIsMadeAgain(t *testing.T) {
	const collector = "system:serviceaccount:kube-system:generic-garbage-collector"
	of := cronJob{space, tokenA}
	a := &attributor{ends: map[cronJob][]time.Time{of: {at(10), at(30)}}, clocks: map[cronJob][]setting{of: {{at: at(1)}, {at: at(20)}}}}
	for _, tt := range []struct {
		second float64
		want   bool
	}{{5, false}, {15, true}, {25, false}, {35, true}} {
		if got := a.ended(of, event(tt.second, collector, "delete", "jobs", tokenA+"-29384756")); got != tt.want {
			t.Errorf("at %v it has ended: %v; want %v", tt.second, got, tt.want)
		}
	}
}
