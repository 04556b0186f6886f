package webhook_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/auth/authtest"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/webhook"
)

// dial opens a connection for HTTP/1.1 by hand.
func (s *server) dial(t *testing.T) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{RootCAs: s.ca.Pool, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const head = "POST /ingest/prod HTTP/1.1\r\nHost: whet\r\nAuthorization: Bearer " + rightToken + "\r\nContent-Type: application/json\r\n"

func (s *server) answer(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// eventuallyRefused waits until a body was refused for a reason.
func (s *server) eventuallyRefused(t *testing.T, why webhook.Reason) {
	t.Helper()
	for range 2000 {
		if s.handler.Stats()["prod"].Refused[why] > 0 {
			s.wantRefused(t, why)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("nothing was refused for the reason %s: %+v", why, s.handler.Stats())
}

// TestSlowClient sends a byte and no more.
func TestSlowClient(t *testing.T) {
	s := start(t, webhook.Limits{BodyTime: 200 * time.Millisecond}, queue.Options{})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, head+"Content-Length: 1000\r\n\r\n{")
	if code, text := s.answer(t, conn); code != http.StatusRequestTimeout || text != "the body took longer than 200ms to come\n" {
		t.Errorf("%d %s", code, text)
	}
	s.eventuallyRefused(t, webhook.ReasonSlow)
}

// TestSlowClientHTTP2 does the same on a stream of HTTP/2, whose other streams
// go on.
func TestSlowClientHTTP2(t *testing.T) {
	s := start(t, webhook.Limits{BodyTime: 300 * time.Millisecond}, queue.Options{})
	body, slow := io.Pipe()
	defer slow.Close()
	go func() { _, _ = slow.Write([]byte("{")) }()
	code, text, _ := s.send(t, s.request(t, body))
	if code != http.StatusRequestTimeout || text != "the body took longer than 300ms to come" {
		t.Errorf("%d %s", code, text)
	}
	s.wantRefused(t, webhook.ReasonSlow)
	if code, text, _ := s.send(t, s.request(t, bytes.NewReader(testdata(t, "eventlist.json")))); code != 200 {
		t.Errorf("on the same connection: %d %s", code, text)
	}
}

// TestHalfABody ends the connection in the middle of a body.
func TestHalfABody(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	conn := s.dial(t)
	list := testdata(t, "eventlist.json")
	_, _ = fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(list), list[:len(list)/2])
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	s.eventuallyRefused(t, webhook.ReasonCut)
	if pieces := s.stored(t); len(pieces) != 0 {
		t.Errorf("%d pieces were stored", len(pieces))
	}
}

// TestEndlessBody says no length and goes on for ever.
func TestEndlessBody(t *testing.T) {
	s := start(t, webhook.Limits{Body: 1 << 20}, queue.Options{})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, head+"Transfer-Encoding: chunked\r\n\r\n")
	chunk := "10000\r\n" + strings.Repeat(" ", 1<<16) + "\r\n"
	for i := 0; ; i++ {
		if _, err := io.WriteString(conn, chunk); err != nil {
			break
		}
		if i > 10_000 {
			t.Fatal("the server took more than 600 MiB")
		}
	}
	s.eventuallyRefused(t, webhook.ReasonTooLarge)
}

// TestHeaderBomb sends headers without an end.
func TestHeaderBomb(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, head+"X-Bomb: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	if code, text := s.answer(t, conn); code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d %s", code, text)
	}
	r := s.request(t, bytes.NewReader(testdata(t, "eventlist.json")))
	for i := range 2000 {
		r.Header.Set(fmt.Sprintf("X-Bomb-%d", i), "x")
	}
	// Over HTTP/2 the client learns the bound beforehand, or gets 431.
	if resp, err := s.client.Do(r); err == nil {
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("HTTP/2: %d", resp.StatusCode)
		}
		_ = resp.Body.Close()
	}
	if stats := s.handler.Stats(); len(stats) != 0 {
		t.Errorf("the handler saw it: %+v", stats)
	}
	if code, text, _ := s.send(t, s.request(t, bytes.NewReader(testdata(t, "eventlist.json")))); code != 200 {
		t.Errorf("a good list after it: %d %s", code, text)
	}
}

// TestWrongCertificate is refused in the handshake, and the log says why.
func TestWrongCertificate(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	pair := authtest.NewCA(t, t.TempDir(), "foreign").Pair(t, "kube-apiserver", time.Now().Add(time.Hour))
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: s.ca.Pool, MinVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil },
	}}}
	resp, err := s.client.Do(s.request(t, bytes.NewReader(testdata(t, "eventlist.json"))))
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("it was let in: %d", resp.StatusCode)
	}
	for range 1000 {
		if strings.Contains(s.log.String(), "certificate signed by unknown authority") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("logged %q", s.log.String())
}

