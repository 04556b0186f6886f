package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// childDir, in the environment, makes this test's program the process that is
// killed: it feeds the log in that folder to an engine.
const childDir = "WHET_ENGINE_TEST_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	from, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = feed(context.Background(), dir, from)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// linesAtOnce is how many lines a piece has.
const linesAtOnce = 20

// pieces cuts a log.
func pieces(log []byte) []pipeline.Piece {
	var list []pipeline.Piece
	for chunk := range slices.Chunk(bytes.SplitAfter(bytes.TrimSpace(log), []byte("\n")), linesAtOnce) {
		list = append(list, pipeline.Piece{Source: "audit.log", Line: len(list)*linesAtOnce + 1, Body: bytes.Join(chunk, nil)})
	}
	return list
}

func options(dir string) engine.Options {
	return engine.Options{
		DataSet: filepath.Join(dir, "data"), Checkpoint: filepath.Join(dir, "state", "checkpoint"),
		Every: 100 * time.Millisecond,
	}
}

// feed publishes the pieces of the log from a number on, and says on stdout
// which ones were acknowledged. After the last one it lets the time of the log
// go on, waits until all is in the data set, and ends.
func feed(ctx context.Context, dir string, from int) error {
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	q, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		return err
	}
	defer q.Close()
	stream, err := q.Stream(ctx, "default")
	if err != nil {
		return err
	}
	e, err := engine.Open(stream, options(dir))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	for i, p := range pieces(log) {
		if i < from {
			continue
		}
		if err := stream.Publish(ctx, p); err != nil {
			cancel()
			return err
		}
		fmt.Println("acknowledged", i)
		time.Sleep(10 * time.Millisecond)
	}
	if err := finish(ctx, stream, e, done); err != nil {
		cancel()
		return err
	}
	cancel()
	return <-done
}

// finish lets two hours pass for the engine, and waits until all it has taken
// is saved.
func finish(ctx context.Context, stream *queue.Stream, e *engine.Engine, done <-chan error) error {
	if err := stream.PublishQuiet(ctx, 2*time.Hour); err != nil {
		return err
	}
	stats, err := stream.Stats(ctx)
	if err != nil {
		return err
	}
	for e.Stats().Saved < stats.Last {
		select {
		case err := <-done:
			return fmt.Errorf("the engine ended early: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

func recording(tb testing.TB, name string) []byte {
	tb.Helper()
	packed, err := os.ReadFile(filepath.Join("..", "..", "recordings", name+".jsonl.zst"))
	if err != nil {
		tb.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer d.Close()
	log, err := d.DecodeAll(packed, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

// rows are a data set's events and contexts in words, in order.
func rows(tb testing.TB, dir string) (events, contexts []string) {
	tb.Helper()
	d, err := store.Open(tb.Context(), dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer d.Close()
	for ev, err := range d.Events(tb.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			tb.Fatal(err)
		}
		events = append(events, fmt.Sprintf("%s %s context=%s operation=%s role=%s cause=%s rule=%s confidence=%.3f label=%d actor=%s",
			ev.AuditID, ev.Stage, ev.Context, ev.Operation, ev.Role, ev.Cause, ev.Rule, ev.Confidence, ev.Label, ev.Actor))
	}
	for c, err := range d.Contexts(tb.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			tb.Fatal(err)
		}
		c.Root.File, c.Root.Line, c.Root.Item = "", 0, 0
		contexts = append(contexts, fmt.Sprintf("%+v", *c))
	}
	slices.Sort(events)
	slices.Sort(contexts)
	return events, contexts
}

// analysed is the data set that a run over the whole log gives.
func analysed(tb testing.TB, log []byte) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "analysed")
	w, err := store.Append(tb.Context(), dir, store.WriterOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	account, err := pipeline.Run(tb.Context(), []string{"-"}, bytes.NewReader(log), pipeline.Options{}, w.Sink())
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Commit(tb.Context(), account); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// TestKilled kills the process that analyses a log again and again, at random
// moments. What was acknowledged must not be lost, and the data set must be
// that of a run which read the log at once.
func TestKilled(t *testing.T) {
	log := recording(t, "crowd.metadata")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log"), log, 0o600); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano()))) //nolint:gosec // Moments to be killed at need no secret.
	next, kills := 0, 0
	for ended := false; !ended; {
		wait := time.Duration(0)
		if kills < maxKills {
			wait = time.Duration(100+rng.IntN(700)) * time.Millisecond
		}
		// What was acknowledged last is sent once more, as a source does whose
		// answer got lost.
		last, ok := child(t, dir, max(next-1, 0), wait)
		next, ended = max(next, last+1), ok
		if !ended {
			kills++
		}
	}
	t.Logf("killed %d times", kills)
	if want := len(pieces(log)); next != want {
		t.Fatalf("%d pieces acknowledged, want %d", next, want)
	}
	gotEvents, gotContexts := rows(t, filepath.Join(dir, "data"))
	wantEvents, wantContexts := rows(t, analysed(t, log))
	if diff := cmp.Diff(wantEvents, gotEvents); diff != "" {
		t.Errorf("events (-whole +killed): %d, want %d\n%.3000s", len(gotEvents), len(wantEvents), diff)
	}
	if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
		t.Errorf("contexts (-whole +killed): %d, want %d\n%.3000s", len(gotContexts), len(wantContexts), diff)
	}
}

// maxKills is how often the process is killed at most.
const maxKills = 12

// child runs the process and kills it after a while, unless it is 0. It gives
// the last piece that was acknowledged, -1 without one, and whether the process
// ended by itself.
func child(t *testing.T, dir string, from int, after time.Duration) (last int, ended bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], strconv.Itoa(from))
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	last = -1
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if number, ok := strings.CutPrefix(scan.Text(), "acknowledged "); ok {
			if last, err = strconv.Atoi(number); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if err != nil && !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process failed: %v\n%s", err, stderr.String())
	}
	return last, err == nil
}
