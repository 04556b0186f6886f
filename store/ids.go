package store

import (
	"encoding/binary"
	"strings"

	"github.com/google/uuid"
)

// The fields that IDIs knows.
const (
	FieldAuditID = "auditID" // of contexts (their root's) and of events
	FieldContext = "context" // of events
	FieldID      = "id"      // of contexts
)

// IDIs is the condition that one of the fields above has one of some values, at
// least one. It means what field IN (values) means, but is found in a data set
// of many millions of events in a fraction of the time: by the UUIDs as the
// files hold them, and for ids of contexts, which follow from other columns, by
// their first four bytes first.
func IDIs(field string, values ...string) Where {
	var exact, plain []any
	for _, v := range values {
		exact = append(exact, v)
		id, err := uuid.Parse(v)
		if err != nil || id.String() != v {
			continue
		}
		if field == FieldID {
			plain = append(plain, idPrefix(v))
		} else {
			plain = append(plain, v)
		}
	}
	marks := func(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }
	if field == FieldID {
		if len(plain) < len(values) {
			plain = append(plain, idPrefix("")) // any other text is no id of ours
		}
		return Where{SQL: "(idPrefix IN " + marks(len(plain)) + " AND id IN " + marks(len(exact)) + ")", Args: append(plain, exact...)}
	}
	if len(plain) < len(values) {
		// A client may choose its auditID, which is then a text.
		return Where{SQL: "(" + field + " IN " + marks(len(exact)) + ")", Args: exact}
	}
	column := map[string]string{FieldAuditID: "auditUUID", FieldContext: "contextUUID"}[field]
	return Where{SQL: "(" + column + " IN (?::UUID" + strings.Repeat(", ?::UUID", len(plain)-1) + "))", Args: plain}
}

// idPrefix is the first four bytes of a UUID as a number, and 0 for another
// text.
func idPrefix(text string) int32 {
	id, err := uuid.Parse(text)
	if err != nil {
		return 0
	}
	return int32(binary.BigEndian.Uint32(id[:4])) //nolint:gosec // The bits are what is meant.
}
