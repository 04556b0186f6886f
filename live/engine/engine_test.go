package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// live is an engine over a queue, in one process.
type live struct {
	stream *queue.Stream
	engine *engine.Engine
	cancel context.CancelFunc
	done   chan error
}

func openStream(t *testing.T, dir string) *queue.Stream {
	t.Helper()
	q, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	stream, err := q.Stream(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func start(t *testing.T, stream *queue.Stream, o engine.Options) *live {
	t.Helper()
	e, err := engine.Open(stream, o)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, stream, e)
}

func run(t *testing.T, stream *queue.Stream, e *engine.Engine) *live {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &live{stream: stream, engine: e, cancel: cancel, done: make(chan error, 1)}
	go func() { l.done <- e.Run(ctx) }()
	return l
}

func (l *live) publish(t *testing.T, list ...pipeline.Piece) {
	t.Helper()
	for _, p := range list {
		if err := l.stream.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *live) stop(t *testing.T) {
	t.Helper()
	l.cancel()
	if err := <-l.done; err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the engine has come so far.
func (l *live) eventually(t *testing.T, what string, so func(engine.Stats) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(l.engine.Stats()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never, %+v", what, l.engine.Stats())
		}
	}
}

// TestStoppedAndStarted stops the engine in the middle of a log, again and
// again, with pieces that come in another order than their lines, and wants the
// data set of a run that read the log at once.
func TestStoppedAndStarted(t *testing.T) {
	log := recording(t, "crowd.metadata")
	lines := bytes.SplitAfter(bytes.TrimSpace(log), []byte("\n"))
	// Lines change places with near ones, so that what is out of order stands on
	// both sides of a stop.
	rng := rand.New(rand.NewPCG(1, 9)) //nolint:gosec // A test wants the same numbers each time.
	lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
	for i := range lines {
		j := min(i+rng.IntN(30), len(lines)-1)
		lines[i], lines[j] = lines[j], lines[i]
	}
	log = bytes.Join(lines, nil)
	dir := t.TempDir()
	stream := openStream(t, dir)
	var l *live
	for i, p := range pieces(log) {
		if i%60 == 0 {
			if l != nil {
				l.stop(t)
			}
			l = start(t, stream, options(dir))
		}
		l.publish(t, p)
	}
	if err := finish(t.Context(), stream, l.engine, l.done); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	gotEvents, gotContexts := rows(t, filepath.Join(dir, "data"))
	wantEvents, wantContexts := rows(t, analysed(t, log))
	if diff := cmp.Diff(wantEvents, gotEvents); diff != "" {
		t.Errorf("events (-whole +stopped):\n%.3000s", diff)
	}
	if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
		t.Errorf("contexts (-whole +stopped):\n%.3000s", diff)
	}
	if stats, err := stream.Stats(t.Context()); err != nil || stats.Messages != 0 {
		t.Errorf("%d messages are left in the queue (%v)", stats.Messages, err)
	}
}

// TestQuietLog wants the contexts of a log that goes quiet to be settled by the
// clock on the wall, and each to be told when it grew.
func TestQuietLog(t *testing.T) {
	log := recording(t, "crowd.metadata")
	dir := t.TempDir()
	o := options(dir)
	o.Grace = 50 * time.Millisecond
	o.Pipeline.Link.Window = 20 * time.Millisecond
	var mu sync.Mutex
	told := map[string]int{}
	o.Contexts = func(list []pipeline.Context) error {
		mu.Lock()
		defer mu.Unlock()
		for i := range list {
			told[list[i].ID] = list[i].Events
		}
		return nil
	}
	l := start(t, openStream(t, dir), o)
	lines := bytes.SplitAfter(log, []byte("\n"))[:200]
	l.publish(t, pieces(bytes.Join(lines, nil))...)
	want, _ := counts(t, analysed(t, bytes.Join(lines, nil)))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if events, _ := counts(t, o.DataSet); events == want {
			break
		}
		if time.Now().After(deadline) {
			events, _ := counts(t, o.DataSet)
			t.Fatalf("%d events are in the data set, want %d", events, want)
		}
	}
	l.stop(t)
	_, contexts := counts(t, o.DataSet)
	mu.Lock()
	defer mu.Unlock()
	if len(told) != contexts || contexts == 0 {
		t.Errorf("%d contexts were told, %d are in the data set", len(told), contexts)
	}
}

