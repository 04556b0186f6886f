package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/store"
)

const compactHelp = `Compact merges the files of a data set, and compresses them as far as zstd can.
Answers stay the same. It is worth its time when many runs added to a data set,
and before one is put away.

While it works others can read the data set, but not write to it. When it is
interrupted the data set is as it was.

Damaged files stay, and are named: whet analyze --out with the log once more
brings back what they held. --drop-damaged forgets them instead.`

func newCompactCommand(std *stdio) *cobra.Command {
	var drop bool
	cmd := &cobra.Command{
		Use:     "compact DIR",
		Short:   "Make a data set smaller",
		Long:    compactHelp,
		Example: "  whet compact /var/lib/whet",
		Args:    oneArgument("the folder of a data set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompact(cmd.Context(), std, args[0], drop)
		},
	}
	cmd.Flags().BoolVar(&drop, "drop-damaged", false, "forget files that are damaged: what they held is then gone")
	return cmd
}

func runCompact(ctx context.Context, std *stdio, dir string, drop bool) error {
	if drop {
		damaged, err := store.DropDamaged(ctx, dir)
		if err != nil {
			return err
		}
		for _, d := range damaged {
			fmt.Fprintf(std.err, "whet: %s is dropped: %s\n", term.Sanitize(d.Path), term.Sanitize(d.Reason))
		}
	}
	done, err := store.Compact(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s with %s became %s with %s.\n",
		term.Plural(done.FilesBefore, "file"), term.Bytes(done.BytesBefore), term.Plural(done.FilesAfter, "file"), term.Bytes(done.BytesAfter))
	if n := len(done.Damaged); n > 0 {
		warnDamaged(std, done.Damaged)
		return &exitError{exitDamaged, fmt.Errorf("damaged files in %s (%d) were left as they are", dir, n)}
	}
	return nil
}
