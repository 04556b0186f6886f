package link

import (
	"time"

	"github.com/google/uuid"

	"github.com/whet-k8s/whet/audit"
)

// namespaceContext is the UUID namespace of context and operation ids; it was
// drawn once and must never change, since ids are compared across runs.
var namespaceContext = uuid.MustParse("5f1d0c6e-6a0a-5c39-9d5b-2f7d0f1c8a64")

// The kinds of ids that ID makes.
const (
	KindContext    = "context"
	KindOperation  = "operation"
	KindAutonomous = "autonomous"
)

// ID is the id of a context (KindContext), of a context that the clock started
// (KindAutonomous) or of an operation: the UUIDv5 (RFC 9562) of its first
// principal request's auditID and times, requestReceivedTimestamp and
// stageTimestamp. The times are part of it because a client may choose the
// auditID.
func ID(kind, auditID string, received, staged time.Time) string {
	b := make([]byte, 0, 160)
	b = append(b, kind...)
	b = append(b, 0)
	b = append(b, auditID...)
	b = append(b, 0)
	b = received.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, 0)
	b = staged.UTC().AppendFormat(b, time.RFC3339Nano)
	return uuid.NewSHA1(namespaceContext, b).String()
}

// contextID is the id of the context with this root.
func contextID(root *audit.Event) string { return idOf(KindContext, root) }

// operationID is the id of the operation whose first principal is root.
func operationID(root *audit.Event) string { return idOf(KindOperation, root) }

// autonomousID is the id of the context that the clock started with first.
func autonomousID(first *audit.Event) string { return idOf(KindAutonomous, first) }

func idOf(kind string, ev *audit.Event) string {
	return ID(kind, ev.AuditID, ev.RequestReceived, ev.StageTime)
}