// TestPreview sends a log after which nothing comes, and wants to be shown every
// context as it turns out in the end, though the last events are not decided
// about yet; and that the preview leaves no trace in the data set.
func TestPreview(t *testing.T) {
	log := bytes.Join(bytes.SplitAfter(recording(t, "crowd.metadata"), []byte("\n"))[:3000], nil)
	dir := t.TempDir()
	o := options(dir)
	var mu sync.Mutex
	told, previews := map[string]int{}, map[string]bool{}
	tell := func(list []pipeline.Context, preview bool) {
		mu.Lock()
		defer mu.Unlock()
		for i := range list {
			told[list[i].ID] = list[i].Events
			previews[list[i].ID] = preview
			if preview && !list[i].Open {
				t.Errorf("the preview of %s is closed", list[i].ID)
			}
		}
	}
	o.Contexts = func(list []pipeline.Context) error { tell(list, false); return nil }
	o.Preview = func(list []pipeline.Context) { tell(list, true) }
	l := start(t, openStream(t, dir), o)
	l.publish(t, pieces(log)...)
	whole := analysed(t, log)
	d, err := store.Open(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	want, readOnly := map[string]int{}, map[string]bool{}
	for c, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		want[c.ID] = c.Events
		readOnly[c.ID] = c.ReadOnly
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		mu.Lock()
		// What only reads, at the end of the log, is not shown yet.
		diff := cmp.Diff(want, told, cmpopts.IgnoreMapEntries(func(id string, _ int) bool { return readOnly[id] }))
		mu.Unlock()
		if diff == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("events of contexts (-in the end +shown):\n%.2000s", diff)
		}
	}
	saved, _ := counts(t, o.DataSet)
	if all, _ := counts(t, whole); saved >= all {
		t.Errorf("all %d events are in the data set already", saved)
	}
	shown := 0
	for _, preview := range previews {
		if preview {
			shown++
		}
	}
	if shown == 0 {
		t.Error("nothing was a preview")
	}
	if err := finish(t.Context(), l.stream, l.engine, l.done); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	_, gotContexts := rows(t, o.DataSet)
	_, wantContexts := rows(t, whole)
	if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
		t.Errorf("contexts (-whole +previewed):\n%.2000s", diff)
	}
}

// counts gives the number of events and of contexts.
func counts(t *testing.T, dir string) (events, contexts int) {
	t.Helper()
	d, err := store.Open(t.Context(), dir)
	if err != nil {
		return 0, 0 // nothing was saved yet
	}
	defer d.Close()
	if err := d.DB().QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM contexts)").Scan(&events, &contexts); err != nil {
		t.Fatal(err)
	}
	return events, contexts
}

// TestMalformedIsLogged wants the place of a malformed line in the log of the
// program, and the rest analysed.
func TestMalformedIsLogged(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	var text bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&text, nil))
	l := start(t, openStream(t, dir), o)
	line, _, _ := bytes.Cut(recording(t, "crowd.metadata"), []byte("\n"))
	l.publish(t, pipeline.Piece{Source: "audit.log", Line: 7, Body: append(bytes.Clone(line), "\nnot an event\x1b[2J\n"...)})
	if err := finish(t.Context(), l.stream, l.engine, l.done); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	if stats := l.engine.Stats(); stats.Events != 1 || stats.Malformed != 1 {
		t.Errorf("%+v", stats)
	}
	if !strings.Contains(text.String(), "audit.log:8: ") || strings.Contains(text.String(), "\x1b") {
		t.Errorf("the log says %s", text.String())
	}
}

// TestBrokenCheckpoint wants an error that names the file, and a fresh start
// where the state is that of another version.
func TestBrokenCheckpoint(t *testing.T) {
	dir := t.TempDir()
	stream := openStream(t, dir)
	o := options(dir)
	l := start(t, stream, o)
	l.publish(t, pieces(recording(t, "crowd.metadata"))[:5]...)
	if err := finish(t.Context(), stream, l.engine, l.done); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	whole, err := os.ReadFile(o.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)/2], "foreign": []byte("something else"),
		"changed": append(bytes.Clone(whole[:len(whole)-1]), ^whole[len(whole)-1]),
	} {
		if err := os.WriteFile(o.Checkpoint, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Open(stream, o); err == nil || !strings.Contains(err.Error(), o.Checkpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := bytes.Replace(whole, []byte("whet session \x01"), []byte("whet session \x7f"), 1)
	if err := os.WriteFile(o.Checkpoint, other, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(stream, o)
	if err != nil || e.Stats().Taken != l.engine.Stats().Taken {
		t.Errorf("of another version: %v", err)
	}
	o.Store.Keep = store.KeepAll
	if _, err := engine.Open(stream, o); err == nil {
		t.Error("KeepAll was accepted")
	}
}

// TestCheckpointFailsForAWhile puts a file into the data set's folder that
// whet refuses to write beside, and wants everything saved once it is gone.
func TestCheckpointFailsForAWhile(t *testing.T) {
	log := recording(t, "crowd.metadata")
	dir := t.TempDir()
	o := options(dir)
	foreign := filepath.Join(o.DataSet, "thesis.doc")
	if err := os.MkdirAll(o.DataSet, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := start(t, openStream(t, dir), o)
	l.publish(t, pieces(log)[:20]...)
	for deadline := time.Now().Add(30 * time.Second); l.engine.Stats().Err == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the checkpoint never failed")
		}
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	l.publish(t, pieces(log)[20:]...)
	if err := finish(t.Context(), l.stream, l.engine, l.done); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	if err := l.engine.Stats().Err; err != nil {
		t.Errorf("after the file was removed: %v", err)
	}
	gotEvents, gotContexts := rows(t, o.DataSet)
	wantEvents, wantContexts := rows(t, analysed(t, log))
	if diff := cmp.Diff(wantEvents, gotEvents); diff != "" {
		t.Errorf("events (-whole +failed for a while):\n%.2000s", diff)
	}
	if diff := cmp.Diff(wantContexts, gotContexts); diff != "" {
		t.Errorf("contexts (-whole +failed for a while):\n%.2000s", diff)
	}
}
