package queue

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// trouble is what a server says of its disk. It does not answer whoever publishes
// then, but logs it.
type trouble struct {
	core *core
	err  error
}

// listener takes what a server logs.
type listener struct {
	core     *core
	troubles chan<- trouble
	log      *slog.Logger
}

var _ server.Logger = listener{}

// Errorf passes on an error, and that the server is to be replaced where it could
// not write.
func (l listener) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.log.Error("the queue's server fails", "error", text)
	if !strings.Contains(text, "failed to store") && !strings.Contains(text, "write error") {
		return
	}
	select {
	case l.troubles <- trouble{l.core, fmt.Errorf("%w: %s", errStopped, text)}:
	default: // it is known
	}
}

// Fatalf passes on why the server cannot begin.
func (l listener) Fatalf(format string, args ...any) { l.Errorf(format, args...) }

// Warnf passes on a warning.
func (l listener) Warnf(format string, args ...any) {
	l.log.Debug("the queue's server warns", "warning", fmt.Sprintf(format, args...))
}

// Noticef does nothing.
func (listener) Noticef(string, ...any) {}

// Debugf does nothing.
func (listener) Debugf(string, ...any) {}

// Tracef does nothing.
func (listener) Tracef(string, ...any) {}
