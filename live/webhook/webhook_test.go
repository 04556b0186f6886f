package webhook_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/auth/authtest"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/webhook"
)

const (
	rightToken   = "right-token-long-enough"
	expiredToken = "expired-token-long-enough"
	readerToken  = "reader-token-long-enough"
)

// server is a Handler over TLS with a queue behind it, for the cluster prod.
type server struct {
	*httptest.Server
	handler *webhook.Handler
	stream  *queue.Stream
	ca      *authtest.CA
	log     *safeBuffer
	client  *http.Client
}

// safeBuffer is a buffer that a server writes to while a test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t testing.TB, limits webhook.Limits, queueOptions queue.Options) *server {
	t.Helper()
	dir := t.TempDir()
	queueOptions.Dir = filepath.Join(dir, "queue")
	q, err := queue.Open(queueOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	s := &server{log: &safeBuffer{}, ca: authtest.NewCA(t, dir, "ca")}
	if s.stream, err = q.Stream(t.Context(), "prod"); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	a, err := auth.New(auth.Config{Log: log, ClientCA: s.ca.File, Clients: clients(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = webhook.New(webhook.Options{
		Auth: a, Limits: limits, Log: log,
		Stream: func(cluster string) (*queue.Stream, bool) { return s.stream, cluster == "prod" },
	})
	var files auth.TLSFiles
	files.Certificate, files.Key = s.ca.Issue(t, "server", time.Now().Add(time.Hour))
	config, err := a.TLS(files)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Path, s.handler)
	s.Server = httptest.NewUnstartedServer(nil)
	s.Config = webhook.Server(mux, nil, log)
	s.TLS = config
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	s.client = s.newClient(nil)
	return s
}

func clients(t testing.TB, dir string) []auth.Client {
	t.Helper()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		authtest.Write(t, path, []byte(text))
		return path
	}
	ingest := []auth.Role{auth.RoleIngest}
	return []auth.Client{
		{Name: "api", Roles: ingest, Clusters: []string{"prod", "gone", "a.b"}, CommonName: "kube-apiserver",
			TokenFile: file("api", rightToken+"\n"+expiredToken+" 2020-01-01\n")},
		{Name: "eve", Roles: []auth.Role{auth.RoleRead}, TokenFile: file("eve", readerToken)},
	}
}

// newClient speaks HTTP/1.1 or, where the server does, HTTP/2.
func (s *server) newClient(certificates []tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool, Certificates: certificates, MinVersion: tls.VersionTLS12},
	}}
}

// request is a POST of a body to /ingest/prod, as an API server makes it.
func (s *server) request(t testing.TB, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/ingest/prod?timeout=30s", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+rightToken)
	return r
}

// send gives the status and the text of the answer.
func (s *server) send(t testing.TB, r *http.Request) (int, string, http.Header) {
	t.Helper()
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text)), resp.Header
}

