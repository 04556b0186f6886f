package service

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/retain"
)

// TestAside wants what does not keep events from being taken and analysed, such as
// standard input that has ended and retention that fails, to be told by /readyz
// and metrics, and the server to be ready.
func TestAside(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	c.Clusters[0].Sources[1] = config.Source{Kind: config.Stdin}
	s, err := Open(t.Context(), Options{Config: c, Stdin: strings.NewReader(recording(t, "crowd.metadata")[0])})
	if err != nil {
		t.Fatal(err)
	}
	s.keeper = retain.New(retain.Options{DataSet: filepath.Join(dir, "nowhere"), Every: 10 * time.Millisecond})
	r := &running{Service: s, t: t, log: new(safeText)}
	r.run()
	r.eventually("that it is told", func() bool {
		status, text := r.ask(http.MethodGet, "/readyz", readToken, "")
		return status == http.StatusOK && strings.Contains(text, "[!] source prod stdin: it has ended\n") &&
			strings.Contains(text, "[!] retention: ") && strings.Contains(text, "[+] view of the data set: ok\n") && strings.Contains(text, "\nready\n")
	})
	if status, text := r.ask(http.MethodGet, "/readyz", "", ""); status != http.StatusOK || !strings.Contains(text, "[!] retention: not ready\n") {
		t.Errorf("to nobody: %d, %s", status, text)
	}
	_, text := r.ask(http.MethodGet, "/metrics", readToken, "")
	for _, want := range []string{"whet_retention_up 0", "whet_view_up 1", `whet_source_up{cluster="prod",source="stdin"} 0`, "whet_ready 1"} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	r.stop()
}
