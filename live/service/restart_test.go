package service

import (
	"path/filepath"
	"testing"
)

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
