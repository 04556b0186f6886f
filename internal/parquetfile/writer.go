package parquetfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const magic = "PAR1"

// Compress appends the zstd frame of src to dst.
type Compress func(dst, src []byte) ([]byte, error)

// Write writes a file of so many rows. The values of a column are taken when
// it is its turn.
func Write(w io.Writer, columns []Column, rows int, values func(column int) (Values, error), compress Compress) error {
	f := &file{w: w, compress: compress, rows: rows}
	if err := f.write([]byte(magic)); err != nil {
		return err
	}
	for i := range columns {
		v, err := values(i)
		if err == nil {
			err = f.column(&columns[i], &v)
		}
		if err != nil {
			return fmt.Errorf("writing column %s: %w", columns[i].Name, err)
		}
	}
	return f.footer(columns)
}

// file is a file being written.
type file struct {
	w        io.Writer
	compress Compress
	rows     int
	offset   int64
	chunks   []format.ColumnChunk

	// Memory that is used again.
	plain, packed, values []byte
}

func (f *file) write(b []byte) error {
	n, err := f.w.Write(b)
	f.offset += int64(n)
	return err
}

// page writes a page: its header and its body, compressed unless stored is
// set. It gives the number of bytes before and after.
func (f *file) page(header *format.PageHeader, body []byte, stored bool) (raw, packed int64, err error) {
	data := body
	if !stored {
		if f.packed, err = f.compress(f.packed[:0], body); err != nil {
			return 0, 0, err
		}
		data = f.packed
	}
	header.UncompressedPageSize = int32(len(body))
	header.CompressedPageSize = int32(len(data))
	head, err := thrift.Marshal(new(thrift.CompactProtocol), header)
	if err != nil {
		return 0, 0, err
	}
	if err := f.write(head); err != nil {
		return 0, 0, err
	}
	if err := f.write(data); err != nil {
		return 0, 0, err
	}
	return int64(len(head) + len(body)), int64(len(head) + len(data)), nil
}

// column writes the pages of a column.
func (f *file) column(c *Column, v *Values) error {
	meta := format.ColumnMetaData{
		Type: c.Type.physical(), PathInSchema: []string{c.Name}, Codec: format.Zstd, NumValues: int64(f.rows),
	}
	if c.Stored {
		meta.Codec = format.Uncompressed
	}
	add := func(raw, packed int64) {
		meta.TotalUncompressedSize += raw
		meta.TotalCompressedSize += packed
	}
	meta.Statistics = statistics(c, v)
	f.plain = f.plain[:0]
	if c.Nullable {
		f.plain = appendLevels(f.plain, f.rows, int(meta.Statistics.NullCount), v.isNull)
		meta.Encoding = append(meta.Encoding, format.RLE)
	}
	encoding, err := f.encode(c, v, &meta, add)
	if err != nil {
		return err
	}
	meta.Encoding = append(meta.Encoding, encoding)
	meta.DataPageOffset = f.offset
	header := &format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(f.rows), Encoding: encoding,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		}),
	}
	raw, packed, err := f.page(header, f.plain, c.Stored)
	if err != nil {
		return err
	}
	add(raw, packed)
	f.chunks = append(f.chunks, format.ColumnChunk{FileOffset: 0, MetaData: meta})
	return nil
}

// isNull tells whether a row has no value.
func (v *Values) isNull(row int) bool {
	if v.Index != nil {
		return v.Index[row] < 0
	}
	return v.Null != nil && v.Null[row]
}

// missing counts the rows without a value.
func (v *Values) missing() int64 {
	var n int64
	for _, i := range v.Index {
		if i < 0 {
			n++
		}
	}
	if v.Index != nil {
		return n
	}
	for _, yes := range v.Null {
		if yes {
			n++
		}
	}
	return n
}

