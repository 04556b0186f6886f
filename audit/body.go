package audit

import (
	"slices"
	"strings"
)

// body turns what the scanner read into a Body whose strings share no memory
// with the event's bytes.
func (d *Decoder) body(w *wireBody) *Body {
	in := &d.names
	m := &w.Metadata
	b := &Body{
		Kind:              in.intern(w.Kind),
		APIVersion:        in.intern(w.APIVersion),
		Name:              in.intern(m.Name),
		GenerateName:      in.intern(m.GenerateName),
		Namespace:         in.intern(m.Namespace),
		UID:               in.intern(m.UID),
		ResourceVersion:   in.intern(m.ResourceVersion),
		Generation:        m.Generation,
		Labels:            m.Labels,
		Annotations:       m.Annotations,
		Finalizers:        filled(m.Finalizers),
		DeletionTimestamp: in.intern(m.DeletionTimestamp),
		Reason:            in.intern(w.Reason),
		Type:              in.intern(w.Type),
		Message:           strings.Clone(first(w.Message, w.Note)),
		Action:            in.intern(w.Action),
		Source: in.intern(first(w.ReportingController, w.ReportingComponent,
			w.Source.Component, w.DeprecatedSource.Component)),
	}
	for _, owner := range m.OwnerReferences {
		if owner != (wireOwner{}) {
			b.Owners = append(b.Owners, d.owner(&owner))
		}
	}
	b.Involved = d.reference(w.InvolvedObject)
	if b.Involved == nil {
		b.Involved = d.reference(w.Regarding)
	}
	for i := range w.Subjects {
		if subject := d.reference(&w.Subjects[i]); subject != nil {
			b.Subjects = append(b.Subjects, *subject)
		}
	}
	if w.Details != nil && w.Kind == "Status" {
		b.Name, b.UID = d.names.intern(w.Details.Name), d.names.intern(w.Details.UID)
	}
	d.spec(b, &w.Spec)
	d.target(b, w)
	d.items(b, w)
	return b
}

