package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

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
	resolver *resolver
	raw      []segment
	lock     *lock  // keeps what is read from being removed
	stamp    stamp  // of the manifest
	held     bool   // the contexts are in memory
	overlaid bool   // contexts that are not stored are shown, too
	sorted   int64  // how many rows are sorted at once
	spill    string // a folder for temporary files, "" where there is none

	mu      sync.Mutex
	damaged []Damage
}

// Damage is a file of a data set that cannot be read.
type Damage struct {
	// Path is the file's name within the data set, Reason what is wrong.
	Path, Reason string
}

// Where restricts what is read. The zero value is everything.
type Where struct {
	// SQL is a condition over the columns of the view, made of constants of
	// the program: whatever a user wrote is an argument.
	SQL  string
	Args []any
	// From and To, where they are not zero, are the earliest and the latest time
	// of rows that can fit: requestReceivedTimestamp of events, start of contexts.
	// SQL says so too; files with other times are then not read.
	From, To time.Time
}

// Page is a part of the rows. The zero value is all of them.
type Page struct {
	// Limit is how many rows at most; 0 is no limit.
	Limit int
	// Offset is how many rows are left out before the first.
	Offset int
}

// Open opens the data set in dir. The error says so when there is none, or
// when it is of a newer whet. A file of it that is damaged is left out, and
// Damaged names it: of a data set of up to 64 MiB every byte is compared with
// what was written, of a larger one only the lengths and the ends of the files,
// so that it opens at once; Check compares all. The caller closes the data set.
func Open(ctx context.Context, dir string) (*DataSet, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the data set %s: %w", dir, err)
	}
	d := &DataSet{dir: absolute, sorted: sortedRows}
	// One that is written meanwhile is looked at again.
	d.stamp, _ = stampOf(d.dir)
	if d.lock, d.manifest, err = lockReading(absolute); err != nil {
		return nil, fmt.Errorf("opening the data set %s: %w", dir, err)
	}
	if err := d.open(ctx); err != nil {
		d.lock.release()
		return nil, fmt.Errorf("opening the data set %s: %w", dir, err)
	}
	return d, nil
}

func (d *DataSet) open(ctx context.Context) error {
	m := d.manifest
	d.resolver = &resolver{dir: d.dir}
	small := m.size() <= comparedBytes
	for _, s := range m.Segments {
		reason := s.check(d.dir)
		if reason == nil && small {
			reason = s.verify(d.dir)
		}
		if reason != nil {
			d.damaged = append(d.damaged, Damage{s.Path, reason.Error()})
			continue
		}
		switch s.Table {
		case tableEvents:
			d.resolver.events = append(d.resolver.events, s)
		case tableContexts:
			d.resolver.contexts = append(d.resolver.contexts, s)
		case tableRaw:
			d.raw = append(d.raw, s)
		}
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("starting DuckDB: %w", err)
	}
	// Where no folder can be made, what needs one fails for want of memory.
	d.spill, _ = os.MkdirTemp("", "duckdb-whet-*")
	d.db = sql.OpenDB(connector)
	if err := d.prepare(ctx); err != nil {
		return errors.Join(err, d.closeDB())
	}
	return nil
}

// comparedBytes is up to which size Open reads all of a data set.
const comparedBytes = 64 << 20

// Damaged names the files that were left out because they cannot be read. What
// they held is missing from every answer.
func (d *DataSet) Damaged() []Damage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.damaged)
}

// Explain gives an error of DB the names of the files that it comes from, where
// these are damaged in a way that Open did not see, and words that of too little
// memory. Any other error stays as it is.
func (d *DataSet) Explain(ctx context.Context, err error) error {
	var from *duckdb.Error
	if !errors.As(err, &from) {
		return err
	}
	if from.Type == duckdb.ErrorTypeOutOfMemory {
		return memoryError(err)
	}
	switch from.Type {
	case duckdb.ErrorTypeInvalid, duckdb.ErrorTypeInvalidInput, duckdb.ErrorTypeIO, duckdb.ErrorTypeInternal,
		duckdb.ErrorTypeSerialization, duckdb.ErrorTypeUnknownType, duckdb.ErrorTypeOutOfRange, duckdb.ErrorTypeConversion:
	default:
		return err
	}
	known := len(d.Damaged())
	if checkErr := d.Check(ctx); checkErr != nil {
		return err
	}
	for _, found := range d.Damaged()[known:] {
		err = fmt.Errorf("%s is damaged: %s: %w", found.Path, found.Reason, err)
	}
	return err
}

// memoryLimit is DuckDB's share of the memory. What takes more goes to a folder
// for temporary files, which is its owner's alone.
const memoryLimit = "200MB"