// encode appends the values to f.plain, writes a dictionary before where there
// is one, and names the encoding.
func (f *file) encode(c *Column, v *Values, meta *format.ColumnMetaData, add func(raw, packed int64)) (format.Encoding, error) {
	switch {
	case v.Index != nil:
		if c.Encoding == Dictionary && !mostlyDistinct(v) {
			return format.RLEDictionary, f.dictionary(c, v, meta, add)
		}
		for _, i := range v.Index {
			if i >= 0 {
				f.plain = appendText(c.Type, f.plain, v.Texts[i])
			}
		}
		return format.Plain, nil
	case v.Raw != nil:
		for i, b := range v.Raw {
			if !v.isNull(i) {
				f.plain = appendText(c.Type, f.plain, b)
			}
		}
		return format.Plain, nil
	case v.Doubles != nil:
		return f.doubles(c, v), nil
	}
	return f.numbers(c, v, meta, add)
}

// mostlyDistinct tells that a dictionary would only cost.
func mostlyDistinct(v *Values) bool { return len(v.Texts) > len(v.Index)*9/10 }

// appendText appends a value as PLAIN has it.
func appendText[S string | []byte](t Type, b []byte, s S) []byte {
	if t != UUID {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	}
	return append(b, s...)
}

// dictionary writes the dictionary page, and appends the indexes to f.plain.
func (f *file) dictionary(c *Column, v *Values, meta *format.ColumnMetaData, add func(raw, packed int64)) error {
	f.values = f.values[:0]
	for _, text := range v.Texts {
		f.values = appendText(c.Type, f.values, text)
	}
	if err := f.dictionaryPage(f.values, len(v.Texts), c.Stored, meta, add); err != nil {
		return err
	}
	f.plain = appendIndexes(f.plain, v.Index, len(v.Texts))
	return nil
}

func (f *file) dictionaryPage(values []byte, n int, stored bool, meta *format.ColumnMetaData, add func(raw, packed int64)) error {
	meta.DictionaryPageOffset = f.offset
	meta.Encoding = append(meta.Encoding, format.Plain)
	raw, packed, err := f.page(&format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain}),
	}, values, stored)
	add(raw, packed)
	return err
}

func (f *file) doubles(c *Column, v *Values) format.Encoding {
	var list []uint64
	for i, x := range v.Doubles {
		if !v.isNull(i) {
			list = append(list, math.Float64bits(x))
		}
	}
	if c.Encoding == Plain {
		for _, x := range list {
			f.plain = binary.LittleEndian.AppendUint64(f.plain, x)
		}
		return format.Plain
	}
	for shift := 0; shift < 64; shift += 8 {
		for _, x := range list {
			f.plain = append(f.plain, byte(x>>shift))
		}
	}
	return format.ByteStreamSplit
}

func (f *file) numbers(c *Column, v *Values, meta *format.ColumnMetaData, add func(raw, packed int64)) (format.Encoding, error) {
	list := v.Numbers
	if v.Null != nil {
		list = make([]int64, 0, len(v.Numbers))
		for i, n := range v.Numbers {
			if !v.Null[i] {
				list = append(list, n)
			}
		}
	}
	switch {
	case c.Type == Bool:
		f.plain = appendBools(f.plain, list)
		return format.Plain, nil
	case c.Encoding == Delta && c.Type == Int32:
		small := make([]int32, len(list))
		for i, n := range list {
			small[i] = int32(n)
		}
		packed, err := new(delta.BinaryPackedEncoding).EncodeInt32(nil, small)
		f.plain = append(f.plain, packed...)
		return format.DeltaBinaryPacked, err
	case c.Encoding == Delta:
		packed, err := new(delta.BinaryPackedEncoding).EncodeInt64(nil, list)
		f.plain = append(f.plain, packed...)
		return format.DeltaBinaryPacked, err
	case c.Encoding == Dictionary:
		index, distinct := indexed(list)
		f.values = f.values[:0]
		for _, n := range distinct {
			f.values = c.Type.appendNumber(f.values, n)
		}
		err := f.dictionaryPage(f.values, len(distinct), c.Stored, meta, add)
		f.plain = appendIndexes(f.plain, index, len(distinct))
		return format.RLEDictionary, err
	}
	for _, n := range list {
		f.plain = c.Type.appendNumber(f.plain, n)
	}
	return format.Plain, nil
}

