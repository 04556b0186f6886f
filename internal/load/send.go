package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/replicate"
	"github.com/whet-k8s/whet/noise"
)

// Options say what Send sends, and where.
type Options struct {
	// URL is the webhook's, with the cluster's name.
	URL string
	// TokenFile holds the bearer token, CA the server's authority, Certificate
	// and Key a client certificate; each is left out where it is "".
	TokenFile, CA, Certificate, Key string
	// Rate is how many events are due a second.
	Rate float64
	// Duration is how long events are due for. They end before where Stop is
	// closed; it may be nil.
	Duration time.Duration
	Stop     <-chan struct{}
	// Batch is the most events in a list, Wait how long the first one waits for
	// the list to be full. An API server's defaults are 400 and 30 s.
	Batch int
	Wait  time.Duration
	// Senders is how many lists are under way at once. With one, they come in
	// order.
	Senders int
	// Gzip compresses the lists.
	Gzip bool
	// Acked is the file to which a line of auditID and stage is added for each
	// acknowledged event, with the word dropped where the default noise policy
	// drops it.
	Acked string
	// Log, unless it is nil, takes every event as a line before it is sent.
	Log io.Writer
	// Seed chooses the ids.
	Seed uint64
}

// list is an EventList on its way.
type list struct {
	body   []byte
	events []byte // a line of auditID and stage each
	count  int
	last   time.Time // when its last event was due
}

// sender sends lists, and keeps the account.
type sender struct {
	options Options
	client  *http.Client
	token   string

	mu     sync.Mutex
	acked  *bufio.Writer
	report Report
}

// Send sends the recordings, which are what audit.Open takes, and returns when
// all events that were due are acknowledged. A list that is not acknowledged is
// sent again, after the time that the server says; what comes behind it waits.
// The Report is what was done, also with an error.
func Send(ctx context.Context, o Options, recordings ...string) (*Report, error) {
	s := &sender{options: o}
	recording, err := replicate.Read(ctx, recordings, os.Stdin)
	if err != nil {
		return &s.report, err
	}
	if err := s.connect(); err != nil {
		return &s.report, err
	}
	file, err := os.OpenFile(o.Acked, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return &s.report, err
	}
	s.acked = bufio.NewWriterSize(file, 1<<20)
	err = s.run(ctx, recording)
	if flushErr := s.acked.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return &s.report, err
}

