package tail

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// Update is a context as it was at one moment.
type Update struct {
	store.Context

	// Open tells that more may come to belong to the context.
	Open bool `json:"open"`
}

// Options say what is followed.
type Options struct {
	// Query is an expression over contexts, "" for all of them.
	Query string
	// Cluster is the name of the only cluster wanted, "" for all of them.
	Cluster string
	// Open gives contexts before they close, too.
	Open bool

	// Client asks the server; nil is http.DefaultClient. It must not bound the
	// time of an answer.
	Client *http.Client
	// Token gives the token for a server that asks for one, and is called with
	// each connection. It may be nil.
	Token func() (string, error)
	// Remark takes what a person who follows should know: that the connection
	// broke or came back, and that contexts were missed. It may be nil.
	Remark func(text string)

	// Every is how often a data set is looked at. Default 1 s.
	Every time.Duration
	// Now tells the time; nil is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.Every = cmp.Or(o.Every, time.Second)
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Remark == nil {
		o.Remark = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// How long to wait before coming back to a server: doubled from the least, up
// to the most.
const (
	leastWait = 500 * time.Millisecond
	mostWait  = 30 * time.Second
)

// silence is how long a server may say nothing before the connection counts as
// broken. It sends something every 15 s.
const silence = time.Minute

// maxLine bounds a line of a server, in bytes.
const maxLine = 8 << 20

// refusal is an answer that asking again does not change.
type refusal struct{ error }

// Server follows the server at a base address, such as
// https://whet.example.org:8443, until ctx ends, and then returns nil. An error
// is one of found, or says why the server refused. A server that does not answer
// is asked again.
func Server(ctx context.Context, base string, o Options, found func(*Update) error) error {
	if _, err := query.Parse(o.Query, query.Options{Over: query.Contexts, Now: time.Now()}); err != nil {
		return err
	}
	address, err := url.Parse(base)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return fmt.Errorf("server %q: write its address as https://whet.example.org:8443", base)
	}
	f := &following{Options: o.withDefaults(), found: found, address: address.JoinPath("/api/v1/live")}
	parameters := url.Values{}
	for name, value := range map[string]string{"query": o.Query, "cluster": o.Cluster} {
		if value != "" {
			parameters.Set(name, value)
		}
	}
	if !o.Open {
		parameters.Set("contexts", "closed")
	}
	f.address.RawQuery = parameters.Encode()
	return f.run(ctx)
}

// following is a run of Server.
type following struct {
	Options
	found   func(*Update) error
	address *url.URL
	last    string // the id of the last event
	broken  bool   // the person was told that the connection is
}

func (f *following) run(ctx context.Context) error {
	wait := leastWait
	for {
		heard, err := f.listen(ctx)
		var refused *refusal
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // That is how it ends.
		case errors.As(err, &refused):
			return refused.error
		case err != nil && !f.broken:
			f.broken = true
			f.Remark("the connection is broken and is tried again: " + err.Error())
		}
		if heard {
			wait = leastWait
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, mostWait)
	}
}

// listen reads one answer of the server, and tells whether it said anything.
func (f *following) listen(ctx context.Context) (heard bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answer, err := f.ask(ctx)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if f.broken {
		f.broken = false
		f.Remark("the connection is back")
	}
	quiet := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the server said nothing for %v", silence)) })
	defer quiet.Stop()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, maxLine)
	var name, data string
	for lines.Scan() {
		heard = true
		quiet.Reset(silence)
		key, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "id":
			f.last = value
		case "event":
			name = value
		case "data":
			data = value
		case "":
			if err := f.event(name, data); err != nil {
				return true, &refusal{err}
			}
			name, data = "", ""
		}
	}
	if err := lines.Err(); err != nil {
		return heard, cmp.Or(context.Cause(ctx), err)
	}
	return heard, nil // the server ends an answer now and then
}

// ask asks the server for an answer of events.
func (f *following) ask(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.address.String(), nil)
	if err != nil {
		return nil, &refusal{err}
	}
	if f.last != "" {
		r.Header.Set("Last-Event-ID", f.last)
	}
	if f.Token != nil {
		token, err := f.Token()
		if err != nil {
			return nil, &refusal{err}
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := f.Client.Do(r)
	if err != nil {
		return nil, err
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode == http.StatusOK && !strings.HasPrefix(kind, "text/event-stream") {
		err = &refusal{fmt.Errorf("%s answers with %q: it is no server of whet", f.address.Host, kind)}
	} else if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answers %s%s", answer.Status, reasonOf(answer.Body))
		if code := answer.StatusCode; code >= 400 && code < 500 && code != http.StatusTooManyRequests {
			err = &refusal{err}
		}
	}
	if err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

// reasonOf reads the reason that an answer gives, "" where it gives none.
func reasonOf(body io.Reader) string {
	var problem struct {
		Error struct{ Message, Hint string }
	}
	if json.NewDecoder(io.LimitReader(body, 64<<10)).Decode(&problem) != nil || problem.Error.Message == "" {
		return ""
	}
	if problem.Error.Hint != "" {
		problem.Error.Hint = "; " + problem.Error.Hint
	}
	return ": " + problem.Error.Message + problem.Error.Hint
}

// event takes one event.
func (f *following) event(name, data string) error {
	switch name {
	case "context":
		var u Update
		if err := json.Unmarshal([]byte(data), &u); err != nil {
			return fmt.Errorf("reading what the server sent: %w", err)
		}
		return f.found(&u)
	case "missed":
		var m struct{ Missed uint64 }
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			return fmt.Errorf("reading what the server sent: %w", err)
		}
		f.Remark("at least " + strconv.FormatUint(m.Missed, 10) + " updates were missed; whet query finds them in the data set")
	}
	return nil
}
