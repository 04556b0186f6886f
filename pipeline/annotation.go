package pipeline

import (
	"bytes"
	"math"
	"strconv"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/member"
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

// Assignment gives what the linker said of the event in the linker's own form,
// but for the Root.
func (a *Annotation) Assignment() link.Assignment {
	return link.Assignment{
		Event: a.Event, Context: a.Context, Operation: a.Operation, Role: a.Role, Cause: a.Cause, Rule: a.Rule,
		Evidence: a.Evidence, Confidence: a.Confidence, Rival: a.Rival, Autonomous: a.Autonomous,
	}
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
// end: label, and whet, an object with the rest of the annotation. What the
// event has under these keys already is replaced in its place. The other bytes
// are those of the input; only the line breaks of an event that spans lines
// become spaces, so that the output has an event a line. It needs
// Options.KeepRaw.
func (a *Annotation) AppendLabelled(b []byte) []byte {
	said := append([]byte(`{"line":`), strconv.Itoa(a.Line)...)
	said = a.appendVerdict(append(said, ','))
	said = append(said, `,"evidence":`...)
	said = append(AppendJSONString(said, a.Evidence), '}')
	labelled := labelKey.Append(nil, OnOneLine(a.Raw), strconv.AppendInt(nil, int64(a.Label), 10))
	return whetKey.Append(b, labelled, said)
}

// The members that AppendLabelled adds.
var labelKey, whetKey = member.Named("label"), member.Named("whet")

// OnOneLine gives the JSON of an event that spans lines on one: its line breaks
// become spaces. What is on one line is given as it is.
func OnOneLine(raw []byte) []byte {
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	line := bytes.Clone(raw)
	for i, c := range line {
		if c == '\n' || c == '\r' {
			line[i] = ' ' // JSON has no bare line break within a string
		}
	}
	return line
}

func appendStringOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return AppendJSONString(b, s)
}
