package webhook

import (
	"maps"
	"sync"
	"time"
)

// Stats count what came for one cluster since the Handler was made.
type Stats struct {
	// Bodies and Bytes count what was read, Bytes after decompression.
	Bodies, Bytes int64
	// Received counts the items of EventLists, Acknowledged those of them that
	// are stored and answered so, repeated ones too.
	Received, Acknowledged int64
	// Refused counts the bodies that were not acknowledged, by why.
	Refused map[Reason]int64
	// Last is when events were acknowledged last, zero before.
	Last time.Time
}

// Stats gives the counts by cluster; those of bodies for no known cluster stand
// under "".
func (h *Handler) Stats() map[string]Stats {
	h.counts.mu.Lock()
	defer h.counts.mu.Unlock()
	all := make(map[string]Stats, len(h.counts.clusters))
	for cluster, s := range h.counts.clusters {
		one := *s
		one.Refused = maps.Clone(s.Refused)
		all[cluster] = one
	}
	return all
}

type counts struct {
	mu       sync.Mutex
	clusters map[string]*Stats
}

// of gives the counts of a cluster. The caller holds mu.
func (c *counts) of(cluster string) *Stats {
	s := c.clusters[cluster]
	if s == nil {
		s = &Stats{Refused: map[Reason]int64{}}
		c.clusters[cluster] = s
	}
	return s
}

func (c *counts) body(cluster string, bytes, events int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.of(cluster)
	s.Bodies++
	s.Bytes += int64(bytes)
	s.Received += int64(events)
}

func (c *counts) acknowledged(cluster string, events int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.of(cluster)
	s.Acknowledged += int64(events)
	s.Last = now
}

func (c *counts) refused(cluster string, why Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(cluster).Refused[why]++
}
