package edit

import (
	"context"
	"math"
	"slices"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/noise"
	"github.com/whet-k8s/whet/pipeline"
)

// Opinion is what the linker, or the noise policy, says of one event.
type Opinion struct {
	// Offset is where the event begins in the log, Root where the root of its
	// context does, -1 without one.
	Offset, Root int64
	// Label is that of the root.
	Label label.Label
	// Role is the event's, Rule and Evidence say why.
	Role           link.Role
	Rule, Evidence string
	// Confidence is from 0 to 1.
	Confidence float64
	// Autonomous tells that the clock started this.
	Autonomous bool
}

// opinionsAtOnce is how many opinions Analyse hands over together.
const opinionsAtOnce = 4096

// Analyse links the log and gives an Opinion of each event to found, which may
// keep them, in the order of linking, with the number of bytes read so far.
// It may run in another goroutine. A nil policy is the default one.
func (s *Session) Analyse(ctx context.Context, policy *noise.Policy, found func(opinions []Opinion, read int64) error) error {
	a := &analysis{codec: s.codec, found: found}
	o := pipeline.Options{Policy: policy, Labels: s.codec, Progress: func(p pipeline.Progress) { a.read = p.Bytes }}
	_, err := pipeline.Run(ctx, []string{audit.Stdin}, s.log.Reader(), o, pipeline.Sink{Assignment: a.assigned, Dropped: a.dropped})
	if err == nil && len(a.waiting) > 0 {
		err = found(a.waiting, s.log.Size())
	}
	return err
}

// analysis collects opinions.
type analysis struct {
	codec   *label.Codec
	found   func([]Opinion, int64) error
	waiting []Opinion
	read    int64
}

func (a *analysis) assigned(as *link.Assignment) error {
	o := Opinion{
		Offset: as.Event.Position.Offset, Root: -1, Label: label.Unknown,
		Role: as.Role, Rule: as.Rule, Evidence: as.Evidence, Confidence: as.Confidence, Autonomous: as.Autonomous != "",
	}
	if as.Root != nil {
		o.Root, o.Label = as.Root.Position.Offset, a.codec.EncodeEvent(as.Root)
	}
	return a.add(o)
}

func (a *analysis) dropped(ev *audit.Event, d noise.Decision) error {
	return a.add(Opinion{
		Offset: ev.Position.Offset, Root: -1, Label: label.Unknown,
		Role: link.RoleDropped, Rule: d.Rule, Evidence: d.Reason, Confidence: 1,
	})
}

func (a *analysis) add(o Opinion) error {
	a.waiting = append(a.waiting, o)
	if len(a.waiting) < opinionsAtOnce {
		return nil
	}
	batch := a.waiting
	a.waiting = make([]Opinion, 0, opinionsAtOnce)
	return a.found(batch, a.read)
}

// Prediction is what a model says of event Event.
type Prediction struct {
	Event      int
	Label      label.Label
	Confidence float64
}

// learnt is what is known of all events beyond the log. Reasons are numbered,
// since there are few of them.
type learnt struct {
	opinions  []opinion
	predicted []predicted // nil while there is no model
	reasons   []reason
	numbers   map[reason]uint16
}

// opinion is an Opinion with its root as the number of an event.
type opinion struct {
	root       int32 // -1 without one
	label      int32
	reason     uint16 // 0 where nothing is known yet
	confidence uint16 // in ten thousandths
	autonomous bool
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
		root := -1
		if o.Root >= 0 {
			if at, ok := s.index.find(o.Root); ok {
				root = at
			}
		}
		s.learnt.opinions[i] = opinion{
			root: int32(root), label: int32(o.Label), confidence: pack(o.Confidence), autonomous: o.Autonomous,
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
	if o := l.opinions[i]; o.reason != 0 && o.root >= 0 && label.Label(o.label) != label.Unknown {
		best, ok = choice{o.label, unpack(o.confidence), true}, true
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
