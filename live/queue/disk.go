package queue

import (
	"sync"
	"time"
)

// diskGuard tells whether a disk has enough room left. It asks the system once
// a second at most.
type diskGuard struct {
	dir   string
	least int64

	mu    sync.Mutex
	asked time.Time
	free  int64
	known bool
}

// enough gives the free bytes, and whether they are enough. Where the system
// does not tell, they are.
func (g *diskGuard) enough() (free int64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); now.Sub(g.asked) >= time.Second {
		g.asked = now
		g.free, g.known = freeBytes(g.dir)
	}
	return g.free, !g.known || g.free >= g.least
}
