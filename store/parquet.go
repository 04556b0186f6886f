package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	"github.com/duckdb/duckdb-go/v2"
)

// The views of a data set.
const (
	ViewContexts = "contexts"
	ViewEvents   = "events"
	ViewLinks    = "links"
	ViewObjects  = "objects"
)

// Views are the names of the views of DB.
func Views() []string { return []string{ViewContexts, ViewEvents, ViewLinks, ViewObjects} }

// rowGroup is how many rows WriteParquet writes together, and holds in memory.
const rowGroup = 1 << 14

// WriteParquet writes the rows of a view that fit as one Parquet file with the
// columns of the view (docs/dataset.md), compressed with zstd. A file of that
// name is replaced. View is one of Views; w is over the columns of the view.
func (d *DataSet) WriteParquet(ctx context.Context, view string, w Where, file string) error {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	// A database of its own, since that of DB reads the data set alone and
	// writes nothing.
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("starting DuckDB: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("starting DuckDB: %w", err)
	}
	defer conn.Close()
	if err := d.resolver.register(conn); err != nil {
		return err
	}
	settings := append(d.definitions(filepath.Join(d.spill, "parquet")), "SET threads = 1")
	if err := execute(ctx, conn, settings); err != nil {
		return fmt.Errorf("opening the data set %s: %w", d.dir, err)
	}
	where := ""
	if w.SQL != "" {
		where = " WHERE " + w.SQL
	}
	statement := "COPY (SELECT * FROM " + view + where + ") TO " + literal(absolute) + " (FORMAT parquet, COMPRESSION zstd, " + //nolint:gosec // The rest is ours.
		fmt.Sprintf("ROW_GROUP_SIZE %d)", rowGroup)
	if _, err := conn.ExecContext(ctx, statement, w.Args...); err != nil {
		return fmt.Errorf("writing the %s of %s to %s: %w", view, d.dir, file, d.Explain(ctx, err))
	}
	return nil
}
