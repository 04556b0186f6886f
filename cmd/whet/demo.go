package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/recordings"
)

const demoHelp = `Demo analyses a recording that is part of the program: the audit log of a real
control plane on which six people worked for ten minutes. It prints the first
contexts of the summary, where every line of the log went, and what to try next.

With --save the recording is written to a file, for the other commands.`

// demoOptions are the flags of whet demo.
type demoOptions struct {
	lines  int
	save   string
	screen screenOptions
}

func newDemoCommand(std *stdio) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Analyse a recording that comes with the program",
		Long:  demoHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.save != "" {
				return saveDemo(std, o.save)
			}
			return runDemo(cmd.Context(), std, &o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.lines, "lines", 20, "how many contexts to print; 0 prints all")
	f.StringVar(&o.save, "save", "", "write the recording (zstd) to this `FILE` and do nothing else")
	o.screen.flags(f)
	completeValues(cmd, "color", colorModes())
	return cmd
}

// saveDemo writes the recording to a file that is not there yet.
func saveDemo(std *stdio, name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // The user names the file, and the recording is public.
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("saving the recording: %s is there already", name)
	}
	if err != nil {
		return fmt.Errorf("saving the recording: %w", err)
	}
	_, err = f.Write(recordings.Day())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("saving the recording: %w", err)
	}
	fmt.Fprintf(std.out, "Wrote the recording to %s.\n", term.Sanitize(name))
	return nil
}

func runDemo(ctx context.Context, std *stdio, o *demoOptions) error {
	if o.lines < 0 {
		return usageError("--lines %d: a number of lines is 0 or more", o.lines)
	}
	screen, err := o.screen.open(std, true)
	if err != nil {
		return err
	}
	out, err := openOutput(std, "", nil)
	if err != nil {
		return err
	}
	summary := newSummary(screen, false)
	summary.limit = o.lines
	var pod string
	sink := pipeline.Sink{Context: summary.add, Assignment: func(as *link.Assignment) error {
		if pod == "" && indirectDeletion(as) {
			pod = "pod/" + as.Event.Object.Namespace + "/" + as.Event.Object.Name
		}
		return nil
	}}
	account, err := pipeline.Run(ctx, []string{audit.Stdin}, bytes.NewReader(recordings.Day()), pipeline.Options{}, sink)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "The first contexts of a recording of a real control plane (Kubernetes v1.37):\n\n")
	if err := summary.print(out, account); err != nil {
		return err
	}
	fmt.Fprintf(out, `
Try next:
  whet demo --save %[1]s      write this log to a file
  whet analyze %[1]s          all its contexts
  whet why %[2]s %[1]s
                                       who deleted that pod
`, recordings.DayName, pod)
	return out.close()
}

// indirectDeletion tells the deletion of a pod that somebody caused without
// deleting anything: the best question for whet why.
func indirectDeletion(as *link.Assignment) bool {
	ev := as.Event
	return as.Role == link.RoleEffect && ev.Verb == "delete" && ev.Object.Resource == "pods" &&
		ev.Status.Code < 400 && as.Root != nil && as.Root.Verb != "delete"
}
