package queue

import "sync/atomic"

// diskGuard tells whether a disk has enough room left. It asks the system each
// time: that takes microseconds, while a disk that others fill has no room for
// what was true a moment ago.
type diskGuard struct {
	dir   string
	least int64 // bytes that must stay free

	flying atomic.Int64 // bytes that are being written
}

// take counts bytes that are about to be written, until done is called. It gives
// the free bytes, and whether they are enough for these too. Where the system
// does not tell, they are.
func (g *diskGuard) take(bytes int64) (done func(), free int64, ok bool) {
	flying := g.flying.Add(bytes)
	done = func() { g.flying.Add(-bytes) }
	free, known := freeBytes(g.dir)
	return done, free, !known || free-flying >= g.least
}
