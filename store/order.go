package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Rows come in the order of their time, and a row is wide: sorting millions of
// them takes more memory than there is. So the time is cut into stretches with
// few rows each, which are sorted one after the other.

const (
	// sortedRows is how many rows are sorted, and held in memory, at once.
	sortedRows = 1 << 14
	// maxBuckets is how many parts of the time rows are counted in at once.
	maxBuckets = 1 << 14
)

// source is what rows are read from.
type source struct {
	from    string // a view, or a query in brackets
	columns []string
	moment  string // the column of the time
	order   string
	// most is how many rows take memory at most, -1 where that is not known.
	most int64
}

// contextSource reads contexts that fit.
func (d *DataSet) contextSource(w Where) source {
	s := source{from: ViewContexts, columns: quoted(contextColumns()), moment: `"start"`, order: `"start", id, cluster`, most: -1}
	switch {
	case d.held:
		s.most = 0 // they are in memory
		return s
	case d.overlaid:
		return s
	}
	files, some := segmentsAt(d.resolver.contexts, w)
	s.most = rowsOf(d.resolver.contexts, files)
	if some {
		s.from = d.selectFrom(d.resolver.contexts, files, append(contextColumns(), plainContextColumns()...))
	}
	return s
}

// eventSource reads events that fit.
func (d *DataSet) eventSource(w Where) source {
	s := source{from: ViewEvents, columns: quoted(eventColumns()), moment: "requestReceivedTimestamp", order: eventOrder}
	files, some := segmentsAt(d.resolver.events, w)
	s.most = rowsOf(d.resolver.events, files)
	if some {
		s.from = d.selectFrom(d.resolver.events, files, append(eventColumnsOf(numberOfFile(files)), plainEventColumns()...))
	}
	return s
}

// segmentsAt gives the numbers of the segments that have rows within the times of a
// condition, and whether these are only some of them. Where none has, it gives
// one, so that there is something to ask.
func segmentsAt(list []segment, w Where) (files []int, some bool) {
	for i := range list {
		if (w.From.IsZero() || !list[i].Last.Before(w.From)) && (w.To.IsZero() || !list[i].First.After(w.To)) {
			files = append(files, i)
		}
	}
	if len(files) == 0 && len(list) > 0 {
		files = []int{0}
	}
	return files, len(files) < len(list)
}

func rowsOf(list []segment, files []int) (n int64) {
	for _, i := range files {
		n += list[i].Rows
	}
	return n
}

// selectFrom is a query in brackets that reads some of the segments.
func (d *DataSet) selectFrom(list []segment, files []int, columns []column) string {
	var some []segment
	for _, i := range files {
		some = append(some, list[i])
	}
	return "(" + selectList(columns) + fromFiles(d.files(some)) + ")"
}

// stretch is a part of the time, both ends included, in microseconds.
type stretch struct {
	from, to, rows int64
}

// inOrder gives the rows that fit, in the order of the source of them.
func inOrder[T any](ctx context.Context, d *DataSet, of func(Where) source, w Where, p Page, scan func(*sql.Rows) (*T, error)) iter.Seq2[*T, error] {
	s := of(w)
	if s.most >= 0 && s.most <= d.sorted {
		return query(ctx, d, selectSQL(s.from, s.columns, w, p, s.order), w.Args, scan)
	}
	return func(yield func(*T, error) bool) {
		list, err := s.stretches(ctx, d, w, p)
		if err != nil {
			yield(nil, fmt.Errorf("reading the data set: %w", d.Explain(ctx, err)))
			return
		}
		skip, left := int64(p.Offset), int64(p.Limit)
		for _, part := range list {
			if skip >= part.rows {
				skip -= part.rows
				continue
			}
			where := s.during(w, part)
			some := of(where)
			statement := selectSQL(some.from, some.columns, where, Page{Limit: int(left), Offset: int(skip)}, some.order)
			for row, err := range query(ctx, d, statement, where.Args, scan) {
				if !yield(row, err) || err != nil {
					return
				}
				left--
			}
			skip = 0
			if p.Limit > 0 && left <= 0 {
				return
			}
		}
	}
}

// during adds to a condition that the row is of a part of the time.
func (s source) during(w Where, part stretch) Where {
	w = and(w, s.moment+" BETWEEN make_timestamp(?) AND make_timestamp(?)", part.from, part.to)
	w.From, w.To = time.UnixMicro(part.from).UTC(), time.UnixMicro(part.to).UTC()
	return w
}

// and adds a condition to another.
func and(w Where, condition string, args ...any) Where {
	if w.SQL != "" {
		condition = "(" + w.SQL + ") AND " + condition
	}
	w.SQL, w.Args = condition, slices.Concat(w.Args, args)
	return w
}

// stretches cuts the time into parts with few rows each: those of the page.
func (s source) stretches(ctx context.Context, d *DataSet, w Where, p Page) ([]stretch, error) {
	// Only the times are read, and what the condition asks for.
	times := selectSQL(s.from, []string{"epoch_us(" + s.moment + ") AS t"}, w, Page{}, "")
	if page := int64(p.Limit + p.Offset); p.Limit > 0 && page <= d.sorted {
		times += fmt.Sprintf(" ORDER BY t LIMIT %d", page)
	}
	var rows int64
	var from, to sql.NullInt64
	err := d.db.QueryRowContext(ctx, "SELECT count(*), min(t), max(t) FROM ("+times+")", w.Args...).Scan(&rows, &from, &to)
	if err != nil || rows == 0 {
		return nil, err
	}
	return s.cut(ctx, d, w, stretch{from.Int64, to.Int64, rows})
}

// cut cuts a stretch.
func (s source) cut(ctx context.Context, d *DataSet, w Where, whole stretch) ([]stretch, error) {
	if whole.rows <= d.sorted || whole.from == whole.to {
		return []stretch{whole}, nil
	}
	width := (whole.to-whole.from)/maxBuckets + 1
	where := s.during(w, whole)
	bucket := fmt.Sprintf("(epoch_us(%s) - %d) // %d AS bucket", s.moment, whole.from, width)
	statement := selectSQL(s.from, []string{bucket, "count(*)"}, where, Page{}, "") + " GROUP BY bucket ORDER BY bucket" //nolint:gosec // Made of constants and numbers.
	rows, err := d.db.QueryContext(ctx, statement, where.Args...)
	if err != nil {
		return nil, err
	}
	var parts []stretch
	err = eachRow(rows, func() error {
		var at, n int64
		if err := rows.Scan(&at, &n); err != nil {
			return err
		}
		from := whole.from + at*width
		part := stretch{from, min(from+width-1, whole.to), n}
		if last := len(parts) - 1; last >= 0 && parts[last].rows+n <= d.sorted {
			parts[last].to, parts[last].rows = part.to, parts[last].rows+n
			return nil
		}
		parts = append(parts, part)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []stretch
	for _, part := range parts {
		some, err := s.cut(ctx, d, w, part)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}
