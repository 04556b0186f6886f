package audit

func (s *scanner) spec(name string, w *wireSpec) bool {
	switch name {
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
		members(s, &w.Names, (*scanner).specNames)
	default:
		return s.podSpec(name, &w.wirePodSpec)
	}
	return true
}

func (s *scanner) specNames(name string, w *wireNames) bool {
	switch name {
	case "plural":
		s.text(&w.Plural)
	default:
		return false
	}
	return true
}

func (s *scanner) template(name string, w *wireTemplate) bool {
	switch name {
	case "metadata":
		members(s, &w.Metadata, (*scanner).templateMetadata)
	case "spec":
		members(s, &w.Spec, (*scanner).podSpec)
	default:
		return false
	}
	return true
}

func (s *scanner) templateMetadata(name string, w *wireTemplateMetadata) bool {
	switch name {
	case "labels":
		s.labels(&w.Labels)
	default:
		return false
	}
	return true
}

func (s *scanner) jobTemplate(name string, w *wireJobTemplate) bool {
	switch name {
	case "spec":
		members(s, &w.Spec, (*scanner).jobSpec)
	default:
		return false
	}
	return true
}

func (s *scanner) jobSpec(name string, w *wireJobSpec) bool {
	switch name {
	case "template":
		pointer(s, &w.Template, nil, (*scanner).template)
	default:
		return false
	}
	return true
}

func (s *scanner) podSpec(name string, w *wirePodSpec) bool {
	switch name {
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
	case "hostNetwork":
		s.truth(&w.HostNetwork)
	case "hostPID":
		s.truth(&w.HostPID)
	case "hostIPC":
		s.truth(&w.HostIPC)
	default:
		return false
	}
	return true
}

func (s *scanner) container(name string, w *wireContainer) bool {
	switch name {
	case "image":
		s.text(&w.Image)
	case "env":
		items(s, &w.Env, (*scanner).env)
	case "envFrom":
		items(s, &w.EnvFrom, (*scanner).envFrom)
	case "securityContext":
		pointer(s, &w.SecurityContext, nil, (*scanner).security)
	default:
		return false
	}
	return true
}

func (s *scanner) env(name string, w *wireEnv) bool {
	switch name {
	case "valueFrom":
		pointer(s, &w.ValueFrom, nil, (*scanner).envSource)
	default:
		return false
	}
	return true
}

func (s *scanner) envSource(name string, w *wireEnvSource) bool {
	switch name {
	case "configMapKeyRef":
		members(s, &w.ConfigMapKeyRef, (*scanner).named)
	case "secretKeyRef":
		members(s, &w.SecretKeyRef, (*scanner).named)
	default:
		return false
	}
	return true
}

func (s *scanner) envFrom(name string, w *wireEnvFrom) bool {
	switch name {
	case "configMapRef":
		members(s, &w.ConfigMapRef, (*scanner).named)
	case "secretRef":
		members(s, &w.SecretRef, (*scanner).named)
	default:
		return false
	}
	return true
}

func (s *scanner) volume(name string, w *wireVolume) bool {
	switch name {
	case "persistentVolumeClaim":
		members(s, &w.PersistentVolumeClaim, (*scanner).claim)
	case "configMap":
		members(s, &w.ConfigMap, (*scanner).named)
	case "secret":
		members(s, &w.Secret, (*scanner).secret)
	case "projected":
		pointer(s, &w.Projected, nil, (*scanner).projected)
	case "csi":
		pointer(s, &w.CSI, nil, (*scanner).csi)
	case "hostPath":
		pointer(s, &w.HostPath, nil, (*scanner).hostPath)
	default:
		return false
	}
	return true
}

func (s *scanner) security(name string, w *wireSecurity) bool {
	switch name {
	case "privileged":
		s.truth(&w.Privileged)
	default:
		return false
	}
	return true
}

func (s *scanner) hostPath(name string, w *wirePath) bool {
	switch name {
	case "path":
		s.text(&w.Path)
	default:
		return false
	}
	return true
}

func (s *scanner) claim(name string, w *wireClaim) bool {
	switch name {
	case "claimName":
		s.text(&w.ClaimName)
	default:
		return false
	}
	return true
}

func (s *scanner) secret(name string, w *wireSecret) bool {
	switch name {
	case "secretName":
		s.text(&w.SecretName)
	default:
		return false
	}
	return true
}

func (s *scanner) projected(name string, w *wireProjected) bool {
	switch name {
	case "sources":
		items(s, &w.Sources, (*scanner).projection)
	default:
		return false
	}
	return true
}

func (s *scanner) projection(name string, w *wireProjection) bool {
	switch name {
	case "configMap":
		members(s, &w.ConfigMap, (*scanner).named)
	case "secret":
		members(s, &w.Secret, (*scanner).named)
	default:
		return false
	}
	return true
}

func (s *scanner) csi(name string, w *wireCSI) bool {
	switch name {
	case "nodePublishSecretRef":
		members(s, &w.NodePublishSecretRef, (*scanner).named)
	default:
		return false
	}
	return true
}

func (s *scanner) named(name string, w *wireName) bool {
	switch name {
	case "name":
		s.text(&w.Name)
	default:
		return false
	}
	return true
}