// stored gives the bodies of the pieces in the queue.
func (s *server) stored(t testing.TB) (pieces []string) {
	t.Helper()
	stats, err := s.stream.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for number := uint64(0); number < stats.Last; {
		m, err := s.stream.Next(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		number = m.Number
		pieces = append(pieces, string(m.Piece.Body))
		if m.Piece.Source != "webhook/api" || m.Piece.Line != 1 {
			t.Errorf("piece of %q, line %d", m.Piece.Source, m.Piece.Line)
		}
	}
	return pieces
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// auditIDs are those of the events of a log, in order.
func auditIDs(t testing.TB, log []byte) (ids []string) {
	t.Helper()
	var d audit.Decoder
	for line := range bytes.Lines(log) {
		var ev audit.Event
		if err := d.Decode(bytes.TrimSpace(line), audit.Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ev.AuditID)
	}
	return ids
}

// TestRealList sends what the webhook backend of k8s.io/apiserver v0.37.2 sent
// for the events of audit.jsonl, in every way that it can be sent.
func TestRealList(t *testing.T) {
	list, want := testdata(t, "eventlist.json"), auditIDs(t, testdata(t, "audit.jsonl"))
	s := start(t, webhook.Limits{}, queue.Options{})
	plain := s.request(t, bytes.NewReader(list))
	compressed := s.request(t, bytes.NewReader(zipped(t, list)))
	compressed.Header.Set("Content-Encoding", "gzip")
	endless := s.request(t, io.MultiReader(bytes.NewReader(list))) // without a Content-Length
	for i, r := range []*http.Request{plain, compressed, endless} {
		if code, text, _ := s.send(t, r); code != http.StatusOK || text != "" {
			t.Fatalf("request %d: %d %s", i, code, text)
		}
	}
	s.client = s.newClient([]tls.Certificate{s.ca.Pair(t, "kube-apiserver", time.Now().Add(time.Hour))})
	s.client.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	byCertificate := s.request(t, bytes.NewReader(list))
	byCertificate.Header.Del("Authorization")
	if code, text, _ := s.send(t, byCertificate); code != http.StatusOK {
		t.Fatalf("with a certificate: %d %s", code, text)
	}
	// The same bytes of the same sender are stored once.
	pieces := s.stored(t)
	if len(pieces) != 1 {
		t.Fatalf("%d pieces stored", len(pieces))
	}
	if diff := cmp.Diff(want, auditIDs(t, []byte(pieces[0]))); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(pieces[0]) {
		item := strings.TrimPrefix(strings.TrimSpace(line), `{"kind":"Event","apiVersion":"audit.k8s.io/v1",`)
		if !bytes.Contains(list, []byte("{"+item)) {
			t.Errorf("the line is not as it was sent: %s", line)
		}
	}
	stats := s.handler.Stats()["prod"]
	n := int64(4 * len(want))
	if stats.Bodies != 4 || stats.Bytes != int64(4*len(list)) || stats.Received != n || stats.Acknowledged != n || len(stats.Refused) != 0 || stats.Last.IsZero() {
		t.Errorf("%+v", stats)
	}
}

// TestBadInput is what a server must refuse, each in clear words, without
// storing anything.
func TestBadInput(t *testing.T) {
	list := testdata(t, "eventlist.json")
	with := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(key, value) }
	}
	to := func(path string) func(*http.Request) {
		return func(r *http.Request) { r.URL.Path, r.URL.RawPath = path, strings.ReplaceAll(path, "a/b", "a%2Fb") }
	}
	tests := []struct {
		name   string
		body   []byte
		change func(*http.Request)
		code   int
		text   string
		reason webhook.Reason
	}{
		{"GET", list, func(r *http.Request) { r.Method = http.MethodGet; r.Body = nil; r.ContentLength = 0 }, 405, `by POST, not by "GET"`, webhook.ReasonMethod},
		{"no credential", list, func(r *http.Request) { r.Header.Del("Authorization") }, 401, "no credential: send a token", webhook.ReasonCredential},
		{"wrong token", list, with("Authorization", "Bearer wrong"), 401, "token: the credential is nobody's", webhook.ReasonCredential},
		{"expired token", list, with("Authorization", "Bearer "+expiredToken), 401, "token of client api: the credential has expired, at 2020-01-01T00:00:00Z", webhook.ReasonCredential},
		{"reader", list, with("Authorization", "Bearer "+readerToken), 403, "client eve may not send events of cluster prod", webhook.ReasonForbidden},
		{"another's cluster", list, to("/ingest/test"), 403, "client api may not send events of cluster test", webhook.ReasonForbidden},
		{"unknown cluster", list, to("/ingest/gone"), 404, "this server has no cluster gone", webhook.ReasonCluster},
		{"cluster with a slash", list, to("/ingest/a/b"), 400, `"a/b" is no name of a cluster`, webhook.ReasonCluster},
		{"no cluster", list, to("/ingest/"), 400, `"" is no name of a cluster`, webhook.ReasonCluster},
		{"hostile cluster", list, to("/ingest/\x1b]0;x\a"), 400, `"\x1b]0;x\a" is no name of a cluster`, webhook.ReasonCluster},
		{"long cluster", list, to("/ingest/" + strings.Repeat("x", 65)), 400, "is no name of a cluster", webhook.ReasonCluster},
		{"text", list, with("Content-Type", "text/plain"), 415, `as application/json, not as "text/plain"`, webhook.ReasonType},
		{"zstd", list, with("Content-Encoding", "zstd"), 415, `with gzip, not with "zstd"`, webhook.ReasonType},
		{"no gzip", list, with("Content-Encoding", "gzip"), 400, "the body is no gzip", webhook.ReasonNoList},
		{"half a gzip", zipped(t, list)[:1000], with("Content-Encoding", "gzip"), 400, "the body ends too early", webhook.ReasonCut},
		{"broken gzip", broken(zipped(t, list)), with("Content-Encoding", "gzip"), 400, "the body is no gzip", webhook.ReasonNoList},
		{"empty", nil, nil, 400, "truncated", webhook.ReasonNoList},
		{"half a body", list[:len(list)/2], nil, 400, "truncated: the JSON ends", webhook.ReasonNoList},
		{"an Event", bytes.SplitN(testdata(t, "audit.jsonl"), []byte("\n"), 2)[0], nil, 400, `not an EventList: kind is "Event"`, webhook.ReasonNoList},
		{"a log", testdata(t, "audit.jsonl"), nil, 400, "invalid", webhook.ReasonNoList},
		{"another list", []byte(`{"kind":"PodList","apiVersion":"v1","items":[]}`), nil, 400, `not an EventList: kind is "PodList"`, webhook.ReasonNoList},
		{"another version", bytes.Replace(list, []byte("audit.k8s.io/v1"), []byte("audit.k8s.io/v3"), 1), nil, 400, `unknown apiVersion "audit.k8s.io/v3"`, webhook.ReasonNoList},
		{"no JSON", []byte("\x00\x01\x02"), nil, 400, "invalid JSON", webhook.ReasonNoList},
		{"deep JSON", []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Repeat("[", 1<<20)), nil, 400, "", webhook.ReasonNoList},
		{"100 MB", make([]byte, 100<<20), nil, 413, "the body has 104857600 bytes, and at most 67108864 are taken", webhook.ReasonTooLarge},
		{"gzip bomb", zipped(t, make([]byte, 10<<20)), with("Content-Encoding", "gzip"), 413, "or more than 100 times as many as it has", webhook.ReasonTooLarge},
		{"bomb of a list", zipped(t, []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`+strings.Repeat(" ", 10<<20)+`]}`)),
			with("Content-Encoding", "gzip"), 413, "or more than 100 times as many as it has", webhook.ReasonTooLarge},
		{"large event", []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"a":"` + strings.Repeat("x", queue.MaxBody) + `"}]}`),
			nil, 413, "item 1 has 16777224 bytes, and an event may have at most 16777216", webhook.ReasonTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, webhook.Limits{}, queue.Options{})
			r := s.request(t, bytes.NewReader(test.body))
			if test.change != nil {
				test.change(r)
			}
			code, text, head := s.send(t, r)
			if code != test.code || !strings.Contains(text, test.text) || text == "" {
				t.Errorf("got %d %q, want %d %q", code, text, test.code, test.text)
			}
			if (code == 401) != (head.Get("WWW-Authenticate") != "") || (code == 405) != (head.Get("Allow") == "POST") {
				t.Errorf("headers %v", head)
			}
			if pieces := s.stored(t); len(pieces) != 0 {
				t.Errorf("%d pieces were stored", len(pieces))
			}
			s.wantRefused(t, test.reason)
			// The rest goes on.
			if code, text, _ := s.send(t, s.request(t, bytes.NewReader(list))); code != 200 {
				t.Errorf("a good list after it: %d %s", code, text)
			}
		})
	}
}

