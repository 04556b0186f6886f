package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// keepTemporarily makes a data set in a temporary folder of what analyze gives
// the sink. The caller removes the folder; after an error there is none.
func keepTemporarily(ctx context.Context, o store.WriterOptions, analyze func(pipeline.Sink) (*pipeline.Accounting, error)) (string, *pipeline.Accounting, error) {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		return "", nil, fmt.Errorf("making a temporary data set: %w", err)
	}
	account, err := keepIn(ctx, dir, o, analyze)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, account, nil
}

func keepIn(ctx context.Context, dir string, o store.WriterOptions, analyze func(pipeline.Sink) (*pipeline.Accounting, error)) (*pipeline.Accounting, error) {
	w, err := store.Append(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	account, err := analyze(w.Sink())
	if err == nil {
		_, err = w.Commit(ctx, account)
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return account, nil
}
