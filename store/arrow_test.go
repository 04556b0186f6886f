package store_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/store"
)

// arrowFile is a segment as Apache Arrow reads it, which has no code in common
// with what writes the segments, nor with DuckDB.
type arrowFile struct{ *file.Reader }

func openArrow(tb testing.TB, dir, name string) arrowFile {
	tb.Helper()
	r, err := file.OpenParquetFile(filepath.Join(dir, filepath.FromSlash(name)), false)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return arrowFile{r}
}

// column is a column's name and type, as docs/dataset.md writes it.
type column struct{ name, kind string }

func (f arrowFile) columns() []column {
	var list []column
	for i := range f.MetaData().Schema.NumColumns() {
		c := f.MetaData().Schema.Column(i)
		kind := c.PhysicalType().String()
		switch t := c.LogicalType().(type) {
		case schema.StringLogicalType:
			kind = "STRING"
		case schema.JSONLogicalType:
			kind = "JSON"
		case schema.UUIDLogicalType:
			kind = "UUID"
		case schema.TimestampLogicalType:
			kind = "TIMESTAMP"
			if t.TimeUnit() != schema.TimeUnitMicros || t.IsAdjustedToUTC() {
				kind += " of another unit"
			}
		}
		if c.SchemaNode().RepetitionType() == parquet.Repetitions.Required {
			kind += ", never null"
		}
		list = append(list, column{c.Name(), kind})
	}
	return list
}

// null is the text of a missing value.
const null = "\x00NULL"

// values gives the values of a column as texts.
func (f arrowFile) values(tb testing.TB, i int) []string {
	tb.Helper()
	var list []string
	for g := range f.NumRowGroups() {
		chunk, err := f.RowGroup(g).Column(i)
		if err != nil {
			tb.Fatal(err)
		}
		rows := int(f.RowGroup(g).NumRows())
		var got []string
		var levels []int16
		switch r := chunk.(type) {
		case *file.Int32ColumnChunkReader:
			got, levels = batch(tb, rows, r.ReadBatch, func(n int32) string { return fmt.Sprint(n) })
		case *file.Int64ColumnChunkReader:
			got, levels = batch(tb, rows, r.ReadBatch, func(n int64) string { return fmt.Sprint(n) })
		case *file.Float64ColumnChunkReader:
			got, levels = batch(tb, rows, r.ReadBatch, func(x float64) string { return fmt.Sprint(x) })
		case *file.BooleanColumnChunkReader:
			got, levels = batch(tb, rows, r.ReadBatch, func(yes bool) string { return fmt.Sprint(yes) })
		case *file.ByteArrayColumnChunkReader:
			got, levels = batch(tb, rows, r.ReadBatch, func(b parquet.ByteArray) string { return string(b) })
		case *file.FixedLenByteArrayColumnChunkReader:
			got, levels = batch(tb, rows, r.ReadBatch, func(b parquet.FixedLenByteArray) string {
				x := hex.EncodeToString(b)
				return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
			})
		default:
			tb.Fatalf("column %d is read by %T", i, chunk)
		}
		most := chunk.Descriptor().MaxDefinitionLevel()
		for row := range rows {
			if levels[row] < most {
				list = append(list, null)
				continue
			}
			list, got = append(list, got[0]), got[1:]
		}
	}
	return list
}

// batch reads the values of a chunk, and for each row whether there is one.
func batch[T any](tb testing.TB, rows int, read func(int64, []T, []int16, []int16) (int64, int, error), text func(T) string) ([]string, []int16) {
	tb.Helper()
	values, levels := make([]T, rows), make([]int16, rows)
	var got []string
	for done := 0; done < rows; {
		n, present, err := read(int64(rows-done), values, levels[done:], nil)
		if err != nil || n == 0 {
			tb.Fatalf("read %d of %d rows: %v", done, rows, err)
		}
		for _, v := range values[:present] {
			got = append(got, text(v))
		}
		done += int(n)
	}
	return got, levels
}

// duckValues gives the values of a column of a segment as DuckDB reads it.
func duckValues(tb testing.TB, db *sql.DB, path string, c column) []string {
	tb.Helper()
	expression := fmt.Sprintf("%q", c.name)
	switch kind, _, _ := strings.Cut(c.kind, ","); kind {
	case "UUID", "JSON":
		expression += "::VARCHAR"
	case "TIMESTAMP":
		expression = "epoch_us(" + expression + ")"
	}
	rows, err := db.Query("SELECT "+expression+" FROM read_parquet(?, hive_partitioning = false)", path)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var v any
		if err := rows.Scan(&v); err != nil {
			tb.Fatal(err)
		}
		switch v := v.(type) {
		case nil:
			list = append(list, null)
		case []byte:
			list = append(list, string(v))
		default:
			list = append(list, fmt.Sprint(v))
		}
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return list
}

