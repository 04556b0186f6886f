package tail_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/live/tail"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/server"
	"github.com/whet-k8s/whet/store"
)

// errEnough ends a run.
var errEnough = errors.New("enough")

// happened is a context that ended a while ago.
func happened(id int, actor, action string, ended time.Time, open bool) pipeline.Context {
	return pipeline.Context{
		ID: fmt.Sprintf("00000000-0000-5000-8000-%012d", id), Part: 1, Open: open,
		Actor: pipeline.Actor{Username: actor}, Action: action, Verb: "delete", Outcome: pipeline.Outcome{Code: 200},
		Start: ended.Add(-time.Second), End: ended, Events: 1,
		Root: pipeline.Root{AuditID: fmt.Sprint("audit-", id), Received: ended.Add(-time.Second), Staged: ended},
	}
}

// write adds contexts to a data set.
func write(t *testing.T, dir string, list ...pipeline.Context) {
	t.Helper()
	w, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := w.Context(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Commit(t.Context(), &pipeline.Accounting{}); err != nil {
		t.Fatal(err)
	}
}

// serve runs a server of live mode.
func serve(t *testing.T, o server.Options) (*hub.Hub, http.Handler) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := store.Create(dir); err != nil {
		t.Fatal(err)
	}
	data, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	o.Hub, o.Listen = hub.New(8), "127.0.0.1:0"
	s, err := server.New(t.Context(), data, o)
	if err != nil {
		t.Fatal(err)
	}
	return o.Hub, s
}

// TestServerComesBack cuts every connection after a while, and wants each
// context once all the same.
func TestServerComesBack(t *testing.T) {
	h, handler := serve(t, server.Options{})
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			h.Publish("prod", []pipeline.Context{happened(1, "alice", "first\x1b[2J", time.Now(), false), happened(2, "bob", "open", time.Now(), true)})
			time.Sleep(20 * time.Millisecond)
			cancel()
		}()
		handler.ServeHTTP(w, r.WithContext(ctx))
	}))
	defer web.Close()
	var got []string
	var said []string
	o := tail.Options{Query: "actor == alice", Remark: func(text string) { said = append(said, text) }}
	err := tail.Server(t.Context(), web.URL, o, func(u *tail.Update) error {
		got = append(got, fmt.Sprint(u.Cluster, " ", u.Actor.Username, " ", u.Action, " ", u.Open))
		if len(got) == 3 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Errorf("the run ended with %v", err)
	}
	for _, line := range got {
		if line != "prod alice first\x1b[2J false" {
			t.Errorf("got %q", got)
		}
	}
	if all := strings.Join(said, "; "); !strings.Contains(all, "503") || !strings.Contains(all, "the connection is back") {
		t.Errorf("it said %q", all)
	}
}

// TestServerMissed comes back after more than the hub remembers.
func TestServerMissed(t *testing.T) {
	h, handler := serve(t, server.Options{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Last-Event-ID", fmt.Sprint(h.Newest()))
		for n := range 10 {
			h.Publish("", []pipeline.Context{happened(n, "alice", fmt.Sprint(n), time.Now(), false)})
		}
		handler.ServeHTTP(w, r)
	}))
	defer web.Close()
	var said string
	err := tail.Server(t.Context(), web.URL, tail.Options{Remark: func(text string) { said = text }}, func(u *tail.Update) error {
		return fmt.Errorf("%s: %w", u.Action, errEnough)
	})
	if !errors.Is(err, errEnough) || !strings.HasPrefix(err.Error(), "2:") || !strings.HasPrefix(said, "at least 2 updates were missed") {
		t.Errorf("%v, and it said %q", err, said)
	}
}

