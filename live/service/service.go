package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/whet-k8s/whet/internal/filelock"
	"github.com/whet-k8s/whet/internal/quiet"
	"github.com/whet-k8s/whet/live/alert"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/hub"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/retain"
	"github.com/whet-k8s/whet/live/webhook"
	"github.com/whet-k8s/whet/server"
	"github.com/whet-k8s/whet/store"
)

// Options say what a Service works with.
type Options struct {
	// Config is what it is to do; config.Config.Check has nothing against it.
	Config *config.Config
	// Assets are the files of the web app, nil for none.
	Assets fs.FS
	// Version is that of the program.
	Version string
	// Stdin is what a source of the kind config.Stdin reads. Default is os.Stdin.
	Stdin io.Reader
	// Log takes what a person who runs the server should know. Default is none.
	Log *slog.Logger
}

// Service is a live server. Open makes it, Run runs it once, and Close lets go of
// everything.
type Service struct {
	config   *config.Config
	options  Options
	log      *slog.Logger
	lock     *os.File
	queue    *queue.Queue
	clusters []*cluster
	auth     *auth.Authenticator
	hub      *hub.Hub
	alerter  *alert.Alerter // nil without alerts
	keeper   *retain.Keeper
	webhook  *webhook.Handler
	data     *store.DataSet
	server   *server.Server
	trail    *trail
	metrics  *prometheus.Registry
	quiet    *quiet.Quiet
	listener net.Listener
	http     *http.Server
	probing  net.Listener // for probes alone, nil without one

	// writing is held by whoever writes to the data set.
	writing sync.Mutex
}

// Open opens everything that a configuration names, listens, and does not answer
// yet. An error names what cannot be opened.
func Open(ctx context.Context, o Options) (*Service, error) {
	s := &Service{config: o.Config, options: o, log: o.Log, quiet: quiet.New(nil)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Service) open(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.openFiles, s.openClients, s.openReaders, s.openClusters, s.openServer, s.listen, s.listenForProbes,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// file gives the name of a file of live mode.
func (s *Service) file(name ...string) string {
	return filepath.Join(append([]string{s.config.Data, store.LiveFolder}, name...)...)
}

// openFiles opens the data set and the queue.
func (s *Service) openFiles(context.Context) error {
	if err := store.Create(s.config.Data); err != nil {
		return err
	}
	if err := os.MkdirAll(s.file(), 0o700); err != nil {
		return fmt.Errorf("making the folder of live mode: %w", err)
	}
	var err error
	if s.lock, err = lockFile(s.file("lock")); err != nil {
		return fmt.Errorf("opening %s: %w", s.config.Data, err)
	}
	o := s.config.Queue
	o.Dir, o.Log = s.file("queue"), s.log
	if s.queue, err = queue.Open(o); err != nil {
		return err
	}
	s.trail, err = openTrail(s.config.Access, s.file("access.jsonl"))
	return err
}

// openClients reads who may do what.
func (s *Service) openClients(context.Context) (err error) {
	s.auth, err = openClients(s.config, s.log)
	return err
}

// openReaders opens what contexts go to.
func (s *Service) openReaders(context.Context) error {
	s.hub = hub.New(0)
	s.keeper = retain.New(retain.Options{DataSet: s.config.Data, Limits: s.config.Retention, Writing: &s.writing, Log: s.log})
	if s.config.Alerts == "" {
		return nil
	}
	rules, err := alert.Read(s.config.Alerts)
	if err != nil {
		return err
	}
	s.alerter, err = alert.Open(alert.Options{Config: rules, State: s.file("alerts.json"), Log: s.log})
	return err
}

// openClusters opens the streams, engines and sources.
func (s *Service) openClusters(ctx context.Context) error {
	for i := range s.config.Clusters {
		c, err := s.openCluster(ctx, &s.config.Clusters[i])
		if err != nil {
			return fmt.Errorf("cluster %s: %w", s.config.Clusters[i].Name, err)
		}
		s.clusters = append(s.clusters, c)
	}
	if err := s.openLeft(ctx); err != nil {
		return err
	}
	s.webhook = webhook.New(webhook.Options{Stream: s.stream, Auth: s.auth, Limits: s.config.Limits, Log: s.log})
	return nil
}

// stream gives the stream of a cluster that has a webhook.
func (s *Service) stream(name string) (*queue.Stream, bool) {
	for _, c := range s.clusters {
		if c.config.Name == name && c.webhook {
			return c.stream, true
		}
	}
	return nil, false
}

// Run takes events and answers readers until ctx ends, and then ends in order.
// An error is that of the listener, or of a last checkpoint.
func (s *Service) Run(ctx context.Context) error {
	sources, stopSources := context.WithCancel(ctx)
	defer stopSources()
	// What events and contexts go to ends after what they come from.
	later, stopLater := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLater()
	engines, stopEngines := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngines()

	var begin, middle, end group
	for _, c := range s.clusters {
		middle.run(func() error { return c.analyse(engines) })
		for _, f := range c.followers {
			begin.run(func() error { return f.Run(sources) })
		}
	}
	// With it end the answers that would go on.
	begin.run(func() error { return s.server.Watch(sources) })
	end.run(func() error { return s.keeper.Run(later) })
	if s.probing != nil {
		end.run(func() error { return s.serveProbes(later) })
	}
	if s.alerter != nil {
		end.run(func() error { return s.alerter.Run(later) })
	}
	s.log.Info("whet serves", "url", s.URL(), "clusters", len(s.clusters), "data", s.config.Data)
	err := s.serve(sources)
	stopSources()
	err = errors.Join(err, begin.wait())
	stopEngines()
	err = errors.Join(err, middle.wait())
	stopLater()
	err = errors.Join(err, end.wait())
	if err != nil {
		s.log.Error("whet has ended", "error", err)
		return err
	}
	s.log.Info("whet has ended")
	return nil
}

// shutdownTime is how long requests that have begun may take at the end.
const shutdownTime = 5 * time.Second

// serve answers requests until ctx ends.
func (s *Service) serve(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving on %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err := s.http.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	<-done //nolint:errcheck // It is http.ErrServerClosed.
	if err != nil {
		return fmt.Errorf("stopping the server: %w", err)
	}
	return nil
}

// Close lets go of everything.
func (s *Service) Close() {
	if s.listener != nil {
		_ = s.listener.Close() // Run has closed it, as a rule
	}
	if s.probing != nil {
		_ = s.probing.Close() // the same
	}
	if s.server != nil {
		s.server.Close()
	}
	if s.data != nil {
		_ = s.data.Close() // only read from
	}
	if s.alerter != nil {
		if err := s.alerter.Close(); err != nil {
			s.log.Error("closing the state of alerts", "error", err)
		}
	}
	if s.queue != nil {
		s.queue.Close()
	}
	if s.trail != nil {
		if err := s.trail.close(); err != nil {
			s.log.Error("closing the file of who read what", "error", err)
		}
	}
	if s.lock != nil {
		_ = filelock.Close(s.lock) // nothing was written
	}
}

// group runs functions at the same time, and gives their errors.
type group struct {
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

func (g *group) run(f func() error) {
	g.wg.Go(func() {
		if err := f(); err != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, err)
		}
	})
}

func (g *group) wait() error {
	g.wg.Wait()
	return errors.Join(g.errs...)
}
