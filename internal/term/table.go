package term

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is how many columns of a terminal a text takes: wide characters take
// two, combining ones none.
func Width(s string) int { return ansi.StringWidth(s) }

// Truncate cuts a text to a width and ends it with an ellipsis where it cut.
func Truncate(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(s, width, "…")
}

// Column says how a Table shows one of its columns.
type Column struct {
	Title string
	// Min is the width below which the column is not squeezed; 0 keeps it at
	// the width of its content.
	Min int
	// Max bounds the width of the column; 0 is no bound.
	Max int
	// Weight is how much of a narrow terminal the column deserves, compared
	// with others; 0 means 1.
	Weight int
	// Right aligns the content to the right.
	Right bool
}

// Cell is a piece of text and how it looks.
type Cell struct {
	Text  string
	Style Style
}

// Table prints rows in columns that fit a terminal. Cells are sanitised.
type Table struct {
	Columns []Column
	rows    [][]Cell
}

// columnGap separates two columns.
const columnGap = "  "

// Add adds a row, with a cell a column.
func (t *Table) Add(cells ...Cell) {
	row := make([]Cell, len(t.Columns))
	copy(row, cells)
	for i := range row {
		row[i].Text = Sanitize(row[i].Text)
	}
	t.rows = append(t.rows, row)
}

// Write prints the table within a width; 0 is no bound.
func (t *Table) Write(w io.Writer, width int, paint Painter) error {
	widths := t.fit(width)
	var b strings.Builder
	title := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		title[i] = Cell{c.Title, Bold}
	}
	t.line(&b, title, widths, paint)
	for _, row := range t.rows {
		t.line(&b, row, widths, paint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) line(b *strings.Builder, row []Cell, widths []int, paint Painter) {
	last := len(row) - 1
	for last > 0 && row[last].Text == "" {
		last--
	}
	for i := 0; i <= last; i++ {
		if widths[i] == 0 {
			continue
		}
		text := Truncate(row[i].Text, widths[i])
		pad := strings.Repeat(" ", max(0, widths[i]-Width(text)))
		switch text = paint.Paint(row[i].Style, text); {
		case t.Columns[i].Right:
			b.WriteString(pad + text)
		case i == last:
			b.WriteString(text)
		default:
			b.WriteString(text + pad)
		}
		if i < last {
			b.WriteString(columnGap)
		}
	}
	b.WriteByte('\n')
}

// fit chooses the widths of the columns. When the content does not fit, the
// column that is widest for its weight gives way first.
func (t *Table) fit(width int) []int {
	widths := make([]int, len(t.Columns))
	total := len(columnGap) * (len(t.Columns) - 1)
	for i, c := range t.Columns {
		widths[i] = Width(c.Title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], Width(row[i].Text))
		}
		if c.Max > 0 {
			widths[i] = min(widths[i], c.Max)
		}
		total += widths[i]
	}
	if width <= 0 {
		return widths
	}
	for total > width {
		widest := -1
		for i, c := range t.Columns {
			if c.Min > 0 && widths[i] > c.Min && (widest < 0 || t.share(i, widths) > t.share(widest, widths)) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

func (t *Table) share(i int, widths []int) float64 {
	return float64(widths[i]) / float64(max(1, t.Columns[i].Weight))
}
