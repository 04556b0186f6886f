package audit

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/goccy/go-json"
)

// List is an EventList whose items are not decoded, as ReadList gives it.
type List struct {
	// APIVersion is that of the list, which an item without one has too.
	APIVersion string
	// Items are in the order of the list.
	Items []ListItem
}

// ListItem is an item of a List. Whether it is an event is for a Decoder to
// say.
type ListItem struct {
	// Raw is the item as the list has it, and a part of it.
	Raw []byte

	object                      bool // of JSON
	kind, apiVersion            string
	requestReceived, stageStamp string
}

// ReadList reads an EventList, v1 or v1beta1, as the webhook backend of an API
// server sends it, and leaves its items as they are. It accepts valid JSON
// alone, with one member kind, apiVersion and items each; the error says in
// words what is wrong.
func ReadList(body []byte) (*List, error) {
	var l listReading
	s := &scanner{data: body, lenient: true}
	s.space()
	members(s, &l, (*scanner).eventList)
	if !s.end() {
		var w struct{}
		if err := json.Unmarshal(body, &w); err != nil {
			return nil, reason(err)
		}
		return nil, fmt.Errorf("invalid JSON at byte %d", s.failedAt)
	}
	switch {
	case l.kinds != 1 || l.kind == "":
		return nil, errors.New("not an EventList: it must have one member kind")
	case l.kind != kindEventList:
		return nil, fmt.Errorf("not an EventList: kind is %s", quote(l.kind))
	case l.versions != 1:
		return nil, errors.New("not an EventList: it must have one member apiVersion")
	case l.lists != 1:
		return nil, errors.New("not an EventList: it must have one member items, which is a list")
	}
	if err := checkKind(kindEvent, l.APIVersion, false); err != nil {
		return nil, err
	}
	return &l.List, nil
}

// listReading is what a list is read into. The counts are those of members with
// a name.
type listReading struct {
	List
	kind                   string
	kinds, versions, lists int
}

func (s *scanner) eventList(name string, l *listReading) bool {
	switch name {
	case "kind":
		l.kinds++
		s.text(&l.kind)
	case "apiVersion":
		l.versions++
		s.text(&l.APIVersion)
	case "items":
		if c := s.peek(); c == '[' || c == 'n' {
			l.lists++
		}
		for more := s.list(); more; more = s.more(']') {
			l.Items = append(l.Items, s.listItem())
		}
	default:
		return false
	}
	return true
}

func (s *scanner) listItem() ListItem {
	item := ListItem{object: s.peek() == '{'}
	start := s.pos
	if item.object {
		members(s, &item, (*scanner).itemMember)
	} else {
		s.skip()
	}
	item.Raw = s.data[start:s.pos:s.pos]
	return item
}

func (s *scanner) itemMember(name string, item *ListItem) bool {
	switch name {
	case "kind":
		s.text(&item.kind)
	case "apiVersion":
		s.text(&item.apiVersion)
	case "requestReceivedTimestamp":
		s.text(&item.requestReceived)
	case "stageTimestamp":
		s.text(&item.stageStamp)
	default:
		return false
	}
	return true
}

// Latest is the later one of the times that the item says it was received and
// its stage was reached; zero where it says none.
func (i *ListItem) Latest() time.Time {
	received, _ := parseTime("", i.requestReceived)
	staged, _ := parseTime("", i.stageStamp)
	if staged.After(received) {
		return staged
	}
	return received
}

// AppendLine appends the item as a line of a log, with its line feed: the bytes
// of the item, before which stand the kind and the version that it has from its
// list, and with spaces for line breaks.
func (l *List) AppendLine(to []byte, item *ListItem) []byte {
	raw := item.Raw
	if item.object && (item.kind == "" || item.apiVersion == "") {
		to = append(to, '{')
		if item.kind == "" {
			to = append(to, `"kind":"`+kindEvent+`"`...)
		}
		if item.apiVersion == "" {
			if item.kind == "" {
				to = append(to, ',')
			}
			to = append(to, `"apiVersion":"`+l.APIVersion+`"`...)
		}
		if raw = raw[1:]; trimSpace(raw)[0] != '}' {
			to = append(to, ',')
		}
	}
	start := len(to)
	to = append(to, raw...)
	for _, end := range []byte("\r\n") {
		for line := to[start:]; ; {
			at := bytes.IndexByte(line, end)
			if at < 0 {
				break
			}
			line[at] = ' '
			line = line[at+1:]
		}
	}
	return append(to, '\n')
}
