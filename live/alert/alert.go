package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// Options say what an Alerter works with. The zero value of a field means its
// default.
type Options struct {
	// Config has the rules and the sinks.
	Config Config
	// State is the file that remembers what was found and what was delivered.
	// It is made where there is none, and needed.
	State string
	// Log takes what a person who runs the alerter should know. Default is none.
	Log *slog.Logger
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Client posts alerts; nil is one that trusts the authorities of the system.
	Client *http.Client
	// Retry is how long to wait before an attempt that failed is made again,
	// doubled each time up to 300 times as much. Default 1 s.
	Retry time.Duration
}

// Alert says that a context fits a rule. It is what the sinks are given as JSON.
type Alert struct {
	// ID is the same whenever the same alert is delivered, so that whoever gets it
	// twice can tell.
	ID       string   `json:"id"`
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// Summary is text from the log, which anybody may have written.
	Summary string `json:"summary"`
	// Time is when the rule was found to fit.
	Time time.Time `json:"time"`
	// Number counts the alerts of the rule for the context from 1.
	Number int `json:"number"`
	// Link is where the context is shown, "" where the configuration has none.
	Link string `json:"link,omitempty"`
	// Context is the context as it was then, Open whether it could still grow.
	Context store.Context `json:"context"`
	Open    bool          `json:"open"`
}

// space is the UUID under which the ids of alerts are made.
const space = "0b8f6f3e-5a0c-4c1b-9f3e-6d3a7c1f2e90"

// Alerter judges contexts and delivers alerts.
type Alerter struct {
	options Options
	outlets []*outlet

	mu     sync.Mutex
	state  *state
	counts map[string]*counter // by rule
	fired  map[string]int64
	repeat int64
}

