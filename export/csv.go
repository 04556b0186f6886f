package export

import (
	"encoding/csv"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// CSV writes rows as RFC 4180 says: cells between commas, quoted where they
// must be, rows that end in CR and LF. Every cell goes through [Cell].
type CSV struct {
	w   *csv.Writer
	row []string
}

// NewCSV writes the header row, the names of the columns, and gives the writer
// for the rows below it.
func NewCSV(w io.Writer, columns ...string) (*CSV, error) {
	c := &CSV{w: csv.NewWriter(w)}
	c.w.UseCRLF = true
	return c, c.Row(columns...)
}

// Row writes a row. The error is one of the writer below, and may come late;
// Flush has the last word.
func (c *CSV) Row(cells ...string) error {
	c.row = c.row[:0]
	for _, cell := range cells {
		c.row = append(c.row, Cell(cell))
	}
	return c.w.Write(c.row)
}

// Flush writes what is still in the buffer.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}

// Cell makes a text safe to stand in a cell of a CSV file, whoever wrote it.
//
// What is not printable becomes a visible escape (\n, \x1b, \u202e), so that a
// row is a line and nothing reaches a terminal. What a spreadsheet would run as
// a formula gets an apostrophe before it: a text that begins with =, +, -, @ or
// one of their full-width forms, also behind spaces and quotes, and also after a
// semicolon, where a spreadsheet that splits at semicolons begins a new cell. A
// text that is a plain number, such as -1, stays as it is.
func Cell(text string) string {
	text = term.Sanitize(text)
	if !strings.ContainsAny(text, "=+-@＝＋－＠") {
		return text
	}
	if !strings.Contains(text, ";") {
		return defuse(text)
	}
	parts := strings.Split(text, ";")
	for i := range parts {
		parts[i] = defuse(parts[i])
	}
	return strings.Join(parts, ";")
}

// defuse puts an apostrophe before a text that a spreadsheet could run.
func defuse(text string) string {
	bare := strings.TrimLeft(text, " '\"`")
	if bare == "" || !strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) || isNumber(text) {
		return text
	}
	return "'" + text
}

// isNumber tells a plain decimal number, which as a formula gives itself.
func isNumber(text string) bool {
	whole, fraction, hasFraction := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return isDigits(whole) && (!hasFraction || isDigits(fraction))
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// ContextColumns are the columns that [Contexts] writes: those of the view
// contexts (docs/dataset.md), in an order for people.
func ContextColumns() []string {
	return []string{
		"start", "end", "duration", "cluster", "username", "impersonated", "action", "outcome", "code", "reason", "message",
		"verb", "apiGroup", "resource", "subresource", "namespace", "name", "label",
		"effects", "effectsBy", "failed", "clients", "events", "deletes", "touched",
		"groups", "userAgent", "sourceIP", "readOnly", "origin", "originActor",
		"id", "operation", "auditID", "file", "line", "item",
	}
}

// ContextRow gives the cells of a context, one for each of ContextColumns.
// Times are RFC 3339 in UTC, duration counts microseconds, lists and maps are
// JSON, and what is not known is empty.
func ContextRow(c *store.Context) []string {
	return []string{
		timeCell(c.Start), timeCell(c.End), strconv.FormatInt(c.Duration().Microseconds(), 10),
		c.Cluster, c.Actor.Username, c.Actor.Impersonated, c.Action,
		c.Outcome.Word(), codeCell(c.Outcome.Code), c.Outcome.Reason, c.Outcome.Message,
		c.Verb, c.APIGroup, c.Resource, c.Subresource, c.Namespace, c.Name, strconv.FormatInt(int64(c.Label), 10),
		strconv.Itoa(c.Effects), countsCell(c.EffectsBy), strconv.Itoa(c.Failed), strconv.Itoa(c.Clients),
		strconv.Itoa(c.Events), strconv.Itoa(c.Deletes), countsCell(c.Touched),
		listCell(c.Actor.Groups), c.Actor.UserAgent, c.Actor.SourceIP, strconv.FormatBool(c.ReadOnly), c.Origin, c.OriginActor,
		c.ID, c.Operation, c.Root.AuditID, c.Root.File, strconv.Itoa(c.Root.Line), itemCell(c.Root.Item),
	}
}

// Contexts writes contexts as CSV and returns how many. An error is the first
// one of the contexts or of the writer.
func Contexts(w io.Writer, contexts iter.Seq2[*store.Context, error]) (int, error) {
	out, err := NewCSV(w, ContextColumns()...)
	if err != nil {
		return 0, err
	}
	n := 0
	for c, err := range contexts {
		if err != nil {
			return n, err
		}
		if err := out.Row(ContextRow(c)...); err != nil {
			return n, err
		}
		n++
	}
	return n, out.Flush()
}

func timeCell(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func codeCell(code int32) string {
	if code == 0 {
		return ""
	}
	return strconv.FormatInt(int64(code), 10)
}

func itemCell(item int) string {
	if item == 0 {
		return ""
	}
	return strconv.Itoa(item)
}

func listCell(list []string) string {
	if len(list) == 0 {
		return ""
	}
	b := []byte{'['}
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = pipeline.AppendJSONString(b, s)
	}
	return string(append(b, ']'))
}

func countsCell(counts map[string]int) string {
	if len(counts) == 0 {
		return ""
	}
	b := []byte{'{'}
	for i, key := range slices.Sorted(maps.Keys(counts)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = pipeline.AppendJSONString(b, key)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(counts[key]), 10)
	}
	return string(append(b, '}'))
}
