package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/engine"
	"github.com/whet-k8s/whet/live/follow"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/model/rank"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// cluster is one whose events come.
type cluster struct {
	config    *config.Cluster
	log       *slog.Logger
	stream    *queue.Stream
	webhook   bool
	followers []*follower
	options   engine.Options

	mu     sync.Mutex
	engine *engine.Engine
	failed error // why the engine does not run
}

// follower is a source that is followed.
type follower struct {
	*follow.Follower
	source config.Source
}

// name is what a source is called in metrics and answers.
func sourceName(s config.Source) string {
	if s.Path == "" {
		return string(s.Kind)
	}
	return string(s.Kind) + ":" + s.Path
}

// openCluster opens the stream, the engine and the sources of a cluster.
func (s *Service) openCluster(ctx context.Context, conf *config.Cluster) (*cluster, error) {
	c := &cluster{config: conf, log: s.log.With("cluster", conf.Name)}
	policy, err := readPolicy(conf.Policy)
	if err != nil {
		return nil, err
	}
	var ranker *rank.Model
	if conf.Ranker != "" {
		if ranker, err = rank.ReadFile(conf.Ranker); err != nil {
			return nil, err
		}
	}
	if c.stream, err = s.queue.Stream(ctx, conf.Name); err != nil {
		return nil, err
	}
	c.options = engine.Options{
		DataSet: s.config.Data, Checkpoint: s.file("clusters", conf.Name, "checkpoint"),
		Store:    store.WriterOptions{Cluster: conf.Name, Keep: conf.Keep, NoRedact: conf.NoRedact},
		Pipeline: pipeline.Options{Policy: policy, NoModel: conf.NoModel, Ranker: ranker},
		Every:    s.config.Every, Grace: s.config.Grace, Ahead: s.config.Limits.Ahead,
		Contexts: func(list []pipeline.Context) error { return s.tell(conf.Name, list) },
		Preview:  func(list []pipeline.Context) { s.hub.Preview(conf.Name, list) },
		Writing:  &s.writing, Log: c.log,
	}
	if c.engine, err = engine.Open(c.stream, c.options); err != nil {
		return nil, err
	}
	if err := c.stream.GoOn(ctx, c.engine.Stats().Taken); err != nil {
		return nil, err
	}
	for _, source := range conf.Sources {
		if source.Kind == config.Webhook {
			c.webhook = true
			continue
		}
		f, err := s.openFollower(c, source)
		if err != nil {
			return nil, err
		}
		c.followers = append(c.followers, f)
	}
	return c, nil
}

func (s *Service) openFollower(c *cluster, source config.Source) (*follower, error) {
	o := follow.Options{Path: source.Path, Folder: source.Kind == config.Folder, Stdin: s.options.Stdin, Stream: c.stream, Log: c.log}
	if source.Kind == config.Stdin {
		o.Path = follow.Stdin
	}
	// However the path is written, what was read of the log is known.
	if source.Path != "" {
		path, err := filepath.Abs(source.Path)
		if err != nil {
			return nil, fmt.Errorf("following %s: %w", source.Path, err)
		}
		source.Path = path
	}
	sum := sha256.Sum256([]byte(sourceName(source)))
	o.State = s.file("clusters", c.config.Name, "offsets-"+hex.EncodeToString(sum[:8])+".json")
	f, err := follow.New(o)
	if err != nil {
		return nil, err
	}
	return &follower{f, source}, nil
}

// tell passes on contexts that grew.
func (s *Service) tell(cluster string, list []pipeline.Context) error {
	if s.alerter != nil {
		if err := s.alerter.Contexts(cluster, list); err != nil {
			return fmt.Errorf("judging which contexts somebody should hear of: %w", err)
		}
	}
	s.hub.Publish(cluster, list)
	return nil
}

func readPolicy(name string) (*noise.Policy, error) {
	if name == "" {
		return noise.Default(), nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the noise policy: %w", err)
	}
	return noise.Parse(name, data)
}

// The pauses before an engine that failed is tried again.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// analyse runs the engine until ctx ends, and another one where one fails. An
// error is that of the last checkpoint.
func (c *cluster) analyse(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		c.mu.Lock()
		e := c.engine
		c.mu.Unlock()
		begun := time.Now()
		err := e.Run(ctx)
		if ctx.Err() != nil {
			if err != nil {
				return fmt.Errorf("cluster %s: %w", c.config.Name, err)
			}
			return nil
		}
		if time.Since(begun) > lastPause {
			pause = firstPause
		}
		for {
			c.fail(err, pause)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
			if e, err = engine.Open(c.stream, c.options); err == nil {
				break
			}
			pause = min(2*pause, lastPause)
		}
		c.mu.Lock()
		c.engine, c.failed = e, nil
		c.mu.Unlock()
	}
}

func (c *cluster) fail(err error, pause time.Duration) {
	c.mu.Lock()
	c.failed = err
	c.mu.Unlock()
	c.log.Error("the analysis stopped and begins again from its last checkpoint", "error", err, "in", pause)
}

// state gives the counts of the engine, and what is wrong with it.
func (c *cluster) state() (engine.Stats, error) {
	c.mu.Lock()
	e, failed := c.engine, c.failed
	c.mu.Unlock()
	stats := e.Stats()
	if failed == nil {
		failed = stats.Err
	}
	return stats, failed
}
