package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
)

const (
	// maxWaiting bounds the alerts that wait for a sink. Of more the oldest are
	// given up.
	maxWaiting = 10_000
	// maxRetry bounds the wait between attempts, in times of Options.Retry.
	maxRetry = 300
	// postTime bounds an attempt.
	postTime = 15 * time.Second
)

// newClient makes the client that posts. It follows no redirect: a POST that
// becomes a GET is lost, and an alert goes where the user said.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       postTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// outlet delivers alerts to one sink, one after the other.
type outlet struct {
	sink    Sink
	alerter *Alerter
	wake    chan struct{}

	mu    sync.Mutex
	queue []*Alert
	stats SinkStats
}

func newOutlet(sink Sink, a *Alerter) *outlet {
	return &outlet{sink: sink, alerter: a, wake: make(chan struct{}, 1)}
}

// add puts an alert at the end of the queue.
func (o *outlet) add(alert *Alert) {
	o.mu.Lock()
	o.queue = append(o.queue, alert)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next gives the oldest alert, nil where there is none, and those that are given
// up because too many wait.
func (o *outlet) next() (alert *Alert, over []*Alert) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.queue) - maxWaiting; n > 0 {
		over = o.queue[:n]
		o.queue = o.queue[n:]
		o.stats.Dropped += int64(n)
	}
	if len(o.queue) > 0 {
		alert = o.queue[0]
	}
	return alert, over
}

func (o *outlet) counts() SinkStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stats
	s.Waiting = len(o.queue)
	return s
}

// refused is an answer that a second attempt does not change.
type refused struct{ error }

// later is an error with the time that the sink asks to wait.
type later struct {
	error
	wait time.Duration
}

// run delivers until ctx ends.
func (o *outlet) run(ctx context.Context) {
	wait := o.alerter.options.Retry
	for ctx.Err() == nil {
		alert, over := o.next()
		for _, a := range over {
			o.alerter.delivered(a, o.sink.Name)
		}
		if len(over) > 0 {
			o.alerter.options.Log.Error("too many alerts wait for a sink, and the oldest are given up", "sink", o.sink.Name, "alerts", len(over))
		}
		if alert == nil {
			select {
			case <-ctx.Done():
			case <-o.wake:
			}
			continue
		}
		err := o.deliver(ctx, alert)
		if ctx.Err() != nil && err != nil {
			return
		}
		if o.settle(alert, err) {
			wait = o.alerter.options.Retry
			continue
		}
		pause := wait
		var asked *later
		if errors.As(err, &asked) {
			pause = max(pause, min(asked.wait, maxRetry*o.alerter.options.Retry))
		}
		wait = min(2*wait, maxRetry*o.alerter.options.Retry)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// settle notes how an attempt ended, and tells whether the alert is done with.
func (o *outlet) settle(alert *Alert, err error) bool {
	log := o.alerter.options.Log.With("sink", o.sink.Name)
	var never *refused
	gone := err == nil || errors.As(err, &never)
	o.mu.Lock()
	before := o.stats.Err
	o.stats.Err = err
	switch {
	case err == nil:
		o.stats.Delivered++
	case gone:
		o.stats.Failed++
		o.stats.Dropped++
	default:
		o.stats.Failed++
	}
	if gone {
		o.queue = o.queue[1:]
	}
	o.mu.Unlock()
	switch {
	case never != nil:
		log.Error("a sink refuses an alert, which is given up", "alert", alert.ID, "rule", alert.Rule, "error", err)
	case err != nil && before == nil:
		log.Warn("an alert could not be delivered and is tried again", "alert", alert.ID, "error", err)
	case err == nil && before != nil:
		log.Info("alerts are delivered again")
	}
	if gone {
		o.alerter.delivered(alert, o.sink.Name)
	}
	return gone
}

// deliver makes one attempt.
func (o *outlet) deliver(ctx context.Context, alert *Alert) error {
	switch o.sink.Kind {
	case File:
		return o.write(alert)
	case Slack:
		return o.post(ctx, slackMessage(alert))
	}
	return o.post(ctx, alert)
}

// escaped is a value as JSON that is safe wherever it is shown.
func escaped(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, &refused{err}
	}
	return pipeline.EscapeJSON(nil, text), nil
}

// write appends the alert to the sink's file.
func (o *outlet) write(alert *Alert) error {
	text, err := escaped(alert)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(o.sink.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if cutOff(f) {
		text = append([]byte{'\n'}, text...)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// cutOff tells whether a file ends in the middle of a line, as it does when the
// disk was full.
func cutOff(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// post sends a value as JSON.
func (o *outlet) post(ctx context.Context, value any) error {
	body, err := escaped(value)
	if err != nil {
		return err
	}
	address, err := o.address()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address is none to post to")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "whet")
	if o.sink.TokenFile != "" {
		token, err := firstLine(o.sink.TokenFile)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := o.alerter.options.Client.Do(r)
	if err != nil {
		// The address may be a secret, and does not stand in the log.
		var inURL *url.Error
		if errors.As(err, &inURL) {
			err = inURL.Err
		}
		return fmt.Errorf("posting: %w", err)
	}
	defer answer.Body.Close()
	// The connection is used again when the answer was read.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	return judge(answer)
}

// judge tells by an answer whether an alert arrived.
func judge(answer *http.Response) error {
	err := fmt.Errorf("the answer is %s", answer.Status)
	switch code := answer.StatusCode; code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return &refused{err}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if seconds, atoi := strconv.Atoi(answer.Header.Get("Retry-After")); atoi == nil && seconds > 0 {
			return &later{err, time.Duration(seconds) * time.Second}
		}
		return err
	default:
		if code >= 200 && code < 300 {
			return nil
		}
		return err
	}
}

// address is where to post.
func (o *outlet) address() (string, error) {
	if o.sink.URLFile == "" {
		return o.sink.URL, nil
	}
	text, err := firstLine(o.sink.URLFile)
	if err != nil {
		return "", err
	}
	if _, err := parseURL(text); err != nil {
		return "", fmt.Errorf("%s: %w", o.sink.URLFile, err)
	}
	return text, nil
}

// firstLine reads the first line of a file.
func firstLine(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	text, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(text), nil
}

// slackMessage is an alert as Slack and those compatible with it take it
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
func slackMessage(a *Alert) any {
	// The three characters that begin something in Slack's text: a mention of
	// everybody, say (https://docs.slack.dev/messaging/formatting-message-text).
	plain := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'")
	text := fmt.Sprintf("[%s] %s: %s (cluster %s)", a.Severity, a.Rule, plain.Replace(term.Sanitize(a.Summary)), plain.Replace(term.Sanitize(a.Context.Cluster)))
	if a.Link != "" {
		text += " <" + a.Link + "|what followed>"
	}
	return struct {
		Text string `json:"text"`
	}{text}
}
