package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/edit"
	"github.com/whet-k8s/whet/internal/edit/tui"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model"
)

const labelEditHelp = `Edit shows the events of a log one after the other, each with the labels that it
may have: the linker's, a model's, the previous one, its own, those of the
requests around it, and whatever is typed by number or by name. A key chooses.
? shows all keys.

Background events have their own label from the start. Each decision is saved
in the journal at once, so that nothing is lost when the program is killed; run
it again to go on. The labelled log is the log with a label at the end of each
event that has one; all other bytes stay. The log itself is never changed.

The model that whet comes with proposes labels while the log is read, or the one
in --model; --predictions takes what whet model predict wrote instead.
--no-model leaves all to the linker's rules.`

const labelEditExample = `  whet label edit audit.log
  whet model predict audit.log > predicted.jsonl
  whet label edit --predictions predicted.jsonl audit.log
  whet label edit --write audit.log          write the labelled log, show nothing`

// labelEditOptions are the flags of whet label edit.
type labelEditOptions struct {
	labelOptions
	screen                                    screenOptions
	key, journal, output, predictions, policy string
	model                                     string
	noModel                                   bool
	sure                                      float64
	write                                     bool
}

func newLabelEditCommand(std *stdio) *cobra.Command {
	var o labelEditOptions
	cmd := &cobra.Command{
		Use:     "edit LOG",
		Short:   "Label a log by hand, in the terminal",
		Long:    labelEditHelp,
		Example: labelEditExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLabelEdit(cmd.Context(), std, &o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.key, "key", "k", edit.DefaultKey, "the `KEY` of the label in each event")
	f.StringVarP(&o.output, "output", "o", "", "`FILE` for the labelled log (default: LOG.labelled)")
	f.StringVar(&o.journal, "journal", "", "`FILE` for the journal (default: LOG.journal)")
	f.StringVar(&o.predictions, "predictions", "", "`FILE` with a model's proposals, as whet model predict writes them")
	f.StringVarP(&o.model, "model", "m", "", "model `FILE` that proposes labels (default: the one that whet comes with)")
	f.BoolVar(&o.noModel, "no-model", false, "propose without a model, and link by rules alone")
	f.Float64Var(&o.sure, "sure", edit.DefaultSure, "the `CONFIDENCE` from which a proposal is sure")
	f.StringVar(&o.policy, "policy", "", "noise policy, a YAML `FILE` (default: the built-in one)")
	f.BoolVar(&o.write, "write", false, "write the labelled log from the journal and show nothing")
	o.codecFlags(f)
	o.screen.flags(f)
	completeValues(cmd, "color", colorModes())
	return cmd
}

func runLabelEdit(ctx context.Context, std *stdio, o *labelEditOptions, name string) (err error) {
	if o.sure <= 0 || o.sure > 1 {
		return usageError("--sure %g: a confidence above 0 and at most 1 is wanted", o.sure)
	}
	if given := o.models(); len(given) > 1 {
		return usageError("%s exclude each other", strings.Join(given, " and "))
	}
	if !o.write && (!isTerminalInput(std.in) || !term.IsTerminal(std.out)) {
		return usageError("label edit needs a terminal for its input and its output. Without one, whet label propose and " +
			"whet model predict give labels, and --write writes those of a journal")
	}
	o.journal, o.output = cmp.Or(o.journal, edit.JournalName(name)), cmp.Or(o.output, edit.OutputName(name))
	log, err := openLogToEdit(ctx, std, name)
	if err != nil {
		return err
	}
	// It was only read.
	defer func() { _ = log.Close() }()
	if err := o.apart(name); err != nil {
		return err
	}
	journal, err := edit.OpenJournal(o.journal)
	if err != nil {
		return err
	}
	// What was saved is on the disk already.
	defer func() { _ = journal.Close() }()
	if err := o.mayWrite(journal); err != nil {
		return err
	}
	session, err := edit.NewSession(log, journal, edit.Options{Codec: o.codec(), Key: o.key, Sure: o.sure})
	if err != nil {
		return err
	}
	if o.write {
		err = writeLabelled(ctx, std, session, o.output)
	} else {
		err = o.show(ctx, std, session)
	}
	return err
}

// models are the flags about a model that were given.
func (o *labelEditOptions) models() []string {
	var given []string
	for _, f := range []struct {
		name string
		set  bool
	}{{"--predictions", o.predictions != ""}, {"--model", o.model != ""}, {"--no-model", o.noModel}} {
		if f.set {
			given = append(given, f.name)
		}
	}
	return given
}

// isTerminalInput tells whether somebody types what is read.
func isTerminalInput(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(f)
}

// openLogToEdit opens the log, and shows the progress of unpacking it.
func openLogToEdit(ctx context.Context, std *stdio, name string) (*edit.Log, error) {
	progress := term.Progress{Out: std.err, Columns: term.Columns(std.err, os.Getenv), Begun: time.Now()}
	defer progress.Clear()
	return edit.OpenLog(ctx, name, func(read, total int64) {
		if term.IsTerminal(std.err) {
			progress.Update(time.Now(), read, total, "unpacked")
		}
	})
}

// apart refuses names that stand for one file.
func (o *labelEditOptions) apart(log string) error {
	names := []struct{ what, name string }{{"the log", log}, {"--journal", o.journal}, {"--output", o.output}, {"--predictions", o.predictions}}
	for i, a := range names {
		for _, b := range names[i+1:] {
			if a.name != "" && sameFile(a.name, b.name) {
				return usageError("%s and %s are one file: %s", a.what, b.what, a.name)
			}
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// mayWrite refuses to write over a file that no session made.
func (o *labelEditOptions) mayWrite(journal *edit.Journal) error {
	if !journal.New() {
		return nil
	}
	if o.write {
		return fmt.Errorf("there is no journal %s, so that there are no labels to write", o.journal)
	}
	if _, err := os.Stat(o.output); err == nil {
		return fmt.Errorf("the labelled log would be %s, which exists, and no journal says that it is one: name another file with --output", o.output)
	}
	return nil
}

// show runs the session on the terminal.
func (o *labelEditOptions) show(ctx context.Context, std *stdio, session *edit.Session) error {
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	look, err := o.screen.open(std, true)
	if err != nil {
		return err
	}
	options := tui.Options{Policy: policy, Output: o.output, Colors: look.paint.Colors, Rules: o.noModel}
	if o.predictions == "" && !o.noModel {
		options.Model = func() (*model.Model, error) { return openModel(o.model) }
	}
	if o.predictions != "" {
		if _, err := os.Stat(o.predictions); err != nil {
			return fmt.Errorf("looking at the predictions: %w", err)
		}
		options.Predictions = func() (io.ReadCloser, error) { return os.Open(o.predictions) }
	}
	written, err := tui.Run(ctx, session, options, std.in, std.out)
	if err != nil {
		return err
	}
	o.farewell(std, session, written)
	return nil
}

// farewell says what there is now, and how to go on.
func (o *labelEditOptions) farewell(std *stdio, session *edit.Session, written bool) {
	if !session.Ready() {
		return
	}
	counts := session.Counts()
	fmt.Fprintf(std.out, "%s of %s have a label, %s of them by your decision.\n", term.Count(counts.Labelled()),
		term.Plural(session.Len(), "event"), term.Count(counts.Person+counts.Accepted))
	if written {
		fmt.Fprintf(std.out, "Labelled log: %s\n", term.Sanitize(o.output))
	}
	fmt.Fprintf(std.out, "Journal: %s\n", term.Sanitize(o.journal))
}

// writeLabelled writes the labelled log from the journal.
func writeLabelled(ctx context.Context, std *stdio, session *edit.Session, name string) error {
	scanned, err := session.Scan(ctx, func(entries []edit.Entry, _ int64) error {
		session.Append(entries)
		return nil
	})
	if err != nil {
		return err
	}
	if err := session.Begin(scanned); err != nil {
		return err
	}
	output, err := session.Output()
	if err != nil {
		return err
	}
	progress := term.Progress{Out: std.err, Columns: term.Columns(std.err, os.Getenv), Begun: time.Now()}
	defer progress.Clear()
	err = output.WriteFile(ctx, name, func(done, total int64) {
		if term.IsTerminal(std.err) {
			progress.Update(time.Now(), done, total, "")
		}
	})
	if errors.Is(err, context.Canceled) {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Wrote %s: %s of %s have a label.\n", term.Sanitize(name), term.Count(session.Counts().Labelled()),
		term.Plural(session.Len(), "event"))
	return nil
}
