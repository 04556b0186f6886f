package edit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
)

// Source is where a proposal comes from.
type Source string

// The sources. All but the first three are those of the seed's labelling mode.
const (
	FromLinker   Source = "linker"
	FromContext  Source = "its object" // of a command with several
	FromModel    Source = "model"
	FromPrevious Source = "previous label"
	FromOwn      Source = "own label"
	FromAction   Source = "next action"
	FromNext     Source = "next"       // with a verb
	FromAs       Source = "as"         // with a verb
	FromProposer Source = "also"       // the label proposer's further ones
	FromMark     Source = "as decided" // the label that the event has
)

// How many events ahead proposals look: the first as far as the seed does, the
// second further, since the linker tells an action from what follows one.
const (
	aheadVerb   = 20
	aheadAction = 400
)

// verbs are the verbs of labels that the seed proposes, in its order, with the
// letter that chooses them.
func verbs() []struct{ letter, verb string } {
	return []struct{ letter, verb string }{{"c", "create"}, {"p", "patch"}, {"d", "delete"}, {"w", "watch"}}
}

// Reason is one of the grounds on which a label is proposed.
type Reason struct {
	Source Source
	// Keys choose the proposal, "" where only its place does.
	Keys string
	// Confidence is from 0 to 1, and negative where there is none.
	Confidence float64
	// Why is a few words. It may quote the log and is to be sanitised.
	Why string
}

// Proposal is a label that is proposed for an event, and why.
type Proposal struct {
	Label   label.Label
	Action  label.Action
	Reasons []Reason
}

// Proposals gives the labels that event i may have, the likeliest first, each
// once: those of the linker and the model, the previous label, the event's own,
// the next action by a person, the own labels of the next events that create,
// patch, delete and watch, the equivalents of the event with these verbs, and
// what the label proposer says else. Errors come from reading the log.
func (s *Session) Proposals(i int) ([]Proposal, error) {
	ev, err := s.Event(i)
	if err != nil {
		return nil, err
	}
	p := &proposals{session: s, event: i}
	for _, add := range append(p.inOrder(), p.action, p.next) {
		if err := add(); err != nil {
			return nil, err
		}
	}
	p.equivalents(ev)
	for _, also := range s.codec.ProposeEvent(ev) {
		if also.Label != label.Label(s.index.entries[i].Own) {
			p.add(also.Label, Reason{Source: FromProposer, Confidence: -1, Why: also.Reason})
		}
	}
	if mark := s.Mark(i); mark.By != Nobody {
		p.add(mark.Label, Reason{Source: FromMark, Confidence: -1})
	}
	return p.list, nil
}

// proposals collects the proposals for one event.
type proposals struct {
	session *Session
	event   int
	list    []Proposal
}

// add proposes a label on a ground. One that is there already gains the ground.
func (p *proposals) add(l label.Label, r Reason) {
	for i := range p.list {
		if p.list[i].Label == l {
			p.list[i].Reasons = append(p.list[i].Reasons, r)
			return
		}
	}
	if action, err := p.session.codec.Decode(l); err == nil {
		p.list = append(p.list, Proposal{l, action, []Reason{r}})
	}
}

// likely is the confidence from which a proposal goes before those that need
// none.
const likely = 0.5

// inOrder puts the proposals of the linker and the model where they belong
// among the previous and the own label: the surer first, the unlikely last.
func (p *proposals) inOrder() []func() error {
	l := &p.session.learnt
	linker, model := l.opinions[p.event].confidence, uint16(0)
	if p.event < len(l.predicted) {
		model = l.predicted[p.event].confidence
	}
	known := []struct {
		confidence uint16
		add        func() error
	}{{linker, p.linker}, {model, p.model}}
	if model > linker {
		slices.Reverse(known)
	}
	var first, last []func() error
	for _, k := range known {
		if unpack(k.confidence) >= likely {
			first = append(first, k.add)
		} else {
			last = append(last, k.add)
		}
	}
	return slices.Concat(first, []func() error{p.previous, p.own}, last)
}

// linker proposes the label of the root of the command that the linker found,
// which is what labels are in truth; and where the event is about another object
// of that command, the label of that object's own request.
func (p *proposals) linker() error {
	o := p.session.learnt.opinions[p.event]
	if o.reason == 0 || !o.root.is() {
		return nil
	}
	why := p.session.learnt.reasons[o.reason]
	words, err := p.at(o.root, why.rule)
	if err != nil {
		return err
	}
	if o.autonomous {
		words += ", started by the clock"
	}
	p.add(label.Label(o.root.label), Reason{FromLinker, "l", unpack(o.confidence), words})
	if o.context.event == o.root.event || !o.context.is() {
		return nil
	}
	if words, err = p.at(o.context, "a part of the command"); err != nil {
		return err
	}
	p.add(label.Label(o.context.label), Reason{FromContext, "", -1, words})
	return nil
}

// at says which request a root is, and by which rule; of the event itself the
// rule is enough.
func (p *proposals) at(r knownRoot, rule string) (string, error) {
	if int(r.event) == p.event {
		return rule, nil
	}
	root, err := p.session.Event(int(r.event))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("line %d %s (%s)", p.session.index.entries[r.event].Line, wordsOf(root), rule), nil
}

