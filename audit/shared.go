package audit

import (
	"maps"
	"strconv"
)

// remembered reads a value that many events repeat: where the same JSON was read
// before, it gives the value of then, which both share. Clean tells that the
// value may be remembered, since it is the same to whoever reads it, lenient or
// not.
func remembered[T any](s *scanner, known *memo[T], read func(*scanner) (value T, clean bool)) T {
	start := s.pos
	s.skip()
	raw := s.data[start:s.pos]
	value, ok := known.get(raw)
	if ok || s.failed {
		return value
	}
	s.pos = start
	value, clean := read(s)
	if clean && !s.failed {
		known.put(raw, value)
	}
	return value
}

// merged adds a map to one that a field has from an earlier member of the same
// name, as encoding/json does. Neither is changed.
func merged[V any](before, added map[string]V) map[string]V {
	if before == nil {
		return added
	}
	all := maps.Clone(before)
	maps.Copy(all, added)
	return all
}

// texts reads a list of strings into memory of its own, which is shared with
// other lists of the same JSON. An empty list gives nil.
func (s *scanner) texts(into *[]string) {
	switch {
	case s.null():
		*into = nil
	case s.peek() != '[':
		s.wants('[')
	default:
		*into = remembered(s, &s.names.lists, (*scanner).readTexts)
	}
}

// readTexts reads a list of strings; what is no string is "" in it. Clean tells
// that there is none of these.
func (s *scanner) readTexts() (list []string, clean bool) {
	clean = true
	for more := s.list(); more; more = s.more(']') {
		var item string
		clean = clean && s.peek() == '"'
		s.text(&item)
		list = append(list, s.names.intern(item))
	}
	return list, clean
}

// labels reads a map of strings into memory of its own, which is shared with
// other maps of the same JSON. An empty map gives nil. A map that is said twice
// adds to what is there, as with encoding/json.
func (s *scanner) labels(into *map[string]string) {
	switch {
	case s.null():
		*into = nil
	case s.peek() != '{':
		s.wants('{')
	default:
		*into = merged(*into, remembered(s, &s.names.maps, (*scanner).readLabels))
	}
}

// extra reads a map of lists of strings, in the same way as labels.
func (s *scanner) extra(into *map[string][]string) {
	switch {
	case s.null():
		*into = nil
	case s.peek() != '{':
		s.wants('{')
	default:
		*into = merged(*into, remembered(s, &s.names.extras, (*scanner).readExtra))
	}
}

// readExtra reads a map of lists of strings. It stands outside of bodies, where
// nothing is forgiven, so that whatever was read may be remembered.
func (s *scanner) readExtra() (extra map[string][]string, clean bool) {
	for more := s.object(); more; more = s.more('}') {
		key := s.name()
		var list []string
		s.texts(&list)
		if extra == nil {
			extra = map[string][]string{}
		}
		extra[s.names.intern(key)] = list
	}
	return extra, true
}

// readLabels reads a map of strings; what is no string is "" in it. Clean tells
// that there is none of these.
func (s *scanner) readLabels() (labels map[string]string, clean bool) {
	clean = true
	for more := s.object(); more; more = s.more('}') {
		key := s.name()
		var value string
		clean = clean && s.peek() == '"'
		s.text(&value)
		if labels == nil {
			labels = map[string]string{}
		}
		labels[s.names.intern(key)] = s.names.intern(value)
	}
	return labels, clean
}

// selector reads both shapes: a LabelSelector's matchLabels, or a plain map.
// Values that are no strings are left out.
func (s *scanner) selector(into *map[string]string) {
	if s.peek() != '{' {
		s.wants('{')
		return
	}
	*into = remembered(s, &s.names.selectors, func(s *scanner) (map[string]string, bool) {
		return s.readSelector(true), true
	})
}

func (s *scanner) readSelector(outer bool) map[string]string {
	var labels, inner map[string]string
	matchLabels := false
	for more := s.object(); more; more = s.more('}') {
		key := s.name()
		switch {
		case s.peek() == '"':
			if labels == nil {
				labels = map[string]string{}
			}
			labels[s.names.intern(key)] = s.names.intern(s.quoted())
		case outer && key == "matchLabels" && s.peek() == '{':
			matchLabels, inner = true, s.readSelector(false)
		default:
			s.skip()
		}
	}
	if matchLabels {
		return inner
	}
	return labels
}

// wholeNumber gives a JSON number that fits 32 bits, and nil for all else.
func wholeNumber(written string) *int32 {
	f, err := strconv.ParseFloat(written, 64)
	n := int32(f)
	if err != nil || float64(n) != f {
		return nil
	}
	return &n
}
