package server

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// streamTime bounds a stream: a client that reads slowly must not hold a query
// for ever.
const streamTime = 5 * time.Minute

// streamer gives the rows of a stream, which become a line of JSON each.
type streamer func(a *api, ctx context.Context, p *params) (iter.Seq2[any, error], error)

// stream makes a handler of a streamer. What fails once lines are on their way
// becomes a last line with an error.
func (s *Server) stream(open streamer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := s.sessions.refusal(r); p != nil {
			refuse(w, p)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), streamTime)
		defer cancel()
		rows, leave, err := s.openStream(ctx, r, open)
		if err != nil {
			writeProblem(w, problemOf(cmp.Or(ctx.Err(), err)))
			return
		}
		defer leave()
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Vary", "Accept-Encoding")
		out, done := packed(w, r)
		err = writeLines(out, rows)
		var wire *wireError
		if err != nil && !errors.As(err, &wire) {
			line, encodeErr := encode(struct {
				Error *problem `json:"error"`
			}{problemOf(cmp.Or(ctx.Err(), err))})
			if encodeErr == nil {
				_, _ = out.Write(line) // who has gone wants no line
			}
		}
		_ = done() // the same
	})
}

func (s *Server) openStream(ctx context.Context, r *http.Request, open streamer) (rows iter.Seq2[any, error], leave func(), err error) {
	exit, err := s.gate.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	shown := s.take()
	leave = func() {
		s.drop(shown)
		exit()
	}
	rows, err = open(shown.api, ctx, paramsOf(r))
	if err != nil {
		leave()
		return nil, nil, err
	}
	return rows, leave, nil
}

// wireError is that the client does not read any more.
type wireError struct{ error }

// writeLines writes every row as a line.
func writeLines(w io.Writer, rows iter.Seq2[any, error]) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		line, err := encode(row)
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return &wireError{err}
		}
	}
	return nil
}

// packed gives a writer that compresses where the client takes that, and what
// ends it.
func packed(w http.ResponseWriter, r *http.Request) (io.Writer, func() error) {
	encoding := acceptedEncoding(r)
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	var packer io.WriteCloser
	switch encoding {
	case "zstd":
		encoder, err := zstd.NewWriter(buffered, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic("server: the options of zstd are constants: " + err.Error())
		}
		packer = encoder
	case "gzip":
		packer = gzip.NewWriter(buffered)
	default:
		return buffered, buffered.Flush
	}
	return packer, func() error { return errors.Join(packer.Close(), buffered.Flush()) }
}

// streamContexts answers /contexts.jsonl.
func (a *api) streamContexts(ctx context.Context, p *params) (iter.Seq2[any, error], error) {
	where := p.where(query.Contexts)
	if err := p.done(); err != nil {
		return nil, err
	}
	return rowsOf(a.data.Contexts(ctx, where, store.Page{}), newContextAnswer), nil
}

// streamEvents answers /events.jsonl.
func (a *api) streamEvents(ctx context.Context, p *params) (iter.Seq2[any, error], error) {
	where := p.where(query.Events)
	if err := p.done(); err != nil {
		return nil, err
	}
	return rowsOf(a.data.Events(ctx, where, store.Page{}), newEventAnswer), nil
}

func rowsOf[T, A any](rows iter.Seq2[T, error], answer func(T) A) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(answer(row), nil) {
				return
			}
		}
	}
}
