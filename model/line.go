package model

import "github.com/whet-k8s/whet/label"

// NoLabel stands where there is no label, since Unknown is one.
const NoLabel label.Label = -1 << 40

// Line is what the network gets to know of an event.
type Line struct {
	values [featureCount]string
	// edges are the numbers of the lines it relates to, -1 for none.
	edges [edgeCount]int64
	// candidates are the labels it brings along, NoLabel for none.
	candidates [candidateCount]label.Label
	// number counts the lines of the log that reach the network, from 0.
	number int64

	// At is the line's place in the input, for whoever asked.
	At int
	// Target is the true label, NoLabel where it is not known.
	Target label.Label
}

// Proposed is the label of the root of the line's operation as the linker has
// it, NoLabel where it has none.
func (l *Line) Proposed() label.Label { return l.candidates[ofOperation] }

// Own is the label of the line's own action.
func (l *Line) Own() label.Label { return l.candidates[ofOwn] }

// Kind says in a few words who sent the event and what it asks for:
// "node patch pods/status".
func (l *Line) Kind() string {
	who := l.values[fComponent]
	if who == "" {
		who = "person"
	}
	kind := who + " " + l.values[fVerb] + " " + l.values[fResource]
	if sub := l.values[fSubresource]; sub != "" {
		kind += "/" + sub
	}
	return kind
}

// Sequence is the lines of one log, in its order.
type Sequence struct {
	// Name tells the log in messages and figures.
	Name  string
	Lines []Line
	// Outside are the lines that do not reach the network and have a true
	// label all the same.
	Outside []Outside
}

// Outside is a line that does not reach the network. Its label is its own.
type Outside struct {
	At          int
	Own, Target label.Label
}

// Slice gives the lines from one up to another as a log of their own, without
// those outside.
func (s *Sequence) Slice(from, to int) *Sequence {
	return &Sequence{Name: s.Name, Lines: s.Lines[from:to]}
}

// Labelled counts the lines whose true label is known.
func (s *Sequence) Labelled() int {
	count := len(s.Outside)
	for i := range s.Lines {
		if s.Lines[i].Target != NoLabel {
			count++
		}
	}
	return count
}