// Open reads the state file, and takes up again what is not delivered. An
// error says so when the file cannot be read, or is no state of an Alerter.
func Open(o Options) (*Alerter, error) {
	if o.State == "" {
		return nil, errors.New("alerts need a file for their state")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	if o.Client == nil {
		o.Client = newClient()
	}
	a := &Alerter{options: o, counts: map[string]*counter{}, fired: map[string]int64{}}
	var err error
	if a.state, err = openState(o.State, o.Log); err != nil {
		return nil, fmt.Errorf("opening the state of alerts %s: %w", o.State, err)
	}
	for _, sink := range o.Config.Sinks {
		a.outlets = append(a.outlets, newOutlet(sink, a))
	}
	a.resume()
	return a, nil
}

// resume gives the sinks what they have not been given. What waits for a sink
// that is no longer configured is forgotten with a word.
func (a *Alerter) resume() {
	lost := 0
	for _, w := range a.state.waiting() {
		out := a.outlet(w.sink)
		if out == nil {
			lost++
			a.state.forget(w)
			continue
		}
		out.add(w.alert)
	}
	if lost > 0 {
		a.options.Log.Warn("alerts waited for sinks that are no longer configured, and are given up", "alerts", lost)
	}
}

func (a *Alerter) outlet(sink string) *outlet {
	for _, out := range a.outlets {
		if out.sink.Name == sink {
			return out
		}
	}
	return nil
}

// Contexts judges contexts of a cluster, and returns when the alerts of them are
// in the state file. An error says that they are not, and that the same contexts
// must be given again. It may be called from any goroutine, and never waits for
// a sink.
func (a *Alerter) Contexts(cluster string, contexts []pipeline.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []firing
	// The state knows only what is noted, which happens once for all of them.
	unnoted := map[string]telling{}
	for i := range contexts {
		c := &store.Context{Context: contexts[i], Cluster: cluster}
		for r := range a.options.Config.Rules {
			rule := &a.options.Config.Rules[r]
			if rule.Closed && c.Open || !rule.expr.Context(c) {
				continue
			}
			if f, ok := a.fire(rule, c, unnoted); ok {
				list = append(list, f)
				unnoted[f.Key] = *f.telling()
			} else {
				a.repeat++
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	if err := a.state.add(list); err != nil {
		return fmt.Errorf("noting alerts in %s: %w", a.options.State, err)
	}
	for _, f := range list {
		a.fired[f.Alert.Rule]++
		a.options.Log.Info("alert", "rule", f.Alert.Rule, "severity", string(f.Alert.Severity), "summary", f.Alert.Summary, "context", f.Alert.Context.ID)
		for _, sink := range f.Sinks {
			if out := a.outlet(sink); out != nil {
				out.add(f.Alert)
			}
		}
	}
	return nil
}

// fire makes the alert of a context that fits a rule, unless the rule has told
// of it, or counts and has not counted enough. What it has told of since the
// state was noted stands in unnoted.
func (a *Alerter) fire(rule *Rule, c *store.Context, unnoted map[string]telling) (firing, bool) {
	now := a.options.Now().UTC()
	key := rule.Name + " " + c.Cluster + " " + c.ID
	again := rule.Again
	if rule.Count.Of > 0 {
		if a.counts[rule.Name] == nil {
			a.counts[rule.Name] = &counter{groups: map[string]*group{}}
		}
		by := rule.Count.keyOf(c)
		if !a.counts[rule.Name].add(&rule.Count, by, c) {
			return firing{}, false
		}
		key, again = rule.Name+" "+by, max(again, rule.Count.Within)
	}
	before, told := unnoted[key]
	if !told {
		before, told = a.state.told(key)
	}
	grown := rule.Count.Of > 0 || c.Events > before.Events
	if told && (again == 0 || !grown || now.Sub(before.Time) < again) {
		return firing{}, false
	}
	alert := &Alert{
		Rule: rule.Name, Severity: rule.Severity, Summary: rule.words(c), Time: now, Number: before.Number + 1,
		Context: *c, Open: c.Open,
	}
	alert.ID = uuid.NewSHA1(uuid.MustParse(space), []byte(key+"\x00"+strconv.Itoa(alert.Number))).String()
	if a.options.Config.Link != "" {
		alert.Link = a.options.Config.Link + "/context/" + c.ID
	}
	f := firing{Alert: alert, Key: key}
	for _, out := range a.outlets {
		if rule.goesTo(out.sink.Name) {
			f.Sinks = append(f.Sinks, out.sink.Name)
		}
	}
	return f, true
}

// Run delivers alerts until ctx ends, and then returns nil. What is not
// delivered by then is in the state file.
func (a *Alerter) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, out := range a.outlets {
		running.Go(func() { out.run(ctx) })
	}
	running.Wait()
	return nil
}

// delivered notes that a sink has an alert, or will not get it.
func (a *Alerter) delivered(alert *Alert, sink string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.state.done(alert.ID, sink); err != nil {
		// The alert is delivered once more after a restart, and no harm done.
		a.options.Log.Warn("that an alert was delivered could not be noted", "error", err)
	}
}

// Close lets go of the state file. Run must have ended.
func (a *Alerter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.state.close(); err != nil {
		return fmt.Errorf("closing the state of alerts: %w", err)
	}
	return nil
}

// Stats count what an Alerter did in this process.
type Stats struct {
	// Fired counts alerts by rule, Repeated how often a context fitted a rule and
	// made none, since the rule had told of it, or had not counted enough.
	Fired    map[string]int64
	Repeated int64
	// Sinks are the counts by the name of the sink.
	Sinks map[string]SinkStats
}

// SinkStats count what one sink was given.
type SinkStats struct {
	// Delivered counts alerts, Failed attempts, Dropped alerts that were given up.
	Delivered, Failed, Dropped int64
	// Waiting are the alerts that are not delivered yet.
	Waiting int
	// Err says why the last attempt failed, nil when it did not.
	Err error
}

// Stats tells what the Alerter did. It may be called from any goroutine.
func (a *Alerter) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Stats{Fired: maps.Clone(a.fired), Repeated: a.repeat, Sinks: map[string]SinkStats{}}
	for _, out := range a.outlets {
		s.Sinks[out.sink.Name] = out.counts()
	}
	return s
}
