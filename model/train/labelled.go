package train

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/goccy/go-json"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
)

// labelAt reads the label that stands at a key of an event's JSON, a number or,
// as some logs have it, a number in quotes. An event without the key, with null
// or with -1 (unknown) there has none. It fails on what is no label.
func labelAt(codec *label.Codec, raw []byte, key string) (label.Label, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return 0, fmt.Errorf("reading the label of an event: %w", err)
	}
	value, there := members[key]
	if !there || string(value) == "null" {
		return model.NoLabel, nil
	}
	number, err := strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the label at %q is %.40q, not a whole number", key, value)
	}
	l := label.Label(number)
	if l == label.Unknown {
		return model.NoLabel, nil
	}
	if _, err := codec.Decode(l); err != nil {
		return 0, fmt.Errorf("at %q: %w", key, err)
	}
	return l, nil
}
