package parquetfile

// Type is the type of a column.
type Type uint8

// The types, with their physical and logical types in Parquet.
const (
	// Text is BYTE_ARRAY, a STRING.
	Text Type = iota
	// JSON is BYTE_ARRAY, a JSON.
	JSON
	// Bytes is BYTE_ARRAY without a logical type.
	Bytes
	// UUID is FIXED_LEN_BYTE_ARRAY(16), a UUID.
	UUID
	// Int32 and Int64 are what they say.
	Int32
	Int64
	// Timestamp is INT64, a TIMESTAMP in microseconds, UTC.
	Timestamp
	// Double is DOUBLE.
	Double
	// Bool is BOOLEAN.
	Bool
)

// Encoding says how the values of a column are laid out.
type Encoding uint8

// The encodings.
const (
	// Dictionary is RLE_DICTIONARY. A column of texts or UUIDs that hardly
	// repeat is written PLAIN all the same.
	Dictionary Encoding = iota
	// Plain is PLAIN.
	Plain
	// Delta is DELTA_BINARY_PACKED, for Int32, Int64 and Timestamp.
	Delta
	// Split is BYTE_STREAM_SPLIT, for Double.
	Split
)

// Column describes a column of a file.
type Column struct {
	Name string
	Type Type
	// Nullable columns may lack values.
	Nullable bool
	Encoding Encoding
	// Bounds puts the least and the largest value into the footer; for
	// columns of numbers and times.
	Bounds bool
	// Stored leaves the column uncompressed, for what does not compress.
	Stored bool
}

// Values are the values of a column, row by row. One of its lists is set:
// Index with Texts, or Numbers, or Doubles, or Raw.
type Values struct {
	// Index gives the place in Texts of each row's value, -1 for NULL. Texts of
	// a UUID column have 16 bytes.
	Index []int32
	Texts []string
	// Numbers are the values of Int32, Int64, Timestamp and Bool.
	Numbers []int64
	// Doubles are those of Double.
	Doubles []float64
	// Raw are the values of Text, JSON, Bytes and UUID without a dictionary.
	Raw [][]byte
	// Null marks rows without a value, of Numbers, Doubles and Raw; nil when
	// there is none.
	Null []bool
}
