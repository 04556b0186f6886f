package train

import (
	"fmt"

	"github.com/goccy/go-json"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model"
)

// labelAt reads the label that stands at a key of an event's JSON. An event
// without the key, or with null there, has none. It fails on a value that is
// no number.
func labelAt(raw []byte, key string) (label.Label, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return 0, fmt.Errorf("reading the label of an event: %w", err)
	}
	value, there := members[key]
	if !there || string(value) == "null" {
		return model.NoLabel, nil
	}
	var number int64
	if err := json.Unmarshal(value, &number); err != nil {
		return 0, fmt.Errorf("the label at %q is %.40q, not a whole number", key, value)
	}
	return label.Label(number), nil
}
