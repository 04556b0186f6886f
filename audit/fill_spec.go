package audit

func (s *scanner) spec(w *wireSpec) {
	for more := s.object(); more; more = s.more('}') {
		switch key := s.key(); key {
		case "replicas":
			w.Replicas = wholeNumber(s.number())
		case "suspend":
			w.Suspend = s.boolean()
		case "paused":
			w.Paused = s.boolean()
		case "selector":
			s.selector(&w.Selector)
		case "template":
			pointer(s, &w.Template, nil, (*scanner).template)
		case "jobTemplate":
			pointer(s, &w.JobTemplate, nil, (*scanner).jobTemplate)
		case "scaleTargetRef":
			pointer(s, &w.ScaleTargetRef, nil, (*scanner).reference)
		case "boundObjectRef":
			pointer(s, &w.BoundObjectRef, nil, (*scanner).reference)
		case "claimRef":
			pointer(s, &w.ClaimRef, nil, (*scanner).reference)
		case "volumeName":
			s.text(&w.VolumeName)
		case "group":
			s.text(&w.Group)
		case "names":
			s.specNames(&w.Names)
		default:
			s.podMember(key, &w.wirePodSpec)
		}
	}
}

func (s *scanner) specNames(w *wireNames) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "plural":
			s.text(&w.Plural)
		default:
			s.skip()
		}
	}
}

func (s *scanner) template(w *wireTemplate) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "metadata":
			s.templateMetadata(&w.Metadata)
		case "spec":
			s.podSpec(&w.Spec)
		default:
			s.skip()
		}
	}
}

func (s *scanner) templateMetadata(w *wireTemplateMetadata) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "labels":
			s.labels(&w.Labels)
		default:
			s.skip()
		}
	}
}

func (s *scanner) jobTemplate(w *wireJobTemplate) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "spec":
			s.jobSpec(&w.Spec)
		default:
			s.skip()
		}
	}
}

func (s *scanner) jobSpec(w *wireJobSpec) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "template":
			pointer(s, &w.Template, nil, (*scanner).template)
		default:
			s.skip()
		}
	}
}

func (s *scanner) podSpec(w *wirePodSpec) {
	for more := s.object(); more; more = s.more('}') {
		s.podMember(s.key(), w)
	}
}

// podMember reads a member of a pod's spec, whose name has been taken.
func (s *scanner) podMember(key string, w *wirePodSpec) {
	switch key {
	case "nodeName":
		s.text(&w.NodeName)
	case "serviceAccountName":
		s.text(&w.ServiceAccountName)
	case "serviceAccount":
		s.text(&w.ServiceAccount)
	case "containers":
		items(s, &w.Containers, (*scanner).container)
	case "initContainers":
		items(s, &w.InitContainers, (*scanner).container)
	case "ephemeralContainers":
		items(s, &w.EphemeralContainers, (*scanner).container)
	case "volumes":
		items(s, &w.Volumes, (*scanner).volume)
	case "imagePullSecrets":
		items(s, &w.ImagePullSecrets, (*scanner).named)
	default:
		s.skip()
	}
}

func (s *scanner) container(w *wireContainer) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "image":
			s.text(&w.Image)
		case "env":
			items(s, &w.Env, (*scanner).env)
		case "envFrom":
			items(s, &w.EnvFrom, (*scanner).envFrom)
		default:
			s.skip()
		}
	}
}

func (s *scanner) env(w *wireEnv) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "valueFrom":
			pointer(s, &w.ValueFrom, nil, (*scanner).envSource)
		default:
			s.skip()
		}
	}
}

func (s *scanner) envSource(w *wireEnvSource) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "configMapKeyRef":
			s.named(&w.ConfigMapKeyRef)
		case "secretKeyRef":
			s.named(&w.SecretKeyRef)
		default:
			s.skip()
		}
	}
}

func (s *scanner) envFrom(w *wireEnvFrom) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "configMapRef":
			s.named(&w.ConfigMapRef)
		case "secretRef":
			s.named(&w.SecretRef)
		default:
			s.skip()
		}
	}
}

func (s *scanner) volume(w *wireVolume) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "persistentVolumeClaim":
			s.claim(&w.PersistentVolumeClaim)
		case "configMap":
			s.named(&w.ConfigMap)
		case "secret":
			s.secret(&w.Secret)
		case "projected":
			pointer(s, &w.Projected, nil, (*scanner).projected)
		case "csi":
			pointer(s, &w.CSI, nil, (*scanner).csi)
		default:
			s.skip()
		}
	}
}

func (s *scanner) claim(w *wireClaim) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "claimName":
			s.text(&w.ClaimName)
		default:
			s.skip()
		}
	}
}

func (s *scanner) secret(w *wireSecret) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "secretName":
			s.text(&w.SecretName)
		default:
			s.skip()
		}
	}
}

func (s *scanner) projected(w *wireProjected) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "sources":
			items(s, &w.Sources, (*scanner).projection)
		default:
			s.skip()
		}
	}
}

func (s *scanner) projection(w *wireProjection) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "configMap":
			s.named(&w.ConfigMap)
		case "secret":
			s.named(&w.Secret)
		default:
			s.skip()
		}
	}
}

func (s *scanner) csi(w *wireCSI) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "nodePublishSecretRef":
			s.named(&w.NodePublishSecretRef)
		default:
			s.skip()
		}
	}
}

func (s *scanner) named(w *wireName) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "name":
			s.text(&w.Name)
		default:
			s.skip()
		}
	}
}