// TestServerRefuses wants what no second try changes to end the run, with the
// server's reason.
func TestServerRefuses(t *testing.T) {
	_, guarded := serve(t, server.Options{Token: strings.Repeat("x", 30)})
	web := httptest.NewServer(guarded)
	defer web.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	defer other.Close()
	token := func() (string, error) { return "wrong", nil }
	for _, c := range []struct {
		base string
		o    tail.Options
		want string
	}{
		{web.URL, tail.Options{}, "401 Unauthorized: a token is needed"},
		{web.URL, tail.Options{Token: token}, "401 Unauthorized"},
		{web.URL, tail.Options{Token: func() (string, error) { return "", errors.New("no such file") }}, "no such file"},
		{web.URL + "/below", tail.Options{}, "404 Not Found"},
		{other.URL, tail.Options{}, "it is no server of whet"},
		{web.URL, tail.Options{Query: "actr == alice"}, "did you mean actor?"},
		{"whet.example.org", tail.Options{}, "write its address as"},
		{"ftp://127.0.0.1", tail.Options{}, "write its address as"},
	} {
		err := tail.Server(t.Context(), c.base, c.o, func(*tail.Update) error { return errEnough })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.base, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tail.Server(ctx, web.URL, tail.Options{}, nil); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

// TestDataSet writes contexts while somebody looks, whose clock the test sets.
func TestDataSet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var clock atomic.Int64
	clock.Store(noon.UnixNano())
	grown := func(c pipeline.Context, by time.Duration) pipeline.Context {
		c.End, c.Events = c.End.Add(by), c.Events+1
		return c
	}
	old, young := happened(1, "alice", "closed long ago", noon.Add(-time.Hour), false), happened(2, "alice", "open before", noon, true)
	write(t, dir, old, young)
	steps := []struct {
		do   func()
		want []string // in the order of Options.Open false, true
	}{
		// Something begins.
		{func() {
			write(t, dir, happened(3, "alice", "begins", noon, true), happened(4, "bob", "of somebody else", noon, true))
		}, []string{"", "begins true 1"}},
		// It grows.
		{func() { write(t, dir, grown(happened(3, "alice", "begins", noon, true), time.Second)) }, []string{"", "begins true 2"}},
		// The clock goes on, and nothing more comes: all close. Who gives nothing
		// while they are open may see one late, which then closes later.
		{func() { clock.Store(noon.Add(10 * time.Minute).UnixNano()) }, []string{"open before false 1", "open before false 1; begins false 2"}},
		{func() { clock.Store(noon.Add(20 * time.Minute).UnixNano()) }, []string{"begins false 2", ""}},
		// One that closed goes on after all, and a later one shows that it is over.
		{func() {
			write(t, dir, grown(grown(happened(3, "alice", "begins", noon, true), time.Second), time.Second), happened(5, "alice", "later", noon.Add(20*time.Minute), false))
		}, []string{"begins false 3", "begins true 3; later true 1; begins false 3"}},
		// One from the future does not hide what comes.
		{func() {
			write(t, dir, happened(6, "alice", "future", noon.Add(1000*time.Hour), false), happened(7, "alice", "now", noon.Add(20*time.Minute), false))
		}, []string{"", "now true 1; future true 1"}},
		{func() { clock.Store(noon.Add(30 * time.Minute).UnixNano()) }, []string{"later false 1; now false 1", "later false 1; now false 1; future false 1"}},
		{func() { clock.Store(noon.Add(40 * time.Minute).UnixNano()) }, []string{"future false 1", ""}},
	}
	var got [2]chan string
	for i, open := range []bool{false, true} {
		got[i] = make(chan string, 100)
		o := tail.Options{
			Open: open, Query: "actor == alice", Every: time.Millisecond,
			Now: func() time.Time { return time.Unix(0, clock.Load()) },
		}
		started := make(chan struct{})
		read := o.Now
		first := true
		o.Now = func() time.Time {
			// The second call is that of the first look.
			if !first {
				select {
				case <-started:
				default:
					close(started)
				}
			}
			first = false
			return read()
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- tail.DataSet(ctx, dir, o, func(u *tail.Update) error {
				got[i] <- fmt.Sprint(u.Action, " ", u.Open, " ", u.Events)
				return nil
			})
		}()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		<-started
	}
	for n, step := range steps {
		step.do()
		for i, want := range step.want {
			for _, w := range strings.Split(want, "; ") {
				if w == "" {
					continue
				}
				select {
				case g := <-got[i]:
					if g != w {
						t.Fatalf("step %d, open %v: got %q, want %q", n, i == 1, g, w)
					}
				case <-time.After(30 * time.Second):
					t.Fatalf("step %d, open %v: nothing came, want %q", n, i == 1, w)
				}
			}
		}
	}
	if len(got[0])+len(got[1]) > 0 {
		t.Errorf("more came: %d, %d", len(got[0]), len(got[1]))
	}
	if err := tail.DataSet(t.Context(), t.TempDir(), tail.Options{}, nil); err == nil {
		t.Error("a folder that is no data set was followed")
	}
}
