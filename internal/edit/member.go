package edit

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/whet-k8s/whet/internal/member"
	"github.com/whet-k8s/whet/label"
)

// noLabel stands for the label of an event that has none.
const noLabel = math.MinInt32

// key is the name of the member that holds the label of an event.
type key struct{ member.Key }

// newKey refuses the names of the event's own fields
// (staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go, and metadata of
// v1beta1), which a label would overwrite.
func newKey(name string) (key, error) {
	switch name {
	case "":
		return key{}, errors.New("the key of the label is empty")
	case "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "impersonatedUser",
		"sourceIPs", "userAgent", "objectRef", "responseStatus", "requestObject", "responseObject",
		"requestReceivedTimestamp", "stageTimestamp", "annotations", "authenticationMetadata", "metadata", "timestamp":
		return key{}, fmt.Errorf("%q is a field of the event itself, so that it cannot be the key of the label", name)
	}
	return key{member.Named(name)}, nil
}

// labelIn reads a label as logs carry it, a number or a number in quotes.
// Unknown counts as no label, as in the seed, and so does what is no label at
// all.
func labelIn(value []byte) int32 {
	text := bytes.Trim(value, `"`)
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || label.Label(n) == label.Unknown || n == noLabel {
		return noLabel
	}
	return int32(n)
}

// append appends an event's JSON with a label under the key: in the
// place of the member that it has already, else at the end. All other bytes
// are those of the event. Without a label (noLabel) a member that is there
// becomes null.
func (k key) append(b, raw []byte, l int32) []byte {
	if l == noLabel {
		if _, _, ok := k.Find(raw); !ok {
			return append(b, raw...)
		}
		return k.Append(b, raw, []byte("null"))
	}
	return k.Append(b, raw, strconv.AppendInt(nil, int64(l), 10))
}