// wantRefused wants one body refused, for a reason, and a line of log.
func (s *server) wantRefused(t testing.TB, why webhook.Reason) {
	t.Helper()
	got := map[webhook.Reason]int64{}
	for _, stats := range s.handler.Stats() {
		maps.Copy(got, stats.Refused)
		if stats.Acknowledged != 0 {
			t.Errorf("%d events were acknowledged", stats.Acknowledged)
		}
	}
	if diff := cmp.Diff(map[webhook.Reason]int64{why: 1}, got); diff != "" {
		t.Error(diff)
	}
	if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "reason="+string(why)) {
		t.Errorf("logged %q", log)
	}
}

func broken(b []byte) []byte {
	b = bytes.Clone(b)
	for i := len(b) / 2; i < len(b)/2+50; i++ {
		b[i] ^= 0xff
	}
	return b
}

// TestFuture has one event of many that is from the future.
func TestFuture(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	list := bytes.Replace(testdata(t, "eventlist.json"), []byte(`"stageTimestamp":"20`), []byte(`"stageTimestamp":"29`), 1)
	code, text, _ := s.send(t, s.request(t, bytes.NewReader(list)))
	if want := "1 of 16 events are from the future and were not stored: item 1 is from 29"; code != 400 || !strings.HasPrefix(text, want) {
		t.Errorf("%d %s, want %s", code, text, want)
	}
	want := auditIDs(t, testdata(t, "audit.jsonl"))[1:]
	if pieces := s.stored(t); len(pieces) != 1 || !cmp.Equal(auditIDs(t, []byte(pieces[0])), want) {
		t.Errorf("stored %q", pieces)
	}
	s.wantRefused(t, webhook.ReasonFuture)
}

