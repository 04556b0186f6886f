package store

import (
	"bytes"
	"cmp"
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

// idOf is a column of UUIDs that hardly repeat, and do not compress.
func idOf(name string, c *uuidColumn) fileColumn {
	f := uuidOf(name, c)
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

func boolOf(name string, c *numberColumn) fileColumn {
	return fileColumn{Column: parquetfile.Column{Name: name, Type: parquetfile.Bool}, number: c}
}

// values gives the values in the order of the file.
func (c *fileColumn) values(order []int32) parquetfile.Values {
	switch {
	case c.text != nil:
		return c.text.in(order)
	case c.raw != nil:
		v := parquetfile.Values{Raw: make([][]byte, len(order))}
		for i, row := range order {
			v.Raw[i] = (*c.raw)[row]
		}
		return v
	case c.floats != nil:
		v := parquetfile.Values{Doubles: make([]float64, len(order))}
		for i, row := range order {
			v.Doubles[i] = (*c.floats)[row]
		}
		return v
	case c.Type == parquetfile.Double:
		return c.number.doubles(order)
	}
	return c.number.in(order)
}

// writeColumns writes a segment.
func writeColumns(w io.Writer, columns []fileColumn, order []int32, compress parquetfile.Compress) error {
	list := make([]parquetfile.Column, len(columns))
	for i := range columns {
		list[i] = columns[i].Column
	}
	values := func(i int) (parquetfile.Values, error) { return columns[i].values(order), nil }
	return parquetfile.Write(w, list, len(order), values, compress)
}

// sortRows orders rows by keys, and then by time.
func sortRows(rows []int32, keys [][]int32, times []int64) {
	slices.SortFunc(rows, func(a, b int32) int {
		for _, key := range keys {
			if c := cmp.Compare(key[a], key[b]); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(times[a], times[b]), cmp.Compare(a, b))
	})
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
		if err == io.EOF {
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
			if err == io.EOF {
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
