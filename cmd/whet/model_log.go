package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model/train"
	"github.com/whet-k8s/whet/pipeline"
)

// logLevels are the values of --log-level, from all to next to nothing.
func logLevels() []string { return []string{"debug", "info", "warn", "error"} }

// modelLog says on standard error what a model command does. It is a
// pflag.Value: its level.
type modelLog struct {
	err   io.Writer
	level string
}

func (l *modelLog) String() string { return l.level }
func (l *modelLog) Type() string   { return "LEVEL" }

// Set takes a level.
func (l *modelLog) Set(level string) error {
	if !slices.Contains(logLevels(), level) {
		return fmt.Errorf("there are %s", strings.Join(logLevels(), ", "))
	}
	l.level = level
	return nil
}

// logs tells whether what is of a level is said.
func (l *modelLog) logs(level string) bool {
	return slices.Index(logLevels(), level) >= slices.Index(logLevels(), l.level)
}

func (l *modelLog) say(level, format string, args ...any) {
	if l.logs(level) {
		fmt.Fprint(l.err, term.SanitizeLines(fmt.Sprintf(format, args...)+"\n"))
	}
}

func (l *modelLog) debug(format string, args ...any) { l.say("debug", format, args...) }
func (l *modelLog) info(format string, args ...any)  { l.say("info", format, args...) }
func (l *modelLog) warn(format string, args ...any)  { l.say("warn", "whet: "+format, args...) }

// account says where the lines of a log went.
func (l *modelLog) account(name string, a *pipeline.Accounting) {
	if a.Malformed > 0 {
		l.warn("malformed lines in %s: %s; they are left out (%s)", name, term.Count(a.Malformed), a.Named[0].Error())
	}
	l.debug("%s: %s", name, strings.TrimRight(accountText(a, 0), "\n"))
}

// read says what was read.
func (l *modelLog) read(d *train.Data) {
	l.account(d.Source.Name, d.Account)
	l.info("%s: %s, %s with a label, %s for the network", d.Source.Name, term.Plural(d.Account.Events, "event"),
		term.Count(d.Sequence.Labelled()), term.Count(len(d.Sequence.Lines)))
}

// epoch says what came of an epoch.
func (l *modelLog) epoch(e train.Epoch) {
	best := ""
	if e.Best {
		best = ", the best so far"
	}
	l.info("epoch %d: loss %.5f, validation %.5f, rate %.5f, %s, at most %s left%s",
		e.Number, e.Loss, e.Validation, e.Rate, e.Took.Round(10*time.Millisecond), e.Left.Round(time.Second), best)
}
