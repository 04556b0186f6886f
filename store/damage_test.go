package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/store"
)

// TestDamagedFiles damages a file of each table in every way: its name is told,
// the rest stays readable, a compaction leaves it as it is, and the log once
// more brings back what it held.
func TestDamagedFiles(t *testing.T) {
	logs := parts(t, "crowd.audit", 100, 100)
	sound := filepath.Join(t.TempDir(), "data")
	for _, log := range logs {
		add(t, sound, store.WriterOptions{Keep: store.KeepAll}, log)
	}
	rows := func(d *store.DataSet, view string) int64 { return count(t, d, "SELECT count(*) FROM "+view) }
	for name, damage := range map[string]func([]byte) []byte{
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"empty":     func([]byte) []byte { return []byte{} },
		"no end":    func(b []byte) []byte { return slices.Concat(b[:len(b)-4], []byte("QAR1")) },
		"one bit": func(b []byte) []byte {
			b[len(b)/2] ^= 1
			return b
		},
		"missing": nil,
	} {
		for _, table := range []string{"events", "contexts", "raw"} {
			t.Run(name+" "+table, func(t *testing.T) {
				t.Parallel()
				dir := copied(t, sound)
				file := damageOne(t, dir, table, damage)
				d := open(t, dir)
				if damaged := d.Damaged(); len(damaged) != 1 || damaged[0].Path != file || damaged[0].Reason == "" {
					t.Fatalf("damaged are %v, want %s", damaged, file)
				}
				before := open(t, sound)
				for _, view := range []string{store.ViewEvents, store.ViewContexts} {
					got, want := rows(d, view), rows(before, view)
					if view == table && (got == 0 || got >= want) || view != table && got != want {
						t.Errorf("%d rows of %s are left of %d", got, view, want)
					}
				}
				for _, err := range d.Raw(t.Context()) {
					if err != nil {
						t.Errorf("the rest of the log: %v", err)
					}
				}
				if done, err := store.Compact(t.Context(), dir); err != nil || len(done.Damaged) != 1 || done.Damaged[0].Path != file {
					t.Errorf("compacting: %+v, %v", done, err)
				}
				for _, log := range logs {
					add(t, dir, store.WriterOptions{Keep: store.KeepAll}, log)
				}
				d = open(t, dir)
				if damaged := d.Damaged(); len(damaged) > 0 {
					t.Errorf("with the log once more %v are still damaged", damaged)
				}
				want, got := "", ""
				for _, log := range raw(t, sound) {
					want += log
				}
				for _, log := range raw(t, dir) {
					got += log
				}
				if len(got) != len(want) {
					t.Errorf("with the log once more %d bytes of it come back, want %d", len(got), len(want))
				}
				if table != "raw" && rows(d, table) != rows(before, table) {
					t.Errorf("with the log once more there are %d rows of %s, want %d", rows(d, table), table, rows(before, table))
				}
			})
		}
	}
}

// TestDropDamaged has a data set forget what is damaged, and wants the rest of it
// sound.
func TestDropDamaged(t *testing.T) {
	for _, table := range []string{"events", "contexts", "raw"} {
		dir := t.TempDir()
		for _, log := range parts(t, "crowd.audit", 100, 100) {
			add(t, dir, store.WriterOptions{Keep: store.KeepAll}, log)
		}
		file := damageOne(t, dir, table, func(b []byte) []byte { return b[:len(b)/2] })
		s, err := open(t, dir).Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := open(t, dir)
		if n := count(t, d, "SELECT count(*) FROM events"); n != s.Events {
			t.Errorf("%s: stats tell of %d events, and there are %d", table, s.Events, n)
		}
		dropped, err := store.DropDamaged(t.Context(), dir)
		if err != nil || len(dropped) != 1 || dropped[0].Path != file {
			t.Errorf("%s: dropped are %v (%v), want %s", table, dropped, err, file)
		}
		d = open(t, dir)
		if damaged := d.Damaged(); len(damaged) > 0 {
			t.Errorf("%s: damaged are %v", table, damaged)
		}
		for _, err := range d.Raw(t.Context()) {
			if err != nil {
				t.Errorf("%s: the rest of the log: %v", table, err)
			}
		}
		if lost := len(d.Damaged()) > 0; lost != (table == "events") {
			t.Errorf("%s: that lines are lost is told: %v", table, lost)
		}
		if again, err := store.DropDamaged(t.Context(), dir); err != nil || len(again) > 0 {
			t.Errorf("%s: dropped once more: %v, %v", table, again, err)
		}
	}
}

// TestStatsNameEveryColumn wants a name for what each column holds.
func TestStatsNameEveryColumn(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{Keep: store.KeepAll}, parts(t, "crowd.audit", 200)[0])
	s, err := open(t, dir).Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range s.Families {
		if strings.HasSuffix(family.Name, ": ") {
			t.Errorf("%d bytes are of columns without a name: %q", family.N, family.Name)
		}
	}
}

