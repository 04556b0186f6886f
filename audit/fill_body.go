package audit

// anyBody reads a body into the memory given. What is no object gives nil.
func (s *scanner) anyBody(w *wireBody) *wireBody {
	if s.peek() != '{' {
		s.skip()
		return nil
	}
	*w = wireBody{}
	s.lenient = true
	members(s, w, (*scanner).body)
	s.lenient = false
	return w
}

func (s *scanner) body(name string, w *wireBody) bool {
	switch name {
	case "kind":
		s.text(&w.Kind)
	case "apiVersion":
		s.text(&w.APIVersion)
	case "metadata":
		members(s, &w.Metadata, (*scanner).metadata)
	case "spec":
		members(s, &w.Spec, (*scanner).spec)
	case "involvedObject":
		pointer(s, &w.InvolvedObject, nil, (*scanner).reference)
	case "regarding":
		pointer(s, &w.Regarding, nil, (*scanner).reference)
	case "reason":
		s.text(&w.Reason)
	case "type":
		s.text(&w.Type)
	case "message":
		s.text(&w.Message)
	case "note":
		s.text(&w.Note)
	case "action":
		s.text(&w.Action)
	case "source":
		members(s, &w.Source, (*scanner).source)
	case "deprecatedSource":
		members(s, &w.DeprecatedSource, (*scanner).source)
	case "reportingController":
		s.text(&w.ReportingController)
	case "reportingComponent":
		s.text(&w.ReportingComponent)
	case "details":
		pointer(s, &w.Details, nil, (*scanner).details)
	case "target":
		pointer(s, &w.Target, nil, (*scanner).reference)
	case "roleRef":
		pointer(s, &w.RoleRef, nil, (*scanner).roleRef)
	case "subjects":
		items(s, &w.Subjects, (*scanner).reference)
	case "items":
		items(s, &w.Items, (*scanner).item)
	case "rows":
		items(s, &w.Rows, (*scanner).row)
	default:
		return false
	}
	return true
}

func (s *scanner) metadata(name string, w *wireMetadata) bool {
	switch name {
	case "name":
		s.text(&w.Name)
	case "generateName":
		s.text(&w.GenerateName)
	case "namespace":
		s.text(&w.Namespace)
	case "uid":
		s.text(&w.UID)
	case "resourceVersion":
		s.text(&w.ResourceVersion)
	case "generation":
		w.Generation = s.integer(64)
	case "labels":
		s.labels(&w.Labels)
	case "annotations":
		s.labels(&w.Annotations)
	case "finalizers":
		s.texts(&w.Finalizers)
	case "ownerReferences":
		items(s, &w.OwnerReferences, (*scanner).owner)
	case "deletionTimestamp":
		s.text(&w.DeletionTimestamp)
	default:
		return false
	}
	return true
}

func (s *scanner) owner(name string, w *wireOwner) bool {
	switch name {
	case "apiVersion":
		s.text(&w.APIVersion)
	case "kind":
		s.text(&w.Kind)
	case "name":
		s.text(&w.Name)
	case "uid":
		s.text(&w.UID)
	case "controller":
		s.truth(&w.Controller)
	default:
		return false
	}
	return true
}

func (s *scanner) reference(name string, w *wireReference) bool {
	switch name {
	case "apiVersion":
		s.text(&w.APIVersion)
	case "apiGroup":
		s.text(&w.APIGroup)
	case "kind":
		s.text(&w.Kind)
	case "namespace":
		s.text(&w.Namespace)
	case "name":
		s.text(&w.Name)
	case "uid":
		s.text(&w.UID)
	case "resourceVersion":
		s.text(&w.ResourceVersion)
	default:
		return false
	}
	return true
}

func (s *scanner) roleRef(name string, w *wireRoleRef) bool {
	switch name {
	case "apiGroup":
		s.text(&w.APIGroup)
	case "kind":
		s.text(&w.Kind)
	case "name":
		s.text(&w.Name)
	default:
		return false
	}
	return true
}

func (s *scanner) source(name string, w *wireSource) bool {
	switch name {
	case "component":
		s.text(&w.Component)
	default:
		return false
	}
	return true
}

func (s *scanner) details(name string, w *wireDetails) bool {
	switch name {
	case "name":
		s.text(&w.Name)
	case "kind":
		s.text(&w.Kind)
	case "uid":
		s.text(&w.UID)
	default:
		return false
	}
	return true
}

func (s *scanner) item(name string, w *wireItem) bool {
	switch name {
	case "kind":
		s.text(&w.Kind)
	case "apiVersion":
		s.text(&w.APIVersion)
	case "metadata":
		members(s, &w.Metadata, (*scanner).itemMetadata)
	default:
		return false
	}
	return true
}

func (s *scanner) itemMetadata(name string, w *wireItemMetadata) bool {
	switch name {
	case "name":
		s.text(&w.Name)
	case "namespace":
		s.text(&w.Namespace)
	case "uid":
		s.text(&w.UID)
	case "resourceVersion":
		s.text(&w.ResourceVersion)
	default:
		return false
	}
	return true
}

func (s *scanner) row(name string, w *wireRow) bool {
	switch name {
	case "object":
		members(s, &w.Object, (*scanner).item)
	default:
		return false
	}
	return true
}
