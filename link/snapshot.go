package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"unsafe"

	"github.com/whet-k8s/whet/audit"
)

// snapshotMagic begins every snapshot, and snapshotVersion follows it: the
// number of the layout that the functions below describe. A field more, one
// less, or another order of fields is another version.
const (
	snapshotMagic   = "whet linker "
	snapshotVersion = 4
)

// ErrSnapshotVersion says that a snapshot was written by a whet whose linker
// keeps other things in mind.
var ErrSnapshotVersion = errors.New("it was written by another version of whet")

// Snapshot writes all that the Linker remembers to w, so that Restore goes on
// as if nothing had happened: what waits, what is open, clients, objects and
// their changes. It leaves the Linker as it is. The Raw of events is left out.
// The same state gives the same bytes. An error comes from w.
//
// The layout: the magic, the version (a varint), the state, and the CRC-32C of
// all that (4 bytes, little endian). The state is the fields of the Linker in
// the order of (*stateCoder).linker, then the nodes that pointers lead to, as
// coder describes.
func (l *Linker) Snapshot(w io.Writer) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	s := newStateCoder(&coder{out: io.MultiWriter(w, sum), numbers: map[string]uint64{}, labelNumbers: map[unsafe.Pointer]uint64{}})
	s.buf = binary.AppendUvarint(append(s.buf, snapshotMagic...), snapshotVersion)
	s.linker(l)
	s.drain()
	s.flush()
	if s.err == nil {
		_, s.err = w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	}
	if s.err != nil {
		return fmt.Errorf("writing the state of the linker: %w", s.err)
	}
	return nil
}

// Restore reads what Snapshot wrote and returns a Linker that goes on from
// there. The options may be others than those of the Linker that was saved;
// emit and report are those of New. It is an error when r gives anything else
// than a whole snapshot, and ErrSnapshotVersion when it is that of another
// version. The memory it takes is bounded by a multiple of what r gives.
func Restore(r io.Reader, options Options, emit func(Assignment), report func(ContextRecord)) (*Linker, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the state of the linker: %w", err)
	}
	l := New(options, emit, report)
	if err := l.restore(data); err != nil {
		return nil, fmt.Errorf("reading the state of the linker: %w", err)
	}
	return l, nil
}

func (l *Linker) restore(data []byte) error {
	body, ok := bytes.CutPrefix(data, []byte(snapshotMagic))
	if !ok {
		return errors.New("it is no snapshot of a linker")
	}
	const sumBytes = 4
	version, n := binary.Uvarint(body)
	if n <= 0 || len(body) < n+sumBytes {
		return errSnapshotCut
	}
	if version != snapshotVersion {
		return fmt.Errorf("%w: it has format %d, and this whet reads %d", ErrSnapshotVersion, version, snapshotVersion)
	}
	end := len(data) - sumBytes
	if crc32.Checksum(data[:end], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(data[end:]) {
		return errors.New("its bytes are not those that were written, or not all of them")
	}
	s := newStateCoder(&coder{buf: body[n : len(body)-sumBytes], size: len(data)})
	s.linker(l)
	s.drain()
	if s.err == nil && len(s.buf) > 0 {
		s.fail("%d bytes are left over", len(s.buf))
	}
	if s.err == nil {
		s.err = s.check(l)
	}
	return s.err
}

// check refuses a state that no Linker comes to, and that would make one fail
// later on.
func (s *stateCoder) check(l *Linker) error {
	for _, c := range s.contexts.list {
		// A chain of origins that is longer than there are contexts goes
		// round in a circle.
		steps := 0
		for at := c.origin; at != nil && !s.rooted[at]; at = at.origin {
			if steps++; steps > len(s.contexts.list) {
				return errors.New("a context in it is its own origin")
			}
		}
		s.rooted[c] = true
	}
	for _, c := range s.commands.list {
		for _, e := range c.reads {
			if l.requests[keyOfEntry(e)] == nil {
				return errors.New("a request that waits in it is not known")
			}
		}
	}
	var histories []*history
	for _, o := range s.objects.list {
		histories = append(histories, &o.own, &o.below)
	}
	for _, n := range l.index.spaces {
		histories = append(histories, &n.all)
	}
	for _, h := range histories {
		lost := func(c *change) bool { return c.object == nil }
		if slices.ContainsFunc(h.writes, lost) || slices.ContainsFunc(h.statuses, lost) {
			return errors.New("a change in it has no object")
		}
	}
	return nil
}

// stateCoder codes the state of a Linker.
type stateCoder struct {
	*coder
	events     nodes[audit.Event]
	actors     nodes[actor]
	objects    nodes[object]
	changes    nodes[change]
	contexts   nodes[contextState]
	operations nodes[operation]
	commands   nodes[command]
	entries    nodes[entry]
	// rooted are the contexts that check has followed to their origin.
	rooted map[*contextState]bool
}

// The least bytes of each kind of node are well below what an empty one takes.
func newStateCoder(c *coder) *stateCoder {
	return &stateCoder{
		coder:      c,
		events:     newNodes[audit.Event]("an event", 32),
		actors:     newNodes[actor]("a client", 8),
		objects:    newNodes[object]("an object", 24),
		changes:    newNodes[change]("a change", 8),
		contexts:   newNodes[contextState]("a context", 16),
		operations: newNodes[operation]("an operation", 2),
		commands:   newNodes[command]("a command", 8),
		entries:    newNodes[entry]("a waiting event", 6),
		rooted:     map[*contextState]bool{},
	}
}

// drain codes all nodes that were met, and those met in coding them.
func (s *stateCoder) drain() {
	for more := true; more && s.err == nil; {
		more = slices.Contains([]bool{
			drain(s.coder, &s.entries, s.entry),
			drain(s.coder, &s.commands, s.command),
			drain(s.coder, &s.actors, s.actor),
			drain(s.coder, &s.objects, s.object),
			drain(s.coder, &s.changes, s.change),
			drain(s.coder, &s.contexts, s.context),
			drain(s.coder, &s.operations, func(o *operation) { s.id(&o.id) }),
			drain(s.coder, &s.events, s.event),
		}, true)
	}
}
