package follow

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/queue"
)

// TestOldLogIsRemembered follows a log for longer than logs are remembered that no
// file holds: how far it was read is kept as long as the file is there, whether
// it grows or not, and forgotten when it is gone for so long.
func TestOldLogIsRemembered(t *testing.T) {
	q, err := queue.Open(queue.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	stream, err := q.Stream(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "audit.log")
	write := func(text string) {
		t.Helper()
		file, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	f, err := New(Options{Path: log, Stream: stream, State: filepath.Join(t.TempDir(), "state")})
	if err != nil {
		t.Fatal(err)
	}
	week := func() (logs int) {
		t.Helper()
		for _, track := range f.state.tracks {
			track.Seen = today().Add(-forgetAfter - 24*time.Hour)
		}
		if _, err := f.poll(t.Context()); err != nil && len(f.state.tracks) > 0 {
			t.Fatal(err)
		}
		if err := f.state.write(f.options.State); err != nil {
			t.Fatal(err)
		}
		return len(f.state.tracks)
	}
	write("a line\n")
	week()
	write("another one\n")
	if n := week(); n != 1 || f.state.tracks[0].Line != 2 {
		t.Errorf("a log that grows: %d are known", n)
	}
	f.open[0].grew = time.Now().Add(-2 * idle)
	week()
	if n := week(); n != 1 || len(f.open) != 0 {
		t.Errorf("a log that does not grow: %d are known, %d are open", n, len(f.open))
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	write("another log\n")
	if n := week(); n != 1 || f.state.tracks[0].Line != 1 {
		t.Errorf("a log that is gone: %d are known", n)
	}
}
