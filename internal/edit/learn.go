package edit

import (
	"math"
	"slices"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
)

// learnt is what is known of all events beyond the log. Reasons are numbered,
// since there are few of them.
type learnt struct {
	opinions  []opinion
	predicted []predicted // nil while there is no model
	reasons   []reason
	numbers   map[reason]uint16
}

// opinion is an Opinion with its roots as numbers of events.
type opinion struct {
	root, context knownRoot
	reason        uint16 // 0 where nothing is known yet
	confidence    uint16 // in ten thousandths
	autonomous    bool
}

// knownRoot is a Root as the number of an event, -1 without one.
type knownRoot struct{ event, label int32 }

// is tells whether there is a root whose label says something.
func (r knownRoot) is() bool { return r.event >= 0 && label.Label(r.label) != label.Unknown }

// root looks a Root up.
func (s *Session) root(r Root) knownRoot {
	if r.Offset >= 0 {
		if at, ok := s.index.find(r.Offset); ok {
			return knownRoot{int32(at), int32(r.Label)}
		}
	}
	return knownRoot{-1, int32(label.Unknown)}
}

type predicted struct {
	label      int32
	confidence uint16
	known      bool
}

// reason is why an event is where it is.
type reason struct {
	role           link.Role
	rule, evidence string
}

// scale is how the confidences are kept.
const scale = 10_000

func pack(confidence float64) uint16 {
	return uint16(math.Round(scale * max(0, min(1, confidence))))
}

func unpack(confidence uint16) float64 { return float64(confidence) / scale }

// grow makes room for n events.
func (l *learnt) grow(n int) {
	l.opinions = append(l.opinions, make([]opinion, n-len(l.opinions))...)
}

// number numbers a reason. Reasons beyond the 65,535th share the number of the
// last one, which whet's own do not reach.
func (l *learnt) number(r reason) uint16 {
	if l.numbers == nil {
		l.numbers, l.reasons = map[reason]uint16{}, []reason{{}}
	}
	n, ok := l.numbers[r]
	if !ok {
		if len(l.reasons) > math.MaxUint16 {
			return math.MaxUint16
		}
		n = uint16(len(l.reasons))
		l.reasons = append(l.reasons, r)
		l.numbers[r] = n
	}
	return n
}

// Learn takes in what Analyse found. Background events get their own label,
// which the journal notes; the error is that of writing it.
func (s *Session) Learn(opinions []Opinion) error {
	var background []int
	for _, o := range opinions {
		i, ok := s.index.find(o.Offset)
		if !ok {
			continue // found in no scan, so that the log changed under our feet; Event says so
		}
		s.learnt.opinions[i] = opinion{
			root: s.root(o.Root), context: s.root(o.Context), confidence: pack(o.Confidence), autonomous: o.Autonomous,
			reason: s.learnt.number(reason{o.Role, o.Rule, o.Evidence}),
		}
		caused := o.Role != link.RoleDropped && (o.Role != link.RoleBackground || o.Rule == link.RuleUnknown)
		if !caused && !s.marks.automatic[i] && label.Label(s.index.entries[i].Own) != label.Unknown {
			background = append(background, i)
		}
	}
	if len(background) == 0 {
		return nil
	}
	// The linker's order is not the log's.
	slices.Sort(background)
	r := record{}
	for _, i := range background {
		r.Automatic = appendRange(r.Automatic, i)
	}
	return s.apply(&r)
}

func appendRange(ranges [][2]int64, i int) [][2]int64 {
	number := int64(i + 1)
	if n := len(ranges) - 1; n >= 0 && ranges[n][1] == number-1 {
		ranges[n][1] = number
		return ranges
	}
	return append(ranges, [2]int64{number, number})
}

// Predict takes in what a model says.
func (s *Session) Predict(predictions []Prediction) {
	if s.learnt.predicted == nil {
		s.learnt.predicted = make([]predicted, len(s.index.entries))
	}
	for _, p := range predictions {
		s.learnt.predicted[p.Event] = predicted{int32(p.Label), pack(p.Confidence), true}
	}
}

// choice is the best of what is proposed for an event without asking anybody.
type choice struct {
	label      int32
	confidence float64
	// agreed is unset where the linker and the model say different things.
	agreed bool
}

// best gives the surest proposal for event i, false without one.
func (l *learnt) best(i int) (choice, bool) {
	var best choice
	ok := false
	if o := l.opinions[i]; o.reason != 0 && o.root.is() {
		best, ok = choice{o.root.label, unpack(o.confidence), true}, true
	}
	if i < len(l.predicted) {
		if p := l.predicted[i]; p.known && label.Label(p.label) != label.Unknown {
			switch {
			case !ok:
				best, ok = choice{p.label, unpack(p.confidence), true}, true
			case p.label != best.label:
				best.agreed = false
				if c := unpack(p.confidence); c > best.confidence {
					best.label, best.confidence = p.label, c
				}
			default:
				best.confidence = max(best.confidence, unpack(p.confidence))
			}
		}
	}
	return best, ok
}
