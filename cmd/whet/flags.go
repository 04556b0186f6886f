package main

import (
	"path"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (c *choice) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&c.actors, "actor", nil, "only contexts of this `USER`, real or impersonated; * and ? stand for anything")
	f.StringSliceVarP(&c.namespaces, "namespace", "n", nil, "only contexts whose root is about this `NAMESPACE`; * and ? stand for anything")
	f.StringVar(&c.since, "since", "", "only contexts that began at this `TIME` or later: RFC 3339, a date, or 2h ago")
	f.StringVar(&c.until, "until", "", "only contexts that began before this `TIME`")
}

// parse reads the values of the flags; a duration counts back from now.
func (c *choice) parse(now time.Time) error {
	for _, p := range append(append([]string(nil), c.actors...), c.namespaces...) {
		if _, err := path.Match(p, ""); err != nil {
			return usageError("pattern %q: a bracket is not closed", p)
		}
	}
	var err error
	if c.from, err = parseTime("--since", c.since, now); err != nil {
		return err
	}
	if c.to, err = parseTime("--until", c.until, now); err != nil {
		return err
	}
	if !c.from.IsZero() && !c.to.IsZero() && !c.from.Before(c.to) {
		return usageError("--since %s is not before --until %s", c.since, c.until)
	}
	return nil
}

// parseTime reads a point in time: RFC 3339, the same without its zone (which
// is then UTC, as in the log), a date, or a duration before now.
func parseTime(flag, s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, usageError("%s %s: write 2026-11-23T18:00:00Z, 2026-11-23, or 2h for two hours ago", flag, s)
}

// completeValues lets the shell complete a flag's values.
func completeValues(cmd *cobra.Command, flag string, values []string) {
	// The only error is a flag that does not exist, which a test would see.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// oneArgument wants one argument, and says what it is otherwise.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usageError("%s: name %s", cmd.CommandPath(), what)
		case len(args) > 1:
			return usageError("%s takes one argument, %s, and there are %d", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}
