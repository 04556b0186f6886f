package evaluate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/whet-k8s/whet/label"
)

// Annotation is what a program says of one line of a log. Annotations have
// more fields; these are the ones that count here.
type Annotation struct {
	// Line counts the log's lines from 1.
	Line int `json:"line"`
	// AuditID is the line's, "" where the program does not say it.
	AuditID string `json:"auditID"`
	// Context is any name for the context, "" for none.
	Context string `json:"context"`
	Role    Role   `json:"role"`
	// Label is nil where the program does not say it.
	Label *label.Label `json:"label"`
}

// Annotations is a sequence of annotations that ends with its first error.
type Annotations = iter.Seq2[Annotation, error]

// ReadAnnotations reads annotations, a JSON object a line, plain or compressed
// with zstd. Errors name the file as name says and the line of the file.
func ReadAnnotations(r io.Reader, name string) Annotations {
	return func(yield func(Annotation, error) bool) {
		for item, err := range jsonLines[Annotation](r) {
			if err != nil {
				yield(Annotation{}, fmt.Errorf("annotations %s:%d: %w", name, item.at, err))
				return
			}
			if item.value.Line < 1 {
				yield(Annotation{}, fmt.Errorf("annotations %s:%d: no line number above 0 in the field \"line\"", name, item.at))
				return
			}
			if !yield(item.value, nil) {
				return
			}
		}
	}
}

// IsAnnotations tells annotations from a log by the first value of r: a JSON
// object on a line of its own with the keys line and context, as no audit event
// has. It reads the beginning of r, plain or compressed with zstd; an input that
// is neither is no annotations.
func IsAnnotations(r io.Reader) (bool, error) {
	plain, done, err := unpack(r)
	if err != nil {
		return false, err
	}
	defer done()
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var first map[string]json.RawMessage
		if len(lines.Bytes()) == 0 {
			continue
		}
		if json.Unmarshal(lines.Bytes(), &first) != nil {
			return false, nil
		}
		_, hasLine := first["line"]
		_, hasContext := first["context"]
		return hasLine && hasContext, nil
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return false, err
	}
	return false, nil
}
