package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/whet-k8s/whet/internal/parquetfile"
)

// fileColumn is a column of a file and the values that go into it, or come out
// of it: one of the pointers is set.
type fileColumn struct {
	parquetfile.Column
	text   *textColumn
	number *numberColumn
	floats *[]float64
	raw    *[][]byte
	fixed  *[]byte // the values of a column of UUIDs, zeros for NULL; only read
}

// The kinds of columns that most are.

func textOf(name string, c *textColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.Text, Nullable: true}, text: c}
}

func jsonOf(name string, c *textColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.JSON, Nullable: true}, text: c}
}

func uuidOf(name string, c *uuidColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.UUID, Nullable: true}, text: &c.textColumn}
}

// auditIDOf is a column of auditIDs, which hardly repeat and do not compress.
func auditIDOf(c *uuidColumn) fileColumn {
	f := uuidOf("auditID", c)
	f.Stored = true
	return f
}

func numberOf(name string, t parquetfile.Type, e parquetfile.Encoding, c *numberColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: t, Nullable: true, Encoding: e}, number: c}
}

// timeOf is the column of times that rows are left out by.
func timeOf(name string, c *numberColumn) fileColumn {
	return fileColumn{
		Column: parquetfile.Column{Name: name, Type: parquetfile.Timestamp, Encoding: parquetfile.Delta, Bounds: true, Stored: true},
		number: c,
	}
}

// wholeOf is a column of whole numbers as DOUBLE, whose bytes compress apart.
func wholeOf(name string, c *numberColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.Double, Encoding: parquetfile.Split}, number: c}
}

// elapsedOf is the column of the time that requests took, which one lacks whose
// event has no stageTimestamp.
func elapsedOf(c *numberColumn) fileColumn {
	f := wholeOf("elapsed", c)
	f.Nullable = true
	return f
}

func boolOf(name string, c *numberColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.Bool}, number: c}
}

// reset takes all rows out.
func (c *fileColumn) reset() {
	switch {
	case c.text != nil:
		c.text.reset()
	case c.number != nil:
		c.number.numbers, c.number.null = c.number.numbers[:0], c.number.null[:0]
	case c.floats != nil:
		*c.floats = (*c.floats)[:0]
	}
}

// values gives the values in the order of the file.
func (c *fileColumn) values(order []int32, m *scratch) parquetfile.Values {
	switch {
	case c.text != nil:
		return c.text.in(order, m)
	case c.raw != nil:
		v := parquetfile.Values{Raw: sized(&m.raw, len(order))}
		for i, row := range order {
			v.Raw[i] = (*c.raw)[row]
		}
		return v
	case c.floats != nil:
		v := parquetfile.Values{Doubles: sized(&m.doubles, len(order))}
		for i, row := range order {
			v.Doubles[i] = (*c.floats)[row]
		}
		return v
	case c.Type == parquetfile.Double:
		return c.number.doubles(order, m, c.Nullable)
	}
	return c.number.in(order, m)
}

// writeColumns writes a segment.
func writeColumns(w io.Writer, columns []fileColumn, order []int32, compress parquetfile.Compress) error {
	list := make([]parquetfile.Column, len(columns))
	for i := range columns {
		list[i] = columns[i].Column
	}
	var m scratch
	values := func(i int) (parquetfile.Values, error) { return columns[i].values(order, &m), nil }
	return parquetfile.Write(w, list, len(order), values, compress)
}

// sortRows orders rows by keys, and then by time. Keys are ranks below 2^20.
func sortRows(rows []int32, keys [][]int32, times []int64) {
	type place struct {
		key  uint64
		time int64
		row  int32
	}
	places := make([]place, len(rows))
	for i, row := range rows {
		p := place{time: times[row], row: row}
		for _, key := range keys {
			p.key = p.key<<20 | uint64(key[row]+1)
		}
		places[i] = p
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.key != b.key:
			return cmp.Compare(a.key, b.key)
		case a.time != b.time:
			return cmp.Compare(a.time, b.time)
		}
		return cmp.Compare(a.row, b.row)
	})
	for i := range places {
		rows[i] = places[i].row
	}
}

// readColumns appends the rows of a segment to the columns of the same names.
func readColumns(r io.ReaderAt, size int64, columns []fileColumn) error {
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	for i := range columns {
		leaf, ok := f.Schema().Lookup(columns[i].Name)
		if !ok {
			return fmt.Errorf("there is no column %s", columns[i].Name)
		}
		for _, group := range f.RowGroups() {
			if err := columns[i].read(group.ColumnChunks()[leaf.ColumnIndex]); err != nil {
				return fmt.Errorf("reading column %s: %w", columns[i].Name, err)
			}
		}
	}
	return nil
}

// read appends the values of a chunk.
func (c *fileColumn) read(chunk parquet.ColumnChunk) (err error) {
	pages := chunk.Pages()
	defer func() {
		if closeErr := pages.Close(); err == nil {
			err = closeErr
		}
	}()
	values := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			for i := range values[:n] {
				c.take(&values[i])
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}

// take appends a value.
func (c *fileColumn) take(v *parquet.Value) {
	switch {
	case c.fixed != nil && v.IsNull():
		*c.fixed = append(*c.fixed, make([]byte, uuidBytes)...)
	case c.fixed != nil:
		*c.fixed = append(*c.fixed, v.ByteArray()...)
	case c.text != nil && v.IsNull():
		c.text.addNull()
	case c.text != nil:
		if c.Type == parquetfile.UUID || c.Type == parquetfile.Bytes {
			c.text.addBytes(v.ByteArray())
			break
		}
		c.text.index = append(c.text.index, c.text.bytes(v.ByteArray()))
	case c.raw != nil:
		*c.raw = append(*c.raw, bytes.Clone(v.ByteArray()))
	case c.floats != nil:
		*c.floats = append(*c.floats, v.Double())
	case v.IsNull():
		c.number.addNull()
	case c.Type == parquetfile.Double:
		c.number.add(int64(v.Double()))
	case c.Type == parquetfile.Bool:
		c.number.addBool(v.Boolean())
	case c.Type == parquetfile.Int32:
		c.number.add(int64(v.Int32()))
	default:
		c.number.add(v.Int64())
	}
}
