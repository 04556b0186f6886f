package main

import (
	"context"
	"fmt"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/store"
)

// openData opens a data set, and names on standard error what of it is damaged.
func openData(ctx context.Context, std *stdio, dir string) (*store.DataSet, error) {
	data, err := store.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	for _, d := range data.Damaged() {
		fmt.Fprintf(std.err, "whet: %s is left out: %s\n", term.Sanitize(d.Path), term.Sanitize(d.Reason))
	}
	return data, nil
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
