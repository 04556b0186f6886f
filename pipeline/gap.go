package pipeline

import (
	"github.com/whet-k8s/whet/audit"
)

// maxBefore is how many bytes before an event its Annotation holds at most. Where
// there are more, as in a file that is no log, they go to the Sink's Gap.
const maxBefore = 64 << 10

// gap follows the bytes of the input that belong to no event.
type gap struct {
	source string
	// data are the bytes of the chunk, which begin at offset in the source; used
	// counts those that are passed on.
	data   []byte
	offset int64
	used   int
	// carried are the bytes at the end of the chunks before.
	carried []byte
}

// beginGaps begins with the bytes of a chunk.
func (r *run) beginGaps(b *decoded) error {
	if !r.options.KeepGaps {
		return nil
	}
	g := &r.gap
	if b.data == nil {
		g.data, g.used = nil, 0
		return nil
	}
	if b.offset == 0 {
		// Another source, or the same one once more.
		if err := r.lastGap(); err != nil {
			return err
		}
	}
	g.source, g.data, g.offset, g.used = b.Source, b.data, b.offset, 0
	return nil
}

// withGap gives the bytes from the event before to the end of this one, and how
// many of them stand before it.
func (r *run) withGap(ev *audit.Event) (raw []byte, before int, err error) {
	g := &r.gap
	start := int(ev.Position.Offset - g.offset)
	end := start + len(ev.Raw)
	if start < g.used || end > len(g.data) || string(g.data[start:end]) != string(ev.Raw) {
		// Its place is not known: its bytes stay a part of the gap.
		return nil, 0, nil
	}
	raw, before = g.data[g.used:end], start-g.used
	g.used = end
	if len(g.carried) > 0 {
		before += len(g.carried)
		raw = append(g.carried, raw...)
		g.carried = nil
	}
	if before > maxBefore {
		err = r.queueGap(raw[:before])
		raw, before = raw[before:], 0
	}
	return raw, before, err
}

// endGaps keeps what stands behind the last event of a chunk.
func (r *run) endGaps(*decoded) error {
	g := &r.gap
	if !r.options.KeepGaps || g.used == len(g.data) {
		return nil
	}
	g.carried = append(g.carried, g.data[g.used:]...)
	g.data, g.used = nil, 0
	if len(g.carried) <= maxBefore {
		return nil
	}
	return r.lastGap()
}

// lastGap passes on what no event of the source follows.
func (r *run) lastGap() error {
	g := &r.gap
	if len(g.carried) == 0 {
		return nil
	}
	err := r.queueGap(g.carried)
	g.carried = nil
	return err
}

// queueGap gives bytes their place in the queue.
func (r *run) queueGap(b []byte) error {
	r.seq++
	return r.order.addGap(r.gap.source, b)
}
