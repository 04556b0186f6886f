package audit

// reading is what an event is read into before it is copied. The strings in it
// may be a part of the event's JSON.
type reading struct {
	wire       wireEvent[*wireBody]
	requestRaw []byte

	// Memory for what wire points to.
	impersonated      wireUser
	object            wireObjectRef
	status            wireStatus
	request, response wireBody
}

// readEvent reads an event into d.reading. It gives false when raw is not one
// JSON object with the types that an event has.
func (d *Decoder) readEvent(raw []byte) bool {
	s := &d.scan
	*s = scanner{data: raw, names: &d.names, open: s.open}
	d.reading.wire, d.reading.requestRaw = wireEvent[*wireBody]{}, nil
	s.space()
	members(s, &d.reading, (*scanner).event)
	return s.end()
}

// members reads an object, member by member: read takes the value if it knows
// the name. A name that differs only in case from one that the wire types have
// is the same to encoding/json, and here.
func members[T any](s *scanner, w *T, read func(*scanner, string, *T) bool) {
	for more := s.object(); more; more = s.more('}') {
		name := s.name()
		if read(s, name, w) {
			continue
		}
		if known := memberNames.canonical(name); known == name || !read(s, known, w) {
			s.skip()
		}
	}
}

func (s *scanner) event(name string, r *reading) bool {
	switch name {
	case "kind":
		s.text(&r.wire.Kind)
	case "apiVersion":
		s.text(&r.wire.APIVersion)
	case "level":
		s.text(&r.wire.Level)
	case "auditID":
		s.text(&r.wire.AuditID)
	case "stage":
		s.text(&r.wire.Stage)
	case "requestURI":
		s.text(&r.wire.RequestURI)
	case "verb":
		s.text(&r.wire.Verb)
	case "user":
		members(s, &r.wire.User, (*scanner).user)
	case "impersonatedUser":
		pointer(s, &r.wire.ImpersonatedUser, &r.impersonated, (*scanner).user)
	case "sourceIPs":
		s.texts(&r.wire.SourceIPs)
	case "userAgent":
		s.text(&r.wire.UserAgent)
	case "objectRef":
		pointer(s, &r.wire.ObjectRef, &r.object, (*scanner).objectRef)
	case "responseStatus":
		pointer(s, &r.wire.ResponseStatus, &r.status, (*scanner).status)
	case "requestObject":
		start := s.pos
		r.wire.RequestObject = s.anyBody(&r.request)
		r.requestRaw = s.data[start:s.pos]
	case "responseObject":
		r.wire.ResponseObject = s.anyBody(&r.response)
	case "requestReceivedTimestamp":
		s.text(&r.wire.RequestReceived)
	case "stageTimestamp":
		s.text(&r.wire.StageTimestamp)
	case "annotations":
		s.labels(&r.wire.Annotations)
	default:
		return false
	}
	return true
}

// pointer reads an object that a field points to, into the memory given or, where
// that is nil, its own. A field that is said twice adds to what is there, as with
// encoding/json.
func pointer[T any](s *scanner, field **T, memory *T, read func(*scanner, string, *T) bool) {
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
	members(s, *field, read)
}

// items reads a list of objects. An item of another type counts as an empty one.
func items[T any](s *scanner, into *[]T, read func(*scanner, string, *T) bool) {
	*into = nil
	for more := s.list(); more; more = s.more(']') {
		var zero T
		*into = append(*into, zero)
		members(s, &(*into)[len(*into)-1], read)
	}
}

func (s *scanner) user(name string, w *wireUser) bool {
	switch name {
	case "username":
		s.text(&w.Username)
	case "uid":
		s.text(&w.UID)
	case "groups":
		s.texts(&w.Groups)
	case "extra":
		s.extra(&w.Extra)
	default:
		return false
	}
	return true
}

func (s *scanner) objectRef(name string, w *wireObjectRef) bool {
	switch name {
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
		return false
	}
	return true
}

func (s *scanner) status(name string, w *wireStatus) bool {
	switch name {
	case "status":
		s.text(&w.Status)
	case "message":
		s.text(&w.Message)
	case "reason":
		s.text(&w.Reason)
	case "code":
		w.Code = int32(s.integer(32))
	default:
		return false
	}
	return true
}
