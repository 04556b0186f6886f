package engine

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

const (
	// ahead is how much time a preview lets pass: more than events wait to be put
	// in order, and for what follows them.
	ahead = 10 * time.Second
	// previewShare bounds the time that previews take: one pauses for so many
	// times as long as it took.
	previewShare = 4
	// maxPreviewState is how large a state may be, in bytes, for a preview to be
	// made: it holds a second one in memory meanwhile, several times as large as
	// its bytes.
	maxPreviewState = 64 << 20
	// maxBehind is how old what is analysed may be for a preview to be worth its
	// time.
	maxBehind = time.Second
)

// outlook is what a preview found.
type outlook struct {
	begun time.Time
	saved uint64 // the last message that the state had taken from which it began
	grown []pipeline.Context
	err   error
}

// tryPreview begins a preview where one is wanted and something came since the
// last one. Another goroutine makes it, while this one goes on.
func (e *Engine) tryPreview(ctx context.Context) {
	if e.options.Preview == nil || e.looking || e.previewed == e.saved || time.Now().Before(e.nextPreview) {
		return
	}
	if e.behind > maxBehind || e.Stats().StateBytes > maxPreviewState {
		return
	}
	redacted, err := e.redactor(ctx)
	if err != nil {
		e.options.Log.Warn("what happens now cannot be shown yet", "error", err)
		return
	}
	e.looking, e.previewed = true, e.saved
	o := outlook{begun: time.Now(), saved: e.saved}
	e.previews.Go(func() {
		o.grown, o.err = e.preview(redacted)
		e.outlooks <- o
	})
}

// pruneTold forgets of what was told what the state knows from which the next
// preview begins, or the one that is being made. The state is older than the last
// checkpoint where writing it was put off.
func (e *Engine) pruneTold() {
	known := e.saved
	if e.looking {
		known = e.previewed
	}
	maps.DeleteFunc(e.told, func(_ string, taken uint64) bool { return taken <= known })
}

// show tells what a preview found, without the contexts of which a checkpoint
// has told what the preview did not know.
func (e *Engine) show(o outlook) {
	e.looking = false
	e.nextPreview = time.Now().Add(previewShare * time.Since(o.begun))
	if o.err != nil {
		e.options.Log.Warn("what happens now cannot be shown yet", "error", o.err)
		return
	}
	grown := slices.DeleteFunc(o.grown, func(c pipeline.Context) bool { return e.told[c.ID] > o.saved })
	if len(grown) > 0 {
		e.options.Preview(grown)
	}
}

// preview finds the contexts that would have grown by now if nothing came any
// more. It goes on from the checkpoint in a session of its own, so that nothing
// of it reaches the data set or the state.
func (e *Engine) preview(redacted func(pipeline.Context) pipeline.Context) ([]pipeline.Context, error) {
	data, err := os.ReadFile(e.options.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint: %w", err)
	}
	var grown []pipeline.Context
	s, err := pipeline.Resume(bytes.NewReader(data[len(checkpointMagic)+8:]), e.options.Pipeline, pipeline.Sink{
		Context: func(c *pipeline.Context) error {
			if c.ReadOnly {
				// It may become a part of a change: kubectl apply reads first.
				return nil
			}
			told := redacted(*c)
			told.Open = true
			grown = append(grown, told)
			return nil
		},
	})
	if err == nil {
		err = s.Advance(s.Newest().Add(ahead))
	}
	if err == nil {
		err = s.Grown()
	}
	if err != nil {
		return nil, fmt.Errorf("looking ahead: %w", err)
	}
	return grown, nil
}

// redactor gives what takes secret values out of contexts, with the key of the
// data set, which is made where there is none.
func (e *Engine) redactor(ctx context.Context) (func(pipeline.Context) pipeline.Context, error) {
	if e.redacted != nil {
		return e.redacted, nil
	}
	if e.options.Writing != nil {
		e.options.Writing.Lock()
		defer e.options.Writing.Unlock()
	}
	w, err := store.Append(ctx, e.options.DataSet, e.options.Store)
	if err != nil {
		return nil, err
	}
	e.redacted = w.Redacted
	return e.redacted, w.Abort()
}
