package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/goccy/go-json"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/pipeline"
)

// compressFrom is the size from which an answer is compressed, in bytes.
const compressFrom = 1 << 10

// encode gives a value as JSON in which no character has a meaning in HTML,
// directs text, or is invisible.
func encode(value any) ([]byte, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("writing the answer as JSON: %w", err)
	}
	return append(pipeline.EscapeJSON(make([]byte, 0, len(b)+len(b)/16+1), b), '\n'), nil
}

// packer compresses answers, at a level made for speed: they go to a machine
// nearby.
type packer struct {
	zstd *zstd.Encoder // EncodeAll may be called by many at once
}

func newPacker() (*packer, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("making the compressor of answers: %w", err)
	}
	return &packer{encoder}, nil
}

// pack compresses a body by a content coding.
func (p *packer) pack(encoding string, body []byte) ([]byte, error) {
	if encoding == "zstd" {
		return p.zstd.EncodeAll(body, nil), nil
	}
	var packed bytes.Buffer
	encoder, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compressing an answer: %w", err)
	}
	_, err = encoder.Write(body)
	if err = errors.Join(err, encoder.Close()); err != nil {
		return nil, fmt.Errorf("compressing an answer: %w", err)
	}
	return packed.Bytes(), nil
}

// write answers with a whole body, compressed where the client takes that and
// it pays.
func (p *packer) write(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if encoding := acceptedEncoding(r); encoding != "" && len(body) >= compressFrom {
		if packed, err := p.pack(encoding, body); err == nil {
			h.Set("Content-Encoding", encoding)
			body = packed
		}
	}
	writeBody(w, r, body)
}

func writeBody(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) //nolint:gosec // Its type is never that of a page, but for the app's own files.
	}
}

// writeJSON answers with a small value.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := encode(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone wants no answer
}

// writeProblem answers with what went wrong.
func writeProblem(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, p.status, struct {
		Error *problem `json:"error"`
	}{p})
}

// acceptedEncoding chooses between zstd and gzip by the header
// Accept-Encoding, "" for neither.
func acceptedEncoding(r *http.Request) string {
	accepted := map[string]bool{}
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, quality, _ := strings.Cut(part, ";")
		weight, found := strings.CutPrefix(strings.ReplaceAll(quality, " ", ""), "q=")
		if q, err := strconv.ParseFloat(weight, 64); found && (err != nil || q <= 0) {
			continue
		}
		accepted[strings.ToLower(strings.TrimSpace(name))] = true
	}
	switch {
	case accepted["zstd"]:
		return "zstd"
	case accepted["gzip"]:
		return "gzip"
	}
	return ""
}
