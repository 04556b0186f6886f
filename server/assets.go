package server

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// asset is a file of the app with what its answer says.
type asset struct {
	body      []byte
	packed    map[string][]byte // by content coding, where it is smaller
	mediaType string
	tag       string // the ETag
	// immutable tells a file whose name changes with its content.
	immutable bool
}

// assets serve the app. A path that is no file is one of the app's own
// places, for which it serves index.html, so that a link can be sent.
type assets struct {
	files map[string]*asset
}

// newAssets reads the files once: they are parts of the program and few.
func newAssets(files fs.FS, p *packer) (*assets, error) {
	a := &assets{files: map[string]*asset{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		file, err := newAsset(name, body, p)
		a.files["/"+name] = file
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the files of the web app: %w", err)
	}
	if a.files["/index.html"] == nil {
		return nil, fmt.Errorf("reading the files of the web app: there is no index.html")
	}
	return a, nil
}

func newAsset(name string, body []byte, p *packer) (*asset, error) {
	sum := sha256.Sum256(body)
	file := &asset{
		body: body, packed: map[string][]byte{}, mediaType: mediaType(name),
		tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, immutable: strings.HasPrefix(name, "assets/"),
	}
	for _, encoding := range []string{"zstd", "gzip"} {
		packed, err := p.pack(encoding, body)
		if err != nil {
			return nil, err
		}
		if len(packed) < len(body) {
			file.packed[encoding] = packed
		}
	}
	return file, nil
}

// mediaType names the kinds of files that a built app has, so that nothing
// depends on the machine's own table.
func mediaType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	file := a.files[r.URL.Path]
	if file == nil {
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			http.NotFound(w, r) // a file of another build of the app
			return
		}
		file = a.files["/index.html"]
	}
	h.Set("Content-Type", file.mediaType)
	h.Set("ETag", file.tag)
	h.Set("Vary", "Accept-Encoding")
	if file.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), file.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := file.body
	if encoding := acceptedEncoding(r); file.packed[encoding] != nil {
		h.Set("Content-Encoding", encoding)
		body = file.packed[encoding]
	}
	writeBody(w, r, body)
}
