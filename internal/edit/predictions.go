package edit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/whet-k8s/whet/label"
)

// said is a line of a file of predictions.
type said struct {
	Line       int          `json:"line"`
	Item       int          `json:"item"`
	AuditID    string       `json:"auditID"`
	Stage      string       `json:"stage"`
	Label      *label.Label `json:"label"`
	Predicted  *label.Label `json:"predicted_label"`
	Confidence float64      `json:"confidence"`
	// Sure is how sure the model is, where Confidence is that of a link.
	Sure *float64 `json:"predicted_confidence"`
}

// Predictions reads what a model says of the events of a log, once the whole
// log was scanned. It runs on its own, while the session goes on.
type Predictions struct {
	entries []Entry // no event is added any more
	codec   *label.Codec
}

// Predictions gives a reader of predictions for the log as it was scanned.
func (s *Session) Predictions() *Predictions {
	return &Predictions{entries: slices.Clip(s.index.entries), codec: s.codec}
}

// Read reads a JSON object a line, in the annotations format or as whet model
// predict writes it, and gives found what it says in pieces, which found may
// keep. The label is predicted_label, else label, and the confidence
// predicted_confidence, else confidence. An object with a line is
// about the event at that line (and item) of the log; objects without one are
// about the events of the log in their order. Errors come from ctx, from
// reading and from found, and name the line of what is not about this log.
func (p *Predictions) Read(ctx context.Context, r io.Reader, found func([]Prediction) error) error {
	reader := bufio.NewReaderSize(r, 1<<20)
	var batch []Prediction
	next := 0
	for number := 1; ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := reader.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			prediction, err := p.parse(line, next)
			if err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
			next = prediction.Event + 1
			batch = append(batch, prediction)
		}
		end := errors.Is(err, io.EOF)
		if len(batch) >= atOnce || end && len(batch) > 0 {
			if err := found(batch); err != nil {
				return err
			}
			batch = nil
		}
		if end {
			return nil
		}
	}
}

// parse reads a line; next is the event that it is about if it does not say.
func (p *Predictions) parse(line []byte, next int) (Prediction, error) {
	var s said
	if err := json.Unmarshal(line, &s); err != nil {
		return Prediction{}, fmt.Errorf("no prediction: %w", err)
	}
	if s.Predicted == nil {
		s.Predicted = s.Label
	}
	if s.Predicted == nil {
		return Prediction{}, errors.New("no prediction: it has neither predicted_label nor label")
	}
	if _, err := p.codec.Decode(*s.Predicted); err != nil {
		return Prediction{}, err
	}
	if s.Sure != nil {
		s.Confidence = *s.Sure
	}
	event := next
	if s.Line > 0 {
		found, ok := slices.BinarySearchFunc(p.entries, s, func(e Entry, s said) int {
			if int(e.Line) != s.Line {
				return int(e.Line) - s.Line
			}
			return int(e.Item) - s.Item
		})
		if !ok {
			return Prediction{}, fmt.Errorf("it is about line %d, where the log has no event", s.Line)
		}
		event = found
	}
	if event >= len(p.entries) {
		return Prediction{}, fmt.Errorf("there are more predictions than the log's %d events", len(p.entries))
	}
	if p.entries[event].check != checkOf(s.AuditID, s.Stage) {
		return Prediction{}, fmt.Errorf("it is about auditID %q, stage %q, and line %d of the log is another event: the predictions are those of another log",
			s.AuditID, s.Stage, p.entries[event].Line)
	}
	return Prediction{event, *s.Predicted, s.Confidence}, nil
}
