package audit

import (
	"maps"
	"strconv"
)

// texts reads a list of strings into memory of its own, which is shared with
// other lists of the same JSON. An empty list gives nil.
func (s *scanner) texts(into *[]string) {
	if s.null() {
		*into = nil
		return
	}
	if s.peek() != '[' {
		s.wants('[')
		return
	}
	start := s.pos
	s.skip()
	raw := s.data[start:s.pos]
	if list, ok := s.names.lists.get(raw); ok || s.failed {
		*into = list
		return
	}
	s.pos = start
	var list []string
	clean := true
	for more := s.list(); more; more = s.more(']') {
		var item string
		clean = clean && s.peek() == '"'
		s.text(&item)
		list = append(list, s.names.intern(item))
	}
	*into = list
	if clean && !s.failed {
		s.names.lists.put(raw, list)
	}
}

// labels reads a map of strings into memory of its own, which is shared with
// other maps of the same JSON. An empty map gives nil. A map that is said twice
// adds to what is there, as with encoding/json.
func (s *scanner) labels(into *map[string]string) {
	if s.null() {
		*into = nil
		return
	}
	if s.peek() != '{' {
		s.wants('{')
		return
	}
	start := s.pos
	s.skip()
	raw := s.data[start:s.pos]
	labels, ok := s.names.maps.get(raw)
	if !ok && !s.failed {
		s.pos = start
		var clean bool
		if labels, clean = s.readLabels(); clean && !s.failed {
			s.names.maps.put(raw, labels)
		}
	}
	if *into != nil {
		before := maps.Clone(*into)
		maps.Copy(before, labels)
		labels = before
	}
	*into = labels
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
	start := s.pos
	s.skip()
	raw := s.data[start:s.pos]
	labels, ok := s.names.selectors.get(raw)
	if !ok && !s.failed {
		s.pos = start
		labels = s.readSelector(true)
		s.names.selectors.put(raw, labels)
	}
	*into = labels
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
