package audit

// readEvent reads an event into the decoder's wire event, with the bodies'
// strings still a part of raw. It gives false when raw is not one JSON object
// with the types that an event has.
func (d *Decoder) readEvent(raw []byte) bool {
	s := &d.scan
	*s = scanner{data: raw, names: &d.names, open: s.open}
	w := &d.wire
	*w = wireEvent[*wireBody]{}
	d.requestRaw = nil
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "kind":
			s.text(&w.Kind)
		case "apiVersion":
			s.text(&w.APIVersion)
		case "level":
			s.text(&w.Level)
		case "auditID":
			s.text(&w.AuditID)
		case "stage":
			s.text(&w.Stage)
		case "requestURI":
			s.text(&w.RequestURI)
		case "verb":
			s.text(&w.Verb)
		case "user":
			s.user(&w.User)
		case "impersonatedUser":
			pointer(s, &w.ImpersonatedUser, &d.impersonated, (*scanner).user)
		case "sourceIPs":
			s.texts(&w.SourceIPs)
		case "userAgent":
			s.text(&w.UserAgent)
		case "objectRef":
			pointer(s, &w.ObjectRef, &d.object, (*scanner).objectRef)
		case "responseStatus":
			pointer(s, &w.ResponseStatus, &d.status, (*scanner).status)
		case "requestObject":
			start := s.pos
			w.RequestObject = s.anyBody(&d.request)
			d.requestRaw = raw[start:s.pos]
		case "responseObject":
			w.ResponseObject = s.anyBody(&d.response)
		case "requestReceivedTimestamp":
			s.text(&w.RequestReceived)
		case "stageTimestamp":
			s.text(&w.StageTimestamp)
		case "annotations":
			s.labels(&w.Annotations)
		default:
			s.skip()
		}
	}
	return s.end()
}

// pointer reads an object that a field points to, into the memory given or, where
// that is nil, its own. A field that is said twice adds to what is there, as with
// encoding/json.
func pointer[T any](s *scanner, field **T, memory *T, read func(*scanner, *T)) {
	switch {
	case s.null():
		*field = nil
		return
	case s.peek() != '{':
		s.wants('{')
		return
	case *field == nil && memory == nil:
		*field = new(T)
	case *field == nil:
		var zero T
		*memory = zero
		*field = memory
	}
	read(s, *field)
}

// items reads a list of objects. An item of another type counts as an empty one.
func items[T any](s *scanner, into *[]T, read func(*scanner, *T)) {
	*into = nil
	for more := s.list(); more; more = s.more(']') {
		var zero T
		*into = append(*into, zero)
		read(s, &(*into)[len(*into)-1])
	}
}

func (s *scanner) user(w *wireUser) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "username":
			s.text(&w.Username)
		case "uid":
			s.text(&w.UID)
		case "groups":
			s.texts(&w.Groups)
		default:
			s.skip()
		}
	}
}

func (s *scanner) objectRef(w *wireObjectRef) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "resource":
			s.text(&w.Resource)
		case "namespace":
			s.text(&w.Namespace)
		case "name":
			s.text(&w.Name)
		case "uid":
			s.text(&w.UID)
		case "apiGroup":
			s.text(&w.APIGroup)
		case "apiVersion":
			s.text(&w.APIVersion)
		case "resourceVersion":
			s.text(&w.ResourceVersion)
		case "subresource":
			s.text(&w.Subresource)
		default:
			s.skip()
		}
	}
}

func (s *scanner) status(w *wireStatus) {
	for more := s.object(); more; more = s.more('}') {
		switch s.key() {
		case "status":
			s.text(&w.Status)
		case "message":
			s.text(&w.Message)
		case "reason":
			s.text(&w.Reason)
		case "code":
			w.Code = int32(s.integer(32))
		default:
			s.skip()
		}
	}
}