// TestAnotherReader reads every value of every segment with Apache Arrow, and
// wants what DuckDB reads, of which the views are made that other tests hold
// against the log.
func TestAnotherReader(t *testing.T) {
	dir := t.TempDir()
	o := store.WriterOptions{Keep: store.KeepAll, NoRedact: true}
	add(t, dir, o, save(t, t.TempDir(), "odd", oddTimes()))
	add(t, dir, o, recordings+"crowd.audit.jsonl.zst")
	db := memory(t)
	for _, name := range segments(t, dir) {
		f := openArrow(t, dir, name)
		for i, c := range f.columns() {
			got := f.values(t, i)
			want := duckValues(t, db, filepath.Join(dir, filepath.FromSlash(name)), c)
			if len(got) == 0 {
				t.Errorf("%s has no rows", name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, column %s (-DuckDB +Arrow):\n%.2000s", name, c.name, diff)
			}
		}
	}
}

// TestNoSecretOnDisk looks for the secrets of a log in every byte of a data set
// that keeps all, and in every value of it.
func TestNoSecretOnDisk(t *testing.T) {
	secrets := []string{
		"correct-horse-battery", "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", // the value of a Secret, and as its data
		"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJl", // an issued token
		"q1w2e3r4t5y6u7i8", "cTF3MmUzcjR0NXk2dTdpOA", // that of a bootstrap token
	}
	const form = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"00000000-0000-4000-8000-%012d",` +
		`"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/%[2]s","verb":"create","user":{"username":"bob"},` +
		`"objectRef":{"resource":"%[2]s","namespace":"shop","name":"db","apiVersion":"v1","subresource":"%[3]s"},` +
		`"responseStatus":{"metadata":{},"code":201},"requestObject":%[4]s,"responseObject":%[4]s,` +
		`"requestReceivedTimestamp":"2026-11-23T18:00:09.000000Z","stageTimestamp":"2026-11-23T18:00:09.000001Z"}` + "\n"
	secret := `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db","annotations":{"kubectl.kubernetes.io/last-applied-configuration":` +
		`"{\"kind\":\"Secret\",\"data\":{\"password\":\"` + secrets[1] + `\"}}"}},"data":{"password":"` + secrets[1] + `"},"stringData":{"password":"` + secrets[0] + `"}}`
	token := `{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","status":{"token":"` + secrets[2] + `"}}`
	bootstrap := `{"kind":"Secret","apiVersion":"v1","type":"bootstrap.kubernetes.io/token","metadata":{"name":"bootstrap-token-abcdef",` +
		`"labels":{"note":"ours"}},"stringData":{"token-secret":"` + secrets[3] + `"},"data":{"token-secret":"` + secrets[4] + `=="}}`
	log := fmt.Sprintf(form, 1, "secrets", "", secret) + fmt.Sprintf(form, 2, "serviceaccounts", "token", token) +
		fmt.Sprintf(form, 3, "secrets", "", bootstrap) +
		strings.Replace(fmt.Sprintf(form, 4, "configmaps", "", "null"), "/configmaps", "/configmaps?token="+secrets[2], 1) +
		`{"kind":"Event","requestObject":` + secret + "\n" // malformed, for it ends too early
	path := save(t, t.TempDir(), "log", log)
	look := func(o store.WriterOptions) (found map[string]bool) {
		dir := t.TempDir()
		if added := add(t, dir, o, path); added.Events != 4 {
			t.Fatalf("added %+v, want 4 events", added)
		}
		found = map[string]bool{}
		search := func(b []byte) {
			for _, s := range secrets {
				if bytes.Contains(b, []byte(s)) {
					found[s] = true
				}
			}
		}
		for _, name := range files(t, dir) {
			search(readAll(t, dir, name))
			if !strings.HasSuffix(name, ".parquet") {
				continue
			}
			// The bytes of most columns are compressed.
			f := openArrow(t, dir, name)
			for i := range f.columns() {
				for _, v := range f.values(t, i) {
					search([]byte(v))
				}
			}
		}
		return found
	}
	if found := look(store.WriterOptions{Keep: store.KeepAll}); len(found) > 0 {
		t.Errorf("on the disk are %v", found)
	}
	if found := look(store.WriterOptions{Keep: store.KeepAll, NoRedact: true}); len(found) != len(secrets) {
		t.Errorf("without redaction only %v are on the disk: the test says nothing", found)
	}
}
