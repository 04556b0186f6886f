package filter

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/whet-k8s/whet/audit"
)

// eventLine returns the event as a line of a log, without the line feed: its
// own bytes, unless they span lines or stand in a list.
func eventLine(ev *audit.Event) ([]byte, error) {
	line := ev.Raw
	if bytes.IndexByte(line, '\n') >= 0 {
		var b bytes.Buffer
		if err := json.Compact(&b, line); err != nil {
			return nil, fmt.Errorf("%s:%d: putting the event on one line: %w", ev.Position.Source, ev.Position.Line, err)
		}
		line = b.Bytes()
	}
	if ev.Position.Item == 0 {
		return line, nil
	}
	return addHeader(line, ev)
}

// addHeader gives an item of an EventList the kind and the apiVersion that it
// lacks. It writes v1: the fields of v1beta1 are the same.
func addHeader(line []byte, ev *audit.Event) ([]byte, error) {
	var has struct {
		Kind       *json.RawMessage `json:"kind"`
		APIVersion *json.RawMessage `json:"apiVersion"`
	}
	if err := json.Unmarshal(line, &has); err != nil {
		return nil, fmt.Errorf("%s:%d: item %d of the list: %w", ev.Position.Source, ev.Position.Line, ev.Position.Item, err)
	}
	var header []byte
	if has.Kind == nil {
		header = append(header, `"kind":"Event",`...)
	}
	if has.APIVersion == nil {
		header = append(header, `"apiVersion":"`+audit.APIVersionV1+`",`...)
	}
	if header == nil {
		return line, nil
	}
	brace := bytes.IndexByte(line, '{') + 1
	return bytes.Join([][]byte{line[:brace], header, line[brace:]}, nil), nil
}