// damageOne changes the bytes of a file of a table, or removes it, and gives its
// name.
func damageOne(tb testing.TB, dir, table string, damage func([]byte) []byte) string {
	tb.Helper()
	list := segments(tb, dir)
	file := list[slices.IndexFunc(list, func(name string) bool { return strings.HasPrefix(name, table+"/") })]
	name := filepath.Join(dir, filepath.FromSlash(file))
	if damage == nil {
		if err := os.Remove(name); err != nil {
			tb.Fatal(err)
		}
		return file
	}
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, damage(b), 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

// TestExplainNamesTheFile damages a file behind the back of an open data set, as
// of a large one Open does not see it, and wants its name in the error.
func TestExplainNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, store.WriterOptions{}, recordings+"crowd.metadata.jsonl.zst")
	d := open(t, dir)
	file := damageOne(t, dir, "events", func(b []byte) []byte {
		clear(b[len(b)/5 : len(b)*9/10])
		return b
	})
	var got error
	for _, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
		got = err
	}
	if got == nil || !strings.Contains(got.Error(), file+" is damaged: ") {
		t.Errorf("the error is %v, want one about %s", got, file)
	}
	if _, err := d.DB().Query("SELECT nothing"); err == nil || d.Explain(t.Context(), err).Error() != err.Error() {
		t.Errorf("the mistake of a query is explained as %v", d.Explain(t.Context(), err))
	}
}

// TestManifests wants bad manifests refused, by all who open the data set, with
// nothing changed.
func TestManifests(t *testing.T) {
	for name, test := range map[string]struct {
		change func(manifest map[string]any)
		text   string
		want   string
	}{
		"newer":  {change: func(m map[string]any) { m["version"] = 99 }, want: "format version 99"},
		"broken": {text: `{"version":1,`, want: "reading the manifest"},
		"outside": {change: func(m map[string]any) {
			m["segments"].([]any)[0].(map[string]any)["path"] = "../../etc/passwd"
		}, want: `"../../etc/passwd", which is outside`},
		"emptied":           {text: `{}`, want: "it lacks the version or the segments"},
		"no version":        {change: func(m map[string]any) { delete(m, "version") }, want: "it lacks the version or the segments"},
		"no segments":       {change: func(m map[string]any) { delete(m, "segments") }, want: "it lacks the version or the segments"},
		"null segments":     {change: func(m map[string]any) { m["segments"] = nil }, want: "it lacks the version or the segments"},
		"outside, replaced": {change: func(m map[string]any) { m["replaced"] = []string{"/etc/passwd"} }, want: `"/etc/passwd", which is outside`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			add(t, dir, store.WriterOptions{}, parts(t, "crowd.metadata", 50)[0])
			path := filepath.Join(dir, "manifest.json")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				var m map[string]any
				if err := json.Unmarshal(b, &m); err != nil {
					t.Fatal(err)
				}
				test.change(m)
				b, err = json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				test.text = string(b)
			}
			save(t, dir, "manifest.json", test.text)
			list := files(t, dir)
			_, openErr := store.Open(t.Context(), dir)
			_, appendErr := store.Append(t.Context(), dir, store.WriterOptions{})
			_, compactErr := store.Compact(t.Context(), dir)
			for _, err := range []error{openErr, appendErr, compactErr} {
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
					t.Errorf("the error is %v, want one about %s and %s", err, test.want, dir)
				}
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(after, []byte(test.text)) || !slices.Equal(files(t, dir), list) {
				t.Errorf("something was changed (%v)", err)
			}
		})
	}
}

// TestLostManifest removes the manifest of a data set, and wants everybody
// refused and every file kept.
func TestLostManifest(t *testing.T) {
	dir := t.TempDir()
	log := parts(t, "crowd.metadata", 50)[0]
	add(t, dir, store.WriterOptions{}, log)
	if err := os.Remove(filepath.Join(dir, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	list := files(t, dir)
	_, openErr := store.Open(t.Context(), dir)
	_, appendErr := store.Append(t.Context(), dir, store.WriterOptions{})
	_, compactErr := store.Compact(t.Context(), dir)
	for _, err := range []error{openErr, appendErr, compactErr, store.Create(dir)} {
		if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "its manifest.json is gone") || !strings.Contains(err.Error(), dir) {
			t.Errorf("the error is %v", err)
		}
	}
	if got := files(t, dir); !slices.Equal(got, list) {
		t.Errorf("%q are left of %q", got, list)
	}
}

// TestNoDataSet wants clear errors of folders that are no data set.
func TestNoDataSet(t *testing.T) {
	empty, other := t.TempDir(), t.TempDir()
	save(t, other, "diary.txt", "private")
	for _, dir := range []string{empty, other, filepath.Join(empty, "nothing")} {
		if _, err := store.Open(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no data set") {
			t.Errorf("opening %s: %v", dir, err)
		}
		if _, err := store.Compact(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "no data set") {
			t.Errorf("compacting %s: %v", dir, err)
		}
	}
	if _, err := store.Append(t.Context(), other, store.WriterOptions{}); err == nil || !strings.Contains(err.Error(), `"diary.txt"`) {
		t.Errorf("writing into somebody's folder: %v", err)
	}
	file := save(t, empty, "file", "")
	if _, err := store.Append(t.Context(), file, store.WriterOptions{}); err == nil {
		t.Error("a file was taken for a folder")
	}
}
