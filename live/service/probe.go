package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/whet-k8s/whet/live/webhook"
	"github.com/whet-k8s/whet/server"
)

// probes are the paths for those who watch over the server. may judges whether
// a request may read, which why it is not ready and the metrics are for, where
// readers have to show who they are; nil lets everybody have the metrics, and
// nobody the reasons.
func (s *Service) probes(may func(*http.Request) error) map[string]http.Handler {
	metrics := promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{})
	if may != nil && s.guarded() {
		metrics = s.forReaders(metrics)
	}
	return map[string]http.Handler{
		"/healthz": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }),
		"/readyz": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.ready(w, r, may != nil && (!s.guarded() || may(r) == nil))
		}),
		"/metrics": metrics,
	}
}

// forReaders lets those through who may read.
func (s *Service) forReaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := &access{Remote: hostOf(r.RemoteAddr), Path: r.URL.Path}
		err := s.mayRead(r.WithContext(context.WithValue(r.Context(), accessKey{}, line)))
		if err == nil {
			next.ServeHTTP(w, r)
			return
		}
		line.Status = http.StatusUnauthorized
		if errors.Is(err, server.ErrForbidden) {
			line.Status = http.StatusForbidden
		} else {
			w.Header().Set("WWW-Authenticate", `Bearer realm="whet"`)
		}
		s.noteRefused(r, line)
		plain(w, line.Status, err.Error()+"\n")
	})
}

// listenForProbes listens on the address for probes alone, where there is one.
func (s *Service) listenForProbes(ctx context.Context) (err error) {
	if s.config.Metrics == "" {
		return nil
	}
	if s.probing, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Metrics); err != nil {
		return fmt.Errorf("listening on %s for metrics: %w", s.config.Metrics, err)
	}
	return nil
}

// serveProbes answers probes until ctx ends.
func (s *Service) serveProbes(ctx context.Context) error {
	mux := http.NewServeMux()
	for path, handler := range s.probes(nil) {
		mux.Handle("GET "+path, handler)
	}
	probes := webhook.Server(mux, nil, s.log)
	probes.ReadTimeout, probes.WriteTimeout = readTime, readTime
	stop := context.AfterFunc(ctx, func() { _ = probes.Close() }) // nobody waits for a probe
	defer stop()
	if err := probes.Serve(s.probing); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving metrics on %s: %w", s.probing.Addr(), err)
	}
	return nil
}
