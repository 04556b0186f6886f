package service

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/pipeline"
)

// TestRenamedCluster renames a cluster whose events are acknowledged and not
// analysed, and wants them for readers under the name that they came with; and
// that nothing is left of it in the end.
func TestRenamedCluster(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	c.Grace = 100 * time.Millisecond
	c.Clusters[0].Sources = c.Clusters[0].Sources[:1]
	lines := recording(t, "crowd.metadata")[:200]
	r := start(t, c)
	if status, text := r.ask(http.MethodPost, "/ingest/prod", sendToken, list(lines)); status != http.StatusOK {
		t.Fatalf("the webhook answered %d, %s", status, text)
	}
	r.stop()
	c.Clusters[0].Name = "production"
	c.Clients[1].Clusters = []string{"production"}
	r = start(t, c)
	if !strings.Contains(r.log.String(), "no longer in the configuration") {
		t.Errorf("the log says %s", r.log)
	}
	if status, text := r.ask(http.MethodPost, "/ingest/prod", sendToken, list(lines)); status == http.StatusOK {
		t.Errorf("the old name is taken: %s", text)
	}
	account, err := pipeline.Run(t.Context(), []string{"-"}, strings.NewReader(strings.Join(lines, "")), pipeline.Options{}, pipeline.Sink{})
	if err != nil {
		t.Fatal(err)
	}
	want := int(account.Events - account.DroppedTotal().Events)
	r.eventually("all events", func() bool { return r.events() == want })
	r.settle()
	r.stop()
	r = start(t, c)
	if len(r.clusters) != 1 {
		t.Errorf("%d clusters are open in the end", len(r.clusters))
	}
	r.stop()
}

// TestPathIsWrittenOtherwise follows a log by its path in one way, and then in
// another, and wants no line twice.
func TestPathIsWrittenOtherwise(t *testing.T) {
	dir := t.TempDir()
	c := conf(t, dir)
	log := c.Clusters[0].Sources[1].Path
	lines := recording(t, "crowd.metadata")
	write(t, log, lines[:50]...)
	r := start(t, c)
	r.eventually("the log", func() bool { return r.clusters[0].followers[0].Stats().Lines == 50 })
	r.stop()
	write(t, log, lines[50])
	t.Chdir(dir)
	for i, path := range []string{"audit.log", "../" + filepath.Base(dir) + "/audit.log", log} {
		c.Clusters[0].Sources[1].Path = path
		r = start(t, c)
		want := int64(0)
		if i == 0 {
			want = 1
		}
		r.eventually("reading", func() bool { s := r.clusters[0].followers[0].Stats(); return s.Lines >= want && s.Logs > 0 })
		r.stop()
		if got := r.clusters[0].followers[0].Stats().Lines; got != want {
			t.Errorf("as %s: %d lines were read, want %d", path, got, want)
		}
	}
}
