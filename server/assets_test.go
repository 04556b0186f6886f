package server

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

func testAssets() fstest.MapFS {
	return fstest.MapFS{
		"index.html":        {Data: []byte("<!doctype html><title>app</title>")},
		"icon.svg":          {Data: []byte("<svg/>")},
		"assets/app-1a.js":  {Data: []byte(strings.Repeat("export const a = 1;\n", 500))},
		"assets/app-1a.css": {Data: []byte("a{}")},
	}
}

func TestAssets(t *testing.T) {
	handler := dayServer(t, func(o *Options) { o.Assets = testAssets() })
	for _, tt := range []struct {
		target string
		status int
		kind   string
		cache  string
	}{
		{"/", 200, "text/html; charset=utf-8", "no-cache"},
		{"/index.html", 200, "text/html; charset=utf-8", "no-cache"},
		{"/context/" + theContext, 200, "text/html; charset=utf-8", "no-cache"},
		{"/apis", 200, "text/html; charset=utf-8", "no-cache"},
		{"/icon.svg", 200, "image/svg+xml", "no-cache"},
		{"/assets/app-1a.js", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/assets/app-1a.css", 200, "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/assets/app-2b.js", 404, "text/plain; charset=utf-8", ""},
		{"/api", 404, "application/json", "no-store"},
		{"/api/", 404, "application/json", "no-store"},
		{"/api/v1/nothing", 404, "application/json", "no-store"},
		{"/api/v2/info", 404, "application/json", "no-store"},
	} {
		w := ask(handler, http.MethodGet, tt.target, "")
		h := w.Header()
		if w.Code != tt.status || h.Get("Content-Type") != tt.kind || h.Get("Cache-Control") != tt.cache {
			t.Errorf("GET %s: status %d, %s, %s; want %d, %s, %s", tt.target,
				w.Code, h.Get("Content-Type"), h.Get("Cache-Control"), tt.status, tt.kind, tt.cache)
		}
		if tag := h.Get("ETag"); tt.status == 200 && tag != "" {
			if w := ask(handler, http.MethodGet, tt.target, "", header("If-None-Match", tag)); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
				t.Errorf("GET %s again: status %d, %d bytes", tt.target, w.Code, w.Body.Len())
			}
		}
	}
	if w := ask(handler, http.MethodPost, "/", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /: status %d", w.Code)
	}
	if w := ask(handler, http.MethodHead, "/", ""); w.Code != http.StatusOK || w.Body.Len() > 0 {
		t.Errorf("HEAD /: status %d, %d bytes", w.Code, w.Body.Len())
	}
}

func TestAssetsNeedAnIndex(t *testing.T) {
	if _, err := New(t.Context(), nil, Options{Assets: fstest.MapFS{}}); err == nil || !strings.Contains(err.Error(), "index.html") {
		t.Errorf("without index.html: %v", err)
	}
}

func TestCompression(t *testing.T) {
	handler := dayServer(t, func(o *Options) { o.Assets = testAssets() })
	for _, target := range []string{"/assets/app-1a.js", "/api/v1/timeline", "/api/v1/contexts.jsonl"} {
		plain := ask(handler, http.MethodGet, target, "").Body.String()
		for accepted, want := range map[string]string{
			"gzip, deflate, br, zstd": "zstd", "gzip": "gzip", "br": "", "zstd;q=0, gzip": "gzip", "gzip;q=0.0": "", "GZIP;q=0.5": "gzip", "identity": "",
		} {
			w := ask(handler, http.MethodGet, target, "", header("Accept-Encoding", accepted))
			if got := w.Header().Get("Content-Encoding"); got != want {
				t.Errorf("GET %s with %q: encoding %q, want %q", target, accepted, got, want)
				continue
			}
			if w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("GET %s: Vary is %q", target, w.Header().Get("Vary"))
			}
			if text := unpack(t, want, w.Body.Bytes()); text != plain {
				t.Errorf("GET %s with %q: another text came, %d bytes for %d", target, accepted, len(text), len(plain))
			}
		}
	}
}

func unpack(t *testing.T, encoding string, body []byte) string {
	t.Helper()
	switch encoding {
	case "zstd":
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer decoder.Close()
		text, err := decoder.DecodeAll(body, nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	case "gzip":
		return gunzip(t, body)
	}
	return string(body)
}