// TestRate spends ten seconds' worth at once, waits as long as it is told, and
// may send again.
func TestRate(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	h, stream := bare(t, webhook.Limits{EventsPerSecond: 2}, func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	list := testdata(t, "eventlist.json") // 16 events
	post := func(body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/ingest/prod", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+rightToken)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	for i, want := range []int{200, 200, 429} {
		list[bytes.Index(list, []byte(`"auditID":"`))+11] = byte('a' + i)
		rec := post(list)
		if rec.Code != want {
			t.Fatalf("list %d: %d %s", i, rec.Code, rec.Body)
		}
		if want == 429 && (rec.Header().Get("Retry-After") != "6" || rec.Body.String() != "client api sends more than 2 events a second\n") {
			t.Errorf("%v %s", rec.Header(), rec.Body)
		}
	}
	mu.Lock()
	now = now.Add(6*time.Second + time.Millisecond)
	mu.Unlock()
	if rec := post(list); rec.Code != 200 {
		t.Errorf("after the time that was said: %d %s", rec.Code, rec.Body)
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	// What is no list costs, too.
	for i, want := range []int{400, 429} {
		if rec := post(bytes.Repeat([]byte("x"), 30<<10)); rec.Code != want {
			t.Errorf("body %d without a list: %d %s", i, rec.Code, rec.Body)
		}
	}
	if stats, err := stream.Stats(t.Context()); err != nil || stats.Messages != 3 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// bare is a Handler without a server, for the cluster prod.
func bare(t testing.TB, limits webhook.Limits, now func() time.Time) (*webhook.Handler, *queue.Stream) {
	t.Helper()
	dir := t.TempDir()
	q, err := queue.Open(queue.Options{Dir: dir + "/queue", SyncEvery: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	stream, err := q.Stream(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Config{Clients: clients(t, dir), ClientCA: authtest.NewCA(t, dir, "ca").File})
	if err != nil {
		t.Fatal(err)
	}
	return webhook.New(webhook.Options{
		Auth: a, Limits: limits, Now: now, Stream: func(string) (*queue.Stream, bool) { return stream, true },
	}), stream
}

// TestBusy has as many bodies on their way as there may be.
func TestBusy(t *testing.T) {
	s := start(t, webhook.Limits{Concurrent: 1, WaitTime: 50 * time.Millisecond}, queue.Options{})
	conn := s.dial(t)
	list := testdata(t, "eventlist.json")
	_, _ = fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(list), list[:100])
	// Until the first one has its turn, the second may be faster.
	for range 1000 {
		code, text, header := s.send(t, s.request(t, bytes.NewReader(list)))
		if code == 200 {
			continue
		}
		if code != 429 || header.Get("Retry-After") != "1" || text != "1 bodies of client api are being taken already" {
			t.Errorf("%d %v %s", code, header, text)
		}
		break
	}
	_, _ = conn.Write(list[100:])
	if code, text := s.answer(t, conn); code != 200 {
		t.Errorf("the first one: %d %s", code, text)
	}
	if stats := s.handler.Stats()["prod"]; stats.Refused[webhook.ReasonBusy] != 1 {
		t.Errorf("%+v", stats)
	}
}

// TestMemory has one body that needs more than all may have.
func TestMemory(t *testing.T) {
	h, _ := bare(t, webhook.Limits{Memory: 1 << 20}, nil)
	for _, test := range []struct{ size, want int }{{3 << 20, 429}, {100 << 10, 400}, {3 << 20, 429}} {
		r := httptest.NewRequest(http.MethodPost, "/ingest/prod", bytes.NewReader(make([]byte, test.size)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+rightToken)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != test.want {
			t.Errorf("%d bytes: %d %s", test.size, rec.Code, rec.Body)
		}
	}
}

// TestLimitOfADecompressedBody is within the ratio, and beyond Body.
func TestLimitOfADecompressedBody(t *testing.T) {
	h, _ := bare(t, webhook.Limits{Body: 64 << 10}, nil)
	items := strings.Repeat(`{"kind":"Event"},`, 1000)
	for repeat, want := range map[int]int{3: 200, 30: 413} {
		list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Repeat(items, repeat) + `5]}`
		r := httptest.NewRequest(http.MethodPost, "/ingest/prod", bytes.NewReader(zipped(t, []byte(list))))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", "gzip")
		r.Header.Set("Authorization", "Bearer "+rightToken)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%d bytes: %d %s", len(list), rec.Code, rec.Body)
		}
	}
}

// TestRefusalsOfOthersAreLogged refuses bodies of one client for one reason, and
// wants what another client does wrong, or what it does wrong besides, to stand
// in the log, too.
func TestRefusalsOfOthersAreLogged(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	send := func(token, body string, change ...func(*http.Request)) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/ingest/prod", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		for _, f := range change {
			f(req)
		}
		s.handler.ServeHTTP(httptest.NewRecorder(), req)
	}
	foreign := func(r *http.Request) { r.URL.Path = "/ingest/gone" }
	for range 3 {
		send(rightToken, "[]")
		send(rightToken, "{}", foreign)
		send(readerToken, "{}")
		send(expiredToken, "{}")
		send("nobody's-token-long-enough", "{}")
	}
	for _, want := range []string{"no-event-list status=400", "client=eve", "has expired", "is nobody's", "status=404"} {
		if n := strings.Count(s.log.String(), want); n != 1 {
			t.Errorf("%q stands %d times in\n%s", want, n, s.log.String())
		}
	}
}

// TestLogIsNotFlooded refuses a thousand bodies and logs one line of them.
func TestLogIsNotFlooded(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	for range 100 {
		s.send(t, s.request(t, strings.NewReader("{}")))
	}
	if log := s.log.String(); strings.Count(log, "\n") != 1 {
		t.Errorf("logged %q", log)
	}
	if n := s.handler.Stats()["prod"].Refused[webhook.ReasonNoList]; n != 100 {
		t.Errorf("%d counted", n)
	}
}
