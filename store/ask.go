package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"
)

// answerRows is how many rows of an answer are held in memory at once.
const answerRows = 1 << 12

// Ask runs a statement of SQL that only reads, and gives what it answers: the
// columns once, and then each row, whose values are valid until the next. DuckDB's
// driver would hold an answer in memory as a whole; so it is kept in a table,
// which goes to the temporary folder where it is large, and read by piece.
//
// The caller has made sure that it is one statement that only reads. An error of
// DuckDB is a *duckdb.Error, which Explain explains.
func (d *DataSet) Ask(ctx context.Context, statement string, begin func([]*sql.ColumnType) error, row func([]any) error) error {
	conn, err := d.db.Conn(ctx) // a temporary table belongs to a connection
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE whet_answer AS "+statement) //nolint:gosec // The user asks his own data set.
	if err != nil {
		if !sayAgain(err) {
			return err
		}
		// DESCRIBE and the like make no table, and what is wrong DuckDB says of the
		// statement as it was written.
		rows, err := conn.QueryContext(ctx, statement)
		if err != nil {
			return err
		}
		_, err = deliver(rows, begin, row)
		return err
	}
	for from := 0; ; from += answerRows {
		rows, err := conn.QueryContext(ctx, "SELECT * FROM whet_answer WHERE rowid >= ? AND rowid < ? ORDER BY rowid", from, from+answerRows)
		if err != nil {
			return err
		}
		n, err := deliver(rows, begin, row)
		if err != nil || n < answerRows {
			return err
		}
		begin = func([]*sql.ColumnType) error { return nil }
	}
}

// sayAgain tells an error that a statement may have by itself, or may not have
// where it makes no table.
func sayAgain(err error) bool {
	var e *duckdb.Error
	return errors.As(err, &e) && e.Type != duckdb.ErrorTypeOutOfMemory && e.Type != duckdb.ErrorTypeInterrupt
}

// deliver gives the columns and the rows, and tells how many there were.
func deliver(rows *sql.Rows, begin func([]*sql.ColumnType) error, row func([]any) error) (n int, err error) {
	types, err := rows.ColumnTypes()
	if err == nil {
		err = begin(types)
	}
	if err != nil {
		return 0, errors.Join(err, rows.Close())
	}
	values, into := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	err = eachRow(rows, func() error {
		n++
		if err := rows.Scan(into...); err != nil {
			return err
		}
		return row(values)
	})
	return n, err
}

// memoryError says in whet's words that DuckDB had too little memory, which it
// says at length and with advice that nobody can follow here. Any other error
// stays as it is.
func memoryError(err error) error {
	var e *duckdb.Error
	if !errors.As(err, &e) || e.Type != duckdb.ErrorTypeOutOfMemory {
		return err
	}
	return fmt.Errorf("it takes more memory than the %s that whet has for it: ask for fewer columns or for a shorter time; "+
		"to sort or to join all of it, write it out (whet export parquet) and ask another engine", memoryLimit)
}
