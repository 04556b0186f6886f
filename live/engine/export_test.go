package engine

import (
	"context"
	"errors"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// FailCommits has every second commit say that it failed, though what it was to
// put into the data set is there.
func FailCommits(e *Engine) {
	n := 0
	e.commit = func(ctx context.Context, w *store.Writer, account *pipeline.Accounting) error {
		err := commit(ctx, w, account)
		if n++; err == nil && n%2 == 0 {
			err = errors.New("syncing the folder: an error of the disk")
		}
		return err
	}
}
