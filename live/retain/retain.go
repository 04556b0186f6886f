package retain

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/whet-k8s/whet/store"
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
	// Writing is held while files are put in place or taken away: those who write
	// to the data set in this process share it. Nil for none.
	Writing sync.Locker
	// Log takes what a person who runs this should know. Default is none.
	Log *slog.Logger
	// Now tells the time; nil is time.Now.
	Now func() time.Time
}

// Limits bound the kinds of data: events, contexts, and the lines of the log,
// which a data set has only where whet analyze --keep all put some in.
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
type Keeper struct {
	options Options

	mu    sync.Mutex
	stats Stats
}

// New makes a Keeper.
func New(o Options) *Keeper {
	o.Every = cmp.Or(o.Every, time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Keeper{options: o}
}

// Stats tell what a Keeper did in this process.
type Stats struct {
	// Removed and Merged count files, the latter those that others took the place
	// of.
	Removed, Merged int64
	// RemovedBytes is what the removed files took, SavedBytes what merging saved.
	RemovedBytes, SavedBytes int64
	// Rounds counts how often the data set was looked at.
	Rounds int64
	// Err says why the last round failed, nil when it did not.
	Err error
}

// Stats tells what the Keeper did. It may be called from any goroutine.
func (k *Keeper) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}

// Run looks after the data set until ctx ends, and then returns nil. What fails
// is logged, stands in Stats, and is tried again.
func (k *Keeper) Run(ctx context.Context) error {
	due := time.NewTimer(k.options.Every)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due.C:
		}
		begun := time.Now()
		k.round(ctx)
		// What takes long is not begun anew at once.
		due.Reset(max(k.options.Every, 2*time.Since(begun)))
	}
}

// round removes what is too much, and merges what is left.
func (k *Keeper) round(ctx context.Context) {
	removed, err := store.Retain(ctx, k.options.DataSet, k.bounds(), k.options.Writing)
	merged, mergeErr := store.Merge(ctx, k.options.DataSet, k.options.Writing)
	err = errors.Join(err, mergeErr)
	if ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	before := k.stats.Err
	k.stats.Removed += int64(removed.FilesBefore)
	k.stats.RemovedBytes += removed.BytesBefore
	k.stats.Merged += int64(merged.FilesBefore)
	k.stats.SavedBytes += merged.BytesBefore - merged.BytesAfter
	k.stats.Rounds++
	k.stats.Err = err
	k.mu.Unlock()
	log := k.options.Log
	if removed.FilesBefore > 0 {
		log.Info("old data removed", "files", removed.FilesBefore, "bytes", removed.BytesBefore)
	}
	if merged.FilesBefore > 0 {
		log.Debug("small files merged", "files", merged.FilesBefore, "into", merged.FilesAfter)
	}
	switch {
	case err != nil:
		log.Error("looking after the data set failed and is tried again", "error", err)
	case before != nil:
		log.Info("looking after the data set succeeded again")
	}
}

// bounds are the limits as of now.
func (k *Keeper) bounds() store.Retention {
	now := k.options.Now()
	of := func(l Limit) store.Bound {
		b := store.Bound{Bytes: l.Bytes}
		if l.Age > 0 {
			b.Before = now.Add(-l.Age)
		}
		return b
	}
	return store.Retention{Events: of(k.options.Limits.Events), Contexts: of(k.options.Limits.Contexts), Raw: of(k.options.Limits.Raw)}
}
