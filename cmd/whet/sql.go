package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/store"
)

const sqlHelp = `Sql asks a data set, which whet analyze --out writes, in the SQL of DuckDB. It
only reads: one SELECT (or WITH, FROM, DESCRIBE, SUMMARIZE, SHOW), of the data
set and of no other file.

The views are contexts, events, links and objects (docs/dataset.md);
DESCRIBE events lists the columns of one. Names that are words of SQL stand in
double quotes: "start", "end". Times are UTC.

- instead of the statement reads it from standard input.`

const sqlExample = `  whet sql --data DIR 'SELECT username, count(*) FROM contexts GROUP BY ALL ORDER BY 2 DESC'
  whet sql --data DIR --format csv 'SELECT "start", username, action FROM contexts WHERE code = 403'
  whet sql --data DIR 'DESCRIBE events'`

// sqlOptions are the flags of whet sql.
type sqlOptions struct {
	data   string
	format string
	output string
	screen screenOptions
}

func newSQLCommand(std *stdio) *cobra.Command {
	var o sqlOptions
	cmd := &cobra.Command{
		Use:     "sql --data DIR STATEMENT",
		Short:   "Ask a data set in SQL",
		Long:    sqlHelp,
		Example: sqlExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSQL(cmd.Context(), std, &o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "the data set, a `DIR`")
	f.StringVarP(&o.format, "format", "f", "table", "what to print: "+strings.Join(rowFormats(), ", "))
	f.StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of standard output")
	o.screen.flags(f)
	completeValues(cmd, "format", rowFormats())
	completeValues(cmd, "color", colorModes())
	return cmd
}

func runSQL(ctx context.Context, std *stdio, o *sqlOptions, statement string) error {
	if !slices.Contains(rowFormats(), o.format) {
		return usageError("--format %s: there are %s", o.format, strings.Join(rowFormats(), ", "))
	}
	if o.data == "" {
		return usageError("which data set? write --data DIR; whet analyze --out DIR makes one")
	}
	if statement == "-" {
		text, err := io.ReadAll(std.in)
		if err != nil {
			return fmt.Errorf("reading the statement: %w", err)
		}
		statement = string(text)
	}
	screen, err := o.screen.open(std, o.output == "")
	if err != nil {
		return err
	}
	data, err := openData(ctx, std, o.data)
	if err != nil {
		return err
	}
	defer data.Close()
	if err := checkStatement(ctx, data.DB(), statement); err != nil {
		return err
	}
	out, err := openOutput(std, o.output, nil)
	if err != nil {
		return err
	}
	err = writeSQL(ctx, out, screen, o.format, data, statement)
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return damagedError(o.data, data)
}

// checkStatement wants one statement that only reads. DuckDB's own parser
// judges it, which runs nothing: what was sent to run it would run all
// statements but the last before it could be looked at.
func checkStatement(ctx context.Context, db *sql.DB, statement string) error {
	var judged struct {
		failed                  bool
		kind, message, position *string
		statements              int
	}
	// DuckDB reads its answer itself: it is no JSON to others where a number is
	// infinite.
	const statements = `SELECT (j->>'$.error')::BOOLEAN, j->>'$.error_type', j->>'$.error_message', j->>'$.position', ` +
		`coalesce(json_array_length(j->'$.statements'), 0)::INTEGER ` +
		`FROM (SELECT json_serialize_sql(CAST(? AS VARCHAR), skip_null := true, skip_default := true) AS j)`
	err := db.QueryRowContext(ctx, statements, statement).
		Scan(&judged.failed, &judged.kind, &judged.message, &judged.position, &judged.statements)
	if err != nil {
		return fmt.Errorf("reading the statement: %w", err)
	}
	switch {
	case judged.failed && judged.kind != nil && *judged.kind == "parser" && judged.message != nil:
		return usageError("%s%s", *judged.message, marked(statement, judged.position))
	case judged.failed:
		return usageError("whet sql only reads: the statement must be a SELECT, WITH, FROM, DESCRIBE, SUMMARIZE or SHOW")
	case judged.statements != 1:
		return usageError("whet sql takes one statement, not %d", judged.statements)
	}
	return nil
}

// marked shows the line of a statement with a mark under the byte that is
// wrong.
func marked(statement string, position *string) string {
	if position == nil {
		return ""
	}
	at, err := strconv.Atoi(*position)
	if err != nil || at < 0 || at > len(statement) {
		return ""
	}
	before, after := statement[:at], statement[at:]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	after, _, _ = strings.Cut(after, "\n")
	return fmt.Sprintf("\n  %s\n  %s^", before+after, strings.Repeat(" ", len([]rune(before))))
}

// writeSQL runs the statement and prints its rows.
func writeSQL(ctx context.Context, out io.Writer, s *screen, format string, data *store.DataSet, statement string) error {
	var w *rowWriter
	var show []func(any) any
	err := data.Ask(ctx, statement, func(types []*sql.ColumnType) (err error) {
		columns, numeric := make([]string, len(types)), map[string]bool{}
		for i, t := range types {
			kind := t.DatabaseTypeName()
			columns[i] = t.Name()
			show = append(show, showSQL(kind))
			numeric[t.Name()] = isNumber(kind)
		}
		w, err = newRowWriter(out, s, format, columns, numeric)
		return err
	}, func(values []any) error {
		shown := make([]any, len(values))
		for i, v := range values {
			shown[i] = show[i](v)
		}
		return w.add(shown)
	})
	if err != nil {
		return sqlError(data.Explain(ctx, err))
	}
	return w.close()
}

// sqlError makes a wrong statement an error of usage, which is not the data
// set's fault.
func sqlError(err error) error {
	var e *duckdb.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("asking the data set: %w", err)
	}
	switch e.Type {
	case duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax, duckdb.ErrorTypeBinder, duckdb.ErrorTypeCatalog:
		return usageError("%s", e.Msg)
	case duckdb.ErrorTypePermission:
		return fmt.Errorf("whet sql reads nothing but the data set: %w", e)
	}
	return fmt.Errorf("asking the data set: %w", err)
}
