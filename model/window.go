package model

import (
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model/nn"
)

// windowStarts gives the first lines of the windows over a log of so many
// lines: one every stride, and one more that ends with the log, so that every
// line is in one. A log shorter than a window has one window, of its length.
func windowStarts(lines, window, stride int) []int {
	if lines == 0 {
		return nil
	}
	if lines <= window {
		return []int{0}
	}
	var starts []int
	for at := 0; at+window < lines; at += stride {
		starts = append(starts, at)
	}
	return append(starts, lines-window)
}

// voteWeight is how much a window's say about its line number i counts: most
// in the middle, least at the ends, where the window shows little of what goes
// before or after.
func voteWeight(i, window int) float32 {
	fromEnd := min(i, window-1-i) + 1
	return float32(fromEnd) / float32((window+1)/2)
}

// encoded is a line in the network's numbers.
type encoded struct {
	number     int64
	features   []int32
	edges      [edgeCount]int64
	candidates [candidateCount]label.Label
	// values are those of the candidates for each head, target those of the
	// true label; -1 for none.
	values [headCount * candidateCount]int32
	target [headCount]int32
}

// encoder turns lines into numbers, and windows of them into batches.
type encoder struct {
	vocabulary *Vocabulary
	heads      heads
	net        *nn.Net
}

// encode turns a line into numbers; features is memory for its rows.
func (e *encoder) encode(l *Line, features []int32) encoded {
	out := encoded{number: l.number, features: features, edges: l.edges, candidates: l.candidates}
	e.vocabulary.encode(l, features)
	for i, candidate := range l.candidates {
		e.heads.encode(candidate, out.values[i:], candidateCount)
	}
	e.heads.encode(l.Target, out.target[:], 1)
	return out
}

// encodeAll turns a whole log into numbers.
func (e *encoder) encodeAll(s *Sequence) []encoded {
	width := len(e.vocabulary.features)
	memory := make([]int32, width*len(s.Lines))
	all := make([]encoded, len(s.Lines))
	for i := range s.Lines {
		all[i] = e.encode(&s.Lines[i], memory[i*width:(i+1)*width])
	}
	return all
}

// batch gives windows of lines, all of the same length.
func (e *encoder) batch(windows [][]encoded) *nn.Batch {
	length := len(windows[0])
	b := e.net.NewBatch(length, len(windows))
	c := e.net.Config()
	for w, lines := range windows {
		first := lines[0].number
		for step := range lines {
			l := &lines[step]
			row := step*len(windows) + w
			copy(b.Features[row*c.Features:(row+1)*c.Features], l.features)
			for i := range c.Edges {
				if at := l.edges[i] - first; l.edges[i] >= 0 && at >= 0 && at < int64(length) {
					b.Edges[row*c.Edges+i] = int32(int(at)*len(windows) + w)
				}
			}
			if c.Candidates > 0 {
				copy(b.Candidates[row*headCount*candidateCount:], l.values[:])
			}
			copy(b.Targets[row*headCount:(row+1)*headCount], l.target[:])
		}
	}
	return b
}
