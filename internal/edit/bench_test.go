package edit_test

import (
	"bytes"
	"testing"

	"github.com/whet-k8s/whet/internal/edit"
)

// BenchmarkScan reads a log of 11 MB from its beginning to its end.
func BenchmarkScan(b *testing.B) {
	log := bytes.Repeat(read(b, web), 50)
	name := copyLog(b, log)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		s := open(b, name, edit.Options{})
		s.close(b)
	}
}

// BenchmarkProposals gathers the proposals of each event of a small log.
func BenchmarkProposals(b *testing.B) {
	s := open(b, copyLog(b, read(b, web)), edit.Options{})
	defer s.close(b)
	for b.Loop() {
		for i := range s.Len() {
			if _, err := s.Proposals(i); err != nil {
				b.Fatal(err)
			}
		}
	}
}