// TestMalformedItems go to the queue with the rest, where they are counted.
func TestMalformedItems(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	list := []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[5,{"auditID":"a"},null,"x"]}`)
	if code, text, _ := s.send(t, s.request(t, bytes.NewReader(list))); code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	want := []string{"5\n{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"a\"}\nnull\n\"x\"\n"}
	if diff := cmp.Diff(want, s.stored(t)); diff != "" {
		t.Error(diff)
	}
}

// TestEmptyList stores nothing and is all right.
func TestEmptyList(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	code, text, _ := s.send(t, s.request(t, strings.NewReader(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}`)))
	if pieces := s.stored(t); code != 200 || len(pieces) != 0 {
		t.Errorf("%d %s, %d pieces", code, text, len(pieces))
	}
}

// TestLargeList makes more than one piece of a list, and loses nothing.
func TestLargeList(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{})
	var items []string
	for i := range 20 {
		items = append(items, fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"%d","x":"%s"}`, i, strings.Repeat("x", 1<<20)))
	}
	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(items, ",") + `]}`
	if code, text, _ := s.send(t, s.request(t, strings.NewReader(list))); code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	pieces := s.stored(t)
	if got := strings.Join(pieces, ""); len(pieces) != 2 || got != strings.Join(items, "\n")+"\n" {
		t.Errorf("%d pieces with %d bytes", len(pieces), len(got))
	}
}

// TestFull fills a queue that nobody reads. Nothing that was acknowledged may be
// missing, and nothing that was refused counts as acknowledged.
func TestFull(t *testing.T) {
	s := start(t, webhook.Limits{}, queue.Options{MaxBytes: 64 << 10})
	acknowledged := 0
	for i := range 100 {
		noise := make([]byte, 2<<10)
		_, _ = rand.Read(noise)
		list := fmt.Sprintf(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"%d","x":"%x"}]}`, i, noise)
		code, answer, head := s.send(t, s.request(t, strings.NewReader(list)))
		switch code {
		case 200:
			acknowledged++
		case 429:
			if head.Get("Retry-After") != "10" || !strings.Contains(answer, `cannot take events of cluster "prod" for now`) {
				t.Fatalf("%v %s", head, answer)
			}
			if pieces := s.stored(t); len(pieces) != acknowledged {
				t.Errorf("%d acknowledged, %d stored", acknowledged, len(pieces))
			}
			if stats := s.handler.Stats()["prod"]; stats.Acknowledged != int64(acknowledged) || stats.Refused[webhook.ReasonFull] != 1 {
				t.Errorf("%+v", stats)
			}
			return
		default:
			t.Fatalf("%d %s", code, answer)
		}
	}
	t.Error("the queue never was full")
}

func TestQueueClosed(t *testing.T) {
	dir := t.TempDir()
	q, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := q.Stream(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	ca := authtest.NewCA(t, dir, "ca")
	a, err := auth.New(auth.Config{Clients: clients(t, dir), ClientCA: ca.File})
	if err != nil {
		t.Fatal(err)
	}
	h := webhook.New(webhook.Options{Auth: a, Stream: func(string) (*queue.Stream, bool) { return stream, true }})
	r := httptest.NewRequest(http.MethodPost, "/ingest/prod", bytes.NewReader(testdata(t, "eventlist.json")))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+rightToken)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != 503 || rec.Header().Get("Retry-After") != "10" || h.Stats()["prod"].Refused[webhook.ReasonFailed] != 1 {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}

// TestSends runs many senders at once.
func TestSends(t *testing.T) {
	s := start(t, webhook.Limits{Concurrent: 2}, queue.Options{})
	var sending sync.WaitGroup
	for i := range 8 {
		sending.Go(func() {
			for j := range 10 {
				list := fmt.Sprintf(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"%d-%d"}]}`, i, j)
				if code, text, _ := s.send(t, s.request(t, strings.NewReader(list))); code != 200 {
					t.Errorf("%d %s", code, text)
				}
			}
		})
	}
	sending.Wait()
	if pieces := s.stored(t); len(pieces) != 80 {
		t.Errorf("%d pieces", len(pieces))
	}
}

func benchmarkList(b *testing.B, s *server, list []byte) {
	b.SetBytes(int64(len(list)))
	at := bytes.Index(list, []byte(`"auditID":"`)) + len(`"auditID":"`)
	for i := 0; b.Loop(); i++ {
		copy(list[at:], fmt.Sprintf("%08d", i)) // so that it is no repetition
		if code, text, _ := s.send(b, s.request(b, bytes.NewReader(list))); code != 200 {
			b.Fatal(code, text)
		}
	}
}

// BenchmarkWebhook sends the real list over TLS, one after the other.
func BenchmarkWebhook(b *testing.B) {
	s := start(b, webhook.Limits{}, queue.Options{})
	benchmarkList(b, s, testdata(b, "eventlist.json"))
}
