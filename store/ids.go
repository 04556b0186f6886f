package store

import (
	"encoding/binary"
	"strings"

	"github.com/google/uuid"
)

// The columns of ids, which IsOneOf finds quickly.
const (
	fieldAuditID = "auditID" // of contexts (their root's) and of events
	fieldContext = "context" // of events
	fieldID      = "id"      // of contexts
)

// IsOneOf is the condition that a column of a view has one of some values, of
// which there must be at least one. The column is a constant of the program.
// An id (auditID, context, id) is found in a data set of many millions of
// events by what the files hold: the UUID, or of the id of a context, which
// follows from other columns, the first four bytes before the rest.
func IsOneOf(column string, values ...string) Where {
	plain, whole := plainIDs(column, values)
	exact := make([]any, len(values))
	for i, v := range values {
		exact[i] = v
	}
	switch {
	case column == fieldID:
		return Where{
			SQL:  "(idPrefix IN " + marks("?", len(plain)) + " AND id IN " + marks("?", len(exact)) + ")",
			Args: append(plain, exact...),
		}
	case column == fieldAuditID && whole:
		return Where{SQL: "auditUUID IN " + marks("?::UUID", len(plain)), Args: plain}
	case column == fieldContext && whole:
		return Where{SQL: "contextUUID IN " + marks("?::UUID", len(plain)), Args: plain}
	}
	return Where{SQL: column + " IN " + marks("?", len(exact)), Args: exact}
}

// plainIDs gives the values as the files hold them. Not whole means that one of
// them is no UUID as the API server writes it: a client may choose its auditID.
func plainIDs(column string, values []string) (plain []any, whole bool) {
	whole = true
	for _, v := range values {
		id, err := uuid.Parse(v)
		whole = whole && err == nil && id.String() == v
		if column == fieldID {
			plain = append(plain, idPrefix(v))
		} else {
			plain = append(plain, v)
		}
	}
	return plain, whole
}

// marks are the places of n arguments, at least one.
func marks(mark string, n int) string { return "(" + mark + strings.Repeat(", "+mark, n-1) + ")" }

// idPrefix is the first four bytes of a UUID as a number, and 0 for another
// text.
func idPrefix(text string) int32 {
	id, err := uuid.Parse(text)
	if err != nil {
		return 0
	}
	return int32(binary.BigEndian.Uint32(id[:4])) //nolint:gosec // The bits are what is meant.
}