// filled gives a list without its empty strings. It leaves the list as it is,
// since others may share it.
func filled(list []string) []string {
	if !slices.Contains(list, "") {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// first returns the first string that is not empty.
func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func (d *Decoder) owner(w *wireOwner) Owner {
	return Owner{
		APIVersion: d.names.intern(w.APIVersion),
		Kind:       d.names.intern(w.Kind),
		Name:       d.names.intern(w.Name),
		UID:        d.names.intern(w.UID),
		Controller: w.Controller,
	}
}

// reference copies a reference. A subject and an HPA's target may name the
// API group alone, which then stands in APIVersion without a version. An empty
// reference is none.
func (d *Decoder) reference(w *wireReference) *InvolvedObject {
	if w == nil || *w == (wireReference{}) {
		return nil
	}
	return &InvolvedObject{
		APIVersion:      d.names.intern(first(w.APIVersion, w.APIGroup)),
		Kind:            d.names.intern(w.Kind),
		Namespace:       d.names.intern(w.Namespace),
		Name:            d.names.intern(w.Name),
		UID:             d.names.intern(w.UID),
		ResourceVersion: d.names.intern(w.ResourceVersion),
	}
}

func (d *Decoder) spec(b *Body, s *wireSpec) {
	b.Replicas, b.Suspend, b.Paused = s.Replicas, s.Suspend, s.Paused
	b.Selector = s.Selector
	b.VolumeName = d.names.intern(s.VolumeName)
	b.ClaimRef = d.reference(s.ClaimRef)
	if s.Names.Plural != "" {
		b.Provides = GroupResource{
			Group:    d.names.intern(s.Group),
			Resource: d.names.intern(s.Names.Plural),
		}
	}
	d.podSpec(b, &s.wirePodSpec)
	template := s.Template
	if template == nil && s.JobTemplate != nil {
		template = s.JobTemplate.Spec.Template
	}
	if template != nil {
		b.TemplateLabels = template.Metadata.Labels
		d.podSpec(b, &template.Spec)
	}
}

func (d *Decoder) podSpec(b *Body, s *wirePodSpec) {
	in := &d.names
	if s.NodeName != "" {
		b.Pod.NodeName = in.intern(s.NodeName)
	}
	if account := first(s.ServiceAccountName, s.ServiceAccount); account != "" {
		b.Pod.ServiceAccount = in.intern(account)
	}
	for _, group := range [...][]wireContainer{s.Containers, s.InitContainers, s.EphemeralContainers} {
		for i := range group {
			d.container(b, &group[i])
		}
	}
	for i := range s.Volumes {
		d.volume(&b.Pod, &s.Volumes[i])
	}
	for _, host := range [...]struct {
		yes  bool
		word string
	}{{s.HostNetwork, "hostNetwork"}, {s.HostPID, "hostPID"}, {s.HostIPC, "hostIPC"}} {
		if host.yes {
			d.add(&b.Pod.Host, host.word)
		}
	}
	for _, secret := range s.ImagePullSecrets {
		d.add(&b.Pod.Secrets, secret.Name)
	}
}

func (d *Decoder) container(b *Body, c *wireContainer) {
	if c.Image != "" {
		b.Images = append(b.Images, d.names.intern(c.Image))
	}
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil {
			d.add(&b.Pod.ConfigMaps, from.ConfigMapKeyRef.Name)
			d.add(&b.Pod.Secrets, from.SecretKeyRef.Name)
		}
	}
	if c.SecurityContext != nil && c.SecurityContext.Privileged {
		d.add(&b.Pod.Host, "privileged")
	}
	for i := range c.EnvFrom {
		d.add(&b.Pod.ConfigMaps, c.EnvFrom[i].ConfigMapRef.Name)
		d.add(&b.Pod.Secrets, c.EnvFrom[i].SecretRef.Name)
	}
}

func (d *Decoder) volume(refs *PodRefs, v *wireVolume) {
	d.add(&refs.Claims, v.PersistentVolumeClaim.ClaimName)
	d.add(&refs.ConfigMaps, v.ConfigMap.Name)
	d.add(&refs.Secrets, v.Secret.SecretName)
	if v.Projected != nil {
		for i := range v.Projected.Sources {
			d.add(&refs.ConfigMaps, v.Projected.Sources[i].ConfigMap.Name)
			d.add(&refs.Secrets, v.Projected.Sources[i].Secret.Name)
		}
	}
	if v.HostPath != nil {
		d.add(&refs.Host, "hostPath "+v.HostPath.Path)
	}
	if v.CSI != nil {
		d.add(&refs.Secrets, v.CSI.NodePublishSecretRef.Name)
	}
}

// add appends a name that the list does not have yet.
func (d *Decoder) add(list *[]string, name string) {
	if name == "" || slices.Contains(*list, name) {
		return
	}
	*list = append(*list, d.names.intern(name))
}

func (d *Decoder) target(b *Body, w *wireBody) {
	for _, ref := range [...]*wireReference{w.Target, w.Spec.ScaleTargetRef, w.Spec.BoundObjectRef} {
		if b.Target = d.reference(ref); b.Target != nil {
			return
		}
	}
	if w.RoleRef != nil {
		b.Target = d.reference(&wireReference{
			APIGroup: w.RoleRef.APIGroup, Kind: w.RoleRef.Kind, Name: w.RoleRef.Name,
		})
	}
}

// items counts and names what a list, or a Table's rows, hold.
func (d *Decoder) items(b *Body, w *wireBody) {
	b.Items = len(w.Items) + len(w.Rows)
	if b.Items == 0 {
		return
	}
	refs := make([]InvolvedObject, 0, min(b.Items, MaxItemRefs))
	add := func(item *wireItem) {
		m := &item.Metadata
		if len(refs) == MaxItemRefs || m.Name == "" && m.UID == "" {
			return
		}
		refs = append(refs, InvolvedObject{
			APIVersion:      d.names.intern(item.APIVersion),
			Kind:            d.names.intern(item.Kind),
			Namespace:       d.names.intern(m.Namespace),
			Name:            d.names.intern(m.Name),
			UID:             d.names.intern(m.UID),
			ResourceVersion: d.names.intern(m.ResourceVersion),
		})
	}
	for i := range w.Items {
		add(&w.Items[i])
	}
	for i := range w.Rows {
		add(&w.Rows[i].Object)
	}
	if len(refs) > 0 {
		b.ItemRefs = refs
	}
}