// run fills lists and delivers them.
func (s *sender) run(ctx context.Context, recording *replicate.Recording) error {
	begun := time.Now()
	defer func() { s.report.Took = time.Since(begun) }()
	stream, err := recording.Stream(replicate.StreamOptions{Start: begun, Rate: s.options.Rate, Seed: s.options.Seed})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	lists := make(chan *list)
	group.Go(func() error {
		defer close(lists)
		return s.fill(ctx, stream, begun, lists)
	})
	for range s.options.Senders {
		group.Go(func() error {
			for l := range lists {
				if err := s.deliver(ctx, l); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// connect makes the client, of HTTP/2 where the server speaks it, as an API
// server does.
func (s *sender) connect() error {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.options.TokenFile != "" {
		token, err := os.ReadFile(s.options.TokenFile)
		if err != nil {
			return fmt.Errorf("reading the token: %w", err)
		}
		s.token, _, _ = strings.Cut(strings.TrimSpace(string(token)), " ")
	}
	if s.options.CA != "" {
		pem, err := os.ReadFile(s.options.CA)
		if err != nil {
			return fmt.Errorf("reading the server's authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s holds no certificate", s.options.CA)
		}
	}
	if s.options.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(s.options.Certificate, s.options.Key)
		if err != nil {
			return fmt.Errorf("reading the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	s.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: s.options.Senders,
	}}
	return nil
}

// kindOfItem stands in a line of a log, and not in an item of a webhook's list.
const kindOfItem = `"kind":"Event","apiVersion":"audit.k8s.io/v1",`

// fill makes lists of the events as they are due.
func (s *sender) fill(ctx context.Context, stream *replicate.Stream, begun time.Time, lists chan<- *list) error {
	f := &filler{options: s.options, stream: stream, end: begun.Add(s.options.Duration), policy: noise.Default(), dropped: map[int]bool{}}
	for {
		l, err := f.next()
		if err != nil || l == nil {
			return err
		}
		select {
		case <-time.After(time.Until(l.last)):
		case <-s.options.Stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.options.Log != nil {
			if _, err := s.options.Log.Write(f.log); err != nil {
				return err
			}
		}
		select {
		case lists <- l:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// filler makes lists of a stream.
type filler struct {
	options Options
	stream  *replicate.Stream
	end     time.Time
	line    []byte
	log     []byte // the lines of the last list

	policy  *noise.Policy
	dropped map[int]bool // by the event of the recording, as far as it is known
	decoder audit.Decoder
}

// next gives the next list, nil at the end.
func (f *filler) next() (*list, error) {
	l := &list{body: []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`)}
	f.log = f.log[:0]
	for first := (time.Time{}); l.count < f.options.Batch && (first.IsZero() || l.last.Sub(first) < f.options.Wait); {
		var due time.Time
		if f.line, due = f.stream.Next(f.line[:0]); due.After(f.end) {
			break
		}
		if first.IsZero() {
			first = due
		}
		l.add(f.line, f.isDropped())
		l.last = due
		if f.options.Log != nil {
			f.log = append(append(f.log, f.line...), '\n')
		}
	}
	if l.count == 0 {
		return nil, nil
	}
	l.body = append(l.body, "]}"...)
	if !f.options.Gzip {
		return l, nil
	}
	return l, l.compress()
}

// isDropped tells whether the default noise policy drops the last event.
func (f *filler) isDropped() bool {
	dropped, known := f.dropped[f.stream.Last()]
	if known {
		return dropped
	}
	var ev audit.Event
	if err := f.decoder.Decode(f.line, audit.Position{}, &ev); err == nil {
		dropped = f.policy.Decide(&ev).Action == noise.Drop
	}
	f.dropped[f.stream.Last()] = dropped
	return dropped
}

// add adds an event, and says whether it is dropped.
func (l *list) add(line []byte, dropped bool) {
	if l.count > 0 {
		l.body = append(l.body, ',')
	}
	if rest, ok := bytes.CutPrefix(line, []byte("{"+kindOfItem)); ok {
		l.body = append(l.body, '{')
		l.body = append(l.body, rest...)
	} else {
		l.body = append(l.body, line...)
	}
	l.count++
	l.events = append(append(l.events, field(line, `"auditID":"`)...), ' ')
	l.events = append(l.events, field(line, `"stage":"`)...)
	if dropped {
		l.events = append(l.events, markDropped...)
	}
	l.events = append(l.events, '\n')
}

// markDropped ends the line of an acknowledged event that is not to be stored.
const markDropped = " dropped"

// field gives the text behind a key, as far as it is plain.
func field(line []byte, key string) []byte {
	at := bytes.Index(line, []byte(key))
	if at < 0 {
		return nil
	}
	text := line[at+len(key):]
	return text[:max(bytes.IndexByte(text, '"'), 0)]
}

func (l *list) compress() error {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(l.body)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	l.body = b.Bytes()
	return err
}

// deliver sends a list until it is acknowledged.
func (s *sender) deliver(ctx context.Context, l *list) error {
	for {
		begun := time.Now()
		pause, err := s.post(ctx, l)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.mu.Lock()
		if err == nil {
			s.report.acknowledged(l, begun, time.Now())
			_, err = s.acked.Write(l.events)
			s.mu.Unlock()
			return err
		}
		s.report.refused(err)
		s.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// post sends a list once. With an error it says how long to wait.
func (s *sender) post(ctx context.Context, l *list) (pause time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.URL, bytes.NewReader(l.body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if s.options.Gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return 100 * time.Millisecond, err
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 1 << 10
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if resp.StatusCode == http.StatusOK {
		return 0, nil
	}
	pause = time.Second
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		pause = time.Duration(seconds) * time.Second
	}
	return pause, errors.Join(fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text))), err)
}
