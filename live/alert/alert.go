package alert

import (
	"context"
	"log/slog"
	"time"

	"github.com/whet-k8s/whet/pipeline"
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
}

// Alerter judges contexts and delivers alerts.
type Alerter struct{}

// Open reads the state file, and takes up again what is not delivered. An
// error says so when the file cannot be read, or is no state of an Alerter.
func Open(o Options) (*Alerter, error) { return &Alerter{}, nil }

// Contexts judges contexts of a cluster, and returns when the alerts of them are
// in the state file. An error says that they are not, and that the same contexts
// must be given again. It may be called from any goroutine, and never waits for
// a sink.
func (a *Alerter) Contexts(cluster string, contexts []pipeline.Context) error { return nil }

// Run delivers alerts until ctx ends.
func (a *Alerter) Run(ctx context.Context) error { return nil }

// Close lets go of the state file.
func (a *Alerter) Close() error { return nil }

// Stats count what an Alerter did in this process.
type Stats struct {
	// Fired counts alerts by rule, Repeated contexts that fitted a rule which had
	// told of them.
	Fired    map[string]int64
	Repeated int64
	// Sinks are the counts by the name of the sink.
	Sinks map[string]SinkStats
}

// SinkStats count what one sink was given.
type SinkStats struct {
	// Delivered and Failed count attempts, Waiting the alerts that are not
	// delivered yet, Dropped those that were given up.
	Delivered, Failed, Dropped int64
	Waiting                    int
	// Err says why the last attempt failed, nil when it did not.
	Err error
}

// Stats tells what the Alerter did.
func (a *Alerter) Stats() Stats { return Stats{} }
