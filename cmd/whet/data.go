package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/store"
)

// dataMemory is what Go may take where DuckDB takes memory, too, so that both
// together stay within 500 MB.
const dataMemory = 160 << 20

// openData opens a data set, and names on standard error what of it is damaged.
func openData(ctx context.Context, std *stdio, dir string) (*store.DataSet, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(dataMemory)
	}
	data, err := store.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	warnDamaged(std, data.Damaged())
	if data.BeingFilled() {
		fmt.Fprintf(std.err, "whet: %s is empty so far: the first run writes to it, and shows when it has finished\n", term.Sanitize(dir))
	}
	return data, nil
}

// needEvents wants a data set that keeps events.
func needEvents(dir string, data *store.DataSet) error {
	if data.ContextsOnly() {
		return fmt.Errorf("the data set %s keeps contexts only (whet analyze --keep contexts), and no events", dir)
	}
	return nil
}

// warnDamaged names files of a data set that are damaged.
func warnDamaged(std *stdio, damaged []store.Damage) {
	for _, d := range damaged {
		fmt.Fprintf(std.err, "whet: %s is left out: %s\n", term.Sanitize(d.Path), term.Sanitize(d.Reason))
	}
}

// damagedError is the error of an answer from a data set of which a part is
// damaged.
func damagedError(dir string, data *store.DataSet) error {
	n := len(data.Damaged())
	if n == 0 {
		return nil
	}
	return &exitError{exitDamaged, fmt.Errorf("damaged files in %s (%d): what they held is missing from the answer", dir, n)}
}
