// Package web holds the built web app, so that the program needs no files
// beside it. The sources are in src, and make web builds them into dist, which
// is committed so that go install works without Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the files of the app, with index.html at the top.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: the name dist is a valid path: " + err.Error())
	}
	return files
}
