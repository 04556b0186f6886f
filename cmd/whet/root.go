package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/whet-k8s/whet/internal/term"
)

// The exit statuses, as the help text documents them.
const (
	exitFailed    = 1
	exitUsage     = 2
	exitMalformed = 3
	exitDamaged   = 4
)

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// exitError is an error that asks for a certain exit status.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usageError is an exitError for a wrong use of the command line.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

const rootHelp = `Whet sharpens Kubernetes audit logs. It finds, for every request in a log, who
or what caused it, and shows what somebody did together with all that followed.

A log is what kube-apiserver writes with --audit-log-path: JSON, an event a
line, EventLists, or pretty-printed; plain, gzip or zstd. Where a command takes
FILE, it also takes a folder with rotated logs, a pattern in quotes, or - for
standard input.

Exit statuses:
  0  fine
  1  failed: nothing found, a file that cannot be read, interrupted
  2  wrong usage: an unknown command or flag, a value that makes no sense
  3  finished, but some lines were malformed and --strict was given
  4  finished, but files of the data set are damaged and were left out`

const rootExample = `  whet demo                                 a first look at a real recording
  whet analyze audit.log                    what people did, and what followed
  whet why pod/shop/web-7c9f audit.log      who deleted my pod`

// newRootCommand builds the command line on the given streams.
func newRootCommand(std *stdio) *cobra.Command {
	root := &cobra.Command{
		Use:           "whet",
		Short:         "Find out who did what to a Kubernetes cluster, from its audit log",
		Long:          rootHelp,
		Example:       rootExample,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetVersionTemplate("whet {{.Version}}\n")
	root.AddCommand(
		newAnalyzeCommand(std), newQueryCommand(std), newSQLCommand(std), newExportCommand(std), newWhyCommand(std), newFilterCommand(std), newLabelCommand(std),
		newEvaluateCommand(std), newStatsCommand(std), newCompactCommand(std), newServeCommand(std), newTailCommand(std), newModelCommand(std), newDemoCommand(std), newManCommand(std),
	)
	return root
}

// run executes the command line and returns the exit status.
func run(ctx context.Context, args []string, std *stdio) int {
	root := newRootCommand(std)
	root.SetArgs(args)
	// What fails before a command begins is the fault of its usage.
	begun := false
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	switch {
	case errors.Is(err, syscall.EPIPE):
		return exitFailed // whoever read the output has gone and wants no message
	case ctx.Err() != nil:
		fmt.Fprintln(std.err, "whet: interrupted")
		return exitFailed
	case errors.As(err, &exit):
	case begun:
		exit = &exitError{exitFailed, err}
	default:
		exit = &exitError{exitUsage, err}
	}
	fmt.Fprintf(std.err, "whet: %s\n", term.SanitizeLines(err.Error()))
	if exit.code == exitUsage {
		fmt.Fprintf(std.err, "Run '%s --help' for usage.\n", cmd.CommandPath())
	}
	return exit.code
}

// version is the module's version as the Go tool recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func newManCommand(std *stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Long:  "Write a manual page (section 1) for each command into the folder DIR, which is made if it is not there.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Manual pages are for everyone.
				return fmt.Errorf("making the folder for manual pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			if err := doc.GenManTree(root, &doc.GenManHeader{Title: "WHET", Section: "1"}, dir); err != nil {
				return fmt.Errorf("writing manual pages to %s: %w", dir, err)
			}
			pages, err := filepath.Glob(filepath.Join(dir, "whet*.1"))
			if err != nil {
				return fmt.Errorf("counting manual pages in %s: %w", dir, err)
			}
			fmt.Fprintf(std.out, "Wrote %d manual pages to %s.\n", len(pages), term.Sanitize(dir))
			return nil
		},
	}
}
