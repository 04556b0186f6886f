package edit

import "github.com/whet-k8s/whet/label"

// By says who or what gave an event its label.
type By uint8

// The ways to a label. Nobody is that of an event without one.
const (
	Nobody By = iota
	// Person decided about this one event.
	Person
	// Accepted events were decided by a person, many at once.
	Accepted
	// Given labels stand in the log itself.
	Given
	// Automatic labels are those of background events.
	Automatic
)

// Mark is the label of an event and where it comes from.
type Mark struct {
	Label label.Label
	By    By
}

// decision is what a person said of an event: by is Nobody where nothing was
// said, and the label noLabel where the event shall have none.
type decision struct {
	label int32
	by    By
}

// marks are the labels of all events, in the layers that Session describes.
type marks struct {
	index     *index
	decided   []decision
	automatic []bool
	counts    Counts
}

// Counts are how many events have their label by whom.
type Counts struct {
	Person, Accepted, Given, Automatic, Unlabelled int
}

// Labelled is the number of events with a label.
func (c Counts) Labelled() int { return c.Person + c.Accepted + c.Given + c.Automatic }

func (c *Counts) add(by By, n int) {
	switch by {
	case Person:
		c.Person += n
	case Accepted:
		c.Accepted += n
	case Given:
		c.Given += n
	case Automatic:
		c.Automatic += n
	default:
		c.Unlabelled += n
	}
}

// grow takes in the events that the index has gained.
func (m *marks) grow() {
	first := len(m.decided)
	n := len(m.index.entries) - first
	m.decided = append(m.decided, make([]decision, n)...)
	m.automatic = append(m.automatic, make([]bool, n)...)
	for i := first; i < len(m.index.entries); i++ {
		m.counts.add(m.at(i).By, 1)
	}
}

// at is what counts for event i.
func (m *marks) at(i int) Mark {
	e := &m.index.entries[i]
	switch d := m.decided[i]; {
	case d.by != Nobody && d.label == noLabel:
		return Mark{}
	case d.by != Nobody:
		return Mark{label.Label(d.label), d.by}
	case e.Given != noLabel:
		return Mark{label.Label(e.Given), Given}
	case m.automatic[i]:
		return Mark{label.Label(e.Own), Automatic}
	}
	return Mark{}
}

// decide lays a decision on event i and gives the one that was there.
func (m *marks) decide(i int, d decision) (before decision) {
	m.counts.add(m.at(i).By, -1)
	before, m.decided[i] = m.decided[i], d
	m.counts.add(m.at(i).By, 1)
	return before
}

// automate gives event i its own label, for as long as nobody says another.
// It tells whether that is new.
func (m *marks) automate(i int) bool {
	if m.automatic[i] || label.Label(m.index.entries[i].Own) == label.Unknown {
		return false
	}
	m.counts.add(m.at(i).By, -1)
	m.automatic[i] = true
	m.counts.add(m.at(i).By, 1)
	return true
}
