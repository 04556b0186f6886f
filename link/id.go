package link

import (
	"time"

	"github.com/google/uuid"

	"github.com/whet-k8s/whet/audit"
)

// namespaceContext is the UUID namespace of context and operation ids; it was
// drawn once and must never change, since ids are compared across runs.
var namespaceContext = uuid.MustParse("5f1d0c6e-6a0a-5c39-9d5b-2f7d0f1c8a64")

// contextID is the UUIDv5 (RFC 9562) of the root's auditID and times. The
// times are part of it because a client may choose the auditID.
func contextID(root *audit.Event) string { return newID("context", root) }

// operationID is the id of the operation whose first principal is root.
func operationID(root *audit.Event) string { return newID("operation", root) }

// autonomousID is the id of the context that the clock started with first.
func autonomousID(first *audit.Event) string { return newID("autonomous", first) }

func newID(kind string, ev *audit.Event) string {
	b := make([]byte, 0, 160)
	b = append(b, kind...)
	b = append(b, 0)
	b = append(b, ev.AuditID...)
	b = append(b, 0)
	b = ev.RequestReceived.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, 0)
	b = ev.StageTime.UTC().AppendFormat(b, time.RFC3339Nano)
	return uuid.NewSHA1(namespaceContext, b).String()
}
