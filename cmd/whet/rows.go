package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
)

// rowFormats are the values of --format of the commands that print rows.
func rowFormats() []string { return []string{"table", "json", "jsonl", "csv"} }

// maxTableRows bounds how many rows a table keeps in memory to measure them.
const maxTableRows = 100_000

// rowWriter prints rows of named columns in one of rowFormats.
type rowWriter struct {
	out     io.Writer
	screen  *screen
	format  string
	columns []string
	omit    bool // leave out of JSON what is nil

	table term.Table
	csv   *export.CSV
	list  objectList
	rows  int
}

// newRowWriter begins the output. In a table the columns that numeric has hold
// numbers.
func newRowWriter(out io.Writer, s *screen, format string, columns []string, numeric map[string]bool) (*rowWriter, error) {
	w := &rowWriter{out: out, screen: s, format: format, columns: columns, list: objectList{out: out, lines: format == "jsonl"}}
	switch format {
	case "csv":
		var err error
		w.csv, err = export.NewCSV(out, columns...)
		return w, err
	case "table":
		for _, name := range columns {
			c := term.Column{Title: term.Sanitize(name), Right: numeric[name]}
			if !c.Right {
				c.Min, c.Max = min(12, max(4, len(name))), 120
			}
			w.table.Columns = append(w.table.Columns, c)
		}
	}
	return w, nil
}

// add prints a row.
func (w *rowWriter) add(values []any) error {
	w.rows++
	switch w.format {
	case "csv":
		return w.csv.Row(cellTexts(values)...)
	case "table":
		if w.rows > maxTableRows {
			return nil
		}
		cells := make([]term.Cell, len(values))
		for i, text := range cellTexts(values) {
			cells[i].Text = text
		}
		w.table.Add(cells...)
		return nil
	}
	b := []byte{'{'}
	for i, v := range values {
		if v == nil && w.omit {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(pipeline.AppendJSONString(b, w.columns[i]), ':')
		text, err := json.Marshal(plain(v))
		if err != nil {
			return fmt.Errorf("writing column %s: %w", w.columns[i], err)
		}
		b = pipeline.EscapeJSON(b, text)
	}
	return w.list.add(append(b, '}'))
}

// close ends the output.
func (w *rowWriter) close() error {
	switch w.format {
	case "csv":
		return w.csv.Flush()
	case "table":
		if err := w.table.Write(w.out, w.screen.columns, w.screen.paint); err != nil {
			return err
		}
		if more := w.rows - maxTableRows; more > 0 {
			_, err := fmt.Fprintf(w.out, "… and %s more than a table holds; --format jsonl prints all.\n", term.Plural(more, "row"))
			return err
		}
		return nil
	}
	return w.list.close()
}

// objectList prints JSON objects, one a line, or as an array.
type objectList struct {
	out   io.Writer
	lines bool
	n     int
}

func (l *objectList) add(object []byte) error {
	lead := ""
	switch {
	case l.lines:
	case l.n == 0:
		lead = "[\n"
	default:
		lead = ",\n"
	}
	l.n++
	if _, err := io.WriteString(l.out, lead); err != nil {
		return err
	}
	if l.lines {
		object = append(object, '\n')
	}
	_, err := l.out.Write(object)
	return err
}

func (l *objectList) close() error {
	text := "\n]\n"
	switch {
	case l.lines:
		return nil
	case l.n == 0:
		text = "[]\n"
	}
	_, err := io.WriteString(l.out, text)
	return err
}

func cellTexts(values []any) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = cellText(plain(v))
	}
	return texts
}

// cellText is a value as a cell of a table or of a CSV file shows it: a text as
// it is, NULL as nothing, and lists and maps as JSON.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// plain makes a value that DuckDB gave one that JSON can hold.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000000Z")
	case []byte:
		return string(v)
	case *big.Int:
		return json.Number(v.String())
	case duckdb.UUID:
		return v.String()
	case duckdb.Decimal:
		return json.Number(v.String())
	case float64:
		return plainFloat(v)
	case float32:
		return plainFloat(float64(v))
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m[k] = plain(v[k])
		}
		return m
	case duckdb.OrderedMap:
		m := make(map[string]any, v.Len())
		for i, k := range v.Keys() {
			m[cellText(plain(k))] = plain(v.Values()[i])
		}
		return m
	case fmt.Stringer:
		return v.String()
	}
	return v
}

// plainFloat is a number, or a text where JSON has no such number.
func plainFloat(f float64) any {
	if _, err := json.Marshal(f); err != nil {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}
