package pipeline

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// maxRawInMemory is how many bytes of events wait in memory for their turn.
const maxRawInMemory = 48 << 20

// spill is a queue of byte slices: the oldest in memory, and once these reach
// their bound, the newer ones in a temporary file.
type spill struct {
	limit  int // 0 means maxRawInMemory
	memory [][]byte
	bytes  int // in memory

	file        *os.File // nil until it is needed
	written     int64
	read        int64
	inFile      int
	lengthBytes [4]byte
}

// push adds a slice at the end. The queue keeps the slice as it is.
func (s *spill) push(raw []byte) error {
	limit := s.limit
	if limit == 0 {
		limit = maxRawInMemory
	}
	if s.inFile == 0 && s.bytes+len(raw) <= limit {
		s.memory = append(s.memory, raw)
		s.bytes += len(raw)
		return nil
	}
	return s.pushFile(raw)
}

func (s *spill) pushFile(raw []byte) error {
	if s.file == nil {
		f, err := os.CreateTemp("", "whet-*.tmp")
		if err != nil {
			return fmt.Errorf("making a temporary file for waiting events: %w", err)
		}
		s.file = f
	}
	binary.LittleEndian.PutUint32(s.lengthBytes[:], uint32(len(raw))) //nolint:gosec // A record is far smaller than 4 GiB.
	for _, part := range [][]byte{s.lengthBytes[:], raw} {
		n, err := s.file.WriteAt(part, s.written)
		s.written += int64(n)
		if err != nil {
			return fmt.Errorf("writing waiting events to a temporary file: %w", err)
		}
	}
	s.inFile++
	return nil
}

// pop takes the oldest slice out.
func (s *spill) pop() ([]byte, error) {
	if len(s.memory) > 0 {
		raw := s.memory[0]
		s.memory[0] = nil
		s.memory = s.memory[1:]
		s.bytes -= len(raw)
		return raw, nil
	}
	if s.inFile == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	raw, err := s.popFile()
	if err != nil {
		return nil, fmt.Errorf("reading waiting events from a temporary file: %w", err)
	}
	return raw, nil
}

func (s *spill) popFile() ([]byte, error) {
	if _, err := s.file.ReadAt(s.lengthBytes[:], s.read); err != nil {
		return nil, err
	}
	raw := make([]byte, binary.LittleEndian.Uint32(s.lengthBytes[:]))
	if _, err := s.file.ReadAt(raw, s.read+4); err != nil {
		return nil, err
	}
	s.read += int64(len(s.lengthBytes) + len(raw))
	s.inFile--
	if s.inFile == 0 {
		// What was read is of no use any more; start the file again.
		s.read, s.written = 0, 0
	}
	return raw, nil
}

// close removes the temporary file.
func (s *spill) close() {
	if s.file == nil {
		return
	}
	// Nothing that waits is worth keeping, so that a failure loses nothing.
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
	s.file = nil
}
