package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"strings"

	// The driver registers itself with database/sql.
	"github.com/duckdb/duckdb-go/v2"
)

// DataSet reads a data set as it was when it was opened: what is written
// later shows when it is opened again. Its methods may be used by several
// goroutines at once.
type DataSet struct {
	dir      string
	manifest *manifest
	db       *sql.DB
}

// Where restricts what is read. The zero value is everything.
type Where struct {
	// SQL is a condition over the columns of the view, made of constants of
	// the program: whatever a user wrote is an argument.
	SQL  string
	Args []any
}

// Page is a part of the rows. The zero value is all of them.
type Page struct {
	// Limit is how many rows at most; 0 is no limit.
	Limit int
	// Offset is how many rows are left out before the first.
	Offset int
}

// Open opens the data set in dir. The error says so when there is none, or
// when it is of a newer whet. The caller closes it.
func Open(ctx context.Context, dir string) (*DataSet, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the data set %s: %w", dir, err)
	}
	m, err := readManifest(absolute)
	if err != nil {
		return nil, err
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("starting DuckDB: %w", err)
	}
	d := &DataSet{dir: absolute, manifest: m, db: sql.OpenDB(connector)}
	if err := d.prepare(ctx); err != nil {
		d.db.Close()
		return nil, fmt.Errorf("opening the data set %s: %w", dir, err)
	}
	return d, nil
}

// memoryLimit is DuckDB's share of the memory.
const memoryLimit = "300MB"

// prepare makes the views, and shuts DuckDB off from all else.
func (d *DataSet) prepare(ctx context.Context) error {
	root := strings.ReplaceAll(d.dir, "'", "''")
	for _, statement := range []string{
		"SET TimeZone = 'UTC'",
		"SET autoload_known_extensions = false",
		"SET autoinstall_known_extensions = false",
		fmt.Sprintf("SET threads = %d", runtime.GOMAXPROCS(0)),
		"SET memory_limit = '" + memoryLimit + "'",
		"SET temp_directory = ''",
		viewSQL("events", eventColumns(), d.files(tableEvents)),
		viewSQL("contexts", contextColumns(), d.files(tableContexts)),
		linksView,
		objectsView,
		"SET allowed_directories = ['" + root + "']",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := d.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// files are the segments of a table, as SQL literals.
func (d *DataSet) files(table string) []string {
	var list []string
	for i := range d.manifest.Segments {
		if s := &d.manifest.Segments[i]; s.Table == table {
			list = append(list, fileLiteral(d.dir, s.Path))
		}
	}
	return list
}

// Close lets go of the data set.
func (d *DataSet) Close() error {
	if err := d.db.Close(); err != nil {
		return fmt.Errorf("closing the data set %s: %w", d.dir, err)
	}
	return nil
}

// DB is the database with the views contexts, events, links and objects of
// docs/dataset.md. It reads nothing but the data set. A statement may still
// make tables of its own in memory; the data set never changes by it.
func (d *DataSet) DB() *sql.DB { return d.db }

// Contexts gives the contexts that fit, in the order of their start. A
// sequence ends with its first error.
func (d *DataSet) Contexts(ctx context.Context, w Where, p Page) iter.Seq2[*Context, error] {
	return query(ctx, d.db, selectSQL("contexts", contextColumns(), w, p, `"start", id`), w.Args, scanContext)
}

// Events gives the events that fit, in the order of their
// requestReceivedTimestamp. A sequence ends with its first error.
func (d *DataSet) Events(ctx context.Context, w Where, p Page) iter.Seq2[*Event, error] {
	return query(ctx, d.db, selectSQL("events", eventColumns(), w, p, "requestReceivedTimestamp, stageTimestamp, auditID"), w.Args, scanEvent)
}

func selectSQL(view string, columns []column, w Where, p Page, order string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", c.name)
	}
	b.WriteString(" FROM " + view)
	if w.SQL != "" {
		b.WriteString(" WHERE (" + w.SQL + ")")
	}
	b.WriteString(" ORDER BY " + order)
	if p.Limit > 0 {
		fmt.Fprintf(&b, " LIMIT %d", p.Limit)
	}
	if p.Offset > 0 {
		fmt.Fprintf(&b, " OFFSET %d", p.Offset)
	}
	return b.String()
}

// query runs a query and turns each of its rows into a T.
func query[T any](ctx context.Context, db *sql.DB, text string, args []any, scan func(*sql.Rows) (*T, error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		rows, err := db.QueryContext(ctx, text, args...)
		if err != nil {
			yield(nil, fmt.Errorf("reading the data set: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			row, err := scan(rows)
			if err != nil {
				yield(nil, fmt.Errorf("reading the data set: %w", err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("reading the data set: %w", err))
		}
	}
}
