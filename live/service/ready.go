package service

import (
	"context"
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
}

// checks looks at everything. The order is that of the configuration.
func (s *Service) checks(ctx context.Context) []check {
	var list []check
	for _, c := range s.clusters {
		list = append(list, check{"queue " + c.config.Name, c.stream.Writable(ctx)})
		_, err := c.state()
		list = append(list, check{"engine " + c.config.Name, err})
		for _, f := range c.followers {
			list = append(list, check{"source " + c.config.Name + " " + sourceName(f.source), f.Stats().Err})
		}
	}
	return append(list, check{"trail of who read what", s.trail.failed()})
}

// readyTime bounds how long the checks may take.
const readyTime = 5 * time.Second

// ready answers /readyz: a line for each check, and 503 when one fails. Why it
// does is for those who may read alone.
func (s *Service) ready(w http.ResponseWriter, r *http.Request, why bool) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	status := http.StatusOK
	var b strings.Builder
	for _, c := range s.checks(ctx) {
		switch {
		case c.err == nil:
			fmt.Fprintf(&b, "[+] %s: ok\n", c.name)
			continue
		case why:
			fmt.Fprintf(&b, "[-] %s: %s\n", c.name, term.Sanitize(c.err.Error()))
		default:
			fmt.Fprintf(&b, "[-] %s: not ready\n", c.name)
		}
		status = http.StatusServiceUnavailable
	}
	if status == http.StatusOK {
		b.WriteString("ready\n")
	} else {
		b.WriteString("not ready\n")
	}
	plain(w, status, b.String())
}
