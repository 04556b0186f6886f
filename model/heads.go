package model

import (
	"fmt"
	"slices"

	"github.com/whet-k8s/whet/label"
)

// A label has five parts, and the network a head for each.
const (
	headResource = iota
	headSubresource
	headNamespaced
	headNamed
	headVerb
	headCount
)

// headNames are the names of the heads in the order of their numbers.
func headNames() []string {
	return []string{"resource", "subresource", "namespaced", "single", "verb"}
}

// Unknown and Ignored have no parts. The resource's head has a value for each,
// beyond the ids that a label can hold.
const (
	unknownResource = 1024
	ignoredResource = 1025
	maxResource     = 1025
)

// highest are the highest values that the parts of a label can have: those
// whose bits are all set.
func highest() [headCount]int32 {
	all := partsOf(label.Parts{Resource: -1, Subresource: -1, Namespaced: true, Named: true, Verb: -1}.Label())
	all[headResource] = maxResource
	return all
}

// partsOf gives the values of a label for the heads, -1 where it has none.
func partsOf(l label.Label) [headCount]int32 {
	switch l {
	case label.Unknown:
		return [headCount]int32{unknownResource, -1, -1, -1, -1}
	case label.Ignored:
		return [headCount]int32{ignoredResource, -1, -1, -1, -1}
	}
	p := l.Parts()
	return [headCount]int32{int32(p.Resource), int32(p.Subresource), bit(p.Namespaced), bit(p.Named), int32(p.Verb)}
}

// labelOf puts values of the heads together.
func labelOf(parts [headCount]int32) label.Label {
	switch parts[headResource] {
	case unknownResource:
		return label.Unknown
	case ignoredResource:
		return label.Ignored
	}
	return label.Parts{
		Resource: int(parts[headResource]), Subresource: int(parts[headSubresource]),
		Namespaced: parts[headNamespaced] == 1, Named: parts[headNamed] == 1, Verb: int(parts[headVerb]),
	}.Label()
}

func bit(set bool) int32 {
	if set {
		return 1
	}
	return 0
}

// heads number the values of the labels' parts. A value that is no class gets
// a number beyond the classes, which a candidate can still hold.
type heads struct {
	classes [headCount][]int32 // sorted
}

// newHeads takes the classes from the labels.
func newHeads(labels []label.Label) heads {
	var h heads
	for _, l := range labels {
		for head, value := range partsOf(l) {
			if value >= 0 && !slices.Contains(h.classes[head], value) {
				h.classes[head] = append(h.classes[head], value)
			}
		}
	}
	for head := range h.classes {
		slices.Sort(h.classes[head])
	}
	return h
}

// check tells what is wrong with classes from a file.
func (h *heads) check() error {
	most := highest()
	for head, classes := range h.classes {
		if len(classes) == 0 {
			return fmt.Errorf("the head %s has no classes", headNames()[head])
		}
		for i, value := range classes {
			if value < 0 || value > most[head] || i > 0 && value <= classes[i-1] {
				return fmt.Errorf("the head %s has the class %d, which is out of order or range", headNames()[head], value)
			}
		}
	}
	return nil
}

// checkLabels tells what is wrong with labels from a file: they must be numbers
// that are made of the classes, in ascending order.
func (h *heads) checkLabels(labels []label.Label) error {
	for i, l := range labels {
		parts := partsOf(l)
		if labelOf(parts) != l {
			return fmt.Errorf("%d is no label", l)
		}
		if i > 0 && l <= labels[i-1] {
			return fmt.Errorf("the label %d stands there twice, or out of order", l)
		}
		for head, value := range parts {
			if _, known := slices.BinarySearch(h.classes[head], value); value >= 0 && !known {
				return fmt.Errorf("the label %d is not among the classes of the head %s", l, headNames()[head])
			}
		}
	}
	return nil
}

func (h *heads) counts() []int {
	var counts []int
	for _, classes := range h.classes {
		counts = append(counts, len(classes))
	}
	return counts
}

// number gives the number of a value: that of its class, or one beyond.
func (h *heads) number(head int, value int32) int32 {
	if value < 0 {
		return -1
	}
	if i, known := slices.BinarySearch(h.classes[head], value); known {
		return int32(i)
	}
	return int32(len(h.classes[head])) + value
}

// encode writes the numbers of a label for the heads, with a step between them.
func (h *heads) encode(l label.Label, numbers []int32, step int) {
	if l == NoLabel {
		for head := range headCount {
			numbers[head*step] = -1
		}
		return
	}
	for head, value := range partsOf(l) {
		numbers[head*step] = h.number(head, value)
	}
}
