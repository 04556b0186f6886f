package load

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

var recording = filepath.Join("..", "..", "recordings", "crowd.metadata.jsonl.zst")

// webhook is a server that refuses every other list, and keeps the others.
type webhook struct {
	t     *testing.T
	mu    sync.Mutex
	calls int
	items []audit.ListItem
}

func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls++; h.calls%2 == 0 {
		w.Header().Set("Retry-After", "0")
		http.Error(w, "full", http.StatusTooManyRequests)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	list, listErr := audit.ReadList(body)
	if err != nil || listErr != nil || r.Header.Get("Authorization") != "Bearer abc" {
		h.t.Errorf("%v, %v, %v", err, listErr, r.Header)
		return
	}
	if len(list.Items) > 50 {
		h.t.Errorf("a list of %d events", len(list.Items))
	}
	h.items = append(h.items, list.Items...)
}

func TestSend(t *testing.T) {
	for _, zip := range []bool{false, true} {
		dir := t.TempDir()
		token := filepath.Join(dir, "token")
		if err := os.WriteFile(token, []byte("abc 2099-01-01\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h := &webhook{t: t}
		server := httptest.NewServer(h)
		var log bytes.Buffer
		o := Options{
			URL: server.URL, TokenFile: token, Rate: 1000, Duration: 500 * time.Millisecond, Batch: 50, Wait: time.Second,
			Senders: 1, Gzip: zip, Acked: filepath.Join(dir, "acked"), Log: &log,
		}
		report, err := Send(t.Context(), o, recording)
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		lines := slices.Collect(strings.Lines(log.String()))
		if report.Events != len(h.items) || report.Events != len(lines) || report.Events < 300 || len(report.Answers) != report.Lists {
			t.Errorf("%+v of %d items and %d lines", report, len(h.items), len(lines))
		}
		if n := report.Refusals["429 Too Many Requests: full"]; n != h.calls/2 || n == 0 {
			t.Errorf("refused %v in %d calls", report.Refusals, h.calls)
		}
		for i, item := range h.items {
			if !strings.HasSuffix(lines[i], string(item.Raw[1:])+"\n") {
				t.Fatalf("item %d is %s, and the log has %s", i, item.Raw, lines[i])
			}
		}
		checkAcked(t, o.Acked, &log)
	}
}

// checkAcked makes a data set of the log, and compares; then it leaves out some
// events, and adds some again.
func checkAcked(t *testing.T, acked string, log *bytes.Buffer) {
	t.Helper()
	half := log.Bytes()[:bytes.LastIndexByte(log.Bytes()[:log.Len()/2], '\n')+1]
	for _, test := range []struct {
		log  []byte
		want []string
	}{
		{log.Bytes(), []string{"missing       0\n", "twice         0\n"}},
		{half, []string{"twice         0\n"}},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		w, err := store.Append(t.Context(), dir, store.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		account, err := pipeline.Run(t.Context(), []string{"-"}, bytes.NewReader(test.log), pipeline.Options{}, w.Sink())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		text, err := Check(t.Context(), acked, dir)
		whole := len(test.log) == log.Len()
		if (err == nil) != whole || strings.Contains(text, "missing       0\n") != whole {
			t.Errorf("%v\n%s", err, text)
		}
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s\nlacks %s", text, want)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		sent, stored   []uint64
		missing, twice int
	}{
		{nil, nil, 0, 0},
		{[]uint64{1, 2}, []uint64{1, 2, 3}, 0, 0},
		{[]uint64{1, 2, 5}, []uint64{2, 2, 2}, 2, 2},
		{[]uint64{7}, nil, 1, 0},
	} {
		if missing, twice := compare(test.sent, test.stored); missing != test.missing || twice != test.twice {
			t.Errorf("%v in %v: %d missing, %d twice", test.sent, test.stored, missing, twice)
		}
	}
}

func TestReport(t *testing.T) {
	r := Report{Took: 2 * time.Second}
	begun := time.Now()
	for i := range 100 {
		l := &list{count: 10, body: make([]byte, 1000), last: begun.Add(-time.Second)}
		r.acknowledged(l, begun, begun.Add(time.Duration(i+1)*time.Millisecond))
	}
	want := `acknowledged  1,000 events in 100 lists, 100.0 kB, in 2.0 s: 500 events/s, 50.0 kB/s
answer        p50 50ms, p99 99ms, at most 100ms
lag           p50 1.05s, p99 1.099s, at most 1.1s from when the last event of a list was due to its answer
`
	if got := r.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
