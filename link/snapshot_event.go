package link

import (
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// event codes an event with all but its Raw: besides the linker, whoever takes
// its assignment or its context reads it.
func (s *stateCoder) event(ev *audit.Event) {
	s.position(&ev.Position)
	text(s.coder, &ev.Level)
	s.id(&ev.AuditID)
	text(s.coder, &ev.Stage)
	s.word(&ev.RequestURI)
	s.word(&ev.Verb)
	s.user(&ev.User)
	optional(s.coder, &ev.Impersonated, s.user)
	texts(s.coder, &ev.SourceIPs)
	s.word(&ev.UserAgent)
	s.objectRef(&ev.Object)
	s.flag(&ev.HasObject)
	s.status(&ev.Status)
	s.clock(&ev.RequestReceived)
	s.clock(&ev.StageTime)
	labels(s.coder, &ev.Annotations)
	optional(s.coder, &ev.Request, s.body)
	optional(s.coder, &ev.Response, s.body)
}

func (s *stateCoder) position(p *audit.Position) {
	s.word(&p.Source)
	whole(s.coder, &p.Line)
	s.signed(&p.Offset)
	whole(s.coder, &p.Item)
	whole(s.coder, &p.Size)
}

func (s *stateCoder) user(u *audit.User) {
	s.word(&u.Username)
	s.word(&u.UID)
	texts(s.coder, &u.Groups)
	there := u.Extra != nil
	if s.flag(&there); there {
		mapping(s.coder, &u.Extra, strings.Compare, s.word, func(v *[]string) { texts(s.coder, v) })
	}
}

func (s *stateCoder) objectRef(o *audit.ObjectRef) {
	for _, v := range []*string{&o.Resource, &o.Subresource, &o.Namespace, &o.Name, &o.UID, &o.APIGroup, &o.APIVersion, &o.ResourceVersion} {
		s.word(v)
	}
}

func (s *stateCoder) status(v *audit.Status) {
	whole(s.coder, &v.Code)
	s.word(&v.Status)
	s.word(&v.Reason)
	s.word(&v.Message)
}

func (s *stateCoder) body(b *audit.Body) {
	for _, v := range []*string{&b.Kind, &b.APIVersion, &b.Name, &b.GenerateName, &b.Namespace, &b.UID, &b.ResourceVersion} {
		s.word(v)
	}
	s.signed(&b.Generation)
	labels(s.coder, &b.Labels)
	labels(s.coder, &b.Annotations)
	texts(s.coder, &b.Finalizers)
	list(s.coder, &b.Owners, s.owner)
	s.word(&b.DeletionTimestamp)
	labels(s.coder, &b.Selector)
	labels(s.coder, &b.TemplateLabels)
	optional(s.coder, &b.Replicas, func(n *int32) { whole(s.coder, n) })
	optional(s.coder, &b.Suspend, s.flag)
	optional(s.coder, &b.Paused, s.flag)
	texts(s.coder, &b.Images)
	s.pod(&b.Pod)
	optional(s.coder, &b.Involved, s.involved)
	for _, v := range []*string{&b.Reason, &b.Type, &b.Source, &b.Message, &b.Action} {
		s.word(v)
	}
	optional(s.coder, &b.Target, s.involved)
	list(s.coder, &b.Subjects, s.involved)
	optional(s.coder, &b.ClaimRef, s.involved)
	s.word(&b.VolumeName)
	s.resource(&b.Provides)
	whole(s.coder, &b.Items)
	list(s.coder, &b.ItemRefs, s.involved)
	s.word(&b.Patch)
	texts(s.coder, &b.PatchPaths)
}

func (s *stateCoder) owner(o *audit.Owner) {
	for _, v := range []*string{&o.APIVersion, &o.Kind, &o.Name, &o.UID} {
		s.word(v)
	}
	s.flag(&o.Controller)
}

func (s *stateCoder) involved(o *audit.InvolvedObject) {
	for _, v := range []*string{&o.APIVersion, &o.Kind, &o.Namespace, &o.Name, &o.UID, &o.ResourceVersion} {
		s.word(v)
	}
}

func (s *stateCoder) pod(p *audit.PodRefs) {
	s.word(&p.NodeName)
	s.word(&p.ServiceAccount)
	for _, v := range []*[]string{&p.Claims, &p.ConfigMaps, &p.Secrets, &p.Host} {
		texts(s.coder, v)
	}
}
