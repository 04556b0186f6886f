package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
)

// A saved session is the magic and the version, a head in JSON with its length
// before it (4 bytes, little endian), the fingerprints of the events that came
// last in two lists with their lengths, the CRC-32C of all that, and the state
// of the linker.
const (
	sessionMagic   = "whet session "
	sessionVersion = 1
)

// ErrSessionVersion says that a Session was saved by another version of whet
// and cannot be gone on with.
var ErrSessionVersion = errors.New("it was saved by another version of whet")

var errSessionBroken = errors.New("its bytes are not those that were written, or not all of them")

type sessionHead struct {
	Account *Accounting
	Rules   []string
	Next    uint64
	Newest  time.Time
	Key     []byte
}

// Snapshot writes the state of the Session to w, so that Resume goes on as if
// nothing had happened. An error comes from w.
func (s *Session) Snapshot(w io.Writer) error {
	head, err := json.Marshal(sessionHead{
		Account: s.Accounting(), Rules: s.run.rules.ids, Next: s.run.seq, Newest: s.newest, Key: s.seen.key[:],
	})
	if err != nil {
		return fmt.Errorf("writing the state of the analysis: %w", err)
	}
	b := append([]byte(sessionMagic), sessionVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = append(b, head...)
	for _, generation := range []map[repeatKey]struct{}{s.seen.current, s.seen.previous} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(generation)))
		for key := range generation {
			b = append(b, key[:]...)
		}
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the state of the analysis: %w", err)
	}
	return s.run.linker.Snapshot(w)
}

// Resume reads what Snapshot wrote and gives a Session that goes on from there,
// with options and a Sink as Start takes them. It is an error when r gives
// anything else than a whole state, and ErrSessionVersion when it is that of
// another version.
func Resume(r io.Reader, o Options, sink Sink) (*Session, error) {
	s := &Session{seen: newRepeats()}
	if err := s.begin(o, sink); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err == nil {
		err = s.resume(data)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state of the analysis: %w", err)
	}
	return s, nil
}

func (s *Session) resume(data []byte) error {
	head, generations, rest, err := splitSession(data)
	if err != nil {
		return err
	}
	h := sessionHead{Account: newAccounting()}
	if err := json.Unmarshal(head, &h); err != nil {
		return fmt.Errorf("its head: %w", err)
	}
	if len(h.Rules) == 0 || h.Account == nil || len(h.Rules) > 1<<tagRuleBits {
		return errSessionBroken
	}
	s.run.account, s.run.seq, s.newest = h.Account, h.Next, h.Newest
	s.run.rules = newRuleTable()
	for _, id := range h.Rules[1:] {
		s.run.rules.tag(0, id)
	}
	copy(s.seen.key[:], h.Key)
	s.seen.current, s.seen.previous = generations[0], generations[1]
	s.run.linker, err = link.Restore(bytes.NewReader(rest), s.run.options.Link, s.run.assigned, s.run.reporter())
	if errors.Is(err, link.ErrSnapshotVersion) {
		return fmt.Errorf("%w: %w", ErrSessionVersion, err)
	}
	return err
}

// splitSession takes a saved session apart.
func splitSession(data []byte) (head []byte, generations [2]map[repeatKey]struct{}, rest []byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(sessionMagic))
	if !ok || len(rest) == 0 {
		return nil, generations, nil, errors.New("it is no saved analysis")
	}
	if rest[0] != sessionVersion {
		return nil, generations, nil, fmt.Errorf("%w: it has format %d, and this whet reads %d", ErrSessionVersion, rest[0], sessionVersion)
	}
	rest = rest[1:]
	take := func(size int) []byte {
		if len(rest) < 4 {
			err = errSessionBroken
			return nil
		}
		n := uint64(binary.LittleEndian.Uint32(rest)) * uint64(size)
		if n > uint64(len(rest)-4) {
			err = errSessionBroken
			return nil
		}
		part := rest[4 : 4+n]
		rest = rest[4+n:]
		return part
	}
	head = take(1)
	for i := range generations {
		keys := take(len(repeatKey{}))
		generations[i] = make(map[repeatKey]struct{}, len(keys)/len(repeatKey{}))
		for ; len(keys) > 0; keys = keys[len(repeatKey{}):] {
			generations[i][repeatKey(keys)] = struct{}{}
		}
	}
	if err != nil || len(rest) < 4 ||
		crc32.Checksum(data[:len(data)-len(rest)], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(rest) {
		return nil, generations, nil, errSessionBroken
	}
	return head, generations, rest[4:], nil
}

// repeatKey tells events apart. It is a hash with a secret key, so that nobody
// can make an event that passes for another one and is left out.
type repeatKey [16]byte

// repeatMemory is how many events back a repeated one is noticed, at least.
const repeatMemory = 1 << 17

// repeats remembers the last events.
type repeats struct {
	key               [32]byte
	current, previous map[repeatKey]struct{}
	text              []byte
}

func newRepeats() repeats { return repeats{current: map[repeatKey]struct{}{}} }

// add takes an event and tells whether it came before: with the same auditID,
// stage, user, URI and times.
func (r *repeats) add(ev *audit.Event) bool {
	b := append(r.text[:0], r.key[:]...)
	for _, s := range []string{ev.AuditID, string(ev.Stage), ev.User.Username, ev.RequestURI} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(ev.RequestReceived.UnixMicro()))
	b = binary.LittleEndian.AppendUint64(b, uint64(ev.StageTime.UnixMicro()))
	r.text = b
	sum := sha256.Sum256(b)
	key := repeatKey(sum[:])
	_, known := r.current[key]
	if !known {
		_, known = r.previous[key]
	}
	if len(r.current) >= repeatMemory {
		r.previous, r.current = r.current, map[repeatKey]struct{}{}
	}
	r.current[key] = struct{}{}
	return known
}
