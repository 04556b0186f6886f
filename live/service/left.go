package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/store"
)

// openLeft opens the clusters of which events are left that were acknowledged,
// though the configuration names them no more: they go into the data set under
// the name that they came with. What the configuration said of such a cluster
// is not known any more, so that they are redacted.
func (s *Service) openLeft(ctx context.Context) error {
	names, err := s.queue.Clusters(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if slices.ContainsFunc(s.config.Clusters, func(c config.Cluster) bool { return c.Name == name }) {
			continue
		}
		c, err := s.openCluster(ctx, &config.Cluster{Name: name, Keep: store.KeepEvents})
		if err != nil {
			return fmt.Errorf("cluster %s, which is no longer in the configuration: %w", name, err)
		}
		stats, err := c.stream.Stats(ctx)
		if err != nil {
			return err
		}
		if stats.Messages == 0 && c.engine.Stats().Idle {
			continue
		}
		c.log.Warn("the cluster is no longer in the configuration; what it left in the queue is analysed under its name", "messages", stats.Messages)
		s.clusters = append(s.clusters, c)
	}
	return nil
}
