package export

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The pauses between the attempts to send a batch.
const (
	firstPause = time.Second
	maxPause   = 30 * time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 10
)

// SenderOptions say where traces are sent, and how. Endpoint is needed.
type SenderOptions struct {
	// Endpoint is the URL of a collector: https://otel.example:4318. Without a
	// path, /v1/traces is meant, as OTLP/HTTP has it.
	Endpoint string
	// Headers are added to every request, such as Authorization.
	Headers http.Header
	// RootCAs are the authorities that may vouch for the collector; nil means
	// those of the system.
	RootCAs *x509.CertPool
	// Timeout bounds one attempt; 0 means 10 s, the default of OTLP exporters
	// (OTEL_EXPORTER_OTLP_TIMEOUT).
	Timeout time.Duration
	// GiveUp bounds the time that is spent on one batch, pauses included; 0
	// means a minute.
	GiveUp time.Duration
}

// Sender sends traces to an OpenTelemetry collector by OTLP/HTTP: protobuf,
// compressed with gzip, one batch after the other.
type Sender struct {
	options SenderOptions
	url     string
	client  *http.Client
	// pause waits between attempts; tests wait less.
	pause func(context.Context, time.Duration) error
}

// NewSender checks the options; nothing is sent yet.
func NewSender(o SenderOptions) (*Sender, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the endpoint: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the endpoint %s: write http://HOST:4318 or https://HOST:4318", u.Redacted())
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.GiveUp <= 0 {
		o.GiveUp = time.Minute
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	return &Sender{options: o, url: u.String(), pause: sleep, client: &http.Client{
		Transport: transport,
		// A redirect would take the headers, and what is in the log, to a
		// place that nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close lets go of the connection to the collector.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// PartialError says that a collector took a batch, but not all of it.
type PartialError struct {
	// Rejected counts the spans that it refused; Message is why.
	Rejected int64
	Message  string
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("the collector rejected %d spans: %s", e.Rejected, e.Message)
}

// Send sends a batch, and tries again where the collector is not there, says
// that it has too much to do (429, 502, 503, 504), or cuts the connection. The
// error is a *PartialError when the batch arrived and some spans were refused.
// A batch that is sent again has the same ids.
func (s *Sender) Send(ctx context.Context, data *tracepb.TracesData) error {
	// TracesData and ExportTraceServiceRequest are the same on the wire.
	message, err := proto.Marshal(data)
	if err != nil {
		return fmt.Errorf("encoding traces: %w", err)
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := z.Write(message); err != nil {
		return fmt.Errorf("compressing traces: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compressing traces: %w", err)
	}
	spent, pause := time.Duration(0), firstPause
	for {
		begun := time.Now()
		retry, err := s.attempt(ctx, body.Bytes())
		if err == nil || retry == nil {
			return err
		}
		wait := retry.after
		if wait == 0 {
			// The jitter keeps many senders from coming back at once.
			wait = pause/2 + rand.N(pause) //nolint:gosec // Jitter is no secret.
			pause = min(2*pause, maxPause)
		}
		if spent += time.Since(begun) + wait; spent > s.options.GiveUp {
			return fmt.Errorf("%w (gave up after %s)", err, s.options.GiveUp)
		}
		if err := s.pause(ctx, wait); err != nil {
			return fmt.Errorf("sending traces to %s: %w", s.where(), err)
		}
	}
}

// retry says that an attempt may be made again, and after how long where the
// collector asked for a pause.
type retry struct{ after time.Duration }

// attempt sends once.
func (s *Sender) attempt(ctx context.Context, body []byte) (*retry, error) {
	once, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(once, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("sending traces to %s: %w", s.where(), err)
	}
	for key, values := range s.options.Headers {
		req.Header[key] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", "whet")
	resp, err := s.client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the URL may hold a password
		}
		err = fmt.Errorf("sending traces to %s: %w", s.where(), err)
		var unknown x509.UnknownAuthorityError
		if ctx.Err() != nil || errors.As(err, &unknown) {
			return nil, err
		}
		return &retry{}, err
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		if err != nil {
			return &retry{}, fmt.Errorf("reading the answer of %s: %w", s.where(), err)
		}
		return nil, partial(answer)
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &retry{after: retryAfter(resp.Header.Get("Retry-After"), time.Now())}, s.refused(resp, answer)
	}
	return nil, s.refused(resp, answer)
}

// where is the endpoint without a password.
func (s *Sender) where() string {
	u, err := url.Parse(s.url)
	if err != nil {
		return "the collector"
	}
	return u.Redacted()
}

// refused words an answer that is not success. Its body is a google.rpc.Status,
// whose second field is the message.
func (s *Sender) refused(resp *http.Response, answer []byte) error {
	text := ""
	if resp.Header.Get("Content-Type") == "application/x-protobuf" {
		eachField(answer, func(number protowire.Number, value []byte, _ uint64) {
			if number == 2 {
				text = ": " + string(value)
			}
		})
	}
	return fmt.Errorf("sending traces to %s: it answered %s%s", s.where(), resp.Status, text)
}

// partial reads an ExportTraceServiceResponse, whose first field is an
// ExportTracePartialSuccess: rejected_spans and error_message.
func partial(answer []byte) error {
	var e PartialError
	eachField(answer, func(number protowire.Number, value []byte, _ uint64) {
		if number != 1 {
			return
		}
		eachField(value, func(number protowire.Number, value []byte, n uint64) {
			switch number {
			case 1:
				e.Rejected = int64(n)
			case 2:
				e.Message = string(value)
			}
		})
	})
	if e.Rejected <= 0 {
		return nil
	}
	return &e
}

// eachField walks over the fields of a message as far as it is one.
func eachField(message []byte, field func(protowire.Number, []byte, uint64)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(number, kind, message)
		if size < 0 {
			return
		}
		switch kind {
		case protowire.VarintType:
			v, _ := protowire.ConsumeVarint(message)
			field(number, nil, v)
		case protowire.BytesType:
			v, _ := protowire.ConsumeBytes(message)
			field(number, v, 0)
		}
		message = message[size:]
	}
}

// retryAfter reads a Retry-After header, which holds seconds or a date (RFC
// 9110, 10.2.3); 0 where there is none.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
