package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
)

// screenOptions are the flags about what is printed for people.
type screenOptions struct {
	color string
}

// colorModes are the values of --color.
func colorModes() []string { return []string{"auto", "always", "never"} }

func (o *screenOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.color, "color", "auto", "use colours: auto, always, never (NO_COLOR is honoured)")
}

// screen is what is known of the terminal that a command prints to.
type screen struct {
	paint term.Painter
	// columns is the width, 0 without a bound.
	columns int
	// terminal tells that the output appears on a terminal.
	terminal bool
	err      io.Writer
}

// open looks at the streams. With toStdout unset the output goes to a file.
func (o *screenOptions) open(std *stdio, toStdout bool) (*screen, error) {
	if !slices.Contains(colorModes(), o.color) {
		return nil, usageError("--color %s: there are %s", o.color, strings.Join(colorModes(), ", "))
	}
	s := &screen{err: std.err}
	var out io.Writer
	if toStdout {
		out = std.out
	}
	s.paint.Colors = term.Colors(o.color, out, os.Getenv)
	s.columns = term.Columns(out, os.Getenv)
	s.terminal = term.IsTerminal(out)
	return s, nil
}

// progress shows the progress of a run on standard error, when that is a
// terminal. The function that it returns takes the line away.
func (s *screen) progress(run *pipeline.Options) (done func()) {
	if !term.IsTerminal(s.err) {
		return func() {}
	}
	p := &term.Progress{Out: s.err, Columns: term.Columns(s.err, os.Getenv), Begun: time.Now()}
	run.Progress = func(at pipeline.Progress) {
		p.Update(time.Now(), at.Read, at.Total, fmt.Sprintf("%s events", term.Count(at.Events)))
	}
	return p.Clear
}
