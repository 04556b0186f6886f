package audit

// anyBody reads a body into the memory given. What is no object gives nil.
func (s *scanner) anyBody(w *wireBody) *wireBody {
	if s.peek() != '{' {
		s.skip()
		return nil
	}
	*w = wireBody{}
	s.lenient = true
	s.body(w)
	s.lenient = false
	return w
}

func (s *scanner) body(w *wireBody) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "kind":
			s.text(&w.Kind)
		case "apiVersion":
			s.text(&w.APIVersion)
		case "metadata":
			s.metadata(&w.Metadata)
		case "spec":
			s.spec(&w.Spec)
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
			s.source(&w.Source)
		case "deprecatedSource":
			s.source(&w.DeprecatedSource)
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
			s.skip()
		}
	}
}

func (s *scanner) metadata(w *wireMetadata) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
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
			s.skip()
		}
	}
}

func (s *scanner) owner(w *wireOwner) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "apiVersion":
			s.text(&w.APIVersion)
		case "kind":
			s.text(&w.Kind)
		case "name":
			s.text(&w.Name)
		case "uid":
			s.text(&w.UID)
		case "controller":
			controller := s.boolean()
			w.Controller = controller != nil && *controller
		default:
			s.skip()
		}
	}
}

func (s *scanner) reference(w *wireReference) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
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
			s.skip()
		}
	}
}

func (s *scanner) roleRef(w *wireRoleRef) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "apiGroup":
			s.text(&w.APIGroup)
		case "kind":
			s.text(&w.Kind)
		case "name":
			s.text(&w.Name)
		default:
			s.skip()
		}
	}
}

func (s *scanner) source(w *wireSource) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "component":
			s.text(&w.Component)
		default:
			s.skip()
		}
	}
}

func (s *scanner) details(w *wireDetails) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "name":
			s.text(&w.Name)
		case "kind":
			s.text(&w.Kind)
		case "uid":
			s.text(&w.UID)
		default:
			s.skip()
		}
	}
}

func (s *scanner) item(w *wireItem) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "kind":
			s.text(&w.Kind)
		case "apiVersion":
			s.text(&w.APIVersion)
		case "metadata":
			s.itemMetadata(&w.Metadata)
		default:
			s.skip()
		}
	}
}

func (s *scanner) itemMetadata(w *wireItemMetadata) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "name":
			s.text(&w.Name)
		case "namespace":
			s.text(&w.Namespace)
		case "uid":
			s.text(&w.UID)
		case "resourceVersion":
			s.text(&w.ResourceVersion)
		default:
			s.skip()
		}
	}
}

func (s *scanner) row(w *wireRow) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "object":
			s.item(&w.Object)
		default:
			s.skip()
		}
	}
}