func (p *proposals) model() error {
	if p.event >= len(p.session.learnt.predicted) {
		return nil
	}
	if said := p.session.learnt.predicted[p.event]; said.known {
		p.add(label.Label(said.label), Reason{Source: FromModel, Keys: "t", Confidence: unpack(said.confidence)})
	}
	return nil
}

// previous proposes the label of the nearest event before that is no
// background.
func (p *proposals) previous() error {
	for i := p.event - 1; i >= 0; i-- {
		if mark := p.session.Mark(i); mark.By != Nobody && mark.By != Automatic {
			p.add(mark.Label, Reason{FromPrevious, "a", -1, fmt.Sprintf("line %d", p.session.index.entries[i].Line)})
			return nil
		}
	}
	return nil
}

func (p *proposals) own() error {
	p.add(label.Label(p.session.index.entries[p.event].Own), Reason{Source: FromOwn, Keys: "b", Confidence: -1})
	return nil
}

// action proposes the next action by a person, as the linker sees it.
func (p *proposals) action() error {
	s := p.session
	for i := p.event + 1; i < min(s.Len(), p.event+aheadAction); i++ {
		o := s.learnt.opinions[i]
		if o.reason == 0 || s.learnt.reasons[o.reason].role != link.RoleRoot || o.autonomous {
			continue
		}
		ev, err := s.Event(i)
		if err != nil {
			return err
		}
		p.add(label.Label(s.index.entries[i].Own), Reason{FromAction, "m", -1, fmt.Sprintf("line %d %s", s.index.entries[i].Line, wordsOf(ev))})
		return nil
	}
	return nil
}

// next proposes the own label of the next event with each verb. Background is
// passed over.
func (p *proposals) next() error {
	s := p.session
	for _, v := range verbs() {
		seen := 0
		for i := p.event + 1; i < s.Len() && seen < aheadVerb; i++ {
			if s.Mark(i).By == Automatic {
				continue
			}
			seen++
			own := label.Label(s.index.entries[i].Own)
			if action, err := s.codec.Decode(own); err != nil || action.Verb != v.verb {
				continue
			}
			ev, err := s.Event(i)
			if err != nil {
				return err
			}
			p.add(own, Reason{FromNext + " " + Source(v.verb), "n" + v.letter, -1, fmt.Sprintf("line %d %s", s.index.entries[i].Line, wordsOf(ev))})
			break
		}
	}
	return nil
}

// equivalents propose the event with another verb; where its subresource does
// not have the verb, that of the object.
func (p *proposals) equivalents(ev *audit.Event) {
	for _, v := range verbs() {
		request := label.RequestOf(ev)
		l := p.session.codec.EncodeAs(request, v.verb)
		if l == label.Unknown {
			request.Subresource = ""
			l = p.session.codec.EncodeAs(request, v.verb)
		}
		if l != label.Unknown && p.session.codec.EncodeEvent(ev) != label.Ignored {
			p.add(l, Reason{Source: FromAs + " " + Source(v.verb), Keys: "e" + v.letter, Confidence: -1})
		}
	}
}

// wordsOf says who did what.
func wordsOf(ev *audit.Event) string {
	return actor.Short(ev.User.Username) + ": " + label.Sentence(ev)
}

// Choose gives the proposal that keys stand for.
func Choose(list []Proposal, keys string) (label.Label, bool) {
	for _, p := range list {
		for _, r := range p.Reasons {
			if r.Keys == keys {
				return p.Label, true
			}
		}
	}
	return 0, false
}

// Links says what the linker knows of event i: its role, the rule and the
// evidence, all "" while it has not got there.
func (s *Session) Links(i int) (role link.Role, rule, evidence string) {
	o := s.learnt.opinions[i]
	if o.reason == 0 {
		return "", "", ""
	}
	r := s.learnt.reasons[o.reason]
	return r.role, r.rule, r.evidence
}

// Difference is a field in which two events differ.
type Difference struct {
	Field         string
	Before, After string
}

// Differences compares what tells requests apart, in the order in which a
// reader looks at it. The values are as they came.
func Differences(before, after *audit.Event) []Difference {
	var list []Difference
	compare := func(field, a, b string) {
		if a != b {
			list = append(list, Difference{field, a, b})
		}
	}
	compare("user", before.User.Username, after.User.Username)
	compare("verb", before.Verb, after.Verb)
	compare("resource", ResourceOf(before), ResourceOf(after))
	compare("namespace", before.Object.Namespace, after.Object.Namespace)
	compare("name", before.Object.Name, after.Object.Name)
	compare("code", codeOf(before), codeOf(after))
	compare("stage", string(before.Stage), string(after.Stage))
	compare("userAgent", before.UserAgent, after.UserAgent)
	compare("sourceIP", first(before.SourceIPs), first(after.SourceIPs))
	return list
}

// ResourceOf names what an event is about as kubectl does:
// deployments.apps/scale.
func ResourceOf(ev *audit.Event) string {
	name := ev.Object.Resource
	if ev.Object.APIGroup != "" {
		name += "." + ev.Object.APIGroup
	}
	if ev.Object.Subresource != "" {
		name += "/" + ev.Object.Subresource
	}
	return cmp.Or(name, ev.RequestURI)
}

func codeOf(ev *audit.Event) string {
	if ev.Status.Code == 0 {
		return ""
	}
	return fmt.Sprint(ev.Status.Code)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
