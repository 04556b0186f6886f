// Package live_test tests the sources, the queue and the engine together, as a
// process of its own that is killed again and again.
package live_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/internal/load"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/auth/authtest"
	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/webhook"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

var (
	kills     = flag.Int("kills", 5, "how often the process is killed")
	rate      = flag.Float64("rate", 500, "events a second that are sent to it")
	recording = flag.String("recording", filepath.Join("..", "recordings", "crowd.metadata.jsonl.zst"), "what is sent")
)

// serveDir, in the environment, makes this test's program the process that is
// killed: it takes events at the address in serveAddress, and keeps everything
// in that folder. At the end of its standard input it finishes what it has taken.
const (
	serveDir     = "WHET_LIVE_TEST_DIR"
	serveAddress = "WHET_LIVE_TEST_ADDRESS"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(serveDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := serve(context.Background(), dir, os.Getenv(serveAddress)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const cluster = "prod"

// files are what a folder for serve holds.
func files(dir string) (tokens, certificate, key, data string) {
	return filepath.Join(dir, "tokens"), filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"), filepath.Join(dir, "data")
}

// serve takes events until standard input ends.
func serve(ctx context.Context, dir, address string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	tokens, certificate, key, data := files(dir)
	q, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		return err
	}
	defer q.Close()
	stream, err := q.Stream(ctx, cluster)
	if err != nil {
		return err
	}
	e, err := engine.Open(stream, engine.Options{
		DataSet: data, Checkpoint: filepath.Join(dir, "checkpoint"), Every: 500 * time.Millisecond, Log: log,
	})
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Config{Log: log, Clients: []auth.Client{
		{Name: "api", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{cluster}, TokenFile: tokens},
	}})
	if err != nil {
		return err
	}
	config, err := a.TLS(auth.TLSFiles{Certificate: certificate, Key: key})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Path, webhook.New(webhook.Options{
		Auth: a, Log: log, Stream: func(name string) (*queue.Stream, bool) { return stream, name == cluster },
	}))
	server := webhook.Server(mux, config, log)
	ended := make(chan error, 2)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { ended <- e.Run(ctx) }()
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err := settle(ctx, stream, e); err != nil {
		return err
	}
	cancel()
	return <-ended
}

// settle lets two hours pass for the engine, and waits until all it has taken is
// in the data set.
func settle(ctx context.Context, stream *queue.Stream, e *engine.Engine) error {
	if err := stream.PublishQuiet(ctx, 2*time.Hour); err != nil {
		return err
	}
	stats, err := stream.Stats(ctx)
	if err != nil {
		return err
	}
	for e.Stats().Saved < stats.Last {
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// TestKilled sends events to a process that is killed again and again, at random
// moments, also while it starts. Every event that was acknowledged must be in
// the data set, none twice, and the contexts those of an unkilled run over the
// same events.
func TestKilled(t *testing.T) {
	dir, address := folder(t)
	tokens, _, _, data := files(dir)
	log := &sentLog{begun: make(chan struct{})}
	stop := make(chan struct{})
	type outcome struct {
		report *load.Report
		err    error
	}
	sent := make(chan outcome, 1)
	acked := filepath.Join(dir, "acked")
	go func() {
		report, err := load.Send(t.Context(), load.Options{
			URL: "https://" + address + "/ingest/" + cluster, TokenFile: tokens, CA: filepath.Join(dir, "ca.crt"),
			Rate: *rate, Duration: 24 * time.Hour, Stop: stop, Batch: 50, Wait: time.Second, Senders: 1, Acked: acked, Log: log, Seed: 7,
		}, *recording)
		sent <- outcome{report, err}
	}()
	<-log.begun
	rng := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	for range *kills {
		p := begin(t, dir, address)
		time.Sleep(time.Duration(rng.IntN(2500)) * time.Millisecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatalf("it ended before it was killed: %v\n%s", err, p.stderr.String())
		}
		if err := p.cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("it was not killed: %v\n%s", err, p.stderr.String())
		}
	}
	p := begin(t, dir, address)
	time.Sleep(time.Second)
	close(stop)
	got := <-sent
	if got.err != nil {
		t.Fatal(got.err)
	}
	_ = p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	t.Logf("killed %d times\n%s", *kills, got.report)
	report, err := load.Check(t.Context(), acked, data)
	if err != nil {
		t.Error(err)
	}
	t.Log("\n" + report)
	compare(t, analysed(t, log.Bytes()), data)
}

// sentLog is what was sent.
type sentLog struct {
	bytes.Buffer
	begun chan struct{}
	once  sync.Once
}

func (l *sentLog) Write(p []byte) (int, error) {
	l.once.Do(func() { close(l.begun) })
	return l.Buffer.Write(p)
}

// folder makes the credentials, and finds an address that is free.
func folder(t *testing.T) (dir, address string) {
	t.Helper()
	dir = t.TempDir()
	tokens, certificate, key, _ := files(dir)
	authtest.Write(t, tokens, []byte("9f2c5e8d41b07a63c2d9e5f80a1b7c4d\n"))
	from, fromKey := authtest.NewCA(t, dir, "ca").Issue(t, "server", time.Now().Add(24*time.Hour))
	for from, to := range map[string]string{from: certificate, fromKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return dir, l.Addr().String()
}

type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr bytes.Buffer
}

func begin(t *testing.T, dir, address string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.cmd.Env = append(os.Environ(), serveDir+"="+dir, serveAddress+"="+address)
	p.cmd.Stderr = &p.stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// analysed is the data set of a run that reads a log at once.
func analysed(t *testing.T, log []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	w, err := store.Append(t.Context(), dir, store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account, err := pipeline.Run(t.Context(), []string{"-"}, bytes.NewReader(log), pipeline.Options{}, w.Sink())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	return dir
}

// compare wants the same events and contexts in two data sets.
func compare(t *testing.T, want, got string) {
	t.Helper()
	wantEvents, wantContexts := rows(t, want)
	gotEvents, gotContexts := rows(t, got)
	if len(wantEvents) == 0 || len(wantContexts) == 0 {
		t.Fatalf("%d events and %d contexts are no test", len(wantEvents), len(wantContexts))
	}
	t.Logf("%d events, %d contexts", len(gotEvents), len(gotContexts))
	if diff := cmp.Diff(wantEvents, gotEvents); diff != "" {
		t.Errorf("events (-whole +killed): %d, want %d\n%.3000s", len(gotEvents), len(wantEvents), diff)
	}
	if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
		t.Errorf("contexts (-whole +killed): %d, want %d\n%.3000s", len(gotContexts), len(wantContexts), diff)
	}
}

// rows are a data set's events and contexts in words, in order.
func rows(t *testing.T, dir string) (events, contexts []string) {
	t.Helper()
	d, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for ev, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, fmt.Sprintf("%s %s context=%s operation=%s role=%s cause=%s rule=%s confidence=%.3f label=%d actor=%s",
			ev.AuditID, ev.Stage, ev.Context, ev.Operation, ev.Role, ev.Cause, ev.Rule, ev.Confidence, ev.Label, ev.Actor))
	}
	for c, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		c.Root.File, c.Root.Line, c.Root.Item = "", 0, 0
		contexts = append(contexts, fmt.Sprintf("%+v", *c))
	}
	slices.Sort(events)
	slices.Sort(contexts)
	return events, contexts
}
