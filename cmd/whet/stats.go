package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/store"
)

const statsHelp = `Stats says what a data set holds and what takes the space: by part and by what
its columns hold, against the bytes of the logs that were read; what noise rules
dropped and set aside; and whose contexts these are.

--check reads every file and compares it with what was written.`

func newStatsCommand(std *stdio) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:     "stats DIR",
		Short:   "Say what a data set holds and what takes the space",
		Long:    statsHelp,
		Example: "  whet stats /var/lib/whet",
		Args:    oneArgument("the folder of a data set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStats(cmd.Context(), std, args[0], check)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "read every file and compare it with what was written")
	return cmd
}

func runStats(ctx context.Context, std *stdio, dir string, check bool) error {
	d, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if check {
		err = d.Check(ctx)
	}
	if err != nil {
		return err
	}
	warnDamaged(std, d.Damaged())
	s, err := d.Stats(ctx)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(std.out, term.SanitizeLines(statsText(s))); err != nil {
		return err
	}
	return damagedError(dir, d)
}

// statsText words the figures.
func statsText(s *store.Stats) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Read: %s in %s with %s.\n", term.Bytes(s.RawBytes), term.Plural(s.Lines, "line"), term.Plural(s.Read, "event"))
	fmt.Fprintf(&b, "Kept: %s and %s.\n", term.Plural(s.Events, "event"), term.Plural(s.Contexts, "context"))
	fmt.Fprintf(&b, "Size: %s in %s, %s of what was read.\n", term.Bytes(s.Bytes), term.Plural(s.Files, "file"), percent(s.Bytes, s.RawBytes))
	shares := func(title string, list []store.Share) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, part := range list {
			fmt.Fprintf(&b, "%14s  %8s  %s\n", term.Count(part.N), percent(part.N, s.RawBytes), part.Name)
		}
	}
	shares("Bytes by part", s.Parts)
	shares("Bytes by what they hold", s.Families)
	dropped := map[string]int64{}
	for rule, t := range s.Dropped {
		dropped[rule] = t.Events
	}
	counts := func(title, list string) {
		if list != "" {
			fmt.Fprintf(&b, "\n%s\n", title)
			wrap(&b, "  ", list, 0)
		}
	}
	counts("Events that noise rules dropped", byCount(dropped, ": ", 0))
	counts("Events that noise rules set aside and nothing caused", byCount(s.SetAside, ": ", 0))
	names := func(title, kind string, list []store.Share, more int) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, part := range list {
			fmt.Fprintf(&b, "%14s  %s\n", term.Count(part.N), part.Name)
		}
		if more > 0 {
			fmt.Fprintf(&b, "%14s  … and %s more (whet query --count-by %s)\n", "", term.Count(more), kind)
		}
	}
	names("Contexts by actor", "actor", s.Actors, s.MoreActors)
	names("Contexts by action", "action", s.Actions, s.MoreActions)
	return b.String()
}

// percent is a part of a whole, with as many digits as tell something.
func percent(part, whole int64) string {
	if whole == 0 {
		return "?"
	}
	return fmt.Sprintf("%.3f %%", 100*float64(part)/float64(whole))
}