// prepare makes the views, and shuts DuckDB off from all else.
func (d *DataSet) prepare(ctx context.Context) error {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := d.resolver.register(conn); err != nil {
		return err
	}
	files := append(d.files(d.resolver.events), d.files(d.resolver.contexts)...)
	return execute(ctx, conn, append(
		d.definitions(filepath.Join(d.spill, "db")),
		"SET allowed_paths = ["+strings.Join(files, ", ")+"]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	))
}

// definitions are the settings, macros and views of a database, which has a
// folder of its own for temporary files.
func (d *DataSet) definitions(spill string) []string {
	if d.spill == "" {
		spill = ""
	}
	return []string{
		"SET TimeZone = 'UTC'",
		"SET autoload_known_extensions = false",
		"SET autoinstall_known_extensions = false",
		fmt.Sprintf("SET threads = %d", runtime.GOMAXPROCS(0)),
		"SET memory_limit = '" + memoryLimit + "'",
		"SET temp_directory = " + literal(spill),
		"SET preserve_insertion_order = false",
		timeMacro, hashMacro, uuidMacro, idMacro,
		viewSQL("events", append(eventColumns(), plainEventColumns()...), d.files(d.resolver.events)),
		viewSQL("contexts", append(contextColumns(), plainContextColumns()...), d.files(d.resolver.contexts)),
		linksView,
		objectsView,
	}
}

// execute runs statements that give nothing back.
func execute(ctx context.Context, conn *sql.Conn, statements []string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// files are segments as SQL literals.
func (d *DataSet) files(segments []segment) []string {
	var list []string
	for i := range segments {
		list = append(list, fileLiteral(d.dir, segments[i].Path))
	}
	return list
}

// Close lets go of the data set.
func (d *DataSet) Close() error {
	err := d.closeDB()
	d.lock.release()
	if err != nil {
		return fmt.Errorf("closing the data set %s: %w", d.dir, err)
	}
	return nil
}

// closeDB ends the database, and removes what it had no room for.
func (d *DataSet) closeDB() error {
	err := d.db.Close()
	if d.spill != "" {
		err = errors.Join(err, os.RemoveAll(d.spill))
	}
	return err
}

// DB is the database with the views contexts, events, links and objects of
// docs/dataset.md. It reads nothing but the data set. A statement may still
// make tables of its own in memory; the data set never changes by it.
func (d *DataSet) DB() *sql.DB { return d.db }

// Contexts gives the contexts that fit, in the order of their start. A
// sequence ends with its first error.
func (d *DataSet) Contexts(ctx context.Context, w Where, p Page) iter.Seq2[*Context, error] {
	return inOrder(ctx, d, d.contextSource, w, p, scanContext)
}

// Events gives the events that fit, in the order of their
// requestReceivedTimestamp. A sequence ends with its first error.
func (d *DataSet) Events(ctx context.Context, w Where, p Page) iter.Seq2[*Event, error] {
	return inOrder(ctx, d, d.eventSource, w, p, func(rows *sql.Rows) (*Event, error) { return scanEvent(rows) })
}

const eventOrder = "requestReceivedTimestamp, stageTimestamp, auditID, stage, cluster, line"

// quoted are the names of columns as SQL has them.
func quoted(columns []column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, fmt.Sprintf("%q", c.name))
	}
	return names
}

// ordinalEvent is an event with its place among all that were read.
type ordinalEvent struct {
	*Event
	ordinal int64
}

// byOrdinal gives the events with ordinals between two, in their order, without
// what was found out about them.
func (d *DataSet) byOrdinal(ctx context.Context, from, to int64) iter.Seq2[*ordinalEvent, error] {
	var files []segment
	for _, s := range d.resolver.events {
		if s.From <= to && s.To >= from {
			files = append(files, s)
		}
	}
	if len(files) == 0 {
		return func(func(*ordinalEvent, error) bool) {}
	}
	var list []string
	for _, c := range eventColumns() {
		switch c.name {
		case "cause", "rival", "operation":
			c.expr = "NULL"
		}
		list = append(list, c.expr)
	}
	text := "SELECT ordinal::BIGINT, " + strings.Join(list, ", ") + fromFiles(d.files(files)) +
		" WHERE ordinal BETWEEN ? AND ? ORDER BY ordinal"
	return query(ctx, d, text, []any{from, to}, func(rows *sql.Rows) (*ordinalEvent, error) {
		e := new(ordinalEvent)
		var err error
		e.Event, err = scanEvent(rows, &e.ordinal)
		return e, err
	})
}

func selectSQL(from string, columns []string, w Where, p Page, order string) string {
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(columns, ", ") + " FROM " + from)
	if w.SQL != "" {
		b.WriteString(" WHERE (" + w.SQL + ")")
	}
	if order != "" {
		b.WriteString(" ORDER BY " + order)
	}
	if p.Limit > 0 {
		fmt.Fprintf(&b, " LIMIT %d", p.Limit)
	}
	if p.Offset > 0 {
		fmt.Fprintf(&b, " OFFSET %d", p.Offset)
	}
	return b.String()
}

// query runs a query and turns each of its rows into a T.
func query[T any](ctx context.Context, d *DataSet, text string, args []any, scan func(*sql.Rows) (*T, error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		fail := func(err error) { yield(nil, fmt.Errorf("reading the data set: %w", d.Explain(ctx, err))) }
		rows, err := d.db.QueryContext(ctx, text, args...)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			row, err := scan(rows)
			if err != nil {
				fail(err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}
