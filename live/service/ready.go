package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/whet-k8s/whet/internal/term"
)

// check is one thing that must be right for events to be taken and analysed.
type check struct {
	name string
	err  error
	// aside tells that events are taken and analysed all the same.
	aside bool
}

// errEnded says that a source gives nothing more.
var errEnded = errors.New("it has ended")

// checks looks at everything. The order is that of the configuration.
func (s *Service) checks(ctx context.Context) []check {
	var list []check
	for _, c := range s.clusters {
		list = append(list, check{name: "queue " + c.config.Name, err: c.stream.Writable(ctx)})
		_, err := c.state()
		list = append(list, check{name: "engine " + c.config.Name, err: err})
		for _, f := range c.followers {
			stats := f.Stats()
			one := check{name: "source " + c.config.Name + " " + sourceName(f.source), err: stats.Err}
			if stats.Ended && one.err == nil {
				one.err, one.aside = errEnded, true
			}
			list = append(list, one)
		}
	}
	return append(list,
		check{name: "trail of who read what", err: s.trail.failed()},
		check{name: "retention", err: s.keeper.Stats().Err, aside: true},
		check{name: "view of the data set", err: s.server.Stale(), aside: true},
	)
}

// readyTime bounds how long the checks may take.
const readyTime = 5 * time.Second

// ready answers /readyz: a line for each check, and 503 when one fails, unless
// events are taken and analysed all the same. Why one does is told where why is
// set, for those who may read alone.
func (s *Service) ready(w http.ResponseWriter, r *http.Request, why bool) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	status := http.StatusOK
	var b strings.Builder
	for _, c := range s.checks(ctx) {
		mark := "-"
		switch {
		case c.err == nil:
			fmt.Fprintf(&b, "[+] %s: ok\n", c.name)
			continue
		case c.aside:
			mark = "!"
		default:
			status = http.StatusServiceUnavailable
		}
		reason := "not ready"
		if why {
			reason = term.Sanitize(c.err.Error())
		}
		fmt.Fprintf(&b, "[%s] %s: %s\n", mark, c.name, reason)
	}
	if status == http.StatusOK {
		b.WriteString("ready\n")
	} else {
		b.WriteString("not ready\n")
	}
	plain(w, status, b.String())
}
