package export

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// collector is an OpenTelemetry collector that gives the answers it is told to,
// and from then on takes everything.
type collector struct {
	t       *testing.T
	mu      sync.Mutex
	answers []func(http.ResponseWriter)
	calls   int
	taken   []*tracepb.TracesData
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" ||
		r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("X-Scope-Orgid") != "lab" {
		c.t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		c.t.Error(err)
		return
	}
	body, err := io.ReadAll(z)
	if err != nil {
		c.t.Error(err)
	}
	if len(c.answers) > 0 {
		answer := c.answers[0]
		c.answers = c.answers[1:]
		answer(w)
		return
	}
	data := &tracepb.TracesData{}
	if err := proto.Unmarshal(body, data); err != nil {
		c.t.Error(err)
	}
	c.taken = append(c.taken, data)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// status answers with a code, and a google.rpc.Status with a message.
func status(code int, retryAfter string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(code)
		_, _ = w.Write(protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "no\x1b[2J room"))
	}
}

// quiet takes what a server says of a client that hangs up.
func quiet() *stdlog.Logger { return stdlog.New(io.Discard, "", 0) }

// sendTo makes a sender to a collector on loopback that waits no time and notes
// how long it would have waited.
func sendTo(t *testing.T, handler http.Handler, o SenderOptions) (*Sender, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o.Endpoint, o.Headers = server.URL, http.Header{"X-Scope-Orgid": {"lab"}}
	s, err := NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	pauses := &[]time.Duration{}
	s.pause = func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return ctx.Err()
	}
	return s, pauses
}

func TestSend(t *testing.T) {
	c := &collector{t: t}
	s, pauses := sendTo(t, c, SenderOptions{})
	want := traces(t, load(t, "pod.audit.jsonl"))
	for _, data := range want {
		if err := s.Send(t.Context(), data); err != nil {
			t.Fatal(err)
		}
	}
	if len(*pauses) > 0 || !slices.EqualFunc(want, c.taken, func(a, b *tracepb.TracesData) bool { return proto.Equal(a, b) }) {
		t.Errorf("the collector got something else, or after pauses (%v)", *pauses)
	}
}

func TestSendTriesAgain(t *testing.T) {
	hangUp := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	c := &collector{t: t, answers: []func(http.ResponseWriter){
		status(503, ""), status(429, "7"), hangUp, status(502, ""), status(504, "Mon, 01 Jan 2001 00:00:00 GMT"),
	}}
	s, pauses := sendTo(t, c, SenderOptions{})
	if err := s.Send(t.Context(), traces(t, load(t, "pod.audit.jsonl"))[0]); err != nil {
		t.Fatal(err)
	}
	if c.calls != 6 || len(c.taken) != 1 {
		t.Errorf("%d calls, %d batches taken", c.calls, len(c.taken))
	}
	// The pauses double, give or take a half; the one that the collector asked
	// for is exact.
	least := []time.Duration{time.Second / 2, 7 * time.Second, time.Second, 2 * time.Second, 4 * time.Second}
	for i, d := range *pauses {
		if most := 3 * least[i]; i >= len(least) || d < least[i] || d > most || i == 1 && d != least[1] {
			t.Errorf("pause %d is %s", i, d)
		}
	}
	if len(*pauses) != len(least) {
		t.Errorf("paused %v", *pauses)
	}
}

func TestSendGivesUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		calls  int
		want   string
	}{
		{"a bad request", status(400, ""), 1, "it answered 400 Bad Request: no\x1b[2J room"},
		{"no permission", status(401, ""), 1, "401 Unauthorized"},
		{"too large", status(413, ""), 1, "413"},
		{"a redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(307)
		}, 1, "307"},
		{"a pause too long", status(503, "3600"), 1, "gave up after 1m0s"},
		{"overload without end", status(503, ""), 0, "503 Service Unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &collector{t: t, answers: slices.Repeat([]func(http.ResponseWriter){c.answer}, 100)}
			s, pauses := sendTo(t, fake, SenderOptions{})
			err := s.Send(t.Context(), &tracepb.TracesData{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			sum := time.Duration(0)
			for _, d := range *pauses {
				sum += d
			}
			if sum > time.Minute || c.calls > 0 && fake.calls != c.calls || fake.calls > 20 {
				t.Errorf("%d calls, %s of pauses", fake.calls, sum)
			}
		})
	}
}

func TestSendPartial(t *testing.T) {
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 3)
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), "too old")
	answer := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
	c := &collector{t: t, answers: []func(http.ResponseWriter){func(w http.ResponseWriter) { _, _ = w.Write(answer) }}}
	s, _ := sendTo(t, c, SenderOptions{})
	err := s.Send(t.Context(), &tracepb.TracesData{})
	var partial *PartialError
	if !errors.As(err, &partial) || partial.Rejected != 3 || partial.Message != "too old" || c.calls != 1 {
		t.Errorf("got %v after %d calls", err, c.calls)
	}
}

// TestSendTimeout has a collector that never answers.
func TestSendTimeout(t *testing.T) {
	ended := make(chan struct{})
	var calls atomic.Int32
	s, _ := sendTo(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}), SenderOptions{Timeout: time.Millisecond, GiveUp: 3 * time.Second})
	err := s.Send(t.Context(), &tracepb.TracesData{})
	close(ended)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "gave up") {
		t.Errorf("got %v after %d calls", err, calls.Load())
	}
}

func TestSendCancelled(t *testing.T) {
	c := &collector{t: t, answers: slices.Repeat([]func(http.ResponseWriter){status(503, "")}, 100)}
	s, _ := sendTo(t, c, SenderOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	s.pause = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return sleep(ctx, time.Hour)
	}
	if err := s.Send(ctx, &tracepb.TracesData{}); !errors.Is(err, context.Canceled) || c.calls != 1 {
		t.Errorf("got %v after %d calls", err, c.calls)
	}
}

func TestSendTLS(t *testing.T) {
	c := &collector{t: t}
	server := httptest.NewUnstartedServer(c)
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	for _, roots := range []*x509.CertPool{nil, pool} {
		s, err := NewSender(SenderOptions{Endpoint: server.URL + "/", Headers: http.Header{"X-Scope-Orgid": {"lab"}}, RootCAs: roots})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Send(t.Context(), &tracepb.TracesData{})
		if (err == nil) != (roots != nil) {
			t.Errorf("with the authority known (%t): %v", roots != nil, err)
		}
		s.Close()
	}
	if c.calls != 1 {
		t.Errorf("%d calls", c.calls)
	}
}

func TestNewSender(t *testing.T) {
	for _, endpoint := range []string{"", "localhost:4318", "grpc://x", "http://", "http://a b", "://"} {
		if _, err := NewSender(SenderOptions{Endpoint: endpoint}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
	for endpoint, want := range map[string]string{
		"http://x:4318": "http://x:4318/v1/traces", "http://x/": "http://x/v1/traces", "https://x/otlp/v1/traces": "https://x/otlp/v1/traces",
	} {
		if s, err := NewSender(SenderOptions{Endpoint: endpoint}); err != nil || s.url != want {
			t.Errorf("%s: %v, want %s", endpoint, err, want)
		}
	}
	if _, err := NewSender(SenderOptions{Endpoint: "ftp://u:secret@x"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// FuzzAnswer feeds the readers of a collector's answers.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{10, 2, 8, 3})
	f.Add([]byte{8, 255, 255})
	f.Fuzz(func(t *testing.T, answer []byte) {
		var e *PartialError
		if err := partial(answer); err != nil && (!errors.As(err, &e) || e.Rejected <= 0) {
			t.Errorf("got %v", err)
		}
	})
}
