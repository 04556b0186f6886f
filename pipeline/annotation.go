package pipeline

import (
	"math"
	"strconv"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
)

// Annotation is what is said of one event of the input.
type Annotation struct {
	// Line counts the physical lines of all inputs from 1, one after the
	// other; Position tells the place in the event's own file.
	Line     int
	Position audit.Position
	AuditID  string
	Stage    audit.Stage

	// Context and Operation are ids, "" for what belongs to no context.
	Context   string
	Operation string
	Role      link.Role
	// Cause is the auditID of the event that caused this one, or "".
	Cause string
	// Rule names what decided: a rule of the linker, or the noise rule that
	// dropped the event or set it aside.
	Rule string
	// Evidence says in a few words why.
	Evidence   string
	Confidence float64
	// Autonomous is the id of the context that the clock started with this
	// event, "" for all others.
	Autonomous string
	// Label is that of the root of the event's context; of an event without a
	// context its own.
	Label label.Label

	// Rival is the auditID of the next best cause that belongs to another
	// context, "" when there was none.
	Rival string

	// Event is the event itself, without its Raw.
	Event *audit.Event
	// Actor is the username of the root of the event's context, "" without one.
	Actor string
	// Raw is the event's JSON as the input had it, with Options.KeepRaw. With
	// Options.KeepGaps Before are the bytes between the event before and this one,
	// which are a line feed as a rule, and Raw is empty where the Sink's Gap has
	// the event's bytes.
	Raw    []byte
	Before []byte
}

// AppendJSON appends the annotation as a JSON object without a line feed, in
// the annotations format of docs/output.md. What is not printable is escaped,
// so that the line is safe on a terminal.
func (a *Annotation) AppendJSON(b []byte) []byte {
	b = append(b, `{"line":`...)
	b = strconv.AppendInt(b, int64(a.Line), 10)
	if a.Position.Item > 0 {
		b = append(b, `,"item":`...)
		b = strconv.AppendInt(b, int64(a.Position.Item), 10)
	}
	b = append(b, `,"auditID":`...)
	b = AppendJSONString(b, a.AuditID)
	b = append(b, `,"stage":`...)
	b = AppendJSONString(b, string(a.Stage))
	b = append(b, ',')
	b = a.appendVerdict(b)
	b = append(b, `,"label":`...)
	b = strconv.AppendInt(b, int64(a.Label), 10)
	return append(b, '}')
}

// appendVerdict appends the members that say what the event belongs to.
func (a *Annotation) appendVerdict(b []byte) []byte {
	b = append(b, `"context":`...)
	b = appendStringOrNull(b, a.Context)
	b = append(b, `,"operation":`...)
	b = appendStringOrNull(b, a.Operation)
	b = append(b, `,"role":`...)
	b = AppendJSONString(b, string(a.Role))
	b = append(b, `,"cause":`...)
	b = appendStringOrNull(b, a.Cause)
	b = append(b, `,"rule":`...)
	b = AppendJSONString(b, a.Rule)
	b = append(b, `,"confidence":`...)
	return strconv.AppendFloat(b, math.Round(a.Confidence*1e4)/1e4, 'f', -1, 64)
}

// AppendLabelled appends the event's own JSON with two members more at its
// end: label, and whet, an object with the rest of the annotation. The bytes
// before them are those of the input; only the line breaks of an event that
// spans lines become spaces, so that the output has an event a line. It needs
// Options.KeepRaw.
func (a *Annotation) AppendLabelled(b []byte) []byte {
	start := len(b)
	b = append(b, a.Raw...)
	for i := start; i < len(b); i++ {
		if b[i] == '\n' || b[i] == '\r' {
			b[i] = ' ' // JSON has no bare line break within a string
		}
	}
	end := len(b)
	for end > start && b[end-1] != '}' {
		end--
	}
	b = append(b[:max(end-1, start)], `,"label":`...)
	b = strconv.AppendInt(b, int64(a.Label), 10)
	b = append(b, `,"whet":{"line":`...)
	b = strconv.AppendInt(b, int64(a.Line), 10)
	b = append(b, ',')
	b = a.appendVerdict(b)
	b = append(b, `,"evidence":`...)
	b = AppendJSONString(b, a.Evidence)
	return append(b, `}}`...)
}

func appendStringOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return AppendJSONString(b, s)
}
