package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

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

On a terminal it then serves the recording to the browser, as whet serve does,
until Ctrl-C. --serve does so elsewhere too, and --serve=false nowhere.

With --save the recording is written to a file, for the other commands.`

// demoOptions are the flags of whet demo.
type demoOptions struct {
	lines  int
	save   string
	serve  bool
	listen string
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
			if !cmd.Flags().Changed("serve") {
				o.serve = term.IsTerminal(std.out)
			}
			return runDemo(cmd.Context(), std, &o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.lines, "lines", 20, "how many contexts to print; 0 prints all")
	f.StringVar(&o.save, "save", "", "write the recording (zstd) to this `FILE` and do nothing else")
	f.BoolVar(&o.serve, "serve", false, "serve the recording to the browser, as on a terminal without this flag")
	f.StringVar(&o.listen, "listen", "", "serve on this `ADDRESS` (default "+defaultListen+", or another port where that is in use)")
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
	if !o.serve {
		fmt.Fprintf(out, "  whet demo --serve                         all of it in the browser, at http://%s/\n", cmp.Or(o.listen, defaultListen))
		return out.close()
	}
	if err := out.close(); err != nil {
		return err
	}
	return serveDemo(ctx, std, o, screen)
}

// serveDemo serves the recording to the browser.
func serveDemo(ctx context.Context, std *stdio, o *demoOptions, screen *screen) error {
	where := listenOptions{listen: cmp.Or(o.listen, defaultListen)}
	l, err := where.open(ctx)
	if o.listen == "" && errors.Is(err, syscall.EADDRINUSE) {
		where.listen = "127.0.0.1:0"
		l, err = where.open(ctx)
	}
	if err != nil {
		return err
	}
	defer l.Close() // closed by Serve when all goes well
	l.options.Source = []string{recordings.DayName}
	recorded := &stdio{in: bytes.NewReader(recordings.Day()), out: std.out, err: std.err}
	dir, _, err := analyzeForServing(ctx, recorded, screen, []string{audit.Stdin}, pipeline.Options{})
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(std.out)
	return l.serve(ctx, std, dir)
}

// indirectDeletion tells the deletion of a pod that somebody caused without
// deleting anything: the best question for whet why.
func indirectDeletion(as *link.Assignment) bool {
	ev := as.Event
	return as.Role == link.RoleEffect && ev.Verb == "delete" && ev.Object.Resource == "pods" &&
		ev.Status.Code < 400 && as.Root != nil && as.Root.Verb != "delete"
}
