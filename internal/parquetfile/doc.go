// Package parquetfile writes flat tables as Parquet files
// (https://parquet.apache.org/docs/file-format/): one row group, a page of
// data for each column, no nesting.
//
// It exists beside parquet-go, whose format and encodings it uses, for two
// reasons. A caller that has its values in dictionaries already hands them
// over as they are, so that nothing is hashed twice. And small files stay
// small: indexes of dictionaries take whole bytes, which zstd compresses far
// better than packed bits, and the footer holds bounds only for the columns
// where they help to leave a file out.
package parquetfile
