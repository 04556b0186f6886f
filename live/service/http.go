package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/webhook"
	"github.com/whet-k8s/whet/server"
	"github.com/whet-k8s/whet/store"
)

const (
	// readTime is how long a body may take that is no EventList, writeTime how
	// long an answer.
	readTime  = 15 * time.Second
	writeTime = 6 * time.Minute
)

// openServer makes what readers see.
func (s *Service) openServer(ctx context.Context) error {
	var err error
	if s.data, err = store.Open(ctx, s.config.Data); err != nil {
		return err
	}
	o := server.Options{
		Assets: s.options.Assets, Listen: s.config.Listen, Hosts: s.config.Hosts, TLS: s.config.TLS.Certificate != "",
		Version: s.options.Version, Source: []string{s.config.Data}, Hub: s.hub, Log: s.log,
	}
	if s.guarded() {
		o.Reader = s.mayRead
	}
	if s.server, err = server.New(ctx, s.data, o); err != nil {
		return fmt.Errorf("showing the data set %s: %w", s.config.Data, err)
	}
	s.metrics, err = s.newMetrics()
	return err
}

// guarded tells whether readers have to show who they are.
func (s *Service) guarded() bool {
	return s.config.Reads() || server.CheckListen(s.config.Listen, false) != nil
}

// accessKey is where the line of the trail stands in the context of a request.
type accessKey struct{}

// mayRead tells whether a request may read, and notes whose it is.
func (s *Service) mayRead(r *http.Request) error {
	who, err := s.auth.Identify(r)
	if err == nil && !who.Has(auth.RoleRead) {
		err = fmt.Errorf("client %s %w: it does not have the role %s", who.Name, server.ErrForbidden, auth.RoleRead)
	}
	if line, ok := r.Context().Value(accessKey{}).(*access); ok {
		line.Client, line.Refused = who.Name, ""
		if err != nil {
			line.Refused, line.anonymous = err.Error(), errors.Is(err, auth.ErrNoCredential)
		}
	}
	return err
}

// listen listens, and makes the server that answers.
func (s *Service) listen(ctx context.Context) error {
	var config *tls.Config
	if s.config.TLS.Certificate != "" {
		var err error
		if config, err = s.auth.TLS(s.config.TLS); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use: choose another address to listen on: %w", s.config.Listen, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("listening on %s is not permitted: ports below 1024 are for the administrator", s.config.Listen)
	case err != nil:
		return fmt.Errorf("listening on %s: %w", s.config.Listen, err)
	}
	s.listener = listener
	s.http = webhook.Server(s.handler(), config, s.log)
	s.http.WriteTimeout = writeTime
	if config != nil {
		s.listener = tls.NewListener(listener, config)
	} else if s.guarded() {
		s.log.Warn("tokens and answers travel unencrypted: give a certificate and its key, or use a tunnel")
	}
	return nil
}

// URL is the address of the web app.
func (s *Service) URL() string {
	scheme := "http"
	if s.config.TLS.Certificate != "" {
		scheme = "https"
	}
	host, _, err := net.SplitHostPort(s.config.Listen)
	_, port, portErr := net.SplitHostPort(s.listener.Addr().String())
	if err != nil || portErr != nil {
		return scheme + "://" + s.listener.Addr().String() + "/"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// handler answers every path.
func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(webhook.Path, s.webhook)
	for path, handler := range s.probes(s.mayRead) {
		if !s.guarded() {
			// A page of somebody else must not ask for them through a browser.
			handler = server.Guard(s.config.Listen, s.config.Hosts, handler)
		}
		mux.Handle("GET "+path, handler)
	}
	mux.Handle("/", s.traced(s.server))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, webhook.Path) && r.Body != nil && r.Body != http.NoBody {
			// The webhook bounds its own bodies. Without a body the time would end
			// the answer, which is when the client is next read from. A writer that
			// takes no deadline is bounded by those of the server.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime))
		}
		mux.ServeHTTP(w, r)
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) //nolint:gosec // It is plain text, and no browser may take it for another.
}

// traced writes who read what of the API. The files of the app are no secret.
func (s *Service) traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		line := &access{
			Time: time.Now().UTC(), Remote: hostOf(r.RemoteAddr), Method: r.Method, Path: cut(r.URL.Path), Query: cut(r.URL.RawQuery),
		}
		out := &counted{ResponseWriter: w}
		if endless(r.URL.Path) {
			out.begun = func() {
				begun := *line
				begun.Status, begun.Begun = out.status, true
				s.trail.write(&begun)
			}
		}
		defer func() {
			line.Status, line.Bytes, line.Seconds = out.status, out.bytes, time.Since(line.Time).Seconds()
			s.trail.write(line)
			s.noteRefused(r, line)
		}()
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), accessKey{}, line)))
	})
}

// cut bounds what of a request stands in the trail.
func cut(s string) string {
	const most = 4 << 10
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// endless tells the answers that go on for long: that they began is noted, too,
// since the end of the process may come before theirs.
func endless(path string) bool {
	return strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, "/live")
}

// noteRefused logs that somebody may not read, unless they have not shown who
// they are, as a browser that opens the app.
func (s *Service) noteRefused(r *http.Request, line *access) {
	if line.Refused == "" || line.Status != http.StatusUnauthorized && line.Status != http.StatusForbidden || line.anonymous {
		return
	}
	if more, ok := s.quiet.Say(line.Remote + " " + line.Refused); ok {
		s.log.Warn("a reader was refused", "status", line.Status, "error", line.Refused, "client", line.Client,
			"remote", r.RemoteAddr, "path", line.Path, "more", more)
	}
}