func (t Type) appendNumber(b []byte, n int64) []byte {
	if t == Int32 {
		return binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return binary.LittleEndian.AppendUint64(b, uint64(n))
}

// indexed gives a list as indexes into its distinct numbers.
func indexed(list []int64) (index []int32, distinct []int64) {
	known := map[int64]int32{}
	index = make([]int32, len(list))
	for i, n := range list {
		at, ok := known[n]
		if !ok {
			at = int32(len(distinct))
			known[n] = at
			distinct = append(distinct, n)
		}
		index[i] = at
	}
	return index, distinct
}

// statistics count the rows without a value, which readers rely on, and give the
// least and the largest number where they are asked for.
func statistics(c *Column, v *Values) format.Statistics {
	var s format.Statistics
	if c.Nullable {
		s.NullCount = v.missing()
	}
	if !c.Bounds {
		return s
	}
	least, largest := int64(math.MaxInt64), int64(math.MinInt64)
	for row, n := range v.Numbers {
		if !c.Nullable || !v.isNull(row) {
			least, largest = min(least, n), max(largest, n)
		}
	}
	if least <= largest {
		s.MinValue, s.MaxValue = c.Type.appendNumber(nil, least), c.Type.appendNumber(nil, largest)
	}
	return s
}

// footer writes what tells a reader where everything is.
func (f *file) footer(columns []Column) error {
	meta := format.FileMetaData{
		Version: 2, NumRows: int64(f.rows), CreatedBy: "whet",
		Schema: []format.SchemaElement{{Name: "whet", NumChildren: thrift.New(int32(len(columns)))}},
	}
	group := format.RowGroup{Columns: f.chunks, NumRows: int64(f.rows)}
	for i := range columns {
		meta.Schema = append(meta.Schema, columns[i].schema())
		if columns[i].Bounds {
			// Bounds mean nothing to a reader that does not know the order.
			meta.ColumnOrders = make([]format.ColumnOrder, len(columns))
		}
	}
	for i := range meta.ColumnOrders {
		meta.ColumnOrders[i] = format.ColumnOrder{Value: new(format.TypeDefinedOrder)}
	}
	for i := range f.chunks {
		group.TotalByteSize += f.chunks[i].MetaData.TotalUncompressedSize
		group.TotalCompressedSize += f.chunks[i].MetaData.TotalCompressedSize
	}
	meta.RowGroups = []format.RowGroup{group}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return fmt.Errorf("writing the footer: %w", err)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return f.write(append(b, magic...))
}

func (t Type) physical() format.Type {
	switch t {
	case UUID:
		return format.FixedLenByteArray
	case Int32:
		return format.Int32
	case Int64, Timestamp:
		return format.Int64
	case Double:
		return format.Double
	case Bool:
		return format.Boolean
	}
	return format.ByteArray
}

func (c *Column) schema() format.SchemaElement {
	e := format.SchemaElement{
		Name: c.Name, Type: thrift.New(c.Type.physical()), RepetitionType: thrift.New(format.Required),
	}
	if c.Nullable {
		e.RepetitionType = thrift.New(format.Optional)
	}
	switch c.Type {
	case Text:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = new(format.StringType)
	case JSON:
		e.ConvertedType = thrift.New(deprecated.Json)
		e.LogicalType.Value = new(format.JsonType)
	case UUID:
		e.TypeLength = thrift.New(int32(16))
		e.LogicalType.Value = new(format.UUIDType)
	case Timestamp:
		// Without the converted type, which would mean an instant in local time
		// to some readers.
		e.LogicalType.Value = &format.TimestampType{
			IsAdjustedToUTC: false, Unit: format.TimeUnit{Value: new(format.MicroSeconds)},
		}
	}
	return e
}
